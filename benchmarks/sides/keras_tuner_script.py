"""KerasTuner's Hyperband and RandomSearch on the plugin's own space; a Keras MLP in place of scikit-learn's."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import keras
import keras_tuner

from .best import Best, Found, OutOfTime
from .keras_parts import EVALUATION_BATCH, MONITOR, KerasData, callbacks, compiled, fit, use_plain_layers
from .problem import Problem

ENDLESS = 100_000


class _Ended(OutOfTime, keras_tuner.errors.FatalError):
    """The deadline, in the form that KerasTuner does not take for a failed trial."""


class _AsTrial:
    """KerasTuner's hyperparameters under Optuna's names, so that ``suggest_params`` declares the space."""

    number = 0

    def __init__(self, hp: Any) -> None:
        self._hp = hp

    def suggest_float(self, name: str, low: float, high: float, *, step: Any = None, log: bool = False) -> float:
        sampling = "log" if log else "linear"
        return float(self._hp.Float(name, low, high, step=step, sampling=sampling))

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        if log:  # its log sampling of whole numbers asks for a step that multiplies, unless there is none
            return int(self._hp.Int(name, low, high, sampling="log"))
        return int(self._hp.Int(name, low, high, step=step))

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        chosen = self._hp.Choice(name, list(choices))
        return choices[list(choices).index(chosen)]  # it keeps True as 1


class _Model(keras_tuner.HyperModel):
    """Builds and fits one configuration."""

    def __init__(self, family: str, problem: Problem, best: Best, data: KerasData) -> None:
        super().__init__()
        self._family, self._problem, self._best, self._data = family, problem, best, data

    def params(self, hp: Any) -> dict[str, Any]:
        return dict(self._problem.plugin.suggest_params(_AsTrial(hp), self._problem.train.spec))

    def build(self, hp: Any) -> Any:
        return compiled(self._family, self._problem, self.params(hp))

    def fit(self, hp: Any, model: Any, *args: Any, **options: Any) -> Any:
        params = self.params(hp)
        own = callbacks(self._problem, params, self._best)
        options["callbacks"] = [*options["callbacks"], *own]
        options.pop("verbose", None)
        return fit(model, self._data, self._problem, params, **options)


def search(tool: str, family: str, problem: Problem, deadline: float) -> Found:
    """Search until the deadline."""
    use_plain_layers()
    keras.utils.set_random_seed(problem.seed)
    best, data = Best(deadline, _Ended), KerasData(problem)
    model = _Model(family, problem, best, data)
    with tempfile.TemporaryDirectory(prefix="keras-tuner-") as folder:
        tuner, options = _tuner(tool, model, problem, folder)
        with suppress(_Ended):
            tuner.search(verbose=0, **options)
        n_finished = sum(trial.status == "COMPLETED" for trial in tuner.oracle.trials.values())

    def deliver() -> Callable[[], Any]:
        chosen = compiled(family, problem, best.params)
        chosen.set_weights(best.state)
        return lambda: chosen.predict(data.test(best.params), batch_size=EVALUATION_BATCH, verbose=0)

    return Found(n_finished, best, deliver)


def _tuner(tool: str, model: _Model, problem: Problem, folder: str) -> tuple[Any, dict[str, Any]]:
    """Return a tuner that only the deadline ends, and what its search is called with."""
    common = {
        "objective": keras_tuner.Objective(MONITOR, "min"),
        "seed": problem.seed,
        "directory": folder,
    }
    if tool == "hyperband":
        tuner = keras_tuner.Hyperband(model, max_epochs=problem.max_epochs, hyperband_iterations=ENDLESS, **common)
    else:
        tuner = keras_tuner.RandomSearch(model, max_trials=ENDLESS, **common)
    # It imports tensorboard to see whether a callback writes for it; none does, and TensorFlow comes without it.
    tuner._configure_tensorboard_dir = lambda *_: None
    return tuner, {} if tool == "hyperband" else {"epochs": problem.max_epochs}
