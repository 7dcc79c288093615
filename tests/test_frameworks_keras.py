import json
import random
import subprocess
import sys
from typing import ClassVar

import keras
import numpy as np
import pytest
import tensorflow as tf

from nncompare.exceptions import DivergedError, PluginError, TrialPruned
from nncompare.execution.failures import message_of
from nncompare.frameworks.keras import KerasModel, KerasPlugin
from nncompare.frameworks.keras_faults import unregistered
from nncompare.frameworks.keras_training import CHUNK_BYTES, KerasLearner, take_raw_samples
from nncompare.plugin import Data, DataSpec, FitContext, ModelTags

DEFAULTS = {"learning_rate": 0.05, "batch_size": 8}


def data(n=50, n_classes=2, seed=0, dtype="float32", scale=1.0):
    random = np.random.default_rng(seed)
    y = random.integers(0, n_classes, n)
    X = random.normal(size=(n, 6)) * 0.3 + y[:, None]
    X = X.astype(np.float32) if dtype == "float32" else np.clip(X * 60 + 60, 0, 255).astype(np.uint8)
    X.setflags(write=False)
    names = tuple(map(str, range(n_classes)))
    return Data(X, y, DataSpec(name="toy", view="tabular", n_classes=n_classes, class_names=names,
                               sample_shape=(6,), dtype=dtype, scale=scale, n_train=n))  # fmt: skip


class Dense(KerasPlugin):
    tags = ModelTags(accepts=("tabular",), framework="keras")

    def suggest_params(self, trial, data):
        return DEFAULTS

    def default_params(self, data):
        return DEFAULTS

    def build(self, params, data):
        return keras.Sequential([*self.hidden(), keras.layers.Dense(data.n_classes, activation="softmax")])

    def hidden(self):
        return []


class Averaging(Dense):
    weight_average = 0.9


def fit(train, valid=None, *, plugin=Dense, seed=0, max_epochs=3, on_report=None, **params):
    context = FitContext(seed=seed, max_epochs=max_epochs, on_report=on_report)
    return plugin().fit({**DEFAULTS, **params}, train, valid, context), context


def learner(model, train, batch_size, optimizer=None, decay=1.0, weight_average=0.0):
    return KerasLearner(
        take_raw_samples(model, train.spec),
        optimizer or keras.optimizers.SGD(0.1),
        train,
        batch_size=batch_size,
        decay=decay,
        seed=0,
        on_first_batch=lambda: None,
        weight_average=weight_average,
    )


def test_fit_learns_and_reports_every_epoch():
    train, valid = data(), data(seed=1)
    model, context = fit(train, valid, max_epochs=4)
    assert [r.epoch for r in context.history] == [1, 2, 3, 4]
    assert context.history[-1].train_loss < context.history[0].train_loss
    assert context.history[-1].valid_accuracy > 0.9
    assert context.first_batch_s > 0
    chosen = model.predict_proba(valid.X)[np.arange(len(valid)), valid.y]
    assert -np.log(chosen).mean() == pytest.approx(min(r.valid_loss for r in context.history), rel=1e-5)


@pytest.mark.parametrize("n", [48, 49, 5], ids=["even", "one-sample-in-the-last-batch", "less-than-a-batch"])
def test_epoch_equals_a_plain_loop_over_batches(n):
    train = data(n=n)
    keras.utils.set_random_seed(0)
    model = Dense().build({}, train.spec)
    subject = learner(model, train, batch_size=8)
    weight, bias = model.get_weights()
    order = np.random.default_rng(0).permutation(n)
    total = 0.0
    for start in range(0, n, 8):
        rows = order[start : start + 8]
        X, y = train.X[rows], np.eye(2)[train.y[rows]]
        p = np.exp(X @ weight + bias)
        p /= p.sum(1, keepdims=True)
        total += -np.log(p[y > 0]).sum()
        gradient = (p - y) / len(rows)
        weight, bias = weight - 0.1 * X.T @ gradient, bias - 0.1 * gradient.sum(0)
    assert subject.train_epoch(1) == pytest.approx(total / n, rel=1e-4)
    np.testing.assert_allclose(model.get_weights()[0], weight, atol=1e-5)
    np.testing.assert_allclose(model.get_weights()[1], bias, atol=1e-5)


