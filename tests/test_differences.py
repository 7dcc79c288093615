"""What changed between two runs: synthetic pairs of runs whose predictions and labels are on disk."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
from scipy import stats

from nncompare.data.files import cache_root
from nncompare.data.records import Dataset, DatasetInfo, SplitBy
from nncompare.data.store import store_dataset
from nncompare.differences import check_scores, compare_runs, difference_lines
from nncompare.differences.unpaired import stretched, unpaired_difference
from nncompare.results import Failure, RefitRecord
from nncompare.statistics import accuracy_interval, paired_difference

from . import report_fixtures as fixtures
from .verdict_cases import rows

N = 2000
Y = np.arange(N) % 2
NAMES = ["a", "b"]


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """The data set of all runs, in a cache of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NNCOMPARE_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        X = np.random.default_rng(0).normal(size=(N, 2)).astype(np.float32)
        info = DatasetInfo(name="d", view="tabular", n_train=N, n_test=N, class_names=("a", "b"))
        yield store_dataset(info, Dataset(X, Y, X, Y), cache_root())


def probabilities(correct, sure=0.9):
    """Return probabilities that name the right class exactly where ``correct`` says so."""
    named = np.where(correct, Y, 1 - Y)
    return np.where(np.arange(2) == named[:, None], sure, 1 - sure)


@pytest.fixture
def run(tmp_path, stored):
    """Return what writes a run: its results and its predictions."""

    def write(name, models, *, sure=0.9, data=None, study=None, **changes):
        folder = tmp_path / name
        (folder / "predictions").mkdir(parents=True)
        studies = []
        for model, correct in models.items():
            refits = []
            for k, row in enumerate(correct):
                file = f"predictions/{model}--d--{k}.npz"
                np.savez(folder / file, probabilities=probabilities(row, sure), ids=np.arange(N))
                refits.append(RefitRecord(seed=k, test_accuracy=float(row.mean()), predictions=file))
            made = fixtures.study(model, "d", NAMES, level=0.9, n_trials=2, epochs=2)
            test = made.test.model_copy(update={"accuracy": accuracy_interval(correct)})
            fields = {"test": test, "refits": refits, **(study or {})}
            studies.append(made.model_copy(update=fields))
        prints = {
            "fingerprint": stored.fingerprint,
            "test_fingerprint": stored.test_fingerprint,
            "split_fingerprint": "s" * 64,
        }
        record = fixtures.dataset("d", NAMES, fixtures.no_verdict())
        record = record.model_copy(update={**prints, **(data or {})})
        results = fixtures.results([record], studies, run_id=name, **changes)
        (folder / "results.json").write_text(results.to_json())
        return results, folder

    return write


def only_score(a, b):
    (study,) = compare_runs(*a, *b).studies
    return study.score


CORRECT = {
    "better": (rows(0.85, n_items=N), rows(0.9, n_items=N)),
    "worse": (rows(0.9, n_items=N), rows(0.85, n_items=N)),
    "undecided": (rows(0.9, n_items=N, spread=0.02), rows(0.9, n_items=N, spread=0.03)),
}


@pytest.mark.parametrize("state", CORRECT)
def test_diff_is_the_paired_interval_of_b_minus_a(run, state):
    of_a, of_b = CORRECT[state]
    score = only_score(run("a", {"m": of_a}), run("b", {"m": of_b}))
    expected = paired_difference(of_b, of_a, n_pairs=1)
    assert score.state == state
    assert (score.difference, score.low, score.high) == (expected.difference, expected.low, expected.high)
    assert "paired t interval, 3 seeds, 2,000 test items" in score.method
    assert (score.a.mean, score.b.mean, score.reason) == (of_a.mean(), of_b.mean(), "")


