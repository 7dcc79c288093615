"""The verdict: states by a truth table, sentences that can be traced to the records, and the checks."""

import re

import numpy as np
import pytest

from nncompare.metrics import test_scores as score_on_test
from nncompare.results import (
    Budget,
    Failure,
    FinalRecord,
    Interval,
    PairRecord,
    ReferenceRecord,
    RefitRecord,
    StudyRecord,
    TrialRecord,
    VerdictRecord,
)
from nncompare.sentence import MAX_WORDS, verdict_text
from nncompare.verdict import decide

from .documents import ROOT

N_ITEMS = 10_000
REFERENCES = [
    ReferenceRecord(name=name, test_accuracy=Interval(mean=0.5, low=0.4, high=0.6))
    for name in ("majority", "logistic_regression")
]


def rows(accuracy, n_seeds=3, n_items=N_ITEMS, spread=0.0, shift=0):
    """Return correctness with the given accuracy; items are hard in one order, so errors are shared."""
    right = [round((accuracy + spread * (seed - (n_seeds - 1) / 2)) * n_items) for seed in range(n_seeds)]
    return np.stack([np.roll(np.arange(n_items) < count, shift) for count in right])


def study(model, *, dataset="mnist1d", fit_cpu_s=10.0, status="complete", **changes):
    budget = Budget(
        n_trials=20,
        max_epochs=40,
        n_refits=3,
        search_samples=3200,
        refit_samples=4000,
        refit_data="train+validation",
        trials_complete=12,
        trials_pruned=8,
        search_cpu_s=100.0,
    )
    fields = {"budget": budget, "best_trial": 3, "fit_cpu_s": fit_cpu_s, **changes}
    return StudyRecord(model=model, dataset=dataset, status=status, **fields)


def verdict_of(models, references=None, *, cpu=None, margin=0.005, **facts):
    cpu = cpu or {}
    studies = [study(name, fit_cpu_s=cpu.get(name, 10.0)) for name in models]
    return decide("mnist1d", studies, REFERENCES, {**models, **(references or {})}, margin, **facts)


def codes(verdict, level=None):
    return [check.code for check in verdict.checks if level in (None, check.level)]


def text_of(verdict, code):
    return next(check.text for check in verdict.checks if check.code == code)


LOW_REFERENCES = {"majority": rows(0.1, 1), "logistic_regression": rows(0.3, 1)}

# models, references -> state, winner, tied, words that the sentence holds
TRUTH_TABLE = {
    "no model": ({}, {}, "none", None, [], "No model finished"),
    "one model": ({"cnn": rows(0.9)}, LOW_REFERENCES, "single", None, [], "Only cnn was run on mnist1d"),
    "one model, no better than logistic": (
        {"cnn": rows(0.9)},
        {"logistic_regression": rows(0.9, 1)},
        "single",
        None,
        [],
        "cnn is not shown to beat logistic regression",
    ),
    "clear winner of two": (
        {"mlp": rows(0.6), "cnn": rows(0.95)},
        LOW_REFERENCES,
        "better",
        "cnn",
        [],
        "Use cnn on mnist1d: it is better than mlp by 35.0 points",
    ),
    "clear winner of three": (
        {"mlp": rows(0.6), "cnn": rows(0.9), "lstm": rows(0.95)},
        LOW_REFERENCES,
        "better",
        "lstm",
        [],
        "lstm is also better than mlp",
    ),
    "better but too little to matter": (
        {"cnn": rows(0.952), "lstm": rows(0.95)},
        {},
        "better",
        "cnn",
        [],
        "too little to matter in practice",
    ),
    "two equal": (
        {"cnn": rows(0.95), "lstm": rows(0.95)},
        LOW_REFERENCES,
        "equal",
        None,
        ["cnn", "lstm"],
        "cnn and lstm are practically equal on mnist1d",
    ),
    "two equal, both better than a third": (
        {"mlp": rows(0.6), "cnn": rows(0.95), "lstm": rows(0.95)},
        LOW_REFERENCES,
        "equal",
        None,
        ["cnn", "lstm"],
        "Both are better than mlp.",
    ),
    "three equal": (
        {"mlp": rows(0.95), "cnn": rows(0.95), "lstm": rows(0.95)},
        {},
        "equal",
        None,
        ["mlp", "cnn", "lstm"],
        "mlp is practically equal to cnn and lstm",
    ),
    "seeds differ too much": (
        {"cnn": rows(0.95, spread=0.02), "lstm": rows(0.94, spread=0.02)},
        LOW_REFERENCES,
        "undecided",
        None,
        ["cnn", "lstm"],
        "Undecided on mnist1d: cnn leads lstm by 1.0 points",
    ),
    "undecided with two, better than the third": (
        {"mlp": rows(0.5), "cnn": rows(0.95, spread=0.02), "lstm": rows(0.94, spread=0.02)},
        LOW_REFERENCES,
        "undecided",
        None,
        ["cnn", "lstm"],
        "Both are better than mlp.",
    ),
    "undecided with all": (
        {"mlp": rows(0.94, spread=0.02), "cnn": rows(0.95, spread=0.02), "lstm": rows(0.945, spread=0.02)},
        {},
        "undecided",
        None,
        ["cnn", "lstm", "mlp"],
        "Nor is mlp shown to be worse.",
    ),
    "few items": (
        {"cnn": rows(1.0, n_items=30), "lstm": rows(1.0, n_items=30)},
        {},
        "undecided",
        None,
        ["cnn", "lstm"],
        "cnn and lstm score the same, but may differ by",
    ),
    "single seed": (
        {"cnn": rows(0.95, 1), "lstm": rows(0.9, 1)},
        {},
        "better",
        "cnn",
        [],
        "Single seed: differences may be noise.",
    ),
    "winner loses to logistic regression": (
        {"mlp": rows(0.8), "lstm": rows(0.85)},
        {"logistic_regression": rows(0.89, 1)},
        "better",
        "lstm",
        [],
        "But lstm is worse than logistic regression.",
    ),
}