def test_chunks_cover_every_row_once_in_whole_batches(monkeypatch):
    monkeypatch.setattr("nncompare.frameworks.keras_training.CHUNK_BYTES", 8 * 6 * 4 * 2)
    train = data(n=45)
    subject = learner(Dense().build({}, train.spec), train, batch_size=8)
    order = np.arange(45)
    sizes = [len(c) for c in subject._chunks(order, first_batch_alone=True)]
    assert sizes == [8, 16, 16, 5]
    assert [len(c) for c in subject._chunks(order, first_batch_alone=False)] == [16, 16, 13]
    assert CHUNK_BYTES < 64 * 2**20


def test_compiled_functions_are_traced_once(monkeypatch):
    traces = []
    original = tf.function
    monkeypatch.setattr(tf, "function", lambda f, **k: original(lambda *a: (traces.append(1), f(*a))[1], **k))
    fit(data(n=21), data(n=7, seed=1), max_epochs=3)
    assert len(traces) == 2


def test_loss_of_a_certain_mistake_is_not_clipped():
    train = data(n=4)
    model = Dense().build({}, train.spec)
    subject = learner(model, train, batch_size=4)
    model.set_weights([np.zeros((6, 2)), np.array([50.0, -50.0])])
    expected = 100.0 * (train.y == 1).mean()
    assert subject.train_epoch(1) == pytest.approx(expected, rel=1e-5)


def test_averaged_weights_are_scored_and_the_training_goes_on_with_its_own():
    train = data(n=40)
    averaged, plain = (learner(Dense().build({}, train.spec), train, 8, weight_average=m) for m in (0.4, 0.0))
    averaged.restore(plain.snapshot())
    averaged._average._averages[0].assign(plain.snapshot()[0])  # it began with other weights than these
    average, n_batches = plain.snapshot()[0], 0
    train_on_chunk = plain._train_on_chunk

    def one_batch_at_a_time(X, y, batch_size):
        nonlocal average, n_batches
        total = 0.0
        for start in range(0, len(X), 8):
            total += train_on_chunk(X[start : start + 8], y[start : start + 8], batch_size)
            n_batches += 1
            momentum = min(0.4, (1 + n_batches) / (10 + n_batches))
            average = momentum * average + (1 - momentum) * plain.snapshot()[0]
        return total

    plain._train_on_chunk = one_batch_at_a_time
    for epoch in (1, 2):
        assert averaged.train_epoch(epoch) == pytest.approx(plain.train_epoch(epoch), rel=1e-4)
        np.testing.assert_allclose(averaged.snapshot()[0], average, atol=1e-5)
        assert np.abs(average - plain.snapshot()[0]).max() > 1e-3
    assert n_batches == 10


@pytest.mark.parametrize(("plugin", "params"), [(Averaging, {}), (Dense, {"weight_average": 0.9})])
def test_plugin_or_parameters_ask_for_averages(plugin, params):
    train, valid = data(), data(seed=1)
    model, context = fit(train, valid, plugin=plugin, max_epochs=3, **params)
    last = fit(train, valid, max_epochs=3)[1].history
    assert [r.train_loss for r in context.history] == pytest.approx([r.train_loss for r in last], rel=1e-4)
    assert context.history[0].valid_loss > 1.01 * last[0].valid_loss  # averages lag behind
    chosen = model.predict_proba(valid.X)[np.arange(len(valid)), valid.y]
    assert -np.log(chosen).mean() == pytest.approx(min(r.valid_loss for r in context.history), rel=1e-5)


@pytest.mark.parametrize("wrong", [1.0, 1, 2, -0.5, "0.9", None, float("nan"), True, [0.9]])
def test_average_that_cannot_be_is_refused_before_the_training(wrong):
    with pytest.raises(PluginError, match=r"^weight_average is .* from 0.* to below 1 is expected"):
        fit(data(), weight_average=wrong)


def test_whole_zero_averages_nothing():
    weights = [fit(data(), weight_average=none)[0].model.get_weights() for none in (0, 0.0)]
    np.testing.assert_array_equal(*(w[0] for w in weights))


@keras.saving.register_keras_serializable(package="test")
class Counter(keras.layers.Layer):
    """Holds trainable weights without floats, and one without values."""

    def build(self, shape):
        self.add_weight(shape=(), dtype="int32", initializer="ones", name="n")
        self.add_weight(shape=(), dtype="bool", initializer="ones", name="on")
        self.add_weight(shape=(0,), initializer="ones", name="empty")

    def call(self, X):
        return X


