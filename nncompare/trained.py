"""Which trained model of a run is meant, and in one sentence why there is none."""

from __future__ import annotations

import difflib
import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nncompare.exceptions import ResultsError, UsageError
from nncompare.results import DatasetRecord, RefitRecord, Results, StudyRecord

__all__ = ["Trained", "find_trained", "too_old"]


@dataclass(frozen=True, slots=True)
class Trained:
    """The records of one trained model: data set, study and refit; and why it was taken where nobody said."""

    data: DatasetRecord
    study: StudyRecord
    refit: RefitRecord
    reason: str


def find_trained(
    results: Results, folder: Path, is_held: bool, model: str | None, dataset: str | None, refit: int
) -> Trained:
    """Return the records of the data set, model and refit that are meant.

    Parameters
    ----------
    results : Results
    folder : Path
        The run directory.
    is_held : bool
        A process works in it now.
    model : str or None
        None for the verdict's winner, else the model with the lowest validation log loss on the data set.
    dataset : str or None
        None for the only one.
    refit : int
        From 1.

    Raises
    ------
    UsageError
        The run has no such model, data set or refit, or several data sets and none was named.
    ResultsError
        That model was not trained, or not saved with its preprocessing; the message says why.
    """
    by_name = {data.name: data for data in results.datasets}
    if dataset is None and len(by_name) != 1:
        raise UsageError(
            f"The run '{results.run_id}' has {len(by_name)} data sets ({', '.join(by_name) or 'none'}): say whose "
            "model is to predict (-d, in Python: dataset=)."
        )
    data = by_name[_known(dataset or next(iter(by_name)), list(by_name), "data set", results.run_id)]
    studies = {study.model: study for study in results.studies if study.dataset == data.name}
    reason = ""
    if model is None:
        trained = [study for study in studies.values() if study.test is not None]
        if not trained:
            raise ResultsError(_untrained(results, folder, is_held, list(studies.values())))
        model, reason = _best(data, trained)
    study = studies[_known(model, list(studies), f"model on {data.name}", results.run_id)]
    if not study.refits:
        raise ResultsError(_untrained(results, folder, is_held, [study]))
    return Trained(data, study, _refit(study, refit, results), reason)


def _known(name: str, names: Sequence[str], kind: str, run_id: str) -> str:
    if name in names:
        return name
    near = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise UsageError(f"The run '{run_id}' has no {kind} '{name}'.{hint} It has: {', '.join(names)}.")


def _best(data: DatasetRecord, trained: Sequence[StudyRecord]) -> tuple[str, str]:
    """Return the winner, or whose validation log loss is the lowest, and in words which of them it is."""
    if data.verdict.winner is not None:
        return data.verdict.winner, f"it won the comparison on {data.name}"
    if len(trained) == 1:
        return trained[0].model, f"it is the only one that finished on {data.name}"
    best = min(trained, key=lambda study: math.inf if study.valid_log_loss is None else study.valid_log_loss)
    told = "" if best.valid_log_loss is None else f" ({best.valid_log_loss:.4f})"
    why = f"no model won the comparison on {data.name}, and it has the lowest validation log loss{told}"
    return best.model, why


def _refit(study: StudyRecord, number: int, results: Results) -> RefitRecord:
    """Return one refit whose model was saved, or say why there is none."""
    pair = f"{study.model} on {study.dataset}"
    if not 1 <= number <= len(study.refits):
        raise UsageError(
            f"There is no refit {number} of {pair}: choose one from 1 to {len(study.refits)} "
            "(--refit, in Python: refit=)."
        )
    refit = study.refits[number - 1]
    if refit.failure is not None:
        working = [str(i) for i, other in enumerate(study.refits, 1) if other.failure is None]
        how = "Choose another (--refit, in Python: refit=)"
        remedy = f"{how}: {', '.join(working)}." if working else "None of its refits worked."
        raise ResultsError(f"Refit {number} of {pair} failed: {refit.failure.message} {remedy}")
    if refit.model is None or refit.manifest_sha256 is None:
        raise ResultsError(too_old(results))
    return refit


def _untrained(results: Results, folder: Path, is_held: bool, studies: Sequence[StudyRecord]) -> str:
    """Say why there is no model: the run goes on, the studies were stopped, failed or not run."""
    text = f"The run '{results.run_id}' has no trained model on {studies[0].dataset}"
    if any(study.status == "interrupted" for study in studies):
        if is_held:
            return f"{text} yet: a process works on it now. Wait until it ends."
        return (
            f"{text} yet: it did not go on to its refits. Continue it first: nncompare resume "
            f"{shlex.quote(str(folder))}"
        )
    failure = next((study.failure.message for study in studies if study.failure is not None), "no reason given.")
    return f"{text}: {failure}"


def too_old(results: Results) -> str:
    """Say that a run's models were saved without what they need to predict."""
    return (
        f"The run '{results.run_id}' was made by a version of nncompare that saved no preprocessing beside its "
        "models, so they cannot predict. Run the comparison again."
    )