@pytest.fixture(params=TRUTH_TABLE.values(), ids=TRUTH_TABLE)
def case(request):
    return request.param


def test_verdict_truth_table(case):
    models, references, state, winner, tied, words = case
    verdict = verdict_of(models, references)
    assert (verdict.state, verdict.winner, verdict.tied) == (state, winner, tied)
    assert words in verdict.text
    assert len(verdict.text.split()) <= MAX_WORDS


def test_verdict_numbers_stand_in_its_pairs_and_times(case):
    models, references, *_ = case
    verdict = verdict_of(models, references, cpu={"cnn": 70.4, "lstm": 9.8, "mlp": 3.14})
    times = [70.4, 9.8, 3.14]
    known = {f"{100 * value:.1f}" for pair in verdict.pairs for value in (pair.difference, pair.low, pair.high)}
    known |= {"0.0"} if "-0.0" in known else set()
    known |= {f"{time:.1f}" for time in times}
    known |= {f"{a / b:.{d}f}" for a in times for b in times for d in (0, 1)}
    assert numbers_of(verdict.text) <= known


def numbers_of(text):
    plain = text.replace("mnist1d", "").replace("95 % CI", "").replace("−", "-")
    return set(re.findall(r"-?\d+(?:\.\d+)?", plain))


def test_verdict_pairs_are_all_pairs_with_the_higher_mean_first():
    models = {"mlp": rows(0.6), "cnn": rows(0.95), "lstm": rows(0.9)}
    references = {"majority": rows(0.1, 1), "logistic_regression": rows(0.7, 1)}
    verdict = verdict_of(models, references)
    named = {(pair.a, pair.b) for pair in verdict.pairs}
    assert len(verdict.pairs) == 3 + 6
    assert ("logistic_regression", "mlp") in named
    assert ("majority", "logistic_regression") not in named
    assert all(pair.difference >= 0 and "Bonferroni over 9 pairs" in pair.method for pair in verdict.pairs)
    assert all("single seed" not in pair.method for pair in verdict.pairs)


def test_verdict_ignores_references_in_its_state():
    verdict = verdict_of({"cnn": rows(0.9), "mlp": rows(0.5)}, {"logistic_regression": rows(0.99, 1)})
    assert (verdict.state, verdict.winner) == ("better", "cnn")