class Counting(Averaging):
    def hidden(self):
        return [Counter()]


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
def test_weights_without_floats_are_left_out_of_averages_and_saved(tmp_path):
    model, _ = fit(data(), plugin=Counting, max_epochs=2)
    model.save(tmp_path)
    X = data(seed=1).X
    np.testing.assert_array_equal(KerasModel.load(tmp_path).predict_proba(X), model.predict_proba(X))
    assert [int(w) for w in model.model.get_weights() if w.ndim == 0] == [1, 1]


def test_learning_rate_depends_on_the_epoch_alone():
    train, optimizer = data(), keras.optimizers.SGD(0.1)
    subject = learner(Dense().build({}, train.spec), train, 8, optimizer, decay=0.5)
    rates = []
    for epoch in (1, 2, 3):
        subject.train_epoch(epoch)
        rates.append(float(optimizer.learning_rate))
    assert rates == pytest.approx([0.1, 0.05, 0.025])


class Penalised(Dense):
    def hidden(self):
        return [keras.layers.Dense(4, kernel_regularizer=keras.regularizers.L2(100.0))]


def test_penalties_train_but_are_not_part_of_the_reported_loss():
    model, context = fit(data(), plugin=Penalised, max_epochs=25, learning_rate=0.01)
    assert context.history[0].train_loss < 2.0
    assert np.abs(model.model.get_weights()[0]).max() < 0.1


def test_same_seed_gives_the_same_predictions_and_another_seed_others():
    train, X = data(), data(seed=1).X
    first, again, other = (fit(train, seed=s, plugin=Dropped)[0].predict_proba(X) for s in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3


def test_fit_leaves_the_global_generators_as_they_were():
    np.random.seed(7)  # noqa: NPY002
    random.seed(7)
    expected = np.random.RandomState(7).random(), random.Random(7).random()
    fit(data(), max_epochs=1)
    assert (np.random.random(), random.random()) == expected  # noqa: NPY002


class Dropped(Dense):
    def hidden(self):
        return [keras.layers.Dense(8), keras.layers.BatchNormalization(), keras.layers.Dropout(0.5)]


def test_fit_restores_the_best_epoch_moving_averages_included():
    train, valid = data(), data(seed=1)
    swapped = Data(train.X, 1 - train.y, train.spec)
    model, context = fit(swapped, valid, plugin=Dropped, max_epochs=4)
    losses = [r.valid_loss for r in context.history]
    assert min(losses) == losses[0] < losses[-1] - 0.1
    chosen = model.predict_proba(valid.X)[np.arange(len(valid)), valid.y]
    assert -np.log(np.maximum(chosen, np.finfo(np.float32).eps)).mean() == pytest.approx(losses[0], rel=1e-4)


def test_pruning_passes_through():
    with pytest.raises(TrialPruned):
        fit(data(), data(seed=1), on_report=lambda report: False)


def test_nan_in_the_loss_is_a_divergence():
    train = data()
    X = train.X.copy()
    X[0] = np.nan
    with pytest.raises(DivergedError, match="train_loss is nan"):
        fit(Data(X, train.y, train.spec))


def test_saved_model_scales_raw_samples_itself(tmp_path):
    train = data(dtype="uint8", scale=1 / 255)
    model, _ = fit(train, data(seed=1, dtype="uint8", scale=1 / 255), max_epochs=10)
    model.save(tmp_path)
    loaded = KerasModel.load(tmp_path)
    np.testing.assert_array_equal(loaded.predict_proba(train.X), model.predict_proba(train.X))
    weight, bias = model.model.get_weights()
    logits = (train.X / 255) @ weight + bias
    expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(train.X), expected, atol=1e-5)


