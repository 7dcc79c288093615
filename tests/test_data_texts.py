"""Texts of the user: their words, their ids, and which of them a model may learn."""

import csv
import string

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nncompare.data import texts
from nncompare.data.conversion import fit_conversion
from nncompare.data.native import Native
from nncompare.data.new_samples import NewSamples
from nncompare.data.own import own_arrays, read_own
from nncompare.data.ragged import FIRST_WORD, START, UNKNOWN, decode
from nncompare.data.samples import open_samples
from nncompare.data.saved_conversion import load_conversion, save_conversion
from nncompare.data.source import Source
from nncompare.data.splits import split_off_test, validation_split
from nncompare.data.store import open_dataset, store_dataset
from nncompare.data.texts import encode_texts, text_ids, words_of
from nncompare.data.views import prepare_view
from nncompare.exceptions import DataError, UsageError

SOURCE = Source("'r.csv'")
ODD = [
    "",
    " ",
    "Ünlü ÜNLÜ’s",
    "a-b_c/d",
    "日本 語",
    "x\u00a0y",
    "\ttab\x0bvt\x0cff\r\n",
    string.punctuation,
    "É<br />È",
]


def reviews(n=40):
    """Return texts and classes that words tell apart, and one word of its own in each text."""
    words = {"good": "a fine Film, really!", "bad": "a dull film; sadly"}
    classes = ["good", "bad"] * (n // 2)
    return pd.DataFrame(
        {"id": range(n), "review": [f"{words[c]} only{k}" for k, c in enumerate(classes)], "label": classes}
    )


@pytest.fixture(scope="module")
def keras_words():
    """Return what Keras's TextVectorization makes of texts by default, before it looks words up."""
    from keras.layers import TextVectorization

    layer = TextVectorization(vocabulary=["a"])
    return lambda many: layer._preprocess(many).to_list()


def test_words_are_those_of_keras_text_vectorization_also_beyond_ascii(keras_words):
    assert keras_words(ODD) == [words_of(text) for text in ODD]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=60), min_size=1, max_size=20))
def test_words_of_any_text_are_those_of_keras_text_vectorization(keras_words, many):
    assert keras_words(many) == [words_of(text) for text in many]


def test_words_follow_falling_frequency_outside_of_the_test_part_alone():
    given_texts = ["b b a", "c a b", "d d d d d a"]
    found = encode_texts("t", given_texts, np.array([0, 1]), SOURCE)
    assert (found.words, found.column.n_words) == (["b", "a", "c", "d"], 3)
    assert [found.X[row].tolist() for row in range(3)] == [[1, 4, 4, 5], [1, 6, 5, 4], [1, 7, 7, 7, 7, 7, 5]]
    assert [" ".join(decode(found.X[row], found.words)) for row in range(3)] == given_texts


def test_words_beyond_the_limit_are_for_reading_only(monkeypatch):
    monkeypatch.setattr(texts, "MOST_WORDS", 2)
    found = encode_texts("t", ["b b a", "c a b"], np.arange(2), SOURCE)
    assert (found.words, found.column.n_words) == (["b", "a", "c"], 2)
    native = Native(view="tokens", sample_shape=None, dtype="int32", text="t", words=("b", "a"))
    assert fit_conversion(native, "tabular", found.X, np.arange(2)).table.terms.tolist() == [4, 5]
    assert fit_conversion(native, "tokens", found.X, np.arange(2)).vocabulary_size == 6


@pytest.mark.parametrize(
    ("given_texts", "fault"),
    [
        (["", "?!", "word"], "holds no words outside the test part. Name the column of texts."),
        (["one", "two two", "one"], "holds no word that occurs in two of its texts, so none can be learnt from"),
        (["東京都", "大阪府", "x"], "another. Name the column of texts, or separate their words by spaces."),
    ],
)
def test_texts_without_words_to_learn_are_refused(given_texts, fault):
    with pytest.raises(DataError) as caught:
        encode_texts("t", given_texts, np.array([0, 1]), SOURCE)
    assert fault in str(caught.value)


def test_new_texts_have_the_ids_of_the_training_and_unknown_words_are_counted():
    X, unknown = text_ids(["A b!", "", "c c"], ["b", "a"])
    assert [X[row].tolist() for row in range(3)] == [[START, 5, 4], [START], [START, UNKNOWN, UNKNOWN]]
    assert unknown == 0.5
    assert text_ids([""], ["b"])[1] == 0


@pytest.mark.parametrize("suffix", ["csv", "tsv"])
def test_column_of_texts_is_read_from_a_table_and_stored_with_its_words(tmp_path, suffix):
    path = tmp_path / f"r.{suffix}"
    reviews().to_csv(path, index=False, sep="\t" if suffix == "tsv" else ",")
    info, dataset = read_own(path, "label", text="review")
    assert info.view == "tokens"
    assert info.description == (
        "40 rows: texts of column 'review' (5 to 5 words, median 5; 38 different words outside the test part); "
        "target 'label' with 2 classes: bad, good; left out beside --text: 'id'"
    )
    stored = open_dataset(store_dataset(info, dataset, tmp_path).folder)
    native = Native.of(stored)
    assert (native.text, native.target, len(native.words), len(stored.words())) == ("review", "label", 38, 46)
    test = split_off_test(dataset.y_train)[1]
    shown = {" ".join(decode(stored.X_test()[row], stored.words())) for row in range(stored.n_test)}
    expected = [" ".join(map(bytes.decode, words_of(reviews()["review"][row]))) for row in test]
    assert shown == set(expected)