def test_verdict_compares_only_complete_studies_of_its_data_set():
    studies = [
        study("cnn"),
        study("mlp"),
        study("lstm", status="failed", failure=Failure(category="oom", message="killed for its memory")),
        study("elsewhere", dataset="digits"),
    ]
    correct = {"cnn": rows(0.9), "mlp": rows(0.8), "lstm": rows(0.99), "elsewhere": rows(0.99)}
    verdict = decide("mnist1d", studies, [], correct)
    assert verdict.winner == "cnn"
    assert {name for pair in verdict.pairs for name in (pair.a, pair.b)} == {"cnn", "mlp"}


def test_verdict_does_not_depend_on_the_order_of_studies():
    models = {"mlp": rows(0.6), "cnn": rows(0.95), "lstm": rows(0.9)}
    forth, back = verdict_of(models), verdict_of(dict(reversed(models.items())))
    assert forth.text == back.text
    assert forth.pairs == back.pairs


def test_verdict_more_models_widen_the_intervals():
    two = verdict_of({"cnn": rows(0.9), "lstm": rows(0.89)}).pairs[0]
    three = verdict_of({"cnn": rows(0.9), "lstm": rows(0.89), "mlp": rows(0.5)}).pairs[0]
    assert (two.a, two.b) == (three.a, three.b)
    assert three.low < two.low < two.high < three.high


@pytest.mark.parametrize(
    ("cpu", "words"),
    [
        ({"cnn": 70.0, "mlp": 10.0}, "cnn trains 7 times as long as mlp (70.0 against 10.0 CPU s)."),
        ({"cnn": 10.0, "mlp": 14.0}, "mlp trains 1.4 times as long as cnn (14.0 against 10.0 CPU s)."),
        ({"cnn": 10.0, "mlp": 10.5}, "They train about as fast (10.0 against 10.5 CPU s)."),
    ],
)
def test_verdict_text_names_the_cost(cpu, words):
    assert verdict_of({"cnn": rows(0.9), "mlp": rows(0.8)}, cpu=cpu).text.endswith(words)


def test_verdict_text_without_times_leaves_cost_out():
    studies = [study("cnn", fit_cpu_s=None), study("mlp", fit_cpu_s=0.0)]
    text = decide("mnist1d", studies, [], {"cnn": rows(0.9), "mlp": rows(0.8)}).text
    assert "CPU" not in text


def test_verdict_text_of_a_single_model_gives_its_accuracy():
    y = np.arange(100) % 2
    scores = score_on_test(y, [np.eye(2)[np.where(np.arange(100) < 90, y, 1 - y)]], ["a", "b"], 0)
    text = decide("mnist1d", [study("cnn", test=scores)], REFERENCES, {"cnn": rows(0.9), **LOW_REFERENCES}).text
    assert "accuracy is 90.0 % (95 % CI 84.0 to 96.0)" in text
    assert "better than logistic regression by 60.0 points" in text


def test_verdict_text_keeps_its_limit_and_its_warnings_with_many_models():
    names = [f"model_{k}" for k in range(12)]
    models = {name: rows(0.9 - 0.001 * k, 1, shift=300 * k) for k, name in enumerate(names)}
    verdict = verdict_of(models, {"logistic_regression": rows(0.95, 1)}, cpu={"model_0": 99.0})
    assert len(verdict.text.split()) <= MAX_WORDS
    assert "worse than logistic regression" in verdict.text
    assert "Single seed" in verdict.text


def test_verdict_text_is_read_from_the_record_alone():
    pair = PairRecord(a="x", b="y", difference=0.1, low=0.05, high=0.15, state="better", method="")
    record = VerdictRecord(state="better", winner="x", text="", compared=["x", "y"], rival="y", pairs=[pair])
    text = verdict_text("d", record, [study("x"), study("y")])
    assert text.startswith("Use x on d: it is better than y by 10.0 points (95 % CI 5.0 to 15.0).")


def test_verdict_refuses_other_test_items():
    with pytest.raises(ValueError, match="same test items"):
        verdict_of({"cnn": rows(0.9), "mlp": rows(0.8, n_items=50)})


KILLED = Failure(category="killed", message="killed")


