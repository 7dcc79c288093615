"""Texts through a whole run: every built-in model in its view, references on TF-IDF, sealed test, saved models."""

import numpy as np
import pytest

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
