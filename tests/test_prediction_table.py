"""The record of predictions and the files that it goes into."""

import csv
import io

import numpy as np
import pytest

from nncompare.exceptions import StorageError, UsageError
from nncompare.prediction_table import Prediction, check_keep, check_output, csv_text, write_prediction

PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.25, 0.5, 0.25]])


def prediction(**updates):
    fields = {
        "run_id": "r",
        "model": "mlp",
        "dataset": "d",
        "refit": 1,
        "seed": 7,
        "class_names": ("a", "b", "c"),
        "probabilities": PROBABILITIES,
    }
    return Prediction(**(fields | updates))


def rows(text):
    return list(csv.reader(io.StringIO(text, newline="")))


def test_prediction_names_the_most_probable_class():
    found = prediction()
    assert (len(found), found.codes.tolist(), found.names) == (3, [0, 2, 1], ["a", "c", "b"])
    assert (found.n_known, found.accuracy) == (0, None)


def test_prediction_accuracy_is_over_the_rows_whose_class_is_known():
    found = prediction(labels=np.array([0, -1, 2]))
    assert (found.n_known, found.accuracy) == (2, 0.5)
    assert prediction(labels=np.array([-1, -1, -1])).accuracy is None


def test_prediction_csv_has_probabilities_by_class_and_the_truth_where_known():
    found = rows(csv_text(prediction(labels=np.array([0, -1, 2]))))
    assert found == [
        ["row", "prediction", "p_a", "p_b", "p_c", "true"],
        ["0", "a", "0.7", "0.2", "0.1", "a"],
        ["1", "c", "0.1", "0.3", "0.6", ""],
        ["2", "b", "0.25", "0.5", "0.25", "c"],
    ]
    assert rows(csv_text(prediction()))[0][-1] == "p_c"


def test_prediction_csv_leaves_nothing_to_compute():
    names = ("=cmd()", "-1", "@x\ny,", "+1e5", "-a", "\tb")
    labels = np.array([0, 1, 2, 3, 4, 5])
    found = rows(csv_text(prediction(class_names=names, probabilities=np.eye(6), labels=labels)))
    expected = ["'=cmd()", "-1", "'@x\ny,", "+1e5", "'-a", "'\tb"]
    assert [row[1] for row in found[1:]] == [row[-1] for row in found[1:]] == expected
    assert found[0][2:-1] == [f"p_{name}" for name in names]


def test_prediction_csv_file_equals_the_text(tmp_path):
    (tmp_path / "p.csv").write_text("old")
    write_prediction(prediction(), tmp_path / "p.csv")
    assert (tmp_path / "p.csv").read_bytes().decode() == csv_text(prediction())
    assert [path.name for path in tmp_path.iterdir()] == ["p.csv"]


def test_prediction_npz_holds_probabilities_codes_and_names(tmp_path):
    write_prediction(prediction(labels=np.array([0, -1, 2])), tmp_path / "p.NPZ")
    with np.load(tmp_path / "p.NPZ", allow_pickle=False) as stored:
        found = {name: stored[name] for name in stored.files}
    np.testing.assert_array_equal(found["probabilities"], PROBABILITIES)
    assert found["predictions"].tolist() == [0, 2, 1]
    assert found["class_names"].tolist() == ["a", "b", "c"]
    assert found["true"].tolist() == [0, -1, 2]


def test_prediction_npz_holds_what_tells_the_samples_whatever_it_is_called(tmp_path):
    kept = {"file": ["1.png", "2.png", "é.png"], "predictions": ["x", "y", "z"]}
    write_prediction(prediction(kept=kept), tmp_path / "p.npz")
    with np.load(tmp_path / "p.npz", allow_pickle=False) as stored:
        assert stored["file"].tolist() == kept["file"]
        assert stored["input_predictions"].tolist() == kept["predictions"]
        assert stored["predictions"].tolist() == [0, 2, 1]


def test_prediction_frame_has_the_columns_of_the_csv():
    frame = prediction(labels=np.array([0, -1, 2])).frame
    assert list(frame.columns) == ["prediction", "p_a", "p_b", "p_c", "true"]
    assert (frame["true"][[0, 2]].tolist(), frame["true"].isna().tolist()) == (["a", "c"], [False, True, False])
    assert frame.index.name == "row"