@pytest.mark.slow
def test_saved_model_predicts_the_same_in_a_fresh_process(tmp_path):
    model, _ = fit(data())
    model.save(tmp_path)
    np.save(tmp_path / "X.npy", data(seed=1).X)
    code = (
        "import sys, json, pathlib, numpy as np; from nncompare.frameworks.keras import KerasModel;"
        "folder = pathlib.Path(sys.argv[1]);"
        "print(json.dumps(KerasModel.load(folder).predict_proba(np.load(folder / 'X.npy')).tolist()))"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    np.testing.assert_allclose(json.loads(done.stdout), model.predict_proba(data(seed=1).X), atol=1e-6)


def test_predict_proba_of_any_number_of_samples():
    model, _ = fit(data(n_classes=3))
    X = data(n=1100, seed=1).X
    probabilities = model.predict_proba(X)
    assert probabilities.shape == (1100, 3)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(model.predict_proba(X[700:701]), probabilities[700:701], atol=1e-6)


def test_n_parameters_counts_trainable_values():
    model, _ = fit(data(), plugin=Dropped)
    assert model.n_parameters == (6 * 8 + 8) + (8 + 8) + (8 * 2 + 2)


class WithLambda(Dense):
    def hidden(self):
        return [keras.Sequential([keras.layers.Lambda(lambda x: x * 2, name="twice")])]


def test_lambda_layers_are_refused_with_advice():
    with pytest.raises(
        PluginError, match=r"a lambda function.*Write it as a function.*register_keras_serializable"
    ):
        fit(data(), plugin=WithLambda)


class TooWide(Dense):
    def build(self, params, data):
        return keras.Sequential([keras.layers.Dense(data.n_classes + 1, activation="softmax")])


def test_wrong_number_of_outputs_is_refused():
    with pytest.raises(PluginError, match=r"\(None, 3\).*\(None, 2\) is expected.*'toy'"):
        fit(data(), plugin=TooWide)


class WithoutSoftmax(Dense):
    def build(self, params, data):
        return keras.Sequential([keras.layers.Dense(data.n_classes), keras.layers.Activation("sigmoid")])


def test_outputs_that_are_no_probabilities_are_refused():
    with pytest.raises(PluginError, match=r"sum to .* per sample.*softmax"):
        fit(data(), data(seed=1), plugin=WithoutSoftmax)


def doubled(x):
    return 2 * x


def relu(x):
    return keras.ops.maximum(x, 0.25)


def square(x):
    return 3 * x


@keras.saving.register_keras_serializable(package="tests")
def halved(x):
    return x / 2


class Unregistered(keras.layers.Layer):
    def call(self, x):
        return 2 * x

    def compute_output_shape(self, shape):
        return shape


@keras.saving.register_keras_serializable(package="tests")
class Registered(Unregistered):
    pass


@keras.saving.register_keras_serializable(package="tests")
class Outer(keras.layers.Layer):
    """It makes its inner layer itself, which needs no registration."""

    def __init__(self, factor=1, **options):
        super().__init__(**options)
        self.factor = factor
        self.inner = Unregistered()

    def build(self, shape):
        self.inner.build(shape)

    def call(self, x):
        return self.factor * self.inner(x)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


@keras.saving.register_keras_serializable(package="tests")
class Forgetful(Outer):
    def get_config(self):
        return {**keras.layers.Layer.get_config(self), "factr": self.factor}


@keras.saving.register_keras_serializable(package="tests")
class WithoutConfig(keras.layers.Layer):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def call(self, x):
        return self.function(x)


class Same(keras.layers.Layer):
    def call(self, x):
        return x


@keras.saving.register_keras_serializable(package="tests")
class WithoutOptions(Same):
    def __init__(self, width):
        super().__init__()
        self.width = width

    def get_config(self):
        return {**super().get_config(), "width": self.width}


@keras.saving.register_keras_serializable(package="tests")
class WithoutWidth(Same):
    def __init__(self, width, depth, **options):
        super().__init__(**options)

    def get_config(self):
        return super().get_config()


@keras.saving.register_keras_serializable(package="tests")
class Holder(Same):
    def __init__(self, inner, **options):
        super().__init__(**options)
        self.inner = inner

    def build(self, shape):
        self.inner.build(shape)

    def get_config(self):
        return {**super().get_config(), "inner": keras.saving.serialize_keras_object(self.inner)}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "inner": keras.saving.deserialize_keras_object(config["inner"])})


@keras.saving.register_keras_serializable(package="tests")
class OnlyOnce(Same):
    def __init__(self, width, **options):
        super().__init__(**options)
        self.width = width

    @classmethod
    def from_config(cls, config):
        raise KeyError("no width")

    def get_config(self):
        return {**super().get_config(), "width": self.width}


@keras.saving.register_keras_serializable(package="tests")
class Priors(keras.initializers.Initializer):
    def __init__(self, value):
        self.value = value

    def __call__(self, shape, dtype=None):
        return keras.ops.convert_to_tensor(self.value, dtype)

    def get_config(self):
        return {"value": self.value}


