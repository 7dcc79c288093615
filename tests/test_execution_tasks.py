"""What is timed of a saved model."""

import numpy as np
import pytest

from nncompare.data.ragged import Ragged
from nncompare.data.samples import write_samples
from nncompare.execution import tasks
from nncompare.execution.specs import MeasureSpec


class Listener:
    """Predicts the same for all, and remembers what it was asked for."""

    def __init__(self):
        self.asked = []

    def predict_proba(self, X):
        self.asked.append(X)
        return np.full((len(X), 2), 0.5, np.float32)


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """Return a function that has a model timed and returns the samples of its calls."""

    def asked(X):
        listener = Listener()
        monkeypatch.setattr(tasks, "load_model", lambda _folder: listener)
        predictions = tmp_path / "predictions.npz"
        np.savez(predictions, probabilities=np.full((len(X), 2), 0.5, np.float32))
        common = {"plugin": "p:P", "result": tmp_path / "r", "log": tmp_path / "l", "timeout_s": 60.0}
        path = write_samples(tmp_path, "X", X)
        answer = tasks.measure(MeasureSpec(**common, model=tmp_path, X_test=path, predictions=predictions))
        assert answer.latency_ms > 0
        return listener.asked

    return asked


def test_measure_times_a_text_of_median_length(asked):
    found = asked(Ragged.from_rows([[4] * length for length in (1, 9, 3, 5, 2, 2, 8)]))
    assert {len(X) for X in found} == {1, 7}
    assert {tuple(X.lengths.tolist()) for X in found if len(X) == 1} == {(3,)}


def test_measure_times_the_first_row_of_an_array(asked):
    found = asked(np.arange(600, dtype=np.float32).reshape(300, 2))
    assert {len(X) for X in found} == {1, 256}
    assert {tuple(X[0].tolist()) for X in found} == {(0.0, 1.0)}