def test_prediction_that_cannot_be_written_leaves_the_old_file(tmp_path):
    (tmp_path / "p.csv").write_text("old")
    broken = prediction(class_names=("a",))  # fewer names than columns: fails in the middle
    with pytest.raises(IndexError):
        write_prediction(broken, tmp_path / "p.csv")
    assert (tmp_path / "p.csv").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["p.csv"]
    with pytest.raises(StorageError, match="Cannot write"):
        write_prediction(prediction(), tmp_path / "absent" / "p.csv")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("p.txt", r"does not end with \.csv or \.npz"),
        ("folder.csv", "is a folder"),
        ("absent/p.csv", "There is no folder"),
        ("in.csv", "the file of the samples, which would be lost"),
        ("link.csv", "the file of the samples, which would be lost"),
        ("run/predictions/p.npz", "lies among the files of the run"),
        ("run/models/m/p.csv", "lies among the files of the run"),
    ],
)
def test_prediction_output_that_would_do_harm_is_refused(tmp_path, name, words):
    (tmp_path / "in.csv").write_text("x")
    (tmp_path / "link.csv").symlink_to(tmp_path / "in.csv")
    for folder in ("folder.csv", "run/predictions", "run/models/m"):
        (tmp_path / folder).mkdir(parents=True)
    with pytest.raises(UsageError, match=words):
        check_output(tmp_path / name, tmp_path / "in.csv", tmp_path / "run")


def test_prediction_output_beside_the_report_is_fine(tmp_path):
    check_output(tmp_path / "p.csv", None, tmp_path)


def test_prediction_csv_has_the_kept_columns_before_the_prediction():
    kept = {"id": ["7", "=x", "9"], "row": ["a", "b", "c"], "@name": ["", "é", "-1"]}
    found = rows(csv_text(prediction(kept=kept)))
    assert [line[:5] for line in found] == [
        ["row", "id", "input_row", "'@name", "prediction"],
        ["0", "7", "a", "", "a"],
        ["1", "'=x", "b", "é", "c"],
        ["2", "9", "c", "-1", "b"],
    ]
    assert list(prediction(kept=kept).frame.columns)[:4] == ["id", "input_row", "@name", "prediction"]


def test_prediction_keeps_columns_of_files_in_csv_files_only(tmp_path):
    check_keep(["id"], tmp_path / "in.csv", tmp_path / "p.csv")
    check_keep((), None, tmp_path / "p.npz")
    with pytest.raises(UsageError, match=r"cannot hold the columns to keep \(--keep\)\. Choose a \.csv file\."):
        check_keep(["id"], tmp_path / "in.csv", tmp_path / "p.npz")
    with pytest.raises(UsageError, match="Columns are kept of a table file"):
        check_keep(["id"], None, tmp_path / "p.csv")


def test_prediction_is_written_through_a_link(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "p.csv").symlink_to(tmp_path / "far" / "real")
    for _ in range(2):
        write_prediction(prediction(), tmp_path / "p.csv")
    assert (tmp_path / "p.csv").is_symlink()
    assert (tmp_path / "far" / "real").read_text() == csv_text(prediction())
    assert [path.name for path in (tmp_path / "far").iterdir()] == ["real"]


def test_kept_columns_that_are_called_as_our_own_get_names_that_are_free(tmp_path):
    kept = {name: [name] * 3 for name in ("row", "input_row", "input_input_row", "predictions", "id")}
    header = rows(csv_text(prediction(kept=kept)))[0]
    assert header[:6] == ["row", "input_input_input_row", "input_row", "input_input_row", "predictions", "id"]
    assert len(set(header)) == len(header)
    assert list(prediction(kept=kept).frame.columns)[:5] == header[1:6]
    write_prediction(
        prediction(kept={"predictions": ["a"] * 3, "input_predictions": ["b"] * 3}), tmp_path / "p.npz"
    )
    with np.load(tmp_path / "p.npz", allow_pickle=False) as stored:
        assert stored["input_predictions"].tolist() == ["b"] * 3
        assert stored["input_input_predictions"].tolist() == ["a"] * 3
