import math
from dataclasses import replace

import numpy as np
import pytest
from nncompare_plugins.cnn import CNN
from nncompare_plugins.lstm import LSTM
from nncompare_plugins.mlp import MLP

from nncompare.plugin import DataSpec


class RandomTrial:
    """Draws at random, answers pins, and remembers what it was asked for."""

    number = 0

    def __init__(self, seed, pins=None):
        self.random, self.pins, self.asked = np.random.default_rng(seed), pins or {}, {}

    def _answer(self, name, draw, allows):
        assert name not in self.asked, f"{name} was asked for twice"
        self.asked[name] = allows
        value = self.pins.get(name, draw)
        assert allows(value), f"{name}={value!r} lies outside its space"
        return value

    def suggest_float(self, name, low, high, *, step=None, log=False):
        draw = (
            math.exp(self.random.uniform(math.log(low), math.log(high))) if log else self.random.uniform(low, high)
        )
        return self._answer(name, float(draw), lambda v: isinstance(v, float) and low <= v <= high)

    def suggest_int(self, name, low, high, *, step=1, log=False):
        draw = int(self.random.integers(low, high + 1))
        return self._answer(name, draw, lambda v: type(v) is int and low <= v <= high)

    def suggest_categorical(self, name, choices):
        draw = choices[int(self.random.integers(len(choices)))]
        return self._answer(name, draw, lambda v: v in choices)


def spec(view, shape, n_classes=10, n_train=20):
    names = tuple(map(str, range(n_classes)))
    return DataSpec(
        name="toy", view=view, n_classes=n_classes, class_names=names, sample_shape=shape, n_train=n_train
    )


def texts(vocabulary_size):
    return replace(spec("tokens", None, 2), dtype="int32", vocabulary_size=vocabulary_size)


CASES = [
    pytest.param(MLP(), spec("tabular", (4,)), id="mlp"),
    pytest.param(CNN(), spec("image", (28, 28, 1)), id="cnn-mnist"),
    pytest.param(CNN(), spec("image", (8, 8, 1)), id="cnn-digits"),
    pytest.param(CNN(), spec("image", (1, 3, 3), 2), id="cnn-tiny-image"),
    pytest.param(CNN(), spec("sequence", (40, 1)), id="cnn-mnist1d"),
    pytest.param(CNN(), spec("sequence", (1, 13), 2), id="cnn-one-step"),
    pytest.param(LSTM(), spec("sequence", (40, 1)), id="lstm-mnist1d"),
    pytest.param(LSTM(), spec("sequence", (1, 1), 2), id="lstm-one-step"),
    *(
        pytest.param(plugin, texts(size), id=f"{type(plugin).__name__.lower()}-{size}-words")
        for plugin in (CNN(), LSTM())
        for size in (88_585, 7_000, 2)
    ),
]


def build(plugin, params, data):
    if isinstance(plugin, MLP):
        return plugin.build(params, data, 0).fit(np.zeros((20, 4), np.float32), np.arange(20) % 10)
    return plugin.build(params, data)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize(("plugin", "data"), CASES)
def test_space_every_draw_is_accepted_by_build(plugin, data):
    for seed in range(50):
        trial = RandomTrial(seed)
        params = plugin.suggest_params(trial, data)
        assert trial.asked.keys() <= params.keys() <= trial.asked.keys() | {"weight_average"}
        model = build(plugin, params, data)
        if not isinstance(plugin, MLP):
            assert model.output_shape == (None, data.n_classes)


@pytest.mark.parametrize(("plugin", "data"), CASES)
def test_space_contains_the_default_configuration(plugin, data):
    default = plugin.default_params(data)
    trial = RandomTrial(0, pins=default)
    assert plugin.suggest_params(trial, data) == default
    build(plugin, default, data)


@pytest.mark.parametrize("cell", ["simple_rnn", "gru", "lstm"])
def test_space_cell_can_be_pinned(cell):
    data = spec("sequence", (5, 1))
    params = LSTM().suggest_params(RandomTrial(1, pins={"cell": cell, "bidirectional": False}), data)
    assert params["cell"] == cell
    kinds = {type(layer).__name__.lower() for layer in LSTM().build(params, data).layers}
    assert {kind for kind in kinds if kind.startswith("fused")} == {"fused" + cell.replace("_", "")}


@pytest.mark.parametrize(("size", "choices"), [(88_585, [5_000, 10_000, 20_000]), (7_000, [5_000, 7_000])])
@pytest.mark.parametrize("plugin", [CNN(), LSTM()])
def test_space_of_texts_goes_no_further_than_their_vocabulary(plugin, size, choices):
    trial = RandomTrial(0)
    plugin.suggest_params(trial, texts(size))
    allows = trial.asked["vocabulary_size"]
    assert [n for n in (5_000, 7_000, 10_000, 20_000, 88_585) if allows(n)] == choices
    assert plugin.default_params(texts(size))["vocabulary_size"] == min(size, 10_000)


@pytest.mark.parametrize(("plugin", "more"), [(CNN(), set()), (LSTM(), {"learning_rate_decay", "n_stacked"})])
def test_space_of_texts_shares_names_with_other_views(plugin, more):
    trials = RandomTrial(0), RandomTrial(0)
    plugin.suggest_params(trials[0], spec("sequence", (40, 1)))
    plugin.suggest_params(trials[1], texts(9_000))
    own = {"vocabulary_size", "embedding_dim", "max_length"}
    assert trials[1].asked.keys() - trials[0].asked.keys() == own | more


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_space_of_the_mlp_asks_for_one_width_per_layer(depth):
    data = spec("tabular", (4,))
    params = MLP().suggest_params(RandomTrial(0, pins={"n_layers": depth}), data)
    assert [k for k in params if k.startswith("width_")] == [f"width_{i}" for i in range(1, depth + 1)]
    assert MLP().build(params, data, 0).hidden_layer_sizes == tuple(
        params[f"width_{i}"] for i in range(1, depth + 1)
    )


@pytest.mark.parametrize(("name", "sklearn"), [("relu", "relu"), ("sigmoid", "logistic"), ("tanh", "tanh")])
def test_space_of_the_mlp_speaks_of_sigmoid(name, sklearn):
    data = spec("tabular", (4,))
    assert MLP().build({**MLP().default_params(data), "activation": name}, data, 0).activation == sklearn
