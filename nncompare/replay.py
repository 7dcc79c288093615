"""Trains a recorded trial or refit once more, and says in what it differs from its record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal

from nncompare.data.views import PreparedView
from nncompare.exceptions import ResultsError
from nncompare.execution.saved import Manifest, check_saved
from nncompare.execution.supervisor import RefusedError
from nncompare.plan import PlannedStudy
from nncompare.refit import Refits, SealedTest
from nncompare.results import Record, RefitRecord, StudyRecord, TrialRecord
from nncompare.session import Session
from nncompare.trials import trial_record

__all__ = ["Difference", "Replayed", "replay_refit", "replay_trial", "saved_manifest"]

_OF_TRIAL = ("state", "params", "epochs", "best_epoch", "valid_log_loss", "valid_accuracy")
_OF_REFIT = ("seed", "epochs", "test_accuracy", "macro_f1", "log_loss", "confusion_matrix")


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that is not what the run recorded."""

    what: str
    recorded: Any
    now: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """One training that was repeated.

    ``failure`` says why it gave nothing to compare; ``score`` is the value that it was recorded with, validation
    log loss or test accuracy. ``weights`` tells whether the saved files are equal, None where none were compared;
    ``saved_gone`` whether the run's would have been and cannot be, so that at most their digest was.
    """

    kind: Literal["trial", "refit"]
    number: int
    epochs: int
    score: float | None
    differences: list[Difference] = field(default_factory=list)
    failure: str | None = None
    weights: Literal["equal", "differ"] | None = None
    saved_gone: bool = False

    @property
    def agrees(self) -> bool:
        """Whether everything that was compared is equal."""
        return not self.differences and self.failure is None


class _Recorded:
    """Answers a child as the search did: the same values, and pruned at the same epoch."""

    def __init__(self, trial: TrialRecord) -> None:
        self._trial = trial
        self.suggested: dict[str, Any] = {}

    def answer(self, kind: str, message: Mapping[str, Any]) -> Any:
        trial = self._trial
        if kind == "report":
            return not (trial.state == "pruned" and message["epoch"] >= trial.epochs)
        if kind != "suggest":
            raise RefusedError(f"A trial cannot ask for '{kind}'.")
        if message["name"] not in trial.suggested:
            raise RefusedError(
                f"'{message['name']}' is asked for now, and trial {trial.number} did not ask for it."
            )
        self.suggested[message["name"]] = trial.suggested[message["name"]]
        return trial.suggested[message["name"]]


def replay_trial(trial: TrialRecord, study: PlannedStudy, data: PreparedView, session: Session) -> Replayed:
    """Train a trial again from the values that the search suggested then.

    Parameters
    ----------
    trial : TrialRecord
        Complete or pruned.
    study : PlannedStudy
    data : PreparedView
        Of the trials.
    session : Session
        Its folder receives what the child writes.
    """
    recorded = _Recorded(trial)
    spec = session.fit_spec(
        study,
        data,
        f"trial-{trial.number}",
        seed=_seed(trial),
        max_epochs=study.max_epochs,
        number=trial.number,
    )
    answer = session.runner.run(spec, recorded.answer)
    now = trial_record(trial.number, recorded.suggested, answer, spec.seed)
    failure = answer.failure.message if answer.failure is not None else None
    return Replayed(
        kind="trial",
        number=trial.number,
        epochs=trial.epochs,
        score=trial.valid_log_loss,
        differences=list(_differences(trial, now, _OF_TRIAL)) if failure is None else [],
        failure=failure,
    )


def replay_refit(
    number: int,
    known: StudyRecord,
    study: PlannedStudy,
    data: PreparedView,
    test: SealedTest,
    session: Session,
    manifest: Manifest | None,
) -> Replayed:
    """Train a refit again and score it on the test part.

    Parameters
    ----------
    number : int
        Of the refit, from 0; one that has scores.
    known : StudyRecord
    study : PlannedStudy
    data : PreparedView
        Of the refits.
    test : SealedTest
    session : Session
        Its folder receives the model and the predictions.
    manifest : Manifest or None
        Of the model that the run saved; None where it is gone. Its files are compared in deterministic runs.
    """
    best = next(trial for trial in known.trials if trial.number == known.best_trial)
    refit = known.refits[number]
    now = Refits(study, best, data, test, session).run_one(number)
    failed = now.record.failure
    found = list(_differences(refit, now.record, _OF_REFIT)) if failed is None else []
    compares_files = failed is None and session.config.deterministic
    files = _other_files(refit, now.record, now.model, manifest) if compares_files else None
    return Replayed(
        kind="refit",
        number=number + 1,
        epochs=refit.epochs,
        score=refit.test_accuracy,
        differences=[*found, *(files or ())],
        failure=failed.message if failed is not None else None,
        weights=None if files is None else "differ" if files else "equal",
        saved_gone=compares_files and manifest is None and files != [],
    )


def saved_manifest(folder: Path, refit: RefitRecord) -> Manifest | None:
    """Return the manifest of a refit's model in a run directory; None where the model is not there as it was."""
    if refit.model is None:
        return None
    saved = (folder / refit.model).resolve()
    if not saved.is_relative_to(folder.resolve()):
        return None
    try:
        return check_saved(saved, refit.manifest_sha256)
    except ResultsError:
        return None


def _seed(trial: TrialRecord) -> int:
    """Return a trial's seed.

    Raises
    ------
    ResultsError
        An early version did not record it.
    """
    if trial.seed is None:
        raise ResultsError(
            f"Trial {trial.number} cannot be replayed: an early version recorded it without its seed."
        )
    return trial.seed


def _differences(before: Record, now: Record, names: tuple[str, ...]) -> Iterator[Difference]:
    """Yield the named fields that differ, and the first epoch at which the curves do."""
    for name in names:
        one, other = getattr(before, name), getattr(now, name)
        if one != other:
            yield Difference(name, one, other)
    yield from _curve_difference(before, now)


def _curve_difference(before: Any, now: Any) -> Iterator[Difference]:
    for name in ("train_loss", "valid_loss", "valid_accuracy"):
        pairs = zip_longest(getattr(before.curve, name), getattr(now.curve, name))
        for epoch, (one, other) in enumerate(pairs, 1):
            if one != other:
                yield Difference(f"{name} from epoch {epoch} on", one, other)
                break


def _other_files(
    before: RefitRecord, now: RefitRecord, model: Path | None, manifest: Manifest | None
) -> list[Difference] | None:
    """Return the saved files that differ, with the beginnings of both digests.

    Where the run's files are gone or changed, the digest of all is known from its record; None where it is not.
    """
    if before.manifest_sha256 is not None and before.manifest_sha256 == now.manifest_sha256:
        return []
    if manifest is None or model is None:
        digests = [record.manifest_sha256 for record in (before, now)]
        if None in digests:
            return None
        return [Difference("digest of the saved files", *((digest or "")[:12] for digest in digests))]
    ours, theirs = manifest.sha256, check_saved(model).sha256
    names = sorted(ours.keys() | theirs.keys())
    return [
        Difference(f"saved file {name}", ours.get(name, "none")[:12], theirs.get(name, "none")[:12])
        for name in names
        if ours.get(name) != theirs.get(name)
    ]
