"""Checks of the epochs of ``fit``: how many there are, what is reported of them, and which one is kept."""

from __future__ import annotations

import numpy as np

from nncompare.data.records import Labels
from nncompare.frameworks.training import score
from nncompare.plugin import TrialPruned
from nncompare.testing.calling import Trained
from nncompare.testing.comparisons import difference, usable
from nncompare.testing.outcomes import BuildsOn, CheckFailedError, SkippedCheck
from nncompare.testing.problems import NOISE
from nncompare.testing.subject import BRIEF, ENOUGH, ModelSubject

TINY = float(np.finfo(np.float64).tiny)


def check_respects_max_epochs(subject: ModelSubject) -> None:
    """``fit`` trains for at most ``max_epochs`` epochs, and a training of one is not one of three."""
    several, one = _without_validation(subject, BRIEF), _without_validation(subject, 1)
    for limit, trained in (
        (BRIEF, subject.reference()),
        (BRIEF, several),
        (1, one),
        (1, subject.one_epoch(misled=False)),
    ):
        found = len(trained.history)
        if found > limit:
            raise CheckFailedError(
                f"fit() reported {found} epochs where max_epochs is {limit}. End the loop there; every model of a "
                "comparison gets the same."
            )
    if len(several.history) > 1 and _same(subject, several, one) and _same(subject, *_on_noise(subject)):
        raise CheckFailedError(
            f"Trainings of 1 and of {BRIEF} epochs predict the same. Train for context.max_epochs epochs."
        )


def check_works_without_validation(subject: ModelSubject) -> None:
    """``valid=None`` trains for exactly ``max_epochs`` epochs and reports no validation scores."""
    trained = subject.without_validation()
    if any((r.valid_loss, r.valid_accuracy) != (None, None) for r in trained.history):
        raise CheckFailedError(
            "fit() reported valid_loss or valid_accuracy where valid is None. Leave them out of report() there."
        )
    if subject.reference().context.faults:
        raise BuildsOn("check_reports_every_epoch")
    if len(subject.reference().history) < 2:
        return  # it does not train in epochs
    for max_epochs, alone in ((BRIEF, trained), (ENOUGH, subject.long_alone())):
        if len(alone.history) < max_epochs:
            raise CheckFailedError(
                f"Without a validation part fit() reported {len(alone.history)} epochs where max_epochs is "
                f"{max_epochs}: a refit has to train for exactly that many. Stop early on validation scores only."
            )


def check_reports_every_epoch(subject: ModelSubject) -> None:
    """``fit`` reports each epoch from 1, in order, with ``valid_loss`` and ``valid_accuracy`` in their ranges."""
    trained = subject.reference()
    if not trained.history:
        raise CheckFailedError(
            "fit() reported nothing, so its trials cannot be pruned and have no curves. Call "
            "context.report(epoch, "
            "valid_loss=..., valid_accuracy=...) after each epoch."
        )
    if trained.context.faults:
        raise CheckFailedError(
            f"{'; '.join(trained.context.faults)}. Call context.report(epoch, train_loss=..., valid_loss=..., "
            "valid_accuracy=...) once after each epoch, counted from 1."
        )
    for report in trained.history:
        missing = [name for name in ("valid_loss", "valid_accuracy") if getattr(report, name) is None]
        if missing:
            raise CheckFailedError(
                f"The report of epoch {report.epoch} has no {' and no '.join(missing)} although there is a "
                "validation part. Score the model on it after each epoch."
            )


def check_pruning_passes_through(subject: ModelSubject) -> None:
    """``TrialPruned``, raised by ``context.report``, passes out of ``fit`` and ends the training."""
    _skip_without_reports(subject.reference(), "it can be pruned")
    problem = subject.problem()
    try:
        pruned = subject.fit(problem.train, problem.valid, on_report=lambda _report: False)
    except TrialPruned:
        return
    raise CheckFailedError(
        f"context.report() raised TrialPruned and fit() went on to {len(pruned.history)} reports and returned "
        "a model. "
        "Let TrialPruned pass: catch no broader exception around report()."
    )


