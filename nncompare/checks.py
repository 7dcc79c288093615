"""What a reader must know before believing a verdict: coded checks, the most serious first.

The codes are stable; the texts are for people.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from nncompare.points import counted, points
from nncompare.results import Budget, Check, CheckLevel, PairRecord, StudyRecord
from nncompare.search_checks import FEW_TRIALS, search_checks
from nncompare.settings import most_finals

_LEVELS: tuple[CheckLevel, ...] = ("problem", "warning", "info", "ok")


def run_checks(
    studies: Sequence[StudyRecord],
    pairs: Sequence[PairRecord],
    references: Sequence[str],
    *,
    n_seeds: Mapping[str, int],
    missing_references: Sequence[str] = (),
    duplicates: int | None = 0,
    test_support: Sequence[int] = (),
    class_names: Sequence[str] = (),
) -> list[Check]:
    """Return the checks of one data set: problems, then warnings, then facts, then what is in order.

    Parameters
    ----------
    studies : sequence of StudyRecord
        All studies of the data set, whatever happened to them.
    pairs : sequence of PairRecord
        The verdict's pairs.
    references : sequence of str
    n_seeds : mapping of model name to int
        Refits of each model that was compared.
    missing_references : sequence of str
        References that should be there and have no scores.
    duplicates : int or None
        Rows that are both in train and in test; None where there is no data.
    test_support : sequence of int
        Test items of each class, empty where it is not known.
    class_names : sequence of str
        In the order of ``test_support``.
    """
    compared = [study for study in studies if study.model in n_seeds]
    checks = [
        *_outcomes(studies),
        *_same_split(compared),
        *_equal_budget(compared),
        *(check for study in studies for check in search_checks(study)),
        *_few_trials(compared),
        *_single_seed(n_seeds),
        *_selection_optimism(compared),
        *_beats_references(list(n_seeds), references, pairs),
        *_references_missing(missing_references),
        *_duplicates(duplicates),
        *_class_missing(test_support, class_names),
    ]
    return _by_level(checks)


def with_check(checks: Sequence[Check], check: Check) -> list[Check]:
    """Return the checks of a data set with one more, in their order."""
    return _by_level([*checks, check])


def _by_level(checks: Sequence[Check]) -> list[Check]:
    return sorted(checks, key=lambda check: _LEVELS.index(check.level))


def _outcomes(studies: Sequence[StudyRecord]) -> Iterator[Check]:
    """Name the studies without a result, and why."""
    levels: dict[str, CheckLevel] = {"failed": "problem", "not_run": "warning", "interrupted": "warning"}
    for study in studies:
        if study.status in levels:
            words = study.status.replace("_", " ")
            reason = study.failure.message if study.failure else "no reason was recorded"
            yield Check(code=study.status, level=levels[study.status], text=f"{study.model}: {words}: {reason}")


def _same_split(compared: Sequence[StudyRecord]) -> Iterator[Check]:
    """Compare which rows the trials were trained on, and how many the refits."""
    rows = {
        (study.search_fingerprint, study.budget.search_samples, study.budget.refit_samples)
        for study in compared
        if study.budget
    }
    if len(compared) > 1 and len(rows) > 1:
        text = "The models were trained on different rows, so their scores do not compare."
        yield Check(code="same_split", level="problem", text=text)
    elif len(compared) > 1:
        text = "All models were searched on the same rows and tested on the same items."
        yield Check(code="same_split", level="ok", text=text)


def _equal_budget(compared: Sequence[StudyRecord]) -> Iterator[Check]:
    """Compare the trials and epochs that were given; the CPU time they took may differ, and is named."""
    budgets = {study.model: study.budget for study in compared if study.budget}
    if len(budgets) < 2:
        return
    if len({(budget.n_trials, budget.max_epochs, budget.n_finalists) for budget in budgets.values()}) > 1:
        given = ", ".join(
            f"{model} {counted(b.n_trials, 'trial')} of {counted(b.max_epochs, 'epoch')}{_finals(b)}"
            for model, b in budgets.items()
        )
        yield Check(
            code="equal_budget", level="problem", text=f"The searches were given unequal budgets: {given}."
        )
        return
    one = next(iter(budgets.values()))
    used = ", ".join(
        f"{study.model} {_cpu(study.budget.search_cpu_s + study.budget.finals_cpu_s)} CPU s{_without(study)}"
        for study in compared
        if study.budget
    )
    epochs = counted(one.max_epochs, "epoch")
    given = f"{counted(one.n_trials, 'trial')} of at most {epochs}{_finals(one)}"
    text = f"Every search was given {given}; it took {used}."
    yield Check(code="equal_budget", level="ok", text=text)


def _finals(budget: Budget) -> str:
    most = most_finals(budget.n_finalists, budget.n_trials)
    return f" and {most} finals" if most else ""


def _without(study: StudyRecord) -> str:
    """Return what the CPU seconds of a search leave out: a killed process does not tell its own."""
    unknown = sum(trial.state == "failed" and trial.fit_cpu_s is None for trial in study.trials)
    if not unknown:
        return ""
    return f" without {unknown} failed trial{'s' if unknown > 1 else ''} whose time is unknown"


def _cpu(seconds: float) -> str:
    """Return CPU seconds without digits that say nothing; never 0 for a search that took some."""
    return f"{seconds:,.0f}" if seconds >= 10 else f"{seconds:.2g}"


def _few_trials(compared: Sequence[StudyRecord]) -> Iterator[Check]:
    """Name the searches with fewer than 10 trials that were trained, complete or pruned."""
    few = {
        study.model: study.budget.trials_complete + study.budget.trials_pruned
        for study in compared
        if study.budget
    }
    named = ", ".join(f"{model} {number}" for model, number in few.items() if number < FEW_TRIALS)
    if named:
        text = f"Few trials were searched ({named}); with {FEW_TRIALS} or more the order of the models may change."
        yield Check(code="few_trials", level="warning", text=text)


def _single_seed(n_seeds: Mapping[str, int]) -> Iterator[Check]:
    named = ", ".join(model for model, number in n_seeds.items() if number == 1)
    if named:
        text = f"Single seed ({named}): differences may be noise; ask for 3 or more refits."
        yield Check(code="single_seed", level="warning", text=text)


def _selection_optimism(compared: Sequence[StudyRecord]) -> Iterator[Check]:
    """Set validation accuracies of the chosen trials against the test, after searches on all training rows."""
    excess = {
        study.model: study.valid_accuracy - study.test.accuracy.mean
        for study in compared
        if study.budget is not None
        and study.budget.refit_data == "train+validation"
        and study.valid_accuracy is not None
        and study.test is not None
    }
    if excess:
        named = ", ".join(f"{model} {points(value)} points" for model, value in excess.items())
        text = (
            f"Validation accuracy of the chosen trial minus test accuracy, without an interval: {named}. Trials "
            "are chosen by validation, so only the test counts."
        )
        yield Check(code="selection_optimism", level="info", text=text)


def _beats_references(
    models: Sequence[str], references: Sequence[str], pairs: Sequence[PairRecord]
) -> Iterator[Check]:
    """Say which models are better than all references; to be worse than one is a problem."""
    found: dict[tuple[CheckLevel, str], list[str]] = {}
    for model in models:
        against = {
            pair.b if pair.a == model else pair.a: pair
            for pair in pairs
            if (pair.a == model and pair.b in references) or (pair.b == model and pair.a in references)
        }
        if against:
            found.setdefault(_standing(model, against), []).append(model)
    for (level, what), names in found.items():
        be = "is" if len(names) == 1 else "are"
        yield Check(code="beats_references", level=level, text=f"{_listed(names)} {be} {what}.")


def _standing(model: str, against: Mapping[str, PairRecord]) -> tuple[CheckLevel, str]:
    """Return the level and the words for one model and its pairs with the references."""
    beaten = [name for name, pair in against.items() if pair.a == model and pair.state == "better"]
    worse = [name for name, pair in against.items() if pair.b == model and pair.state == "better"]
    open_ = [name for name in against if name not in beaten and name not in worse]
    if worse:
        return "problem", f"worse than {_plain(worse)}"
    if open_:
        return "warning", f"not shown to be better than {_plain(open_)}"
    return "ok", f"better than {_plain(beaten)}"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def _references_missing(missing: Sequence[str]) -> Iterator[Check]:
    if missing:
        text = f"There is no score of {_listed([name.replace('_', ' ') for name in missing])} to compare with."
        yield Check(code="references_missing", level="warning", text=text)


def _plain(names: Sequence[str]) -> str:
    words = {"majority": "always naming the most frequent class"}
    return " and ".join(words.get(name, name.replace("_", " ")) for name in names)


def _duplicates(duplicates: int | None) -> Iterator[Check]:
    if duplicates is None:
        return
    if duplicates:
        text = f"Train and test have {duplicates:,} rows in common; scores may be too high."
        yield Check(code="duplicates", level="warning", text=text)
    else:
        yield Check(code="duplicates", level="ok", text="Train and test have no row in common.")


def _class_missing(test_support: Sequence[int], class_names: Sequence[str]) -> Iterator[Check]:
    names = class_names or [str(code) for code in range(len(test_support))]
    missing = [name for name, support in zip(names, test_support, strict=True) if not support]
    if missing:
        text = f"The test part has no item of {', '.join(missing)}: nothing is known about these classes."
        yield Check(code="class_missing", level="warning", text=text)