def test_diff_of_equal_scores_by_other_probabilities_is_equal(run):
    right = rows(0.9, n_items=N)
    score = only_score(run("a", {"m": right}), run("b", {"m": right}, sure=0.8))
    assert (score.state, score.difference) == ("equal", 0.0)
    assert score.low < 0 < score.high


def test_diff_of_the_same_probabilities_is_identical(run):
    right = rows(0.9, n_items=N)
    score = only_score(run("a", {"m": right}), run("b", {"m": right}))
    assert (score.state, score.difference, score.low, score.high) == ("identical", 0.0, 0.0, 0.0)


def test_diff_corrects_for_the_number_of_models(run):
    of_a, of_b = CORRECT["better"]
    a, b = run("a", {"m": of_a, "n": of_a}), run("b", {"m": of_b, "n": of_b})
    studies = compare_runs(*a, *b).studies
    assert [study.score.low for study in studies] == [paired_difference(of_b, of_a, n_pairs=2).low] * 2


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda file: file.unlink(), "a file of predictions of m in run B is missing"),
        (lambda file: file.write_bytes(b"PK"), "a file of predictions of m in run B is damaged"),
        (lambda file: file.write_bytes(b""), "a file of predictions of m in run B is damaged"),
        (lambda file: np.savez(file, other=np.ones(3)), "a file of predictions of m in run B is damaged"),
        (lambda file: np.savez(file, probabilities=np.ones((5, 2)) / 2), "is damaged"),
        (lambda file: np.savez(file, probabilities=np.full((N, 2), np.nan)), "is damaged"),
    ],
)
def test_diff_without_predictions_is_unpaired_and_says_why(run, damage, why):
    of_a, of_b = CORRECT["better"]
    a, b = run("a", {"m": of_a}), run("b", {"m": of_b})
    paired = only_score(a, b)
    damage(next((b[1] / "predictions").iterdir()))
    score = only_score(a, b)
    assert why in score.reason
    assert score.method.startswith("unpaired")
    assert (score.state, score.difference) == ("better", pytest.approx(0.05))
    assert score.low < paired.low < paired.high < score.high


def test_diff_without_the_data_in_the_cache_is_unpaired(run, monkeypatch, tmp_path):
    a, b = run("a", {"m": CORRECT["worse"][0]}), run("b", {"m": CORRECT["worse"][1]})
    monkeypatch.setenv("NNCOMPARE_CACHE_DIR", str(tmp_path / "empty"))
    score = only_score(a, b)
    assert (score.state, score.reason) == ("worse", "the test part is not in the cache any more")


