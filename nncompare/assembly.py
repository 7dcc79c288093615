"""Puts the records of a study and of a data set together from what a run left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import numpy.typing as npt

from nncompare.clusters import Groups
from nncompare.data.fingerprint import fingerprint
from nncompare.data.seeds import derive_seed
from nncompare.exceptions import DataError, StorageError
from nncompare.ledger import budget
from nncompare.metrics import test_scores
from nncompare.mistakes import Mistakes
from nncompare.plan import Plan, PlannedDataset, PlannedStudy
from nncompare.points import counted
from nncompare.refit import Reference, Refit, SealedTest
from nncompare.repeating import have_changed, is_repeatable, told_in
from nncompare.results import (
    Check,
    DatasetRecord,
    Failure,
    FailureCategory,
    FinalRecord,
    Owner,
    ReferenceRecord,
    Results,
    RunState,
    Settings,
    StudyRecord,
    StudyStatus,
)
from nncompare.trials import SearchResult
from nncompare.verdict import decide

UNFINISHED = Failure(
    category="interrupted", message="It was stopped, or was still running, when this was written."
)


def study_record(
    study: PlannedStudy,
    found: SearchResult | None = None,
    refits: Sequence[Refit] = (),
    test: SealedTest | None = None,
    seed: int = 0,
    *,
    finals: Sequence[FinalRecord] = (),
    failure: Failure | None = None,
    interrupted: bool = False,
) -> StudyRecord:
    """Return the record of one study, however far it came.

    Parameters
    ----------
    study : PlannedStudy
    found : SearchResult, optional
    refits : sequence of Refit
    test : SealedTest, optional
        Needed where there are refits.
    seed : int
        Of the run; the bootstraps of the scores derive theirs from it.
    finals : sequence of FinalRecord
    failure : Failure, optional
        Why there is nothing.
    interrupted : bool
        The run was stopped before the study was complete.
    """
    fields: dict[str, Any] = {
        "model": study.model,
        "dataset": study.dataset,
        "plugin": owner(study),
        "view": study.view,
        "budget": budget(study, found.trials if found is not None else (), finals),
        "space": dict(study.space) | (found.space if found is not None else {}),
        "pinned": dict(study.pins),
        "search_fingerprint": fingerprint(rows=study.search_rows) if study.search_rows is not None else "",
    }
    if found is not None:
        fields |= search_fields(found, finals)
    scored = [refit for refit in refits if refit.probabilities is not None]
    if scored and test is not None:
        fields |= refit_fields(study, scored, test, seed)
    fields["refits"] = [refit.record for refit in refits]
    complete = bool(scored) and not interrupted
    if failure is None and not complete:
        failure = UNFINISHED if interrupted else reason(found, refits)
    return StudyRecord(**fields, status=status(study, complete, interrupted, failure), failure=failure)


def status(study: PlannedStudy, complete: bool, interrupted: bool, failure: Failure | None) -> StudyStatus:
    """Return what became of a study in one word."""
    if complete:
        return "complete"
    if failure is not None and failure == study.failure:
        return "failed" if study.broken else "not_run"
    return "interrupted" if failure == UNFINISHED else "failed"


def reason(found: SearchResult | None, refits: Sequence[Refit]) -> Failure:
    """Return why a study that ran has no result: the most frequent category and its first message."""
    failures = [refit.record.failure for refit in refits if refit.record.failure is not None]
    what = f"{len(failures)} of {counted(len(refits), 'refit')} failed"
    if not refits and found is not None:
        failures = [trial.failure for trial in found.trials if trial.failure is not None]
        what = f"{len(failures)} of {counted(len(found.trials), 'trial')} failed and none was completed"
    if not failures:
        return Failure(category="internal", message="There is neither a result nor a failure.")
    category = Counter(failure.category for failure in failures).most_common(1)[0][0]
    first = next(failure for failure in failures if failure.category == category)
    return Failure(category=category, message=f"{what}. {first.message}")


def failure_of(error: Exception) -> Failure:
    """Return what an error that ended a study means to its reader."""
    if isinstance(error, DataError):
        return Failure(category="data", message=str(error))
    category: FailureCategory = "storage" if isinstance(error, StorageError) else "internal"
    return Failure(category=category, message=f"{type(error).__name__}: {error}")


def owner(study: PlannedStudy) -> Owner | None:
    """Return the distribution that brought the plugin."""
    if study.ref is None:
        return None
    file = portable(study.file) if study.file is not None else None
    return Owner(distribution=study.ref.distribution, version=study.ref.version, file=file)


def portable(file: str) -> str:
    """Return a path without the folders of this machine, because results are sent to others."""
    path = Path(file)
    if "site-packages" in path.parts:
        return str(Path(*path.parts[path.parts.index("site-packages") :]))
    return f"{path.parent.name}/{path.name}"


def search_fields(found: SearchResult, finals: Sequence[FinalRecord] = ()) -> dict[str, Any]:
    """Return the fields of a study that come from its search; its finals say which trial was chosen."""
    fields: dict[str, Any] = {
        "trials": found.trials,
        "finals": list(finals),
        "importance": found.importance,
        "search_time_s": round(found.seconds, 3),
    }
    best = found.choice(finals)
    if best is not None:
        fields |= {
            "best_trial": best.number,
            "best_params": best.params,
            "best_epoch": best.best_epoch,
            "valid_log_loss": best.valid_log_loss,
            "valid_accuracy": best.valid_accuracy,
        }
    return fields


def refit_fields(study: PlannedStudy, scored: Sequence[Refit], test: SealedTest, seed: int) -> dict[str, Any]:
    """Return the fields of a study that come from its scored refits: means over them."""
    probabilities = [refit.probabilities for refit in scored if refit.probabilities is not None]
    bootstrap_seed = derive_seed(seed, study.model, study.dataset, "bootstrap")
    first = scored[0].answer
    return {
        "test": test_scores(test.y, probabilities, test.class_names, bootstrap_seed, test.groups),
        "fit_time_s": mean(refit.record.fit_time_s for refit in scored),
        "fit_cpu_s": mean(refit.record.fit_cpu_s for refit in scored),
        "peak_memory_mb": max(
            (m for refit in scored if (m := refit.record.peak_memory_mb) is not None), default=None
        ),
        "n_parameters": first.n_parameters if first is not None else None,
        "size_bytes": first.size_bytes if first is not None else None,
    }


def mean(values: Iterable[float | None]) -> float | None:
    """Return the mean of what is known, None where nothing is."""
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def dataset_record(
    dataset: PlannedDataset,
    studies: Sequence[StudyRecord],
    references: Sequence[Reference],
    correct: Mapping[str, npt.NDArray[np.bool_]],
    *,
    groups: Groups | None = None,
    text: str | None = None,
) -> DatasetRecord:
    """Return the record of one data set with its verdict; ``text`` stands in for the sentence.

    ``groups`` are those of the test items, where they come in groups.
    """
    records = [
        reference.record or ReferenceRecord(name=reference.name, failure=reference.failure)
        for reference in references
    ]
    stored, split = dataset.stored, dataset.split
    support = stored.test_support if stored is not None else []
    names = list(stored.class_names) if stored is not None else []
    verdict = decide(
        dataset.name,
        studies,
        records,
        correct,
        duplicates=_duplicates(dataset),
        test_support=support,
        class_names=names,
        groups=groups,
    )
    return DatasetRecord(
        name=dataset.name,
        kind=stored.view if stored is not None else "",
        n_train=dataset.n_train,
        n_valid=dataset.n_valid,
        n_test=dataset.n_test,
        class_names=names,
        fingerprint=dataset.fingerprint,
        test_fingerprint=stored.test_fingerprint if stored is not None else "",
        split_fingerprint=split.fingerprint if split is not None else "",
        test_support=list(support),
        duplicates=stored.duplicates if stored is not None else 0,
        split_by=stored.split_by if stored is not None else "",
        split_column=stored.split_column if stored is not None else None,
        split_keys=stored.split_keys if stored is not None else "",
        data_checks=[Check(**asdict(finding)) for finding in dataset.findings],
        description=stored.description if stored is not None else "",
        licence=stored.licence if stored is not None else "",
        citation=stored.citation if stored is not None else "",
        failure=dataset.failure,
        references=records,
        verdict=verdict if text is None else verdict.model_copy(update={"text": text}),
    )


def _duplicates(dataset: PlannedDataset) -> int | None:
    """Return the test rows that are training rows too; None where there is nothing to say of them in a verdict."""
    is_small = any(finding.code == "duplicates" and finding.level == "info" for finding in dataset.findings)
    return None if dataset.stored is None or is_small else dataset.stored.duplicates


def results_record(
    plan: Plan,
    state: RunState,
    studies: Sequence[StudyRecord],
    datasets: Sequence[DatasetRecord],
    *,
    mistakes: Mapping[str, Mistakes],
    duration_s: float,
    memory_mb: float | None,
    environment: Mapping[str, Any],
    notes: Sequence[str],
) -> Results:
    """Return the record of a run; ``mistakes`` holds those of each data set that was loaded, by name."""
    config = plan.config
    finished_at = datetime.now().astimezone().isoformat(timespec="seconds")
    settings = Settings(
        jobs=plan.jobs,
        threads=config.threads,
        deterministic=config.deterministic,
        n_trials=max((study.n_trials for study in plan.studies), default=0),
        n_refits=max((study.n_refits for study in plan.studies), default=0),
        max_epochs=config.max_epochs,
        trial_timeout_s=config.trial_timeout_s,
        trial_memory_mb=None if memory_mb is None else round(memory_mb),
        timeout_s=config.timeout_s,
        pins={f"{model}.{name}": value for model, pins in config.pins.items() for name, value in pins.items()},
    )
    changed = have_changed(settings, plan.earlier)
    return Results(
        run_id=plan.run_id,
        state=state,
        created_at=plan.created_at.isoformat(timespec="seconds"),
        finished_at=finished_at if state != "running" else None,
        duration_s=round(duration_s, 1),
        command=list(config.command),
        seed=config.seed,
        preset=config.preset,
        settings=settings,
        environment=dict(environment),
        repeatable=is_repeatable(config, plan.jobs, state, studies, changed=changed),
        settings_changed=changed,
        notes=list(dict.fromkeys([*notes, *(found.problem for found in mistakes.values() if found.problem)])),
        datasets=[
            told_in(mistakes.get(dataset.name, Mistakes()).in_dataset(dataset), config, studies, changed=changed)
            for dataset in datasets
        ],
        studies=[mistakes.get(study.dataset, Mistakes()).in_study(study) for study in studies],
    )