def check_uses_the_given_validation_part(subject: ModelSubject) -> None:
    """The reported scores are those of the validation part that ``fit`` was given."""
    _skip_without_reports(subject.reference(), "there are scores")
    if _ignores_validation(subject):
        raise CheckFailedError(
            "fit() reported the same valid_loss for a validation part with other labels. Score valid.X and "
            "valid.y, "
            "and set no rows of train aside."
        )


def check_keeps_the_best_epoch(subject: ModelSubject) -> None:
    """The model is that of the epoch with the lowest reported ``valid_loss``, and the scores reported are its own.

    Looked at are a training whose last epochs are the best, and one with wrong labels, whose first is.
    Probabilities below 1.2e-7 may count as that much, as in a run, as less, or as what they are.
    """
    _skip_without_reports(subject.reference(), "there are scores")
    if _ignores_validation(subject):
        raise BuildsOn("check_uses_the_given_validation_part")
    if subject.reference().context.faults:
        raise BuildsOn("check_reports_every_epoch")
    subject.predictions()  # of a model that predicts otherwise each time, nothing is to be told
    y, n_classes = subject.problem().valid.y, subject.problem().spec.n_classes
    _check_scores(subject, subject.misled(), (y + 1) % n_classes)
    _check_scores(subject, subject.reference(), y)


def _check_scores(subject: ModelSubject, trained: Trained, y: Labels) -> None:
    """Check that a model has the scores that were reported of its best epoch."""
    probabilities = usable(subject.predict(trained, subject.problem().valid.X))
    loss, accuracy = score(probabilities, y)
    unclipped = -np.log(np.maximum(probabilities[np.arange(len(y)), y], TINY, dtype=np.float64)).mean()
    scored = [(r.valid_loss, r.valid_accuracy) for r in trained.history if r.valid_loss is not None]
    best, told = min(scored, key=lambda scores: scores[0])
    tolerance = 1e-3 * max(1.0, best)
    if not loss - tolerance <= best <= unclipped + tolerance:
        also = ", and go back to the weights of the best epoch" if len(scored) > 1 else " of the model returned"
        raise CheckFailedError(
            f"The lowest reported valid_loss is {best:.4g}, and the returned model's log loss on that part is "
            f"{loss:.4g}. Report mean log losses in nats{also}."
        )
    if told is not None and abs(accuracy - told) > 1.5 / len(y):  # one row may lie between two classes
        raise CheckFailedError(
            f"The valid_accuracy reported of the best epoch is {told:.4g}, and the returned model's accuracy on "
            f"that part is {accuracy:.4g}. Report the part of the rows that are classified correctly, from 0 to 1."
        )


def _skip_without_reports(trained: Trained, whether: str) -> None:
    if not any(report.valid_loss is not None for report in trained.history):
        raise SkippedCheck(f"fit() reports no valid_loss, by which {whether}; see check_reports_every_epoch.")


def _without_validation(subject: ModelSubject, max_epochs: int) -> Trained:
    try:
        return subject.without_validation(max_epochs)
    except CheckFailedError as error:
        raise BuildsOn("check_works_without_validation") from error


def _same(subject: ModelSubject, several: Trained, one: Trained) -> bool:
    X = subject.problem().valid.X
    return difference(subject.predict(several, X), subject.predict(one, X)) == 0.0


def _on_noise(subject: ModelSubject) -> list[Trained]:
    """Return trainings of several epochs and of one where no epoch gets every row right, and can rest."""
    train = subject.problem(noise=NOISE).train
    return [subject.fit(train, None, max_epochs=max_epochs) for max_epochs in (BRIEF, 1)]


def _ignores_validation(subject: ModelSubject) -> bool:
    """Tell whether wrong labels in the validation part leave the first report as it was."""
    first, wrong = (trained.history[:1] for trained in (subject.reference(), subject.misled()))
    return [r.valid_loss for r in first] == [r.valid_loss for r in wrong]
