"""Most confident mistakes against a computation row by row, and in a run from end to end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nncompare.comparison import load_results
from nncompare.data.ragged import Ragged
from nncompare.data.records import Dataset, DatasetInfo
from nncompare.data.store import StoredDataset, store_dataset
from nncompare.mistakes import find_mistakes

from .children import FAULTS, dataset
from .plugins.datasets import Texts
from .whole_runs import compare_with, repeated

N_TEST = 24
CLASSES = ("no", "yes", "perhaps")
WORDS = [f"w{rank}" for rank in range(1, 101)]
Y = np.random.default_rng(0).integers(0, 3, N_TEST)


def reader(name):
    return f"{FAULTS.with_name('readers.py')}:{name}"


def store(root, words=WORDS, X_test=None):
    X = Ragged.from_rows([[1, row + 4, 4] for row in range(N_TEST)]) if X_test is None else X_test
    info = DatasetInfo(name="texts", view="tokens", n_train=N_TEST, n_test=N_TEST, class_names=CLASSES)
    return store_dataset(info, Dataset(X, Y, X, Y, words=words), root)


@pytest.fixture(scope="module")
def stored(tmp_path_factory) -> StoredDataset:
    return store(tmp_path_factory.mktemp("texts"))


def brute_force(y, probabilities):
    """Return (row, true, predicted, probability, by) of each model's ten surest mistakes, row by row."""
    guesses = {}
    for model, refits in probabilities.items():
        for row in range(N_TEST):
            means = [sum(refit[row, k] for refit in refits) / len(refits) for k in range(3)]
            guesses[model, row] = max(range(3), key=lambda k, means=means: (means[k], -k)), max(means)
    found = {}
    for model in probabilities:
        wrong = [row for row in range(N_TEST) if guesses[model, row][0] != y[row]]
        wrong.sort(key=lambda row: (-guesses[model, row][1], row))
        found[model] = [
            (
                row,
                CLASSES[y[row]],
                CLASSES[guesses[model, row][0]],
                pytest.approx(guesses[model, row][1], abs=5.1e-5),
                [name for name in probabilities if guesses[name, row][0] != y[row]],
            )
            for row in wrong[:10]
        ]
    shared = sum(all(guesses[model, row][0] != y[row] for model in probabilities) for row in range(N_TEST))
    return found, shared


def eighths(seed, n_refits):
    """Return probabilities in steps of an eighth, so that sums are exact and there are many ties."""
    counts = np.random.default_rng(seed).multinomial(8, [0.5, 0.3, 0.2], size=(n_refits, N_TEST))
    return list(counts / 8)


@given(
    st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=3),
    st.sampled_from([1, 2, 4]),
    st.lists(st.integers(0, 2), min_size=N_TEST, max_size=N_TEST),
)
def test_mistakes_equal_a_computation_row_by_row(stored, seeds, n_refits, y):
    probabilities = {f"m{k}": eighths(seed, n_refits) for k, seed in enumerate(seeds)}
    found = find_mistakes(stored, np.array(y), probabilities)
    expected, shared = brute_force(y, probabilities)
    assert {
        model: [(m.id, m.true, m.predicted, m.probability, m.by) for m in mistakes]
        for model, mistakes in found.by_model.items()
    } == expected
    assert found.n_wrong_by_all == shared
    assert all(m.words == f"w{m.id + 1} w1" for mistakes in found.by_model.values() for m in mistakes)


def wrong_everywhere():
    """Return probabilities of one refit that gets all rows wrong, one as sure as another."""
    probabilities = np.full((N_TEST, 3), 0.2)
    probabilities[np.arange(N_TEST), (Y + 1) % 3] = 0.6
    return {"m": [probabilities]}


def test_mistakes_that_are_equally_sure_come_by_row_and_are_ten(stored):
    found = find_mistakes(stored, Y, wrong_everywhere())
    assert [m.id for m in found.by_model["m"]] == list(range(10))
    assert found.n_wrong_by_all == N_TEST


def test_mistakes_probability_has_four_digits(stored):
    probabilities = {"m": [wrong_everywhere()["m"][0] / 3 + 2 / 9]}
    assert {m.probability for m in find_mistakes(stored, Y, probabilities).by_model["m"]} == {0.4222}


def test_mistakes_of_models_that_are_always_right_are_none(stored):
    found = find_mistakes(stored, Y, {"m": [np.eye(3)[Y]]})
    assert (found.by_model, found.n_wrong_by_all) == ({"m": []}, 0)


