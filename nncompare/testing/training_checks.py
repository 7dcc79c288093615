"""Checks of ``fit``: what it trains on, what it leaves alone, and how it repeats."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from nncompare.data.records import Array, Data, Samples
from nncompare.data.samples import open_samples, write_samples
from nncompare.testing.calling import Trained
from nncompare.testing.comparisons import SAME, difference
from nncompare.testing.fresh import call_fresh, is_importable
from nncompare.testing.outcomes import BuildsOn, CheckFailedError
from nncompare.testing.subject import ModelSubject

TRAIN_OTHER = "nncompare.testing.child:train_other"


def check_trains(subject: ModelSubject) -> None:
    """``fit`` trains the test configuration on 160 rows of the first accepted view and returns a FittedModel."""
    subject.train_reference()


def check_predicts(subject: ModelSubject) -> None:
    """``predict_proba`` of that model takes the 40 rows of the validation part and returns something."""
    subject.predict_once()


def check_accepts_its_views(subject: ModelSubject) -> None:
    """Each view that the tags accept trains with the default configuration and predicts, each row for itself.

    The first view has checks of its own for its predictions.
    """
    for position, (view, sparse) in enumerate(subject.views()):
        trained, problem = subject.accepted(view, sparse)
        name = f"{'sparse ' if sparse else ''}view '{view}'"
        found = subject.predict(trained, problem.valid.X)
        if found.shape != (len(problem.valid), problem.spec.n_classes):
            raise CheckFailedError(
                f"predict_proba() returned shape {found.shape} on {name} where "
                f"{(len(problem.valid), problem.spec.n_classes)} is expected. Correct it, or leave the view "
                "out of tags."
            )
        if position:
            fault = _fault_of(subject, found, trained, problem.valid.X)
            if fault:
                raise CheckFailedError(f"On {name} {fault}. Correct it, or leave the view out of tags.")


def _fault_of(subject: ModelSubject, found: Array, trained: Trained, X: Samples) -> str:
    """Say what is wrong with predictions in a view; empty where nothing is."""
    if not np.isfinite(found).all() or found.min() < -SAME or np.abs(found.sum(axis=1) - 1).max() > 1e-4:
        return "predict_proba() returned values that are no probabilities: finite, and 1 in the sum of each row"
    order = np.arange(len(found))[::-1]
    for words, rows in (
        ("are predicted a second time", slice(None)),
        ("come in another order", order),
        ("are predicted alone", slice(-1, None)),
    ):
        differ = difference(found[rows], subject.predict(trained, X[rows]))
        if not differ <= SAME:
            return f"a probability differs by {differ:.2g} where the same samples {words}"
    return ""


def check_takes_read_only_maps(subject: ModelSubject) -> None:
    """``fit`` and ``predict_proba`` take samples on read-only memory maps, as they come in a run."""
    subject.reference()
    problem = subject.problem()
    with tempfile.TemporaryDirectory(prefix="nncompare-check-") as folder:
        parts = []
        for name, part in (("train", problem.train), ("valid", problem.valid)):
            labels = part.y.copy()
            labels.setflags(write=False)
            parts.append(Data(open_samples(write_samples(Path(folder), name, part.X)), labels, part.spec))
        try:
            trained = subject.fit(*parts, max_epochs=1, copies=False)
            subject.predict(trained, parts[1].X, copies=False)
        except CheckFailedError as error:
            raise CheckFailedError(f"With data on read-only memory maps, {error}") from error


def check_leaves_its_arguments_alone(subject: ModelSubject) -> None:
    """``fit`` changes neither the samples and labels of either part nor the parameters."""
    changed = subject.observed().arguments
    if changed:
        raise CheckFailedError(
            f"fit() changed {', '.join(changed)}, which belong to its caller. Work on a copy, as in "
            "X = np.array(train.X)."
        )


def check_leaves_global_random_state_alone(subject: ModelSubject) -> None:
    """``fit`` neither seeds nor draws from the global generators of NumPy and Python."""
    changed = [name for name in subject.observed().shared if "random" in name]
    if changed:
        raise CheckFailedError(
            f"fit() changed {' and '.join(changed)}. Draw from numpy.random.default_rng(context.seed), or put the "
            "state back."
        )


def check_leaves_environment_alone(subject: ModelSubject) -> None:
    """``fit`` changes no environment variable, current folder or floating-point error handling."""
    changed = [name for name in subject.observed().shared if "random" not in name]
    if changed:
        raise CheckFailedError(
            f"fit() changed {' and '.join(changed)} and left it so. Put it back before returning."
        )


def check_same_seed_same_predictions(subject: ModelSubject) -> None:
    """Two trainings with the same seed predict the same."""
    found = difference(
        subject.predictions(), subject.predict(subject.observed().trained, subject.problem().valid.X)
    )
    if not found <= SAME:
        raise CheckFailedError(
            f"Two trainings with seed {subject.reference().context.seed} differ by {found:.2g} in a "
            "probability. Seed everything that is random by context.seed."
        )


def check_other_seed_other_predictions(subject: ModelSubject) -> None:
    """A training with another seed predicts otherwise: the seed reaches the weights or the order of the rows."""
    if difference(subject.predictions(), subject.predict(subject.other_seed(), subject.problem().valid.X)) <= SAME:
        raise CheckFailedError(
            "Trainings with seeds 1 and 2 predict the same, so refits would show no spread. Hand context.seed to "
            "whatever is random; where nothing is, give the reason in expected_failures."
        )


def check_fits_are_independent(subject: ModelSubject) -> None:
    """A second training by the same object, on other data, is that of a new object: nothing is kept between.

    Nor is it different in a fresh process, so that nothing is kept in a class, a module or a cache either, and
    nothing is seeded by what differs between processes. Of a class that no other process can import, such as one
    that was made in a function, that is not looked at.
    """
    expected, problem = subject.repeated(), subject.problem()
    first, other = subject.on_other_data()
    second = subject.fit(problem.train, problem.valid, plugin=first.plugin)
    found = difference(expected, subject.predict(second, problem.valid.X))
    if not found <= SAME:
        raise CheckFailedError(
            f"The second fit() of one plugin object differs by {found:.2g} in a probability from that of a new "
            "object. Keep nothing of a training in the plugin or its class."
        )
    if not is_importable(subject.cls):
        return
    here, fresh = subject.predict(first, other.valid.X), _fresh_predictions(subject)
    if difference(here, fresh) <= SAME:
        return
    again = _fresh_predictions(subject)  # from here on without what this process does otherwise
    found = difference(fresh, again)
    if not found <= SAME:
        raise CheckFailedError(
            f"The same training in two fresh processes differs by {found:.2g} in a probability. Seed everything "
            "that is random by context.seed, and nothing by what differs between processes, such as a number "
            "that is drawn at import, or the process id."
        )
    found = difference(fresh, _fresh_predictions(subject, after_another=True))
    if not found <= SAME:
        raise CheckFailedError(
            f"A training in a fresh process differs by {found:.2g} in a probability from the same one after a "
            "training on other data. Keep nothing of a training in a class, a module or a cache."
        )


def _fresh_predictions(subject: ModelSubject, *, after_another: bool = False) -> Array:
    """Return what an epoch on other data predicts in a fresh process."""
    arguments = {"after_another": after_another}
    found = call_fresh(subject.run_fresh, TRAIN_OTHER, subject.cls, arguments, framework=subject.tags.framework)
    return np.array(found["probabilities"], dtype=np.float64)


def check_trains_on_the_training_part_only(subject: ModelSubject) -> None:
    """One epoch gives the same model whatever the rows and labels of the validation part."""
    subject.repeated()
    X = subject.problem().valid.X
    right, wrong = (subject.one_epoch(misled=misled) for misled in (False, True))
    if max(len(right.history), len(wrong.history)) > 1:
        raise BuildsOn("check_respects_max_epochs")
    found = difference(subject.predict(right, X), subject.predict(wrong, X))
    if not found <= SAME:
        raise CheckFailedError(
            f"After one epoch with another validation part a probability differs by {found:.2g}. "
            "Train on train alone; valid only says which epoch is the best."
        )


def check_respects_deadline(subject: ModelSubject) -> None:
    """A deadline that is an hour away changes nothing; it is a value of ``time.monotonic()``, or None."""
    trained, _ = subject.limited()
    found = difference(subject.repeated(), subject.predict(trained, subject.problem().valid.X))
    epochs = len(subject.reference().history), len(trained.history)
    if epochs[0] != epochs[1] or not found <= SAME:
        raise CheckFailedError(
            f"With a deadline an hour away fit() trained {epochs[1]} epochs where it trained {epochs[0]} "
            "without one, "
            f"and a probability differs by {found:.2g}. Compare context.deadline with time.monotonic()."
        )


def check_respects_n_threads(subject: ModelSubject) -> None:
    """With ``n_threads`` of 1, ``fit`` enlarges no thread pool and runs no two workers at a time.

    Looked at are the sizes of pools, with each report and whenever threadpoolctl sets one, and every start of a
    Python thread or a process. Threads that compiled code starts for itself are not counted: libraries keep idle
    ones, and the count would blame plugins that use none.
    """
    _, found = subject.limited()
    if found:
        raise CheckFailedError(
            f"While fit() ran with context.n_threads = 1, {found}. Hand context.n_threads on; 1 is set already."
        )
