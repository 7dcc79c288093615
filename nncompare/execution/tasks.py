"""What a child does with plugin code: fit, measure, describe, load."""

from __future__ import annotations

import json
import math
import random
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from nncompare.data.records import Array, Data
from nncompare.data.store import store_dataset
from nncompare.data.views import open_array, open_part
from nncompare.exceptions import DataUnavailableError, PluginError, TrialPruned
from nncompare.execution.channel import Channel, RemoteTrial
from nncompare.execution.process import cpu_seconds, peak_resident_mb, resident_mb
from nncompare.execution.specs import (
    Answer,
    DescribeAnswer,
    DescribeSpec,
    FitAnswer,
    FitSpec,
    LoadAnswer,
    LoadSpec,
    MeasureAnswer,
    MeasureSpec,
    Spec,
)
from nncompare.frameworks.training import score
from nncompare.plugin import (
    DatasetPlugin,
    EpochReport,
    FitContext,
    FittedModel,
    ModelPlugin,
    Params,
)
from nncompare.registry import load_class
from nncompare.results import Curve, Failure

PluginT = TypeVar("PluginT", ModelPlugin, DatasetPlugin)

MANIFEST = "nncompare.json"
N_WARM_UPS, N_TIMED = 20, 200
N_DESCRIBE_DRAWS = 50


def perform(spec: Spec, channel: Channel) -> Answer:
    """Run one request; exceptions pass through to the caller."""
    if isinstance(spec, FitSpec):
        return fit(spec, channel)
    if isinstance(spec, MeasureSpec):
        return measure(spec)
    if isinstance(spec, DescribeSpec):
        return describe(spec)
    if isinstance(spec, LoadSpec):
        return load(spec)
    raise TypeError(f"No task for {type(spec).__name__}")


def fit(spec: FitSpec, channel: Channel) -> FitAnswer:
    """Train one configuration; a refit is saved first and only then told where ``X_test`` lies."""
    plugin = load_plugin(spec.plugin, ModelPlugin)
    params = spec.params
    if params is None:
        params = check_params(plugin.suggest_params(RemoteTrial(spec.number, channel), spec.data))
    train = open_part(spec.train, spec.data)
    valid = open_part(spec.valid, spec.data) if spec.valid is not None else None

    def on_report(report: EpochReport) -> bool:
        return bool(channel.ask("report", epoch=report.epoch, valid_loss=report.valid_loss, params=params))

    context = FitContext(
        seed=spec.seed,
        max_epochs=spec.max_epochs,
        n_threads=spec.n_threads,
        deadline=time.monotonic() + spec.timeout_s,
        on_report=on_report,
    )
    memory, cpu, start = resident_mb(), cpu_seconds(), time.monotonic()
    model = train_model(plugin, params, train, valid, context)
    answer = FitAnswer(
        status="pruned" if model is None else "complete",
        params=params,
        epochs=max(1, len(context.history)),
        best_epoch=context.best_epoch(),
        curve=curve(context.history),
        fit_time_s=time.monotonic() - start,
        fit_cpu_s=cpu_seconds() - cpu,
        first_batch_s=context.first_batch_s,
        peak_memory_mb=max(0.0, peak_resident_mb() - memory),
        **validation_scores(model, valid, context),
    )
    if model is None:
        return answer
    update: dict[str, Any] = {"n_parameters": int(model.n_parameters)}
    if spec.save_to is not None:
        update |= save_and_predict(model, spec.save_to, spec.plugin, channel)
    return answer.model_copy(update=update)


def train_model(
    plugin: ModelPlugin, params: Params, train: Data, valid: Data | None, context: FitContext
) -> FittedModel | None:
    """Call ``fit``; None when the trial was pruned."""
    try:
        model = plugin.fit(params, train, valid, context)
    except TrialPruned:
        return None
    if not isinstance(model, FittedModel):
        raise PluginError(f"fit() returned {type(model).__name__}; a FittedModel is expected.")
    return model