@keras.saving.register_keras_serializable(package="tests")
class Halving(keras.layers.Layer):
    """It makes a Lambda layer itself, which is not stored."""

    def __init__(self, **options):
        super().__init__(**options)
        self.inner = keras.layers.Lambda(lambda x: x / 2)

    def build(self, shape):
        self.inner.build(shape)

    def call(self, x):
        return self.inner(x)


@keras.saving.register_keras_serializable(package="tests")
class Measured(keras.layers.Layer):
    """What it was made with is known once it is built."""

    def __init__(self, width=None, **options):
        super().__init__(**options)
        self.width = width

    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones")

    def call(self, x):
        return x * self.scale

    def get_config(self):
        return {**super().get_config(), "width": int(self.scale.shape[0])}


@keras.saving.register_keras_serializable(package="tests")
class ByName(keras.layers.Layer):
    """It stores a function's name, and looks it up itself."""

    known: ClassVar = {"relu": relu}

    def __init__(self, function="relu", **options):
        super().__init__(**options)
        self.function = self.known[function]

    def call(self, x):
        return self.function(x)

    def get_config(self):
        (name,) = [name for name, function in self.known.items() if function is self.function]
        return {**super().get_config(), "function": name}


class OfMain(keras.layers.Layer):
    def call(self, x):
        return 2 * x


OfMain.__module__ = "__main__"


def ending(*layers):
    """Return a class of plugins whose model has these layers."""

    class Ending(Dense):
        def build(self, params, data):
            return keras.Sequential([keras.Input(data.sample_shape), *(make(data) for make in layers)])

    return Ending


def softmax(data):
    return keras.layers.Dense(data.n_classes, activation="softmax")