def test_verdict_a_leader_some_of_whose_refits_failed_does_not_win():
    correct = {"cnn": rows(0.9, 2), "mlp": rows(0.6)}
    lucky = study("cnn", refits=[RefitRecord(seed=1), RefitRecord(seed=2), RefitRecord(seed=3, failure=KILLED)])
    verdict = decide("mnist1d", [lucky, study("mlp")], [], correct)
    assert (verdict.state, verdict.winner, verdict.tied) == ("undecided", None, ["cnn"])
    assert verdict.text == (
        "Undecided on mnist1d: cnn leads, but 1 of its 3 refits failed, so its lead may be the luck of the rest."
    )
    assert decide("mnist1d", [study("cnn"), study("mlp")], [], correct).winner == "cnn"


def changed(model, **changes):
    base = study(model)
    return base.model_copy(update={"budget": base.budget.model_copy(update=changes)})


def checks_of(*studies, correct=None, references=(), **facts):
    correct = correct or {one.model: rows(0.9 - 0.1 * k) for k, one in enumerate(studies)}
    return decide("mnist1d", studies, references, correct, **facts)


def test_checks_of_a_sound_comparison_are_ok():
    verdict = verdict_of({"cnn": rows(0.9), "mlp": rows(0.8)}, LOW_REFERENCES, test_support=[5, 5])
    assert {check.level for check in verdict.checks} == {"ok"}
    assert set(codes(verdict)) == {"same_split", "equal_budget", "beats_references", "duplicates"}
    assert "20 trials of at most 40 epochs" in text_of(verdict, "equal_budget")


@pytest.mark.parametrize(("n_trials", "words"), [(20, "40 epochs and 3 finals;"), (1, "at most 40 epochs;")])
def test_checks_name_no_more_finals_than_there_are_trials(n_trials, words):
    given = {"n_trials": n_trials, "n_finalists": 3}
    assert words in text_of(checks_of(changed("cnn", **given), changed("mlp", **given)), "equal_budget")


def final(trial, loss=None):
    return FinalRecord(trial=trial, valid_log_loss=loss, failure=KILLED if loss is None else None)


def test_checks_say_what_failed_finals_leave():
    some = checks_of(study("cnn"), study("mlp", finals=[final(3), final(4, 0.4)]))
    text = "mlp: 1 of 2 finals on all training rows failed; the choice is between the others."
    assert text_of(some, "failed_finals") == text
    none = checks_of(study("cnn"), study("mlp", finals=[final(3), final(4)]))
    assert "2 of 2 finals on all training rows failed; trial 3, the best one" in text_of(none, "failed_finals")


def test_checks_look_at_the_best_trial_of_the_search_and_not_at_the_choice_of_the_finals():
    chosen_late = study("mlp", best_trial=16, finals=[final(3, 0.5), final(16, 0.4)])
    assert "search_still_improving" not in codes(checks_of(study("cnn"), chosen_late))


@pytest.mark.parametrize(
    ("model", "code", "level"),
    [
        (changed("mlp", n_trials=30), "equal_budget", "problem"),
        (changed("mlp", max_epochs=80), "equal_budget", "problem"),
        (changed("mlp", search_samples=100), "same_split", "problem"),
        (changed("mlp", trials_failed=2), "failed_trials", "warning"),
        (changed("mlp", trials_failed=10), "failed_trials", "problem"),
        (changed("mlp", trials_complete=1, trials_pruned=8), "few_trials", "warning"),
        (study("mlp", best_trial=16), "search_still_improving", "warning"),
        (study("mlp", finals=[final(16, 0.5), final(3, 0.4)]), "search_still_improving", "warning"),
        (changed("mlp", n_finalists=3), "equal_budget", "problem"),
        (study("mlp", finals=[final(3), final(4, 0.4)]), "failed_finals", "warning"),
        (study("mlp", trials=[TrialRecord(number=0, state="failed", params={})]), "search_ended_early", "problem"),
        (
            study("mlp", refits=[RefitRecord(seed=1), RefitRecord(seed=2, failure=KILLED)]),
            "failed_refits",
            "problem",
        ),
        (study("mlp", search_fingerprint="other"), "same_split", "problem"),
        (study("mlp", status="interrupted"), "interrupted", "warning"),
        (study("mlp", status="not_run", budget=None), "not_run", "warning"),
        (study("mlp", status="failed"), "failed", "problem"),
    ],
)
def test_checks_find_what_is_wrong_with_a_study(model, code, level):
    sound, unsound = checks_of(study("cnn"), study("mlp")), checks_of(study("cnn"), model)
    assert code in codes(unsound, level)
    assert code not in codes(sound, level)


