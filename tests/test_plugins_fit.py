import subprocess
import sys

import numpy as np
import pytest
from nncompare_plugins.cnn import CNN
from nncompare_plugins.lstm import LSTM
from nncompare_plugins.mlp import MLP

from nncompare.exceptions import DivergedError, TrialPruned
from nncompare.plugin import Data, DataSpec, FitContext

SMALL = {
    MLP: {"width_1": 8},
    CNN: {"filters": 16, "n_blocks": 1, "dense_units": 32},
    LSTM: {"units": 16},
}
SHAPES = {MLP: ("tabular", (12,)), CNN: ("sequence", (12, 1)), LSTM: ("sequence", (12, 1))}
PLUGINS = [pytest.param(p, id=p.__name__.lower()) for p in SMALL]


def part(plugin, tmp_path, *, n=33, n_classes=10, seed=0):
    """Return samples as a child sees them: a read-only memory map; 33 rows leave one for the last batch of 32."""
    view, shape = SHAPES[plugin]
    random = np.random.default_rng(seed)
    file = tmp_path / f"{plugin.__name__}-{n}-{seed}.npy"
    np.save(file, random.normal(size=(n, *shape)).astype(np.float32))
    names = tuple(map(str, range(n_classes)))
    spec = DataSpec(name="toy", view=view, n_classes=n_classes, class_names=names, sample_shape=shape, n_train=n)
    return Data(np.load(file, mmap_mode="r"), random.permutation(np.arange(n) % n_classes), spec)


def fit(plugin, train, valid=None, *, seed=0, max_epochs=1, on_report=None):
    context = FitContext(seed=seed, max_epochs=max_epochs, on_report=on_report)
    params = {**plugin().default_params(train.spec), **SMALL[plugin], "batch_size": 32}
    return plugin().fit(params, train, valid, context), context


@pytest.mark.parametrize("plugin", PLUGINS)
def test_fit_repeats_with_the_seed_and_differs_with_another(plugin, tmp_path):
    train = part(plugin, tmp_path)
    first, again, other = (fit(plugin, train, seed=s)[0].predict_proba(train.X) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-4


@pytest.mark.parametrize("n_classes", [2, 10])
@pytest.mark.parametrize("plugin", PLUGINS)
def test_predictions_are_probabilities_that_do_not_depend_on_the_batch(plugin, n_classes, tmp_path):
    train = part(plugin, tmp_path, n_classes=n_classes)
    model, _ = fit(plugin, train)
    probabilities = model.predict_proba(train.X)
    assert probabilities.shape == (33, n_classes)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(model.predict_proba(train.X[4:5]), probabilities[4:5], atol=1e-6)


@pytest.mark.parametrize("plugin", PLUGINS)
def test_fit_without_validation_trains_every_epoch(plugin, tmp_path):
    _, context = fit(plugin, part(plugin, tmp_path), max_epochs=3)
    assert [r.epoch for r in context.history] == [1, 2, 3]
    assert all(r.train_loss is not None and r.valid_loss is None for r in context.history)


@pytest.mark.parametrize("plugin", PLUGINS)
def test_fit_reports_and_lets_pruning_pass(plugin, tmp_path):
    train, valid, reports = part(plugin, tmp_path), part(plugin, tmp_path, seed=1), []

    def prune_at_two(report):
        reports.append(report)
        return report.epoch < 2

    with pytest.raises(TrialPruned):
        fit(plugin, train, valid, max_epochs=5, on_report=prune_at_two)
    assert [r.epoch for r in reports] == [1, 2]
    assert all(r.valid_loss > 0 and 0 <= r.valid_accuracy <= 1 for r in reports)


def test_fit_on_values_that_overflow_is_a_divergence(tmp_path):
    """Not of CNN: on some processors its pooling makes a number of what is none, and the loss stays finite."""
    train = part(LSTM, tmp_path)
    with pytest.raises(DivergedError):
        fit(LSTM, Data(np.full_like(train.X, np.inf), train.y, train.spec))


@pytest.mark.slow
@pytest.mark.parametrize("plugin", PLUGINS)
def test_saved_model_predicts_the_same_in_a_fresh_process(plugin, tmp_path):
    train = part(plugin, tmp_path)
    model, _ = fit(plugin, train)
    folder = tmp_path / "model"
    folder.mkdir()
    model.save(folder)
    np.save(tmp_path / "X.npy", train.X)
    code = (
        f"import sys, pathlib, numpy as np; import {plugin.__module__};"
        f"from {type(model).__module__} import {type(model).__name__} as Model; root = pathlib.Path(sys.argv[1]);"
        "np.save(root / 'p.npy', Model.load(root / 'model').predict_proba(np.load(root / 'X.npy')))"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True, capture_output=True)
    np.testing.assert_allclose(np.load(tmp_path / "p.npy"), model.predict_proba(train.X), atol=1e-6)