UNFIT = {
    "time-axis": (
        (lambda data: keras.layers.Reshape((3, 2)), softmax),
        r"output shape \(None, 3, 2\); \(None, 2\) is expected for the 2 classes of 'toy': pool or flatten "
        r"the time axis before the last layer",
    ),
    "two-more-axes": (
        (lambda data: keras.layers.Reshape((3, 2, 1)), softmax),
        r"output shape \(None, 3, 2, 2\).*pool or flatten all axes but the first",
    ),
    "width": (
        (lambda data: keras.layers.Dense(7, activation="softmax"),),
        r"output shape \(None, 7\).*Dense\(data.n_classes, activation=\"softmax\"\), which has 2 units here",
    ),
    "logits": (
        (lambda data: keras.layers.Dense(data.n_classes, name="scores"),),
        r"last layer 'scores' .* activation 'linear', which gives scores \(logits\).*softmax",
    ),
    "logits-inside": (
        (lambda data: keras.Sequential([keras.layers.Dense(data.n_classes, name="scores")]),),
        r"last layer 'scores'",
    ),
    "sigmoid": (
        (lambda data: keras.layers.Dense(data.n_classes, activation="sigmoid"),),
        "activation 'sigmoid', which does not sum to 1 over the classes",
    ),
    "own-layer": (
        (lambda data: Unregistered(), softmax),
        r"contains the class 'Unregistered', which is not registered.*"
        r"@keras.saving.register_keras_serializable\(package=\"your-package\"\) above 'class Unregistered'",
    ),
    "own-layer-in-a-wrapper": (
        (
            lambda data: keras.layers.Reshape((3, 2)),
            lambda data: keras.layers.TimeDistributed(Unregistered()),
            lambda data: keras.layers.Flatten(),
            softmax,
        ),
        "contains the class 'Unregistered'",
    ),
    "own-function": (
        (lambda data: keras.layers.Dense(4, activation=doubled), softmax),
        "contains the function 'doubled', which is not registered.*above 'def doubled'",
    ),
    "lambda-function": (
        (lambda data: keras.layers.Dense(4, activation=lambda x: 2 * x), softmax),
        "contains a lambda function.*Write it as a function",
    ),
    "lambda-layer": (
        (lambda data: keras.layers.Lambda(lambda x: 2 * x), softmax),
        "contains a lambda function.*Write it as a function",
    ),
    "lambda-for-the-output-shape": (
        (lambda data: keras.layers.Lambda(halved, output_shape=lambda shape: shape), softmax),
        "contains a lambda function.*Write it as a function",
    ),
    "method": (
        (lambda data: keras.layers.Dense(4, activation=Registered().call), softmax),
        "contains the method 'call'.*Write it as a function",
    ),
    "function-named-as-an-activation-of-keras": (
        (lambda data: keras.layers.Dense(4, activation=relu), softmax),
        "contains the function 'relu', which is not registered, so that Keras would load .* above 'def relu'",
    ),
    "function-named-as-an-activation-of-keras-in-a-cell": (
        (lambda data: keras.layers.Reshape((3, 2)), lambda data: keras.layers.GRU(4, activation=relu), softmax),
        "contains the function 'relu', which is not registered, so that Keras would load .* above 'def relu'",
    ),
    "function-named-as-an-operation-of-keras": (
        (lambda data: keras.layers.Dense(4, activation=square), softmax),
        "contains the function 'square', which is not registered.*above 'def square'",
    ),
    "own-layer-of-main": (
        (lambda data: OfMain(), softmax),
        "contains the class 'OfMain', which is not registered.*above 'class OfMain'",
    ),
    "wrong-configuration": (
        (lambda data: Forgetful(3), softmax),
        r"^Keras cannot rebuild 'Forgetful' .*: __init__\(\) got an unexpected keyword argument 'factr'. "
        r"Let __init__ take it, or get_config\(\) not return it.$",
    ),
    "layer-without-options": (
        (lambda data: WithoutOptions(3), softmax),
        r"^Keras cannot rebuild 'WithoutOptions' from its configuration: __init__\(\) got an unexpected keyword "
        r"argument '(name|trainable)'. Let __init__ take \*\*options and hand them to "
        r"super\(\).__init__\(\*\*options\).$",
    ),
    "configuration-that-lacks-an-argument": (
        (lambda data: keras.Sequential([WithoutWidth(3, "deep")]), softmax),
        r"^Keras cannot rebuild 'WithoutWidth' from its configuration: __init__\(\) is missing arguments "
        r"'width' and 'depth': return them from get_config\(\).$",
    ),
    "configuration-of-a-layer-inside-an-own-one": (
        (lambda data: Holder(WithoutWidth(3, "deep")), softmax),
        r"^Keras cannot rebuild 'WithoutWidth' .*: return them from get_config\(\).$",
    ),
    "own-error-of-a-layer": (
        (lambda data: OnlyOnce(3), softmax),
        r"^Keras cannot rebuild 'OnlyOnce' .*: let get_config\(\) return .* Keras says: KeyError: 'no width'.$",
    ),
    "no-configuration": (
        (lambda data: WithoutConfig(doubled), softmax),
        r"^Keras cannot store 'WithoutConfig', which .*: give the class a get_config\(\) that returns",
    ),
    "several-faults": (
        (lambda data: Unregistered(), lambda data: Unregistered(), lambda data: keras.layers.Dense(2, doubled)),
        r"^The model that build\(\) returned has 2 faults. \(1\) It contains the class 'Unregistered', .* "
        r"\(2\) It contains the function 'doubled', ",
    ),
    "several-faults-with-logits": (
        (lambda data: Unregistered(), lambda data: keras.layers.Dense(data.n_classes, name="scores")),
        r"has 2 faults. \(1\) The last layer 'scores' has .* \(2\) It contains the class 'Unregistered', ",
    ),
}


