"""What a plugin raised, in one line."""

import sys

import numpy as np
import pytest

from nncompare.execution.failures import describe_error, message_of
from nncompare.plugin import Data, DataSpec, FitContext
from nncompare.registry import load_class

GRAPH = """Graph execution error:

Detected at node model/embedding/Gather defined at (most recent call last):
  File "runpy.py", line 198, in _run_module_as_main

indices[0,116] = 24072 is not in [0, 20000)
\t [[{{node model/embedding/Gather}}]] [Op:__inference_train_on_chunk_1]"""


@pytest.mark.parametrize(
    ("text", "message"),
    [(GRAPH, "indices[0,116] = 24072 is not in [0, 20000)"), ("one\n  two", "one two"), ("x" * 600, "x" * 500)],
)
def test_message_is_one_line_with_the_cause(text, message):
    assert message_of(ValueError(text)) == message


KERAS = """
import keras
from nncompare.frameworks.keras import KerasPlugin
from nncompare.plugin import ModelTags

class Faulty(keras.layers.Layer):
    def call(self, x):
        return undefined * x

class Net(KerasPlugin):
    tags = ModelTags(accepts=("tabular",), framework="keras")
    def suggest_params(self, trial, data):
        return self.default_params(data)
    def default_params(self, data):
        return {{"batch_size": 8, "learning_rate": 0.1}}
    def build(self, params, data):
        return keras.Sequential([{layers}])
"""

SKLEARN = """
from nncompare.frameworks.sklearn import SklearnPlugin
from nncompare.plugin import ModelTags
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline

class Faulty(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        return undefined

class Net(SklearnPlugin):
    tags = ModelTags(accepts=("tabular",), framework="sklearn")
    def suggest_params(self, trial, data):
        return {{}}
    def default_params(self, data):
        return {{}}
    def build(self, params, data, seed):
        return {layers}
"""

FITS = {
    "own-layer-called-by-keras": (KERAS, "Faulty(), keras.layers.Dense(2, activation='softmax')", "(net.py:8)"),
    "own-layer-in-build": (
        KERAS,
        "keras.Input((3,)), Faulty(), keras.layers.Dense(2, activation='softmax')",
        "(net.py:8)",
    ),
    "library-called-in-build": (KERAS, "keras.layers.Dense(-1)", "(net.py:17)"),
    "layer-of-keras-alone": (KERAS, "keras.layers.Reshape((7,))", ""),
    "estimator-of-scikit-learn-alone": (SKLEARN, "MLPClassifier(alpha=-1)", ""),
    "own-estimator-called-by-scikit-learn": (SKLEARN, "make_pipeline(Faulty())", "(net.py:10)"),
}


@pytest.mark.parametrize("is_installed", [False, True], ids=["in-a-folder", "installed"])
@pytest.mark.parametrize(("code", "layers", "where"), FITS.values(), ids=FITS)
def test_line_is_one_that_the_author_of_a_plugin_can_change(
    code, layers, where, is_installed, tmp_path, monkeypatch
):
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("acme_of_lines", "acme_of_lines.net"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    folder = tmp_path / "site-packages" / "acme_of_lines" if is_installed else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "net.py"
    file.write_text(code.format(layers=layers), encoding="utf-8")
    if is_installed:
        monkeypatch.syspath_prepend(folder.parent)
    net = load_class("acme_of_lines.net:Net" if is_installed else f"{file}:Net")
    X, y = np.zeros((16, 3), np.float32), np.arange(16) % 2
    spec = DataSpec(name="toy", view="tabular", n_classes=2, class_names=("a", "b"), sample_shape=(3,),
                    dtype="float32", scale=1.0, n_train=16)  # fmt: skip
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever the libraries raise
        net().fit(net().default_params(spec), Data(X, y, spec), None, FitContext(seed=0, max_epochs=1))
    starting_in_ours = caught.value.__traceback__.tb_next
    found = describe_error(caught.value.with_traceback(starting_in_ours))
    assert found.endswith(where) if where else ".py:" not in found