def test_what_a_model_sees_depends_on_its_training_rows_alone(tmp_path):
    """Other texts in validation and test part leave what is fitted, and every training sample, byte for byte."""
    frame = reviews(80)
    y = own_arrays("x", frame["review"], frame["label"], view="tokens")[1].y_train
    rows = split_off_test(y)[0]
    split = validation_split(y[rows], seed=3)
    changed = frame.copy()
    elsewhere = np.setdiff1d(np.arange(80), rows[split.train])
    changed.loc[elsewhere, "review"] = ["really sadly dull sadly really new words"] * len(elsewhere)
    seen = []
    for table in (frame, changed):
        stored = store_dataset(*own_arrays("x", table["review"], table["label"], view="tokens"), tmp_path)
        prepared = prepare_view(stored, "tokens", split.train, split.valid, tmp_path, with_test=True)
        X, valid = open_samples(prepared.train.X), open_samples(prepared.valid.X)
        assert valid.values.max() <= prepared.spec.vocabulary_size - 1 == X.values.max()
        seen.append((X.values.tobytes(), prepared.spec.vocabulary_size, (valid.values == UNKNOWN).mean()))
    assert seen[0][:2] == seen[1][:2]
    assert seen[0][2] == pytest.approx(1 / 6)  # the word of its own in each text
    assert seen[1][2] == pytest.approx(2 / 8)


def test_table_of_words_depends_on_its_training_rows_alone(tmp_path, monkeypatch):
    """Of words that are equally frequent in training, those that validation holds are not preferred."""
    monkeypatch.setattr("nncompare.data.tfidf.MAX_TERMS", 7)  # of 38 words, 32 of which occur once
    frame = reviews(80)
    y = own_arrays("x", frame["review"], frame["label"], view="tokens")[1].y_train
    rows = split_off_test(y)[0]
    split = validation_split(y[rows], seed=3)
    changed = frame.copy()
    last = " ".join(frame["review"][rows[split.train[-9:]]])
    changed.loc[rows[split.valid], "review"] = [f"{last} new words"] * len(split.valid)
    seen = []
    for table in (frame, changed):
        stored = store_dataset(*own_arrays("x", table["review"], table["label"], view="tokens"), tmp_path)
        X = open_samples(prepare_view(stored, "tabular", split.train, None, tmp_path, with_test=False).train.X)
        seen.append((X.data.tobytes(), X.indices.tobytes()))
    assert seen[0] == seen[1]


def test_vocabulary_counts_over_all_chunks_and_comes_back_from_its_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("nncompare.data.samples.CHUNK_BYTES", 1)
    found = encode_texts("t", ["c c", "a b", "b a a", "z"], np.arange(4), SOURCE)
    native = Native(view="tokens", sample_shape=None, dtype="int32", text="t", words=tuple(found.words))
    fitted = fit_conversion(native, "tokens", found.X, np.array([1, 0]))
    save_conversion(fitted, tmp_path)
    loaded = load_conversion(tmp_path)
    assert (loaded.native, loaded.vocabulary_size) == (native, FIRST_WORD + 3)
    assert [loaded.ids[4 + found.words.index(word)] for word in "cabz"] == [4, 5, 6, UNKNOWN]
    X = open_samples(loaded.write(tmp_path, found.X, np.array([3, 2])))
    assert [X[row].tolist() for row in range(2)] == [[START, UNKNOWN], [START, 6, 5, 5]]


@pytest.mark.parametrize("dress", [list, tuple, np.array, pd.Series, lambda many: pd.Series(many, name="review")])
def test_texts_in_python_are_taken_with_the_view_tokens(tmp_path, dress):
    frame = reviews()
    given_texts = dress(list(frame["review"]))
    stored = store_dataset(*own_arrays("x", given_texts, list(frame["label"]), view="tokens"), tmp_path)
    model = NewSamples(Native.of(stored), stored.class_names)
    taken = model.take(dress(["A dull film", "Qux quux"]))
    assert [row.tolist() for row in (taken.X[0], taken.X[1])] == [
        [START, *(4 + stored.words().index(word) for word in ("a", "dull", "film"))],
        [START, UNKNOWN, UNKNOWN],
    ]
    assert taken.note == ""
    assert model.take(["Qux", None]).note == (
        f"100% of the words in '{model.native.text}' are none that the model could learn."
    )
    assert model.native.text == ("review" if getattr(given_texts, "name", None) == "review" else "text")


def test_own_test_part_in_python_gives_no_words_to_learn():
    info, dataset = own_arrays(
        "x", ["a b", "a c", "b c", "c a"], [0, 1, 0, 1], ["d a", "d b"], [0, 1], view="tokens"
    )
    assert (info.n_train, info.n_test, dataset.words, dataset.text.n_words) == (4, 2, ["a", "c", "b", "d"], 3)
    assert dataset.X_test.values.tolist() == [START, 7, 4, START, 7, 6]