@pytest.mark.parametrize(("layers", "sentence"), UNFIT.values(), ids=UNFIT)
def test_model_that_cannot_be_scored_or_loaded_is_refused_before_it_is_trained(layers, sentence):
    with pytest.raises(PluginError, match=sentence) as caught:
        fit(data(), data(seed=1), plugin=ending(*layers), on_report=lambda report: pytest.fail("it was trained"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "layers",
    [
        (lambda data: Registered(), lambda data: Outer(3), softmax),
        (softmax, lambda data: keras.layers.Activation("linear", dtype="float32")),
        (lambda data: keras.layers.Dense(data.n_classes), lambda data: keras.layers.Softmax()),
        (lambda data: keras.layers.Dense(data.n_classes, activation=keras.ops.softmax),),
        (
            lambda data: keras.layers.Dense(
                data.n_classes,
                activation="softmax",
                bias_initializer=keras.initializers.Constant([0.5, 0.3, 0.2]),
            ),
        ),
        (lambda data: keras.layers.Dense(3, bias_initializer=Priors([0.5, 0.3, 0.2])), softmax),
        (lambda data: keras.layers.Dense(3, bias_initializer=Priors([0.5, 0.3, 0.2]), activation=halved), softmax),
        (lambda data: keras.layers.Lambda(halved), lambda data: Halving(), softmax),
        (lambda data: keras.layers.Lambda(keras.ops.relu), lambda data: ByName(), softmax),
        (lambda data: keras.layers.Dense(4, activation=tf.nn.relu), softmax),
        (lambda data: keras.layers.Reshape((3, 2)), lambda data: keras.layers.GRU(4, activation=halved), softmax),
    ],
    ids=[
        *("own-layers", "cast-behind", "softmax-layer", "softmax-function", "constant-of-three"),
        *("own-initializer-of-three", "own-activation", "lambda-layer-of-a-registered-function"),
        *("function-that-a-layer-looks-up", "function-of-tensorflow", "own-activation-in-a-cell"),
    ],
)
def test_model_that_can_be_scored_and_loaded_is_trained(layers, tmp_path):
    train = data(n_classes=3)
    model, context = fit(train, data(n_classes=3, seed=1), plugin=ending(*layers), max_epochs=1)
    assert len(context.history) == 1
    check_loads_as_it_was(model, train.X, tmp_path)


def check_loads_as_it_was(model, X, folder):
    model.save(folder)
    np.testing.assert_allclose(KerasModel.load(folder).predict_proba(X), model.predict_proba(X), atol=1e-6)


def test_layer_that_is_known_once_it_is_built_is_trained(tmp_path):
    class Late(Dense):
        def hidden(self):
            return [Measured()]

    model, _ = fit(data(), plugin=Late, max_epochs=1)
    check_loads_as_it_was(model, data().X, tmp_path)


def test_list_of_one_output_is_trained(tmp_path):
    class Listed(Dense):
        def build(self, params, data):
            x = keras.Input(data.sample_shape)
            return keras.Model(x, [softmax(data)(x)])

    model, _ = fit(data(), plugin=Listed, max_epochs=1)
    check_loads_as_it_was(model, data().X, tmp_path)


def test_advice_names_the_distribution_whose_plugins_are_in_the_package_of_the_class():
    assert '(package="nncompare")' in unregistered("class", "Mine", "nncompare_plugins.somewhere")
    assert '(package="your-package")' in unregistered("class", "Mine", "elsewhere")


def test_all_faults_of_a_model_fit_in_what_is_kept_of_a_message():
    model = (lambda data: Unregistered(), lambda data: keras.layers.Dense(data.n_classes, name="scores"))
    with pytest.raises(PluginError) as caught:
        fit(data(), plugin=ending(*model))
    assert message_of(caught.value).endswith("above 'class Unregistered'.")


def test_function_keeps_its_name_where_it_is_refused():
    with pytest.raises(PluginError, match="'relu'"):
        fit(data(), plugin=ending(lambda data: keras.layers.Dense(4, activation=relu), softmax))
    assert relu.__name__ == "relu"


@pytest.mark.parametrize(
    ("found", "words"), [(None, "returned None"), (3, "returned an object of type int")], ids=["None", "int"]
)
def test_build_that_returns_no_model_is_refused(found, words):
    class NoModel(Dense):
        def build(self, params, data):
            return found

    with pytest.raises(PluginError, match=rf"build\(\) {words}; a keras.Model is expected"):
        fit(data(), plugin=NoModel)


def test_model_of_two_outputs_is_refused():
    class Two(Dense):
        def build(self, params, data):
            x = keras.Input(data.sample_shape)
            return keras.Model(x, [softmax(data)(x), softmax(data)(x)])

    with pytest.raises(PluginError, match="a model with 2 outputs; a single one is expected"):
        fit(data(), plugin=Two)


@pytest.mark.parametrize("name", ["learning_rate", "batch_size"])
def test_configuration_that_lacks_what_training_needs_is_refused(name):
    params = {key: value for key, value in DEFAULTS.items() if key != name}
    with pytest.raises(PluginError, match=rf"hold no '{name}'.*from suggest_params\(\) and default_params\(\)"):
        Dense().fit(params, data(), None, FitContext(seed=0, max_epochs=1))


def test_own_optimizer_needs_no_learning_rate():
    class Own(Dense):
        def optimizer(self, params):
            return keras.optimizers.SGD(0.1)

    Own().fit({"batch_size": 8}, data(n=16), None, FitContext(seed=0, max_epochs=1))
