"""Opens the Optuna study of a search: a new one, that of an earlier part, or one made again from records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState

from nncompare.events import Listener, Notice
from nncompare.exceptions import StorageError
from nncompare.execution.specs import Answer, FitAnswer
from nncompare.execution.supervisor import RefusedError
from nncompare.faultpoints import reached
from nncompare.plan import PlannedStudy
from nncompare.results import TrialRecord
from nncompare.samplers import RememberingPruner, make_pruner, make_sampler, suggest
from nncompare.trials import KeptTrial, kept_numbers, kept_trial

__all__ = ["Running", "open_study", "tell_optuna"]

_STATES = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED}


@dataclass(slots=True)
class Running:
    """A trial while it runs; the child's questions are answered from it.

    ``known_epochs`` were reported in an earlier part of the run, and are not reported again.
    """

    trial: optuna.Trial
    asked: dict[str, dict[str, Any]] = field(default_factory=dict)
    suggested: dict[str, Any] = field(default_factory=dict)
    best: float | None = None
    known_epochs: int = 0

    def recall(self, pins: Mapping[str, Any], answer: Answer) -> None:
        """Fill in what a child of an earlier part of the run asked, of which only the answer is kept.

        Parameters
        ----------
        pins : Mapping
            Values that the study fixes: they never reach Optuna.
        answer : Answer
            What that child committed.
        """
        params = answer.params if isinstance(answer, FitAnswer) else {}
        self.suggested = dict(self.trial.params) | {name: pins[name] for name in pins if name in params}
        self.asked = {name: _asked(found) for name, found in self.trial.distributions.items()}

    def suggest(self, message: Mapping[str, Any], pins: Mapping[str, Any]) -> Any:
        """Return the value that a child asks for: a pinned one, or one that is drawn.

        Raises
        ------
        RefusedError
            It was asked for before with other arguments, or the arguments are wrong.
        """
        name, distribution, arguments = message["name"], message["distribution"], message["arguments"]
        entry = {"type": distribution, **arguments}
        if self.asked.setdefault(name, entry) != entry:
            raise RefusedError(f"'{name}' was asked for twice in one trial, as {self.asked[name]} and as {entry}.")
        value = pins[name] if name in pins else suggest(self.trial, distribution, name, arguments)
        self.suggested[name] = value
        reached("suggested")
        return value


def open_study(
    study: PlannedStudy,
    storage: optuna.storages.RDBStorage,
    name: str,
    seed: int,
    folder: Path,
    tell: Listener,
) -> optuna.Study:
    """Return the study of this name, made where the storage has none.

    Trials that the run directory holds and the study lacks, because its database was lost or is older, are put
    back. Trial 0 of a new study is the default configuration.

    Parameters
    ----------
    study : PlannedStudy
    storage : optuna.storages.RDBStorage
    name : str
        In the storage.
    seed : int
        Of the run.
    folder : Path
        Of the study's committed trials.
    tell : callable
        Hears how many trials were put back.

    Raises
    ------
    StorageError
        A committed trial cannot be put back.
    """
    found = optuna.create_study(
        storage=storage,
        study_name=name,
        direction="minimize",
        sampler=make_sampler(study, seed),
        pruner=RememberingPruner(make_pruner(study)),
        load_if_exists=True,
    )
    first = {name: value for name, value in study.defaults.items() if name not in study.pins}
    lost = _lost(found, folder)
    for number in lost:
        _put_back(found, study, number, kept_trial(folder, number), first)
    if lost:
        pair = f"{study.model} on {study.dataset}"
        text = f"{pair}: the database lacks trials of the run; {len(lost)} were put back from the run directory."
        tell(Notice(text, "warning"))
    if not found.get_trials(deepcopy=False):
        found.enqueue_trial(first)
    return found


def tell_optuna(found: optuna.Study, record: TrialRecord) -> None:
    """Tell a study of :func:`open_study` how a trial ended, which is done once."""
    reached("tell")
    value = record.valid_log_loss if record.state == "complete" else None
    found.tell(record.number, value, _STATES.get(record.state, TrialState.FAIL))
    if isinstance(found.pruner, RememberingPruner):
        found.pruner.trial_ended()
    reached("told")


def _lost(study: optuna.Study, folder: Path) -> range:
    """Return the numbers that were given out and that the study does not know."""
    n_known = len(study.get_trials(deepcopy=False))
    return range(n_known, max([n_known - 1, *kept_numbers(folder)]) + 1)


def _put_back(
    found: optuna.Study, study: PlannedStudy, number: int, kept: KeptTrial | None, first: Mapping[str, Any]
) -> None:
    """Add one trial; one that was not committed counts as begun, and goes on under its number."""
    if kept is None:
        attributes = {"fixed_params": dict(first)} if number == 0 else {}
        found.add_trial(optuna.trial.create_trial(state=TrialState.RUNNING, system_attrs=attributes))
        return
    try:
        found.add_trial(_frozen(kept, study.pins))
    except (KeyError, TypeError, ValueError) as error:
        raise StorageError(
            f"Trial {number} of {study.model} on {study.dataset} is not in the database and cannot be put back "
            f"from the run directory: {type(error).__name__}: {error}. Bring the database back, or start a new "
            "run."
        ) from error


def _frozen(kept: KeptTrial, pins: Mapping[str, Any]) -> optuna.trial.FrozenTrial:
    """Return a finished trial as Optuna keeps it; its epochs have the 4 digits of the record."""
    record = kept.record
    params = {name: value for name, value in record.suggested.items() if name not in pins}
    epochs = _lowest_by_epoch(record)
    value = record.valid_log_loss if record.state == "complete" else None
    if record.state == "pruned" and epochs:
        value = epochs[max(epochs)]
    return optuna.trial.create_trial(
        state=_STATES.get(record.state, TrialState.FAIL),
        value=value,
        params=params,
        distributions={name: _distribution(kept.space[name]) for name in params},
        intermediate_values=epochs,
    )


def _lowest_by_epoch(record: TrialRecord) -> dict[int, float]:
    """Return the lowest validation loss up to each epoch, which is what the pruner compares."""
    lowest: dict[int, float] = {}
    for epoch, loss in zip(record.curve.epoch, record.curve.valid_loss, strict=True):
        if loss is not None:
            lowest[epoch] = min([loss, *lowest.values()])
    return lowest


def _asked(distribution: optuna.distributions.BaseDistribution) -> dict[str, Any]:
    """Return the question of a child whose answer Optuna has drawn from ``distribution``."""
    if isinstance(distribution, optuna.distributions.CategoricalDistribution):
        return {"type": "categorical", "choices": list(distribution.choices)}
    kind = "int" if isinstance(distribution, optuna.distributions.IntDistribution) else "float"
    return {"type": kind, **{name: getattr(distribution, name) for name in ("low", "high", "step", "log")}}


def _distribution(asked: Mapping[str, Any]) -> optuna.distributions.BaseDistribution:
    arguments = {name: value for name, value in asked.items() if name != "type"}
    if asked["type"] == "categorical":
        return optuna.distributions.CategoricalDistribution(**arguments)
    if asked["type"] == "int":
        return optuna.distributions.IntDistribution(**arguments)
    return optuna.distributions.FloatDistribution(**arguments)