def test_checks_best_trial_before_the_last_fifth_is_no_warning():
    assert "search_still_improving" not in codes(checks_of(study("cnn"), study("mlp", best_trial=15)))


def space(kind="float", low=1e-4, high=1e-1, **more):
    return {"x": {"type": kind, "low": low, "high": high, **more}}


@pytest.mark.parametrize(
    ("entries", "value", "level"),
    [
        (space(), 1e-4, "warning"),
        (space(), 9.99e-2, "warning"),
        (space(), 5e-4, "warning"),
        (space(log=True), 5e-4, None),
        (space(log=True), 1.05e-4, "warning"),
        (space(), 5e-2, None),
        (space("int", 1, 3), 3, "info"),
        (space("int", 1, 3), 2, None),
        (space("int", 2, 2), 2, None),
        ({"x": {"type": "categorical", "choices": ["a", "b"]}}, "a", None),
    ],
)
def test_checks_param_at_edge(entries, value, level):
    verdict = checks_of(study("cnn"), study("mlp", space=entries, best_params={"x": value}))
    assert [check.level for check in verdict.checks if check.code == "param_at_edge"] == ([level] if level else [])


def test_checks_param_at_edge_reads_what_was_suggested_and_skips_pins():
    trial = TrialRecord(number=3, state="complete", params={"x": 0.05}, suggested={"x": 0.1})
    suggested = study("mlp", space=space(), best_params={"x": 0.05}, trials=[trial])
    assert "param_at_edge" in codes(checks_of(study("cnn"), suggested))
    pinned = suggested.model_copy(update={"pinned": {"x": 0.1}})
    assert "param_at_edge" not in codes(checks_of(study("cnn"), pinned))


@pytest.mark.parametrize(
    ("reference", "level", "words"),
    [
        (0.3, "ok", "cnn is better than always naming the most frequent class and logistic regression."),
        (0.9, "warning", "cnn is not shown to be better than logistic regression."),
        (0.99, "problem", "cnn is worse than logistic regression."),
    ],
)
def test_checks_beats_references(reference, level, words):
    verdict = verdict_of({"cnn": rows(0.9)}, {"majority": rows(0.1, 1), "logistic_regression": rows(reference, 1)})
    assert codes(verdict, level).count("beats_references") == 1
    assert text_of(verdict, "beats_references") == words


def test_checks_say_what_happened_to_studies_without_a_result():
    missing = study("lstm", status="not_run", budget=None, failure=Failure(category="data", message="no network"))
    assert text_of(checks_of(missing, correct={"x": rows(0.5)}), "not_run") == "lstm: not run: no network"


def test_checks_name_duplicates_missing_classes_and_single_seeds():
    verdict = verdict_of(
        {"cnn": rows(0.9, 1), "mlp": rows(0.8)}, duplicates=1234, test_support=[3, 0], class_names=["cat", "dog"]
    )
    assert text_of(verdict, "duplicates") == "Train and test have 1,234 rows in common; scores may be too high."
    assert "no item of dog" in text_of(verdict, "class_missing")
    assert "(cnn)" in text_of(verdict, "single_seed")


def test_checks_come_with_problems_first():
    verdict = checks_of(study("cnn"), changed("mlp", n_trials=30), duplicates=3)
    order = [("problem", "warning", "info", "ok").index(check.level) for check in verdict.checks]
    assert order == sorted(order)
    assert order[0] == 0


def test_checks_equal_budget_says_whose_failed_trials_told_no_time():
    trials = [
        TrialRecord(number=k, state="failed", params={}, fit_cpu_s=cost) for k, cost in enumerate([None, 3.0])
    ]
    verdict = checks_of(study("cnn"), study("mlp", trials=trials))
    without = "mlp 100 CPU s without 1 failed trial whose time is unknown."
    assert text_of(verdict, "equal_budget").endswith(f"it took cnn 100 CPU s, {without}")