def save_and_predict(model: FittedModel, folder: Path, plugin: str, channel: Channel) -> dict[str, Any]:
    """Save the model, then ask for the test samples and store the probabilities."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save(folder)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    if size == 0:
        raise PluginError("save() wrote nothing into its folder.")
    (folder / MANIFEST).write_text(
        json.dumps({"class": class_value(type(model), plugin), "plugin": plugin}) + "\n"
    )
    test = channel.ask("fitted")
    X_test = open_array(Path(test["X_test"]))
    start = time.monotonic()
    probabilities = np.asarray(model.predict_proba(X_test))
    seconds = time.monotonic() - start
    if probabilities.dtype.hasobject:
        raise PluginError("predict_proba() returned objects; an array of numbers is expected.")
    target = Path(test["predictions"])
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        np.savez(file, probabilities=probabilities, ids=np.arange(len(X_test)))
    return {"predict_time_s": seconds, "size_bytes": size}


def validation_scores(
    model: FittedModel | None, valid: Data | None, context: FitContext
) -> dict[str, float | None]:
    """Return the lowest reported loss and the accuracy beside it; score the model where none was reported."""
    scored = [(r.valid_loss, r.valid_accuracy) for r in context.history if r.valid_loss is not None]
    if scored:
        loss, accuracy = min(scored, key=lambda pair: pair[0])
        return {"valid_log_loss": loss, "valid_accuracy": accuracy}
    if model is None or valid is None:
        return {"valid_log_loss": None, "valid_accuracy": None}
    probabilities = np.asarray(model.predict_proba(valid.X))
    expected = (len(valid), valid.spec.n_classes)
    if probabilities.shape != expected:
        raise PluginError(f"predict_proba() returned shape {probabilities.shape}; {expected} is expected.")
    loss, accuracy = score(probabilities, valid.y)
    return {"valid_log_loss": loss, "valid_accuracy": accuracy}


def curve(history: Sequence[EpochReport]) -> Curve:
    """Turn the reports into columns, rounded to 4 digits."""

    def column(name: str) -> list[float | None]:
        values = [getattr(report, name) for report in history]
        return [None if value is None else round(value, 4) for value in values]

    return Curve(
        epoch=[report.epoch for report in history],
        train_loss=column("train_loss"),
        valid_loss=column("valid_loss"),
        valid_accuracy=column("valid_accuracy"),
    )


def measure(spec: MeasureSpec) -> MeasureAnswer:
    """Load a saved model as a stranger would, and time it: median of 200 calls after 20 warm-ups."""
    with np.load(spec.predictions, allow_pickle=False) as stored:
        expected = stored["probabilities"]
    X_test = open_array(spec.X_test)
    model = load_model(spec.model)
    head = model.predict_proba(X_test[:256])
    difference = float(np.abs(head - expected[: len(head)]).max())
    return MeasureAnswer(
        status="complete",
        max_difference=difference,
        latency_ms=1e3 * median_time(model, X_test, 1),
        throughput_per_s=min(256, len(X_test)) / median_time(model, X_test, 256),
    )


def class_value(cls: type, plugin: str) -> str:
    """Return ``module:Class`` for ``cls``, with the file in place of the module where the plugin is a file."""
    source, _, _ = plugin.rpartition(":")
    same_module = load_class(plugin).__module__ == cls.__module__
    return f"{source if same_module else cls.__module__}:{cls.__qualname__}"


def load_model(folder: Path) -> FittedModel:
    """Load a model with the class that its folder names.

    The plugin's module is imported first, because custom layers are registered when it is.
    """
    manifest = json.loads((folder / MANIFEST).read_text())
    load_class(manifest["plugin"])
    owner = manifest["class"]
    cls = load_class(owner)
    loaded = cls.load(folder) if issubclass(cls, FittedModel) else None
    if not isinstance(loaded, FittedModel):
        raise PluginError(f"{owner}.load() returned {type(loaded).__name__}; a FittedModel is expected.")
    return loaded


def median_time(model: FittedModel, X: Array, batch: int) -> float:
    """Return the median seconds of one call on ``batch`` rows."""
    rows = np.ascontiguousarray(X[:batch])
    times = []
    for _ in range(N_WARM_UPS + N_TIMED):
        start = time.perf_counter()
        model.predict_proba(rows)
        times.append(time.perf_counter() - start)
    return statistics.median(times[N_WARM_UPS:])


class RecordingTrial:
    """Draws at random, or from given values, and keeps every distribution that was asked for."""

    def __init__(self, number: int, values: Params | None = None) -> None:
        self.number = number
        self.space: dict[str, dict[str, Any]] = {}
        self._values = values or {}
        self._random = random.Random(number)  # noqa: S311 - not for secrets

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """Return a float from ``[low, high]``."""
        self.space[name] = {"type": "float", "low": low, "high": high, "step": step, "log": log}
        if name in self._values:
            return float(self._values[name])
        if log:
            return math.exp(self._random.uniform(math.log(low), math.log(high)))
        value = self._random.uniform(low, high)
        return value if step is None else low + step * int((value - low) / step)

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """Return an integer from ``[low, high]``."""
        self.space[name] = {"type": "int", "low": low, "high": high, "step": step, "log": log}
        return int(self._values.get(name, self._random.randrange(low, high + 1, step)))

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Return one of ``choices``."""
        self.space[name] = {"type": "categorical", "choices": list(choices)}
        return self._values.get(name, self._random.choice(list(choices)))


def describe(spec: DescribeSpec) -> DescribeAnswer:
    """Return the default configuration and every parameter that 50 random draws and the default met."""
    plugin = load_plugin(spec.plugin, ModelPlugin)
    defaults = check_params(plugin.default_params(spec.data))
    space: dict[str, dict[str, Any]] = {}
    for number in range(N_DESCRIBE_DRAWS + 1):
        trial = RecordingTrial(number, defaults if number == 0 else None)
        check_params(plugin.suggest_params(trial, spec.data))
        space = trial.space | space
    return DescribeAnswer(status="complete", space=space, defaults=defaults)


def load(spec: LoadSpec) -> LoadAnswer:
    """Load a data set through its plugin and store it."""
    plugin = load_plugin(spec.plugin, DatasetPlugin)
    folder = spec.root / "downloads" / plugin.info.name
    folder.mkdir(parents=True, exist_ok=True)
    try:
        dataset = plugin.load(folder)
    except DataUnavailableError as error:
        failure = Failure(category="data", message=str(error))
        return LoadAnswer(status="failed", failure=failure, unavailable=True)
    stored = store_dataset(plugin.info, dataset, spec.root)
    return LoadAnswer(status="complete", folder=stored.folder)


def load_plugin(value: str, base: type[PluginT]) -> PluginT:
    """Import a plugin class and construct it without arguments."""
    cls = load_class(value)
    if not (isinstance(cls, type) and issubclass(cls, base)):
        raise PluginError(f"'{value}' is not a subclass of nncompare.plugin.{base.__name__}.")
    return cls()


def check_params(params: object) -> Params:
    """Return ``params`` if they are a JSON object, else say which value is not."""
    if not isinstance(params, dict):
        raise PluginError(f"parameters are {type(params).__name__}; a dict of JSON values is expected.")
    for name, value in params.items():
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise PluginError(f"parameter '{name}' is {value!r}, which is not a JSON value: {error}.") from error
    return params