def test_mistakes_keep_the_beginning_and_the_end_of_a_long_text(tmp_path):
    rows = [[1, *range(4, 4 + n)] for n in (60, 61, *[3] * (N_TEST - 2))]
    mistakes = find_mistakes(store(tmp_path, X_test=Ragged.from_rows(rows)), Y, wrong_everywhere()).by_model["m"]
    assert mistakes[0].words == " ".join(WORDS[:60])
    assert mistakes[1].words == " ".join([*WORDS[:30], "…", *WORDS[31:61]])


def test_mistakes_keep_the_beginning_of_a_long_word(tmp_path):
    words = ["a" * 40, "b" * 41, "c" * 1_000_000]
    X_test = Ragged.from_rows([[1, 4, 5, 6]] * N_TEST)
    mistakes = find_mistakes(store(tmp_path, words, X_test), Y, wrong_everywhere()).by_model["m"]
    assert mistakes[0].words == " ".join(["a" * 40, "b" * 40 + "…", "c" * 40 + "…"])


def test_mistakes_of_a_data_set_without_words_have_none(tmp_path):
    found = find_mistakes(store(tmp_path, words=()), Y, wrong_everywhere())
    assert {m.words for m in found.by_model["m"]} == {None}
    assert found.problem == ""


@pytest.mark.parametrize(
    ("damage", "cause"),
    [
        (lambda file: file.unlink(), "FileNotFoundError: No such file or directory."),
        (lambda file: file.write_text("{"), "ValidationError: 1 validation error for list[str]."),
    ],
)
def test_mistakes_say_why_words_cannot_be_read(tmp_path, damage, cause):
    damaged = store(tmp_path)
    damage(damaged.folder / "words.json")
    found = find_mistakes(damaged, Y, wrong_everywhere())
    assert [m.id for m in found.by_model["m"]] == list(range(10))
    assert {m.words for m in found.by_model["m"]} == {None}
    assert found.problem.startswith(f"The mistakes on texts lack their words. {cause} Delete the folder ")
    assert str(tmp_path) not in found.problem


def test_mistakes_lack_their_words_where_the_texts_are_cut_off(tmp_path):
    damaged = store(tmp_path)
    with (damaged.folder / "X_test.ragged" / "values.npy").open("r+b") as file:
        file.truncate()
    found = find_mistakes(damaged, Y, wrong_everywhere())
    assert [(m.id, m.words) for m in found.by_model["m"]] == [(row, None) for row in range(10)]
    assert found.problem.startswith("The mistakes on texts lack their words. EOFError: ")


def test_mistakes_that_cannot_be_found_are_a_problem_and_no_error(stored):
    found = find_mistakes(stored, Y, {"m": [np.zeros((N_TEST + 1, 3))]})
    assert (found.by_model, found.n_wrong_by_all) == ({}, None)
    assert found.problem.startswith("The mistakes on texts are not shown. ValueError: ")


def test_mistakes_of_nobody_are_empty(stored):
    empty = find_mistakes(stored, Y, {})
    assert (empty.by_model, empty.n_wrong_by_all, empty.overlap, empty.problem) == ({}, None, None, "")


def two_models():
    """Return probabilities of two models: a is wrong on rows 0 to 5, b on 4 to 9, each a row surer than before."""
    sure = np.eye(3)[Y] * 0.7 + 0.1
    a, b = sure.copy(), sure.copy()
    for row in range(10):
        wrong = np.full(3, (0.5 - 0.02 * row) / 2)
        wrong[(Y[row] + 1) % 3] = 0.5 + 0.02 * row
        if row < 6:
            a[row] = wrong
        if row >= 4:
            b[row] = wrong
    return {"a": [a], "b": [b]}


def test_mistakes_of_two_models_overlap(stored):
    found = find_mistakes(stored, Y, two_models())
    assert found.n_wrong_by_all == 2
    assert found.overlap.only_right == {"a": 4, "b": 4}
    assert [(s.id, s.right) for s in found.overlap.wrong_by_all] == [(5, None), (4, None)]
    assert [(s.id, s.right) for s in found.overlap.right_by_one] == [
        (6, "a"), (7, "a"), (8, "a"), (0, "b"), (1, "b"), (2, "b"),
    ]  # fmt: skip
    first = found.overlap.right_by_one[0]
    assert first.predicted == {"a": CLASSES[Y[6]], "b": CLASSES[(Y[6] + 1) % 3]}
    assert (first.true, first.words) == (CLASSES[Y[6]], "w7 w1")


