"""What is found in data before anything trains: each fault is found and named, and sound data raise no alarm."""

import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine

from nncompare.data import leaks
from nncompare.data.leaks import GIVEN_AWAY, MOST_COLUMNS, MOST_ROWS, find_leaks
from nncompare.data.own import own_arrays, read_own
from nncompare.data.ownimages import read_image_folder
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


@pytest.mark.parametrize("name", ["family_size", "customer_age", "user_rating", "session_length", "paid"])
def test_measurements_of_what_could_be_groups_are_none(tmp_path, name):
    X, y = sound()
    assert "looks_like_groups" not in look(tmp_path, X.assign(**{name: np.arange(400) // 8}), y)


def test_group_that_fixes_a_frequent_class_is_a_warning(tmp_path):
    X, _ = sound()
    patient = np.arange(400) // 10
    y = pd.Series(np.where(patient % 10 < 7, "healthy", "ill"), name="class")
    found = look(tmp_path, X.assign(patient_id=patient), y)
    assert found["looks_like_groups"].level == "warning"
    assert "100 % of the rows are of the main class of theirs" in found["looks_like_groups"].text
    chance = look(tmp_path, X.assign(patient_id=np.random.default_rng(0).permutation(patient)), y)
    assert chance["looks_like_groups"].level == "info"


def test_column_of_groups_that_tells_the_class_is_never_called_in_order(tmp_path):
    X, _ = sound()
    names = np.array([f"p{k // 20}" for k in range(400)])
    found = look(tmp_path, X.assign(patient=names), np.where(np.arange(400) // 20 % 2, "a", "b"))
    assert found["looks_like_groups"].level == "warning"
    assert "leaking_column" not in found


@pytest.mark.parametrize("name", ["segment", "customer_code"])
def test_copy_of_the_target_is_a_problem_whatever_it_is_called(tmp_path, name):
    X, y = sound(600, n_classes=6)
    found = look(tmp_path, X.assign(**{name: y.to_numpy()}), y)
    assert found["leaking_column"].level == "problem"
    assert "looks_like_groups" not in found


def test_groups_are_not_advised_where_rows_are_split_by_a_column(tmp_path):
    X, y = sound()
    X["patient"], X["session_id"] = np.arange(400) // 20, np.arange(400) // 10
    assert "session_id" in look(tmp_path, X.drop(columns="patient"), y)["looks_like_groups"].text
    assert "looks_like_groups" not in look(tmp_path, X, y, split=SplitColumn("group", "patient"))


def test_groups_in_both_given_parts_and_times_before_the_test_are_problems(tmp_path):
    X, y = sound()
    X["who"], X["when"] = np.arange(400) // 10, np.arange(400)
    parts = {"X_test": X.iloc[295:], "y_test": y.iloc[295:]}
    found = look(tmp_path, X.iloc[:300], y.iloc[:300], **parts, split=SplitColumn("group", "who"))
    assert found["split"].level == "problem"
    assert found["split"].text.startswith("1 group of 'who' has rows in train and in test")
    found = look(tmp_path, X.iloc[:300], y.iloc[:300], **parts, split=SplitColumn("time", "when"))
    assert found["split"].text.startswith("5 of 105 test rows are no later by 'when' than the last training row")


@pytest.mark.parametrize(
    ("sizes", "level", "text"),
    [
        ([100], "problem", "The test part holds 1 group of 'who': what it says of other groups is not known, so "),
        ([20] * 5, "warning", "The test part holds 5 groups of 'who', and intervals count groups: only large "),
        (
            [300, *[5] * 11],
            "warning",
            "The test part holds 12 groups of 'who', the largest with 85 % of its rows: they count as 1.4, and ",
        ),
        ([10] * 10, None, ""),
    ],
)
def test_few_test_groups_are_told_by_what_they_count_as(tmp_path, sizes, level, text):
    X, y = sound()
    test = np.random.default_rng(1).normal(size=(sum(sizes), 3))
    of_test = pd.DataFrame(test, columns=X.columns).assign(who=np.repeat(np.arange(len(sizes)), sizes))
    y_test = y.iloc[np.arange(sum(sizes)) % len(y)]
    train = X.assign(who=100 + np.arange(400) // 10)
    split = SplitColumn("group", "who")
    found = look(tmp_path, train, y, X_test=of_test, y_test=y_test, split=split).get("few_groups")
    assert (found and found.level) == level
    assert found is None or found.text.startswith(text)


def test_findings_of_stored_data_are_not_looked_for_again(tmp_path, monkeypatch):
    X, y = sound()
    stored = store_dataset(*own_arrays("own", X, y), tmp_path)
    monkeypatch.setattr("nncompare.data.parts.find_in_data", None)
    assert store_dataset(*own_arrays("own", X, y), tmp_path) == stored


def test_findings_of_a_file_name_lines_of_the_file(tmp_path):
    X, y = sound()
    X.loc[399] = X.loc[0]
    X.assign(**{"class": y, "same": 1}).to_csv(tmp_path / "own.csv", index=False)
    findings = store_dataset(*read_own(tmp_path / "own.csv", "class"), tmp_path).findings
    texts = " ".join(finding.text for finding in findings)
    assert re.search(r"line (2 is equal to line 401|401 is equal to line 2|401 repeats line 2)\b", texts)
    assert "counted from 0" not in texts
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


def test_column_that_tells_the_class_may_hold_groups(tmp_path):
    X, y = sound()
    rng = np.random.default_rng(1)
    X["image"] = np.arange(400) // 8
    y = rng.permutation(np.arange(50) % 2)[np.arange(400) // 8]
    found = look(tmp_path, X, y)["leaking_column"]
    assert found.text.endswith("If its values tell which rows belong together, give --group image.")


def test_few_shared_rows_are_told_and_many_are_a_warning(tmp_path):
    X, y = sound()
    X_test, y_test = sound(1000)
    X_test.iloc[:, 0] += 1.0
    X_test.iloc[:9] = X.iloc[:9]
    found = look(tmp_path, X, y, X_test=X_test, y_test=y_test)["duplicates"]
    assert (found.level, found.text[:11]) == ("info", "9 of 1,000 ")
    X_test.iloc[9:10] = X.iloc[9:10]
    assert look(tmp_path, X, y, X_test=X_test, y_test=y_test)["duplicates"].level == "warning"


def test_rows_that_cells_of_few_values_make_equal_are_no_warning(tmp_path):
    levels = np.random.default_rng(0).integers(0, 3, (2000, 5))
    X = pd.DataFrame(np.array(["low", "middle", "high"])[levels], columns=list("abcde"))
    found = look(tmp_path, X, np.arange(2000) // 7 % 2)
    assert [found[code].level for code in ("duplicates", "repeated_rows")] == ["info", "info"]
    assert "that was to be expected, because few different rows are possible" in found["duplicates"].text
    assert "Remove" not in found["duplicates"].text


def test_texts_without_words_are_equal_without_a_warning(tmp_path):
    texts = [f"good film number {k}" if k % 5 else "..." for k in range(400)]
    found = look(tmp_path, texts, np.arange(400) % 2, view="tokens")
    assert found["duplicates"].level == "info"


def test_zeros_of_either_sign_make_equal_rows():
    X = np.array([[0.0, 1.0], [2.0, np.nan]])
    other = np.array([[-0.0, 1.0], [2.0, -np.nan]])
    assert find_repeats(X, np.array([0, 1]), other).n_shared == 2


def test_one_of_many_columns_of_noise_is_no_alarm():
    y = np.arange(20) % 2
    X = np.random.default_rng(0).normal(size=(20, 2000))
    X[:, 7] = y + RNG.normal(0, 0.01, 20)
    (leak,) = [leak for leak in find_leaks(X, y, [0] * 2000) if leak.column == 7]
    assert leak.by_chance
    X[:, 8] = y
    assert not find_leaks(X[:, :9], y, [0] * 9)[0].by_chance  # of nine columns none is a copy by chance


def test_copy_that_may_be_chance_is_told_and_no_alarm(tmp_path):
    X = np.random.default_rng(0).integers(0, 2, (12, 400)).astype(float)
    y = np.arange(12) % 2
    X[:, 7] = y
    found = look(tmp_path, X, y)["leaking_column"]
    assert found.level == "info"
    assert re.search(r"by 7 \(counted from 0\).*: with so few training rows \(9\), one of 400 columns", found.text)


def test_column_of_many_values_that_each_go_with_one_class_is_found(tmp_path):
    X, y = sound()
    values = np.arange(400) // 2 % 60
    X["product"] = [f"p{k}{c}" for k, c in zip(values, y, strict=True)]
    found = look(tmp_path, X, y)["leaking_column"]
    assert found.level == "warning"
    assert found.text.startswith("Column 'product' alone tells the class of 100.0 %")


def test_only_column_that_tells_the_class_is_no_alarm(tmp_path):
    y = np.arange(400) % 2
    found = look(tmp_path, pd.DataFrame({"a": y + RNG.normal(0, 0.01, 400)}), y)["leaking_column"]
    assert found.level == "info"
    assert found.text.startswith("Column 'a' tells the class by itself")


def test_what_other_rules_found_is_looked_for_again(tmp_path, monkeypatch):
    X, y = sound()
    stored = store_dataset(*own_arrays("own", X, y), tmp_path)
    monkeypatch.setattr("nncompare.data.store.RULES", stored.rules + 1)
    monkeypatch.setattr("nncompare.data.parts.find_in_data", lambda looked: [])
    again = store_dataset(*own_arrays("own", X, y), tmp_path)
    assert (again.folder, again.findings) == (stored.folder, ())
    assert open_dataset(stored.folder) == again


def test_findings_of_images_name_them_by_class_and_place(tmp_path):
    for k in range(20):
        folder = tmp_path / "flowers" / ("rose" if k % 2 else "tulip")
        folder.mkdir(parents=True, exist_ok=True)
        pixels = np.full((4, 4), 10 * (k if k < 19 else 1), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{k:02d}.png")
    info, dataset = read_image_folder(tmp_path / "flowers", "flowers", tmp_path)
    findings = store_dataset(info, dataset, tmp_path).findings
    text = " ".join(finding.text for finding in findings)
    assert "image 10 of 'rose'" in text
    assert "image 1 of 'rose'" in text
    assert ".png" not in text


def test_test_part_by_time_that_is_most_of_the_rows_is_a_warning(tmp_path):
    X, y = sound()
    X["when"] = np.where(np.arange(400) < 40, np.arange(400), 999)
    stored = store_dataset(*own_arrays("own", X, y, split=SplitColumn("time", "when")), tmp_path)
    found = [finding for finding in stored.findings if finding.code == "split"]
    assert [finding.level for finding in found] == ["warning", "ok"]
    assert "hold 90 % of the rows, all of which are the test part" in found[0].text


def test_few_columns_are_read_whole_where_there_are_many_classes(monkeypatch):
    y = np.arange(3000) % 300
    X = np.random.default_rng(0).normal(size=(3000, 20))
    X[:, 5] = y[::-1]
    X[:, 6] = (y * 7) % 300
    read = []

    def columns_read(X, columns, rows=None):
        read.extend(columns)
        return X[:, columns]

    monkeypatch.setattr(leaks, "columns_of", columns_read)
    monkeypatch.setattr(leaks, "BLOCK_BYTES", 1)
    monkeypatch.setattr(leaks, "_promising", lambda X, y: [])
    assert [leak.column for leak in find_leaks(X, y, [0] * 20)] == [5, 6]
    assert read == [5, 6]