@pytest.mark.parametrize("default", [1e-4, 1e-2])
def test_checks_param_at_edge_reports_a_later_trial_that_came_to_the_end_even_where_the_default_lies(default):
    trials = [
        TrialRecord(number=number, state="complete", params={"x": value}, suggested={"x": value})
        for number, value in ((0, default), (3, 1e-4))
    ]
    verdict = checks_of(study("cnn"), study("mlp", space=space(), best_params={"x": 1e-4}, trials=trials))
    assert [check.level for check in verdict.checks if check.code == "param_at_edge"] == ["warning"]


def test_checks_param_at_edge_of_the_default_trial_itself_is_none():
    trial = TrialRecord(number=0, state="complete", params={"x": 1e-4}, suggested={"x": 1e-4})
    default = study("mlp", best_trial=0, space=space(), best_params={"x": 1e-4}, trials=[trial])
    assert "param_at_edge" not in codes(checks_of(study("cnn"), default))


def test_checks_count_the_trials_that_the_clock_ended():
    late = Failure(category="timeout", message="longer than 60 s")
    trials = [
        TrialRecord(number=k, state="failed", params={}, failure=late if k < 3 else KILLED) for k in range(20)
    ]
    verdict = checks_of(study("cnn"), study("mlp", trials=trials))
    assert text_of(verdict, "trial_timeouts").startswith("mlp: 3 of 20 trials were ended by the time limit; ")
    assert "trial_timeouts" not in codes(checks_of(study("cnn"), study("mlp", trials=trials[3:])))


def scored(accuracy):
    y = np.arange(100) % 2
    right = np.where(np.arange(100) < 100 * accuracy, y, 1 - y)
    return score_on_test(y, [np.eye(2)[right]], ["a", "b"], 0)


def test_checks_show_the_optimism_of_selection():
    high, low = (study(m, valid_accuracy=v, test=scored(0.9)) for m, v in (("cnn", 0.95), ("mlp", 0.85)))
    verdict = checks_of(high, low)
    assert codes(verdict, "info") == ["selection_optimism"]
    assert "minus test accuracy, without an interval: cnn 5.0 points, mlp −5.0 points. " in text_of(
        verdict, "selection_optimism"
    )


def test_checks_show_no_optimism_after_a_search_on_a_sample():
    sample = changed("mlp", refit_data="train").model_copy(update={"valid_accuracy": 0.95, "test": scored(0.9)})
    assert "selection_optimism" not in codes(checks_of(study("cnn"), sample))


def test_verdict_text_says_both_only_where_both_are_better():
    def pair(a, b, state):
        return PairRecord(a=a, b=b, difference=0.01, low=-0.01, high=0.03, state=state, method="")

    pairs = [pair("x", "y", "equal"), pair("x", "z", "better"), pair("y", "z", "undecided")]
    record = VerdictRecord(
        state="equal", tied=["x", "y"], text="", compared=["x", "y", "z"], rival="y", pairs=pairs
    )
    text = verdict_text("d", record, [study(name) for name in "xyz"])
    assert "x is better than z." in text
    assert "Both" not in text


def test_checks_codes_are_all_in_the_docs():
    sources = [ROOT / "nncompare" / name for name in ("checks.py", "repeating.py", "search_checks.py")]
    text = "".join(source.read_text(encoding="utf-8") for source in sources)
    levels = re.search(r"levels: dict\[str, CheckLevel\] = \{(.*)\}", text)
    in_source = {*re.findall(r'code="(\w+)"', text), *re.findall(r'"(\w+)": "', levels[1])}
    page = (ROOT / "docs" / "reference" / "verdict-checks.md").read_text(encoding="utf-8")
    assert len(in_source) >= 19
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == in_source


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        (np.zeros(300, int), "; all test items are of one group, and only more groups could decide it."),
        (np.arange(300) // 100, "; more refits or groups of test items could decide it."),
    ],
)
def test_verdict_over_few_groups_is_undecided_and_says_what_lacks(groups, said):
    rng = np.random.default_rng(0)
    correct = {name: rng.random((3, 300)) < rate for name, rate in (("cnn", 0.9), ("mlp", 0.7))}
    correct["mlp"][:, :100] = True  # where groups differ, three are few
    verdict = verdict_of(correct, groups=groups)
    assert verdict.state == "undecided"
    assert said in verdict.text
    assert verdict.pairs[0].n_groups == len(np.unique(groups))