@pytest.mark.parametrize(
    ("X", "view", "fault"),
    [
        (["a b"] * 6, None, "X cannot be used: it has 1 dimension, of shape (6,), and no numbers. Texts are read"),
        (["a b", 3] * 3, "tokens", "X cannot be used: row 1 is an object of type int. Give texts as str, or"),
        ([["a"], ["b"]] * 3, "tokens", "X cannot be used: it has the shape (6, 1). Give one text per row,"),
        (
            pd.DataFrame({"t": ["a"] * 6}),
            "tokens",
            "X cannot be used: it is a table. Give the column of texts: X=",
        ),
        (
            ["a \ud800"] * 6,
            "tokens",
            "X cannot be used: row 0 has '\\ud800' at position 2, which is half of a char",
        ),
    ],
)
def test_what_is_no_list_of_texts_is_refused(X, view, fault):
    with pytest.raises(DataError) as caught:
        own_arrays("x", X, [0, 1] * 3, view=view)
    assert str(caught.value).startswith(fault)


def test_new_table_of_texts_is_read_by_the_name_of_its_column(tmp_path):
    reviews().to_csv(tmp_path / "r.csv", index=False)
    stored = store_dataset(*read_own(tmp_path / "r.csv", "label", text="review"), tmp_path)
    model = NewSamples(Native.of(stored), stored.class_names)
    new = tmp_path / "new.csv"
    new.write_text('nr,review,label\n7,"A fine film, NA",good\n8,,\n')
    taken = model.read(new, keep=["nr"])
    assert (taken.labels.tolist(), taken.kept) == ([1, -1], {"nr": ["7", "8"]})
    assert [taken.X[row].tolist()[-1] for row in range(2)] == [UNKNOWN, START]
    new.write_text("review\nA film\n")
    assert len(model.read(new).X) == 1
    assert len(model.take(pd.read_csv(new)).X) == 1
    new.write_text("text\nA film\n")
    with pytest.raises(DataError, match=r"^'new.csv' cannot be used: it lacks the column 'review', from which"):
        model.read(new)
    np.savez(tmp_path / "new.npz", X=np.ones(3))
    with pytest.raises(UsageError, match=r"^'new.npz' is not read: .csv, .tsv and .parquet files are\.$"):
        model.read(tmp_path / "new.npz")


def test_test_part_of_a_file_is_read_again_as_the_run_stored_it(tmp_path):
    """Words that only the test part holds have other ids in a new file, and are the same to every model."""
    frame = reviews()
    frame.to_csv(tmp_path / "r.csv", index=False)
    stored = store_dataset(*read_own(tmp_path / "r.csv", "label", text="review"), tmp_path)
    rows = split_off_test(own_arrays("x", frame["review"], frame["label"], view="tokens")[1].y_train)[1]
    frame.iloc[rows].to_csv(tmp_path / "test.csv", index=False)
    again = NewSamples(Native.of(stored), stored.class_names).read(tmp_path / "test.csv").X
    train = np.arange(stored.n_train)
    for view in ("tokens", "tabular"):
        fitted = fit_conversion(Native.of(stored), view, stored.X_train(), train)
        (tmp_path / view).mkdir()
        (tmp_path / f"{view}-again").mkdir()
        all_rows = np.arange(len(rows))
        first = open_samples(fitted.write(tmp_path / view, stored.X_test(), all_rows))
        second = open_samples(fitted.write(tmp_path / f"{view}-again", again, all_rows))
        name = "values" if view == "tokens" else "data"
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


def test_long_texts_that_a_table_leaves_out_are_pointed_to(tmp_path):
    frame = reviews(100).assign(width=np.arange(100) * 0.5)
    frame.to_csv(tmp_path / "r.csv", index=False)
    description = read_own(tmp_path / "r.csv", "label")[0].description
    assert description.endswith(
        "left out: 'id' (numbers the rows), 'review' (80 different texts); --text review reads the texts of that "
        "column instead (in Python: text='review', or X=X['review'] and view='tokens')"
    )
    frame[["review", "label"]].to_csv(tmp_path / "r.csv", index=False)
    with pytest.raises(DataError) as caught:
        read_own(tmp_path / "r.csv", "label")
    assert str(caught.value).startswith(
        "'r.csv' cannot be used: no column is left to learn from: 'review' 80 different texts. Add features; "
        "--text review reads the texts of that column instead"
    )


def test_text_of_many_lines_and_characters_is_read_and_the_limit_of_other_readers_stays(tmp_path):
    long = "a fine film\n" * 20_000
    frame = reviews()
    frame.loc[0, "review"] = long
    frame.to_csv(tmp_path / "r.csv", index=False)
    before = csv.field_size_limit()
    info, dataset = read_own(tmp_path / "r.csv", "label", text="review")
    assert (dataset.X_train.lengths.max(), csv.field_size_limit()) == (1 + 3 * 20_000, before)
    assert "(5 to 60,000 words, median 5;" in info.description
