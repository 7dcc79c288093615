"""What the benchmarks count and train on either side."""

from pathlib import Path

import keras
import numpy as np
import pytest

from nncompare.results import FinalRecord, RefitRecord, StudyRecord, TrialRecord

from .test_frameworks_keras import Averaging, Dense, data

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def test_time_of_a_study_counts_its_finals():
    from sides.homes import _intervals, _union

    study = StudyRecord(
        model="lstm", dataset="imdb", status="complete",
        trials=[TrialRecord(number=0, state="complete", params={}, started_s=0.0, finished_s=10.0)],
        finals=[FinalRecord(trial=0, fit_time_s=8.0), FinalRecord(trial=4)],
        refits=[RefitRecord(seed=7, fit_time_s=5.0, predict_time_s=1.0)],
    )  # fmt: skip
    texts = ("study lstm imdb: 1 trial", "final lstm imdb 0: log loss 0.2", "final lstm imdb 4: log loss -",
             "final cnn mnist 0: log loss 0.1", "refit lstm imdb 7: test accuracy 0.9")  # fmt: skip
    times = ("00:00:00", "00:00:20", "00:00:21", "00:00:40", "00:01:00")
    log = [[f"2026-01-01T{time}+00:00", text] for time, text in zip(times, texts, strict=True)]
    assert _union(list(_intervals(study, log))) == 10 + 8 + 6


def followed(plugin):
    """Train a peer's model for an epoch; return what it would deliver, and a model with those weights."""
    from sides.best import Best
    from sides.keras_parts import KerasData, callbacks, compiled, fit
    from sides.problem import Problem

    keras.utils.set_random_seed(0)
    train, valid = data(n=200), data(n=100, seed=1)
    problem = Problem(plugin(), {}, train, valid, valid.X, valid.y, max_epochs=1, patience=1, seed=0)
    params, best = {"learning_rate": 0.01, "batch_size": 20}, Best(float("inf"))
    model = compiled("cnn", problem, params)
    fit(model, KerasData(problem), problem, params, epochs=1, callbacks=callbacks(problem, params, best))
    model.set_weights(best.state)
    proba = model.predict(np.asarray(valid.X, np.float32) * valid.spec.scale, verbose=0)
    return best.loss, -np.log(proba[np.arange(len(valid)), valid.y]).mean()


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_peers_average_weights_where_the_plugin_does():
    averaged, delivered = followed(Averaging)
    plain, _ = followed(Dense)
    assert averaged == pytest.approx(delivered, rel=1e-4)
    assert averaged > 1.01 * plain  # averages lag behind
