"""Texts through a whole run: every built-in model in its view, references on TF-IDF, sealed test, saved models."""

import importlib
import json
import re

import numpy as np
import pandas as pd
import pytest

from nncompare.data.splits import split_off_test
from nncompare.data.texts import text_ids
from nncompare.exceptions import DataError
from nncompare.portable import export
from nncompare.prediction import predict

from .children import dataset
from .whole_runs import compare_with

BUILT_IN = ("nncompare_plugins.mlp:MLP", "nncompare_plugins.cnn:CNN", "nncompare_plugins.lstm:LSTM")
VIEWS = {"MLP": "tabular", "CNN": "tokens", "LSTM": "tokens"}


def assert_compared(results, folder, models, n_test=40):
    majority, logistic = results.datasets[0].references
    assert logistic.test_accuracy.mean > max(0.9, majority.test_accuracy.mean)
    for study in results.studies:
        assert (study.status, study.failure, study.view) == ("complete", None, VIEWS[study.model])
        assert study.latency_ms is not None  # the saved model was loaded and predicted the same
        for refit in study.refits:
            with np.load(folder / refit.predictions) as stored:
                assert stored["probabilities"].shape == (n_test, 2)
    assert [study.model for study in results.studies] == list(models)
    assert not results.notes


@pytest.mark.slow
def test_texts_reach_mlp_as_a_sparse_table(runner, tmp_path):
    results, folder = compare_with(
        runner, tmp_path, BUILT_IN[:1], [dataset("Texts")], n_trials=2, n_refits=2, max_epochs=10
    )
    assert_compared(results, folder, ["MLP"])


@pytest.mark.slow
def test_texts_reach_every_built_in_model(runner, tmp_path):
    results, folder = compare_with(
        runner, tmp_path, BUILT_IN, [dataset("Texts")], n_trials=2, n_refits=2, max_epochs=12, jobs=2
    )
    assert_compared(results, folder, ["MLP", "CNN", "LSTM"])


def own_reviews():
    """Return 120 texts that some of their words tell apart, with words that occur once, and a missing text."""
    rng = np.random.default_rng(0)
    said = {"good": ["fine", "moving", "splendid", "warm"], "bad": ["dull", "flat", "long", "lost"]}
    labels = ["good", "bad"] * 60
    texts = [f"The film: {' '.join(rng.choice(said[label], 3))}, word{k}." for k, label in enumerate(labels)]
    return pd.DataFrame({"nr": range(120), "review": [*texts[:-1], None], "label": labels})


@pytest.mark.slow
def test_own_texts_go_from_a_file_to_words_in_the_report_and_to_predictions(runner, tmp_path):
    frame = own_reviews()
    frame.to_csv(tmp_path / "reviews.csv", index=False)
    results, folder = compare_with(
        runner,
        tmp_path,
        BUILT_IN[:2],
        [str(tmp_path / "reviews.csv")],
        target="label",
        text="review",
        n_trials=1,
        n_refits=1,
        max_epochs=12,
        show_rows=True,
    )
    assert_compared(results, folder, ["MLP", "CNN"], n_test=24)
    shown = [mistake.words for study in results.studies for mistake in study.mistakes]
    assert all(text == "" or text.startswith("the film ") for text in shown)
    assert not any("?" in text for text in shown)  # words of the test part alone can be read too
    test = split_off_test((np.arange(120) + 1) % 2)[1]
    frame.iloc[test].to_csv(tmp_path / "test.csv", index=False)
    frame.iloc[test].rename(columns={"review": "text"}).to_csv(tmp_path / "other.csv", index=False)
    for study in results.studies:
        found = predict(folder, results, study.model, input=tmp_path / "test.csv", keep=["nr"], runner=runner)
        with np.load(folder / study.refits[0].predictions) as stored:
            np.testing.assert_allclose(found.probabilities, stored["probabilities"], atol=1e-6)
        assert found.accuracy == study.refits[0].test_accuracy
        assert found.kept["nr"] == [str(row) for row in test]
    from nncompare.portable.keras_files import open_keras

    # An export brings the words of the model, whose ranks are not those of the data set.
    exported = export(folder, results, "keras", tmp_path / "keras", "CNN", runner=runner)
    vocabulary = json.loads((exported.folder / "vocabulary.json").read_text(encoding="utf-8"))
    card = (exported.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    for name in re.findall(r"^import (nncompare\S+)$", card, re.MULTILINE):  # of its layers
        importlib.import_module(name)
    ids, _ = text_ids(frame["review"].fillna("").iloc[test], vocabulary["words"])
    probabilities = open_keras(exported.folder / "model.keras", vocabulary["max_length"])(ids)
    (cnn,) = (study for study in results.studies if study.model == "CNN")
    with np.load(folder / cnn.refits[0].predictions) as stored:
        np.testing.assert_allclose(probabilities, stored["probabilities"], atol=1e-4)
    with pytest.raises(DataError, match=r"^'other.csv' cannot be used: it lacks the column 'review', from which"):
        predict(folder, results, "MLP", input=tmp_path / "other.csv", runner=runner)
    new = predict(folder, results, "MLP", input=["A splendid, warm film", "Dull: flat, long"], runner=runner)
    assert list(new.names) == ["good", "bad"]