@given(st.lists(st.integers(0, 2**32 - 1), min_size=2, max_size=4))
def test_mistakes_overlap_equals_a_count_row_by_row(stored, seeds):
    probabilities = {f"m{k}": eighths(seed, 2) for k, seed in enumerate(seeds)}
    wrong = {m: np.mean(p, axis=0).argmax(axis=1) != Y for m, p in probabilities.items()}
    alone = {
        m: sum(not wrong[m][row] and all(wrong[o][row] for o in wrong if o != m) for row in range(N_TEST))
        for m in wrong
    }
    overlap = find_mistakes(stored, Y, probabilities).overlap
    assert overlap.only_right == alone
    assert all(s.right is None and s.true not in s.predicted.values() for s in overlap.wrong_by_all)
    for sample in overlap.right_by_one:
        assert [m for m, name in sample.predicted.items() if name == sample.true] == [sample.right]


def test_mistakes_of_one_model_overlap_with_nothing(stored):
    assert find_mistakes(stored, Y, wrong_everywhere()).overlap is None


def test_mistakes_of_rows_that_are_not_shown_are_counted(stored):
    found = find_mistakes(stored, Y, two_models(), rows_shown=False)
    assert (found.by_model, found.n_wrong_by_all, found.rows_shown) == ({}, 2, False)
    assert found.overlap.only_right == {"a": 4, "b": 4}
    assert (found.overlap.wrong_by_all, found.overlap.right_by_one) == ([], [])


@pytest.mark.parametrize(
    ("view", "shape", "field"),
    [("image", (8, 8, 1), "thumbnail"), ("sequence", (20, 2), "series"), ("tabular", (4,), "row")],
)
def test_mistakes_of_every_view_show_what_can_be_seen(tmp_path, view, shape, field):
    info = DatasetInfo(name="own", view=view, n_train=N_TEST, n_test=N_TEST, class_names=CLASSES)
    X = np.random.default_rng(0).uniform(size=(N_TEST, *shape)).astype(np.float32)
    found = find_mistakes(store_dataset(info, Dataset(X, Y, X, Y), tmp_path), Y, two_models())
    samples = [*found.by_model["a"], *found.overlap.wrong_by_all, *found.overlap.right_by_one]
    assert len(samples) == 6 + 2 + 6
    assert all(getattr(sample, field) for sample in samples)
    assert {sample.words for sample in samples} == {None}


@pytest.mark.slow
def test_mistakes_of_a_run_agree_with_its_stored_predictions(runner, tmp_path):
    results, folder = compare_with(
        runner, tmp_path, models=(reader("Timid"), reader("Bold")), datasets=(dataset("Texts"),), n_trials=1
    )
    assert repeated(load_results(folder)) == repeated(results)
    (record,), studies, data = results.datasets, results.studies, Texts().load(None)
    assert [study.status for study in studies] == ["complete", "complete"]
    means, wrong = {}, {}
    for study in studies:
        files = [folder / refit.predictions for refit in study.refits]
        means[study.model] = np.mean([np.load(file)["probabilities"] for file in files], axis=0)
        wrong[study.model] = means[study.model].argmax(axis=1) != data.y_test
    for study in studies:
        assert len(study.mistakes) == min(10, wrong[study.model].sum()) > 0
        for mistake in study.mistakes:
            assert mistake.probability == pytest.approx(means[study.model][mistake.id].max(), abs=1e-4)
            assert mistake.words.split() == [data.words[k - 4] for k in data.X_test[mistake.id][1:]]
            assert mistake.true == record.class_names[data.y_test[mistake.id]] != mistake.predicted
            assert mistake.by == [model for model in wrong if wrong[model][mistake.id]]
    assert record.n_wrong_by_all == np.logical_and(*wrong.values()).sum()
    assert studies[0].mistakes[0].words in (folder / "report.html").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("form", ["table", "images"])
@pytest.mark.parametrize("asked", [False, True])
def test_mistakes_of_own_data_are_counted_and_shown_only_where_asked_for(runner, tmp_path, form, asked):
    rng, path = np.random.default_rng(0), tmp_path / ("own.csv" if form == "table" else "own.npz")
    y = rng.integers(0, 2, 200)
    if form == "table":
        lines = [
            f"{0.123456 + value:.6f},{'no' if k else 'yes'}" for value, k in zip(rng.random(200), y, strict=True)
        ]
        path.write_text("\n".join(["width,class", *lines]))
        options = {"target": "class"}
    else:
        np.savez(path, X=rng.integers(0, 256, (200, 8, 8, 1), dtype=np.uint8), y=y)
        options = {}
    results, folder = compare_with(
        runner, tmp_path / "runs", models=("Nearest",), datasets=(str(path),), show_rows=asked, **options
    )
    (data,), (study,) = results.datasets, results.studies
    assert study.status == "complete"
    assert data.n_wrong_by_all > 0
    assert data.rows_shown is asked
    shown = [m.row or m.thumbnail for m in study.mistakes]
    assert bool(shown) is asked
    assert all(shown)
    page = (folder / "report.html").read_text()
    assert ("--show-rows" in page.partition("id=mistakes")[2]) is not asked
