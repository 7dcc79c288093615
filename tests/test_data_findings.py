"""What is found in data before anything trains: each fault is found and named, and sound data raise no alarm."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine

from nncompare.data.leaks import GIVEN_AWAY, MOST_COLUMNS, MOST_ROWS, find_leaks
from nncompare.data.own import own_arrays, read_own
from nncompare.data.repeats import find_repeats
from nncompare.data.split_columns import SplitColumn
from nncompare.data.store import open_dataset, store_dataset

from .documents import DOCS

RNG = np.random.default_rng(0)
PERMUTED = np.array([4, 0, 3, 1, 2, 9, 6, 8, 5, 7])


def sound(n=400, n_classes=2):
    """Return a table of which nothing has to be said, and its classes."""
    y = np.arange(n) % n_classes
    X = np.random.default_rng(1).normal(size=(n, 3)) + 0.5 * y[:, np.newaxis]
    return pd.DataFrame(X, columns=["a", "b", "c"]), pd.Series([f"c{k}" for k in y], name="class")


def look(tmp_path, X, y, **more):
    """Return the findings by code."""
    stored = store_dataset(*own_arrays("own", X, y, **more), tmp_path)
    assert open_dataset(stored.folder).findings == stored.findings
    found = {}
    for finding in stored.findings:
        found.setdefault(finding.code, finding)
    return found


def test_sound_data_raise_no_alarm(tmp_path):
    X, y = sound(600)
    found = look(tmp_path, X, y)
    assert {code: finding.level for code, finding in found.items()} == {
        "sizes": "info",
        "split": "info",
        "imbalance": "ok",
        "duplicates": "ok",
        "leaking_column": "ok",
    }
    assert found["sizes"].text == "480 training rows, of which a part validates, and 120 test rows."


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer])
def test_sound_tables_of_scikit_learn_have_no_leak(tmp_path, load):
    X, y = load(return_X_y=True, as_frame=True)
    assert look(tmp_path, X, y)["leaking_column"].text == "No single column gives the class away."


def test_pixels_of_digits_have_no_leak():
    X, y = load_digits(return_X_y=True)
    rows = slice(0, 400)
    assert find_leaks(X[rows, 18:30], y[rows], [0] * 12) == []


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer])
@pytest.mark.parametrize(
    ("leak", "level"),
    [
        (lambda y: y, "problem"),
        (lambda y: PERMUTED[y], "problem"),
        (lambda y: np.array([f"kind {k}" for k in PERMUTED[y]]), "problem"),
        (lambda y: y + RNG.normal(0, 1e-3, len(y)), "warning"),
        (lambda y: PERMUTED[y] + RNG.normal(0, 0.05, len(y)), "warning"),
        (lambda y: np.array([f"{k}{'abc'[i % 3]}" for i, k in enumerate(y)]), "warning"),
    ],
    ids=["copied", "permuted", "as text", "with noise", "permuted with noise", "finer classes"],
)
def test_leaked_target_is_found_and_named(tmp_path, load, leak, level):
    X, y = load(return_X_y=True, as_frame=True)
    found = look(tmp_path, X.assign(leaked=leak(y.to_numpy())), y)["leaking_column"]
    assert found.level == level
    assert found.text.startswith("Column 'leaked' ")


def test_leak_is_found_where_it_is_known_for_one_class_only(tmp_path):
    X, y = sound()
    X["died_after_days"] = np.where(y == "c1", RNG.integers(1, 900, len(y)), np.nan)
    assert look(tmp_path, X, y)["leaking_column"].text.startswith("Column 'died_after_days' alone tells the class")


def test_leak_into_a_rare_class_is_found_and_frequent_classes_alone_are_none():
    y = (np.arange(3000) % 200 == 0).astype(int)
    X = np.random.default_rng(0).normal(size=(3000, 4))
    assert find_leaks(X, y, [0] * 4) == []  # always naming the frequent class is right in 99.5 % of the rows
    X[:, 2] = y + RNG.normal(0, 0.01, 3000)
    (leak,) = find_leaks(X, y, [0] * 4)
    assert (leak.column, leak.is_copy) == (2, False)
    assert leak.recall >= GIVEN_AWAY > leak.runner_up


def test_two_columns_that_tell_the_class_are_no_alarm_but_a_copy_beside_them_is(tmp_path):
    X, y = load_iris(return_X_y=True, as_frame=True)
    X, y = X[y < 2], y[y < 2]  # petals tell these two apart
    found = look(tmp_path, X, y)["leaking_column"]
    assert found.level == "info"
    assert "'petal length (cm)', 'petal width (cm)'" in found.text
    assert look(tmp_path, X.assign(code=1 - y), y)["leaking_column"].text.startswith("Column 'code' is the target")


def test_of_a_wide_and_long_table_the_likeliest_columns_are_looked_at_and_that_is_said(tmp_path):
    y = np.arange(MOST_ROWS + 700) % 2
    X = np.random.default_rng(0).normal(size=(len(y), MOST_COLUMNS + 5)).astype(np.float32)
    found = look(tmp_path, X[:, :-1], y)["leaking_column"]
    assert found.text.endswith(f"(looked at: {MOST_ROWS:,} rows, the {MOST_COLUMNS} likeliest columns).")
    X[:, 7] = y + RNG.normal(0, 0.01, len(y))
    assert look(tmp_path, X, y)["leaking_column"].text.startswith(
        "Column 7 (counted from 0) alone tells the class"
    )


def test_rows_in_both_parts_are_counted_and_one_is_named(tmp_path):
    X, y = sound()
    X, y = pd.concat([X, X.iloc[:80]]), pd.concat([y, y.iloc[:80]])
    found = look(tmp_path, X, y)
    match = re.match(
        r"(\d+) of 96 test rows stand in the training part too, such as row (\d+) is equal to row (\d+),",
        found["duplicates"].text,
    )
    one, other = int(match[2]), int(match[3])
    assert found["duplicates"].level == "warning"
    assert abs(one - other) == 400
    match = re.match(
        r"(\d+) of 384 training rows repeat another one, such as row (\d+)", found["repeated_rows"].text
    )
    assert int(match[1]) > 30
    assert found["repeated_rows"].level == "warning"


def test_equal_rows_of_different_classes_are_named_with_the_best_that_can_be(tmp_path):
    X, y = np.zeros((100, 2)), np.arange(100) % 2
    X[:, 0] = np.arange(100) // 4
    X_test = np.random.default_rng(0).random((100, 2))
    found = look(tmp_path, X, y, X_test=X_test, y_test=y)["conflicting_labels"]
    assert found.level == "warning"
    assert "such as train row 1 ('1') and train row 0 ('0'), counted from 0" in found.text
    assert found.text.endswith("no model can be right in more than 50.0 % of the training rows.")


def test_imbalance_and_rare_classes_are_named(tmp_path):
    X, _ = sound(1000)
    y = np.where(np.arange(1000) % 100 == 0, "rare", "usual")
    found = look(tmp_path, X, y)
    assert found["imbalance"].level == "warning"
    assert found["imbalance"].text.startswith(
        "'usual' is the most frequent class and 'rare' the rarest (792 and 8 training rows): always naming "
        "'usual' is right in 99.0 % of the test rows"
    )
    assert "'rare' (8 training, 2 test rows)" in found["rare_classes"].text


def test_columns_without_information_are_named(tmp_path):
    X, y = sound()
    table = look(tmp_path, X.assign(same=1, number=np.arange(len(X))), y)
    assert table["left_out_columns"].text == (
        "Left out: 'same' (the same everywhere), 'number' (numbers the rows)."
    )
    array = look(tmp_path, X.assign(same=1.0).to_numpy(), y)
    assert array["constant_columns"].text == "1 of 4 columns is the same in all training rows: 3 (counted from 0)."


@pytest.mark.parametrize(
    ("name", "values", "level"),
    [
        ("patient_id", lambda y: np.arange(len(y)) % 40 * 2 + (y == "c1"), "warning"),
        ("subject", lambda y: np.arange(len(y)) // 8, "info"),
        ("userId", lambda y: np.array([f"u{k // 8}" for k in range(len(y))]), "info"),
        ("width", lambda y: np.arange(len(y)) // 8, None),
        ("patient", lambda y: np.arange(len(y)) % 3, None),
    ],
)
def test_column_that_names_groups_is_told_with_the_option(tmp_path, name, values, level):
    X, y = sound()
    found = look(tmp_path, X.assign(**{name: values(y)}), y).get("looks_like_groups")
    assert (found and found.level) == level
    assert found is None or f"--group {name} " in found.text


def test_groups_in_both_given_parts_and_times_before_the_test_are_problems(tmp_path):
    X, y = sound()
    X["who"], X["when"] = np.arange(400) // 10, np.arange(400)
    parts = {"X_test": X.iloc[295:], "y_test": y.iloc[295:]}
    found = look(tmp_path, X.iloc[:300], y.iloc[:300], **parts, split=SplitColumn("group", "who"))
    assert found["split"].level == "problem"
    assert found["split"].text.startswith("1 group of 'who' has rows in train and in test")
    found = look(tmp_path, X.iloc[:300], y.iloc[:300], **parts, split=SplitColumn("time", "when"))
    assert found["split"].text.startswith("5 of 105 test rows are no later by 'when' than the last training row")


def test_findings_of_stored_data_are_not_looked_for_again(tmp_path, monkeypatch):
    X, y = sound()
    stored = store_dataset(*own_arrays("own", X, y), tmp_path)
    monkeypatch.setattr("nncompare.data.parts.find_in_data", None)
    assert store_dataset(*own_arrays("own", X, y), tmp_path) == stored


def test_findings_of_a_file_name_rows_of_the_file(tmp_path):
    X, y = sound()
    X.loc[399] = X.loc[0]
    X.assign(**{"class": y, "same": 1}).to_csv(tmp_path / "own.csv", index=False)
    findings = store_dataset(*read_own(tmp_path / "own.csv", "class"), tmp_path).findings
    texts = " ".join(finding.text for finding in findings)
    assert "row 399" in texts
    assert "row 0" in texts
    assert "Left out: 'same' (the same everywhere)." in texts


def test_codes_of_findings_are_all_in_the_docs():
    from nncompare.data import findings

    source = (DOCS.parent / "nncompare" / "data" / "findings.py").read_text(encoding="utf-8")
    page = (DOCS / "reference" / "data-checks.md").read_text(encoding="utf-8")
    in_source = set(re.findall(r'code="(\w+)"', source))
    assert len(in_source) >= 11
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == in_source
    assert f"fewer than {findings.FEW_TEST_ROWS}" in page
    assert f"{findings.IMBALANCED} times" in page


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_rows_of_either_zero_and_of_any_nan_are_equal(dtype):
    X = np.array([[0.0, np.nan], [-0.0, -np.nan], [1.0, np.nan], [0.0, 1.0]], dtype=dtype)
    assert len({row.tobytes() for row in X[:2]}) == 2
    found = find_repeats(X, np.array([0, 1, 0, 0]), X[[1, 3]])
    assert (found.n_shared, found.repeated, found.conflicting) == (2, (1, 0), (1, 0))
    assert np.signbit(X[1, 0])