@pytest.fixture
def stored_by_group(tmp_path, monkeypatch):
    """Equal arrays, stored by groups and then twice more: by other groups and by none."""
    monkeypatch.setenv("NNCOMPARE_CACHE_DIR", str(tmp_path / "cache"))
    X = np.random.default_rng(0).normal(size=(N, 2)).astype(np.float32)
    info = DatasetInfo(name="d", view="tabular", n_train=N, n_test=N, class_names=("a", "b"))
    found = []
    for by in (*(SplitBy("group", "who", np.arange(N) // k, N + np.arange(N) // k) for k in (100, 2)), None):
        found.append(store_dataset(info, Dataset(X, Y, X, Y, split_by=by), cache_root()))
        os.utime(found[-1].folder / "manifest.json", (len(found), len(found)))  # the last one is the newest
    return found[0]


@pytest.mark.parametrize("knows_keys", [True, False])
def test_diff_counts_the_groups_that_the_run_had(stored_by_group, run, knows_keys):
    of_a, of_b = CORRECT["better"]
    keys = stored_by_group.split_keys if knows_keys else ""
    data = {"split_by": "group", "split_column": "who", "split_keys": keys}
    score = only_score(run("a", {"m": of_a}, data=data), run("b", {"m": of_b}, data=data))
    assert f" in {20 if knows_keys else 1000:,} groups" in score.method  # of older results the newest keys


def test_diff_is_unpaired_where_only_other_groups_are_stored(stored_by_group, run):
    data = {"split_by": "group", "split_column": "who", "split_keys": "group|who|gone"}
    score = only_score(
        *(run(name, {"m": correct}, data=data) for name, correct in zip("ab", CORRECT["better"], strict=True))
    )
    assert score.reason == "the test part is not in the cache any more"


def test_unpaired_intervals_of_few_groups_are_stretched_by_one_degree_of_freedom():
    groups = np.repeat(np.arange(3), (6000, 1000, 1000))
    correct = np.random.default_rng(0).random((4, 8000)) < 0.5
    wide = stretched(accuracy_interval(correct, groups=groups), 4, 2, is_grouped=True)
    exact = accuracy_interval(correct, 1 - 0.05 / 2, groups=groups)
    assert 0 < wide.low <= exact.low + 1e-4
    assert wide.low < stretched(accuracy_interval(correct, groups=groups), 4, 2).low


def test_diff_without_predictions_corrects_for_the_number_of_models(run, monkeypatch, tmp_path):
    of_a, of_b = CORRECT["better"]
    one = run("a", {"m": of_a}), run("b", {"m": of_b})
    names = [f"m{k}" for k in range(20)]
    many = run("c", dict.fromkeys(names, of_a)), run("d", dict.fromkeys(names, of_b))
    monkeypatch.setenv("NNCOMPARE_CACHE_DIR", str(tmp_path / "empty"))
    alone, first = only_score(*one), compare_runs(*many[0], *many[1]).studies[0]
    factor = stats.t.ppf(1 - 0.05 / 40, 2) / stats.t.ppf(0.975, 2)
    assert first.score.difference - first.score.low == pytest.approx(factor * (alone.difference - alone.low))
    assert (alone.state, first.score.state) == ("better", "undecided")
    assert "Bonferroni over 1 pair" in alone.method
    assert "Bonferroni over 20 pairs" in first.score.method


@pytest.mark.parametrize("n_seeds", [1, 2, 3, 8])
@pytest.mark.parametrize("n_pairs", [1, 3, 20])
@pytest.mark.parametrize(("accuracy", "spread"), [(0.7, 0.0), (0.7, 0.02), (1.0, 0.0), (0.0, 0.0)])
def test_stretched_interval_holds_the_one_made_at_its_level(n_seeds, n_pairs, accuracy, spread):
    correct = rows(accuracy, n_seeds, n_items=N, spread=spread)
    wide = stretched(accuracy_interval(correct), n_seeds, n_pairs)
    exact = accuracy_interval(correct, 1 - 0.05 / n_pairs)
    assert wide.low <= exact.low + 1e-4
    assert wide.high >= exact.high - 1e-4
    if n_pairs == 1:
        assert wide == accuracy_interval(correct)


def test_unpaired_intervals_rarely_find_a_difference_between_twenty_equal_models():
    rng, n_runs, found = np.random.default_rng(0), 60, {1: 0, 20: 0}
    for _ in range(n_runs):
        hits = rng.uniform(size=(40, 3, 400)) < (0.9 + rng.normal(scale=0.01, size=(40, 3, 1)))
        sides = [accuracy_interval(correct) for correct in hits]
        pairs = list(zip(sides[::2], sides[1::2], strict=True))
        for n_pairs in found:
            known = {"n_seeds": (3, 3), "n_pairs": n_pairs, "margin": 0.005, "reason": ""}
            states = {unpaired_difference(a, b, **known).state for a, b in pairs}
            found[n_pairs] += not states.isdisjoint(("better", "worse"))
    assert found[20] <= 0.05 * n_runs < found[1]


def test_diff_reads_no_file_outside_of_the_run(run, tmp_path):
    right = rows(0.9, n_items=N)
    np.savez(tmp_path / "other.npz", probabilities=probabilities(right[0]))
    a = run("a", {"m": right})
    outside = [RefitRecord(seed=1, test_accuracy=0.9, predictions="../other.npz")]
    score = only_score(a, run("b", {"m": right}, study={"refits": outside}))
    assert score.reason == "a file of predictions of m in run B has no place in the run directory"


@pytest.mark.parametrize(
    ("data", "state", "why"),
    [
        ({"fingerprint": "0" * 64}, "other data", "the data differ (fingerprints"),
        ({"test_fingerprint": "0" * 64}, "other test labels", "the labels of the test part differ"),
        ({"split_fingerprint": "0" * 64}, "other split", "as with another --seed"),
        ({"split_fingerprint": ""}, "unknown", "it is not known whether they are the same"),
    ],
)
def test_diff_compares_no_scores_where_fingerprints_disagree(run, data, state, why):
    of_a, of_b = CORRECT["better"]
    a, b = run("a", {"m": of_a}), run("b", {"m": of_b}, data=data)
    found = compare_runs(*a, *b)
    assert found.datasets[0].state == state
    assert why in found.datasets[0].reason
    score = found.studies[0].score
    assert (score.state, score.difference, score.low) == ("not compared", None, None)
    text = "\n".join(difference_lines(found))
    assert "d: not compared: " in text
    assert "5.0" not in text


def test_diff_names_settings_versions_params_budgets_and_costs(run):
    right = rows(0.9, n_items=N)
    a = run("a", {"m": right}, seed=1, environment={"packages": {"keras": "3.1"}, "load_average": [1.0]})
    b = run(
        "b",
        {"m": right},
        seed=2,
        environment={"packages": {"keras": "3.2"}, "load_average": [2.0]},
        study={"best_params": {"width": 7}, "fit_cpu_s": 99.5},
    )
    found = compare_runs(*a, *b)
    assert [(c.name, c.a, c.b) for c in found.changes] == [
        ("seed", 1, 2),
        ("environment.packages.keras", "3.1", "3.2"),
    ]
    (study,) = found.studies
    assert {"width": (a[0].studies[0].best_params["width"], 7)}.items() <= {
        c.name: (c.a, c.b) for c in study.params
    }.items()
    assert [(c.name, c.b) for c in study.costs] == [("fit_cpu_s", 99.5)]
    assert found.datasets[0].verdict_changed is False
    text = "\n".join(difference_lines(found))
    assert "Changed: seed 1 → 2; keras 3.1 → 3.2." in text
    assert "→ 99.5" in text


def test_diff_of_a_run_with_itself_is_nothing(run):
    a = run("a", {"m": rows(0.9, n_items=N)})
    found = compare_runs(*a, *a)
    assert (found.changes, found.studies[0].params, found.studies[0].costs) == ([], [], [])
    assert "Neither settings nor versions changed." in difference_lines(found)


def test_diff_of_other_models_and_data_sets_says_what_is_missing(run):
    right = rows(0.9, n_items=N)
    a, b = run("a", {"m": right}), run("b", {"n": right})
    renamed = b[0].model_copy(update={"datasets": [b[0].datasets[0].model_copy(update={"name": "e"})]})
    found = compare_runs(*a, renamed, b[1])
    assert [(d.dataset, d.state) for d in found.datasets] == [("d", "only a"), ("e", "only b")]
    assert [s.score.reason for s in found.studies] == [
        "run B does not have this model",
        "run A does not have this model",
    ]
    assert {study.score.state for study in found.studies} == {"not compared"}


@pytest.mark.parametrize(("points", "code"), [(0.0, 3), (3.0, 3), (4.99, 0), (5.0, 0), (50.0, 0)])
def test_diff_gate_fails_where_the_whole_interval_lies_below(run, points, code):
    a, b = run("a", {"m": CORRECT["worse"][0]}), run("b", {"m": CORRECT["worse"][1]})
    found = compare_runs(*a, *b)
    high = found.studies[0].score.high
    assert -0.0499 < high < -0.03
    gate = check_scores(found, points)
    assert gate.exit_code == code
    if code:
        assert gate.reasons == (
            f"m on d is worse by 5.0 points, at least {-100 * high:.1f}; {points:g} are allowed.",
        )


@pytest.mark.parametrize("state", ["better", "undecided"])
def test_diff_gate_passes_what_may_be_chance(run, state):
    of_a, of_b = CORRECT[state]
    assert check_scores(compare_runs(*run("a", {"m": of_a}), *run("b", {"m": of_b})), 0.0).exit_code == 0


def test_diff_gate_fails_where_a_result_is_lost(run):
    right = rows(0.9, n_items=N)
    lost = {"status": "failed", "test": None, "failure": Failure(category="oom", message="x")}
    found = compare_runs(*run("a", {"m": right}), *run("b", {"m": right}, study=lost))
    gate = check_scores(found, 99.0)
    assert (gate.exit_code, gate.reasons) == (3, ("m on d has no result in B any more: failed.",))


def test_diff_gate_fails_where_b_lacks_a_model(run):
    right = rows(0.9, n_items=N)
    found = compare_runs(*run("a", {"m": right, "n": right}), *run("b", {"m": right, "new": right}))
    gate = check_scores(found, 99.0)
    assert (gate.exit_code, gate.reasons) == (
        3,
        ("n on d has no result in B any more: run B does not have this model.",),
    )


def test_diff_gate_fails_where_a_model_is_complete_without_scores(run):
    right = rows(0.9, n_items=N)
    found = compare_runs(*run("a", {"m": right}), *run("b", {"m": right}, study={"test": None}))
    gate = check_scores(found, 99.0)
    assert (gate.exit_code, gate.reasons) == (
        3,
        ("m on d has no result in B any more: it has no test scores in run B.",),
    )


def test_diff_gate_does_not_ask_for_what_a_did_not_have(run):
    right = rows(0.9, n_items=N)
    first = run("a", {"m": right})
    untested = first[0].studies[0].model_copy(update={"model": "n", "test": None, "status": "failed"})
    a = first[0].model_copy(update={"studies": [*first[0].studies, untested]})
    assert check_scores(compare_runs(a, first[1], *run("b", {"m": right})), 0.0).exit_code == 0


def test_diff_gate_fails_where_one_of_two_data_sets_has_other_data(run):
    right = rows(0.9, n_items=N)
    a, b = run("a", {"m": right}), run("b", {"m": right})
    both = []
    for results, mark in ((a[0], "1"), (b[0], "2")):
        second = results.datasets[0].model_copy(update={"name": "e", "fingerprint": mark * 64})
        study = results.studies[0].model_copy(update={"dataset": "e"})
        parts = {"datasets": [*results.datasets, second], "studies": [*results.studies, study]}
        both.append(results.model_copy(update=parts))
    gate = check_scores(compare_runs(both[0], a[1], both[1], b[1]), 99.0)
    (reason,) = gate.reasons
    assert gate.exit_code == 3
    assert reason.startswith("m on e is not compared: the data differ (fingerprints 11111111… and 22222222…)")


def test_diff_gate_says_where_nothing_was_compared(run):
    right = rows(0.9, n_items=N)
    other = compare_runs(*run("a", {"m": right}), *run("b", {"m": right}, data={"fingerprint": "0" * 64}))
    assert check_scores(other, 0.0).exit_code == 4


@pytest.mark.parametrize("alone", ["a", "b"])
def test_diff_of_a_single_seed_says_so_and_only_warns(run, alone):
    right = {name: one[:1] if name == alone else one for name, one in zip("ab", CORRECT["worse"], strict=True)}
    found = compare_runs(*run("a", {"m": right["a"]}), *run("b", {"m": right["b"]}))
    assert (found.studies[0].score.state, found.studies[0].score.single_seed) == ("worse", True)
    assert "worse in B, single seed: differences may be noise" in "\n".join(difference_lines(found))
    gate = check_scores(found, 0.0)
    assert (gate.exit_code, gate.reasons) == (0, ())
    (warning,) = gate.warnings
    assert warning.startswith("Warning: m on d is worse by 5.0 points, at least ")
    assert warning.endswith("; 0 are allowed; single seed: differences may be noise.")


def test_diff_of_a_single_seed_without_predictions_says_so_too(run, monkeypatch, tmp_path):
    a, b = run("a", {"m": CORRECT["worse"][0][:1]}), run("b", {"m": CORRECT["worse"][1][:1]})
    monkeypatch.setenv("NNCOMPARE_CACHE_DIR", str(tmp_path / "empty"))
    score = only_score(a, b)
    assert (score.state, score.single_seed) == ("worse", True)


def test_diff_of_several_seeds_does_not_speak_of_a_single_one(run):
    found = compare_runs(*run("a", {"m": CORRECT["worse"][0]}), *run("b", {"m": CORRECT["worse"][1]}))
    assert not found.studies[0].score.single_seed
    assert "single seed" not in "\n".join(difference_lines(found))


def failing(written):
    """Return a run whose last refits failed."""
    results, folder = written
    lost = RefitRecord(seed=9, failure=Failure(category="oom", message="x"))
    studies = [study.model_copy(update={"refits": [*study.refits, lost]}) for study in results.studies]
    return results.model_copy(update={"studies": studies}), folder


@pytest.mark.parametrize(("state", "ahead"), [("better", "B"), ("worse", "A")])
@pytest.mark.parametrize("stored_data", [True, False])
def test_diff_is_undecided_where_refits_of_the_better_run_failed(
    run, monkeypatch, tmp_path, state, ahead, stored_data
):
    if not stored_data:
        monkeypatch.setenv("NNCOMPARE_CACHE_DIR", str(tmp_path / "empty"))
    a, b = (run(name, {"m": right}) for name, right in zip("ab", CORRECT[state], strict=True))
    found = compare_runs(*(failing(a) if ahead == "A" else a), *(failing(b) if ahead == "B" else b))
    score = found.studies[0].score
    assert (score.state, score.failed_refits) == ("undecided", f"1 of 4 refits failed in {ahead}")
    assert f"undecided: 1 of 4 refits failed in {ahead}" in "\n".join(difference_lines(found))
    gate = check_scores(found, 0.0)
    assert (gate.exit_code, len(gate.warnings)) == (0, 1 if ahead == "A" else 0)
    assert all(line.endswith("0 are allowed; 1 of 4 refits failed in A.") for line in gate.warnings)


@pytest.mark.parametrize(("state", "behind"), [("better", "A"), ("worse", "B")])
def test_diff_stays_decided_where_refits_of_the_worse_run_failed(run, state, behind):
    a, b = (run(name, {"m": right}) for name, right in zip("ab", CORRECT[state], strict=True))
    score = only_score(failing(a) if behind == "A" else a, failing(b) if behind == "B" else b)
    assert (score.state, score.failed_refits) == (state, "")


def test_diff_lines_of_hostile_names_stay_on_their_lines(run):
    right = rows(0.9, n_items=N)
    benign = compare_runs(*run("a", {"m": right}), *run("b", {"m": right}, seed=7))
    hostile = json.loads(benign.model_dump_json())
    hostile["studies"][0]["model"] = hostile["datasets"][0]["dataset"] = "x\x1b[31m\ny\u202e"
    hostile["studies"][0]["dataset"] = hostile["datasets"][0]["dataset"]
    hostile["changes"][0]["a"] = "\x1b]0;title\x07\n"
    lines = difference_lines(type(benign).model_validate(hostile))
    assert len(lines) == len(difference_lines(benign))
    assert all(character.isprintable() for line in lines for character in line)
