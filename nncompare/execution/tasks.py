"""What a child does with plugin code: fit, measure, describe, load, predict, call."""

from __future__ import annotations

import importlib
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from pydantic import ValidationError

from nncompare.data.cache import make_download_folder
from nncompare.data.ragged import Ragged
from nncompare.data.records import Data, Samples
from nncompare.data.remote import listening
from nncompare.data.samples import copy_rows, count_samples, open_samples
from nncompare.data.store import store_dataset
from nncompare.data.views import open_part
from nncompare.exceptions import DataUnavailableError, PluginError, TrialPruned
from nncompare.execution.channel import Channel, RemoteTrial
from nncompare.execution.failures import describe_invalid
from nncompare.execution.plugins import check_params, checked_probabilities, load_plugin
from nncompare.execution.predicting import predict
from nncompare.execution.process import cpu_seconds, peak_resident_mb, process_age_s, resident_mb
from nncompare.execution.reading import read
from nncompare.execution.saved import load_model, save_model
from nncompare.execution.spaces import describe
from nncompare.execution.specs import (
    Answer,
    CallAnswer,
    CallSpec,
    DescribeSpec,
    FitAnswer,
    FitSpec,
    LoadAnswer,
    LoadSpec,
    MeasureAnswer,
    MeasureSpec,
    PredictSpec,
    ReadSpec,
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
from nncompare.results import Curve, Failure

AnswerT = TypeVar("AnswerT", bound=Answer)
N_WARM_UPS, N_TIMED = 20, 200


def perform(spec: Spec, channel: Channel) -> Answer:
    """Run one request; exceptions pass through to the caller."""
    if isinstance(spec, FitSpec):
        return fit(spec, channel)
    if isinstance(spec, MeasureSpec):
        return measure(spec)
    if isinstance(spec, DescribeSpec):
        return describe(spec)
    if isinstance(spec, LoadSpec):
        return load(spec, channel)
    if isinstance(spec, ReadSpec):
        return read(spec)
    if isinstance(spec, PredictSpec):
        return predict(spec)
    if isinstance(spec, CallSpec):
        return call(spec, channel)
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
        return bool(channel.ask("report", epoch=report.epoch, valid_loss=report.valid_loss))

    context = FitContext(
        seed=spec.seed,
        max_epochs=spec.max_epochs,
        n_threads=spec.n_threads,
        deadline=time.monotonic() + spec.timeout_s - process_age_s(),
        on_report=on_report,
    )
    memory, cpu, start = resident_mb(), cpu_seconds(), time.monotonic()
    model = train_model(plugin, params, train, valid, context)
    channel.leave_if_copied()
    found: dict[str, Any] = dict(
        status="pruned" if model is None else "complete",
        params=params,
        epochs=len(context.history) or spec.max_epochs,  # who reports nothing may have used them all
        best_epoch=context.best_epoch(),
        curve=curve(context.history),
        fit_time_s=time.monotonic() - start,
        fit_cpu_s=cpu_seconds() - cpu,
        first_batch_s=context.first_batch_s,
        peak_memory_mb=max(0.0, peak_resident_mb() - memory),
        **validation_scores(model, valid, context),
    )
    if model is None:
        return checked(FitAnswer, found)
    found["n_parameters"] = int(model.n_parameters)
    answer = checked(FitAnswer, found)
    if spec.save_to is not None:
        return answer.model_copy(update=save_and_predict(model, spec, spec.save_to, channel))
    return answer


def checked(answer: type[AnswerT], found: dict[str, Any]) -> AnswerT:
    """Return the answer, or say which of the plugin's numbers cannot be."""
    try:
        return answer(**found)
    except ValidationError as error:
        raise PluginError(f"The plugin left numbers that cannot be: {describe_invalid(error)}.") from None


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


def save_and_predict(model: FittedModel, spec: FitSpec, folder: Path, channel: Channel) -> dict[str, Any]:
    """Save the model with its preprocessing, then ask for the test samples and store the probabilities."""
    size, manifest_sha256 = save_model(model, spec, folder)
    test = channel.ask("fitted")
    X_test = open_samples(Path(test["X_test"]))
    start = time.monotonic()
    predicted = model.predict_proba(X_test)
    seconds = time.monotonic() - start
    probabilities = checked_probabilities(predicted, (count_samples(X_test), spec.data.n_classes))
    target = Path(test["predictions"])
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        np.savez(file, probabilities=probabilities, ids=np.arange(len(probabilities)))
    return {"predict_time_s": seconds, "size_bytes": size, "manifest_sha256": manifest_sha256}


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
    probabilities = checked_probabilities(model.predict_proba(valid.X), (len(valid), valid.spec.n_classes))
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
    """Load a saved model as a stranger would, and time it if asked to: median of 200 calls after 20 warm-ups.

    The sample of the latency is the first, of texts one of median length.
    """
    with np.load(spec.predictions, allow_pickle=False) as stored:
        expected = stored["probabilities"]
    X_test = open_samples(spec.X_test)
    model = load_model(spec.model)
    head = checked_probabilities(model.predict_proba(X_test[:256]), expected[:256].shape)
    found: dict[str, Any] = {"status": "complete", "max_difference": float(np.abs(head - expected[:256]).max())}
    if spec.timed:
        found["latency_ms"] = 1e3 * median_time(model, one_sample(X_test))
        found["throughput_per_s"] = min(256, count_samples(X_test)) / median_time(model, copy_rows(X_test, 256))
    return checked(MeasureAnswer, found)


def one_sample(X: Samples) -> Samples:
    """Return one sample in memory to time: its length is the median where samples differ in it."""
    if not isinstance(X, Ragged):
        return copy_rows(X, 1)
    by_length = np.argsort(X.lengths, kind="stable")
    middle = (len(X) - 1) // 2
    return X[by_length[middle : middle + 1]]


def median_time(model: FittedModel, X: Samples) -> float:
    """Return the median seconds of one call."""
    times = []
    for _ in range(N_WARM_UPS + N_TIMED):
        start = time.perf_counter()
        model.predict_proba(X)
        times.append(time.perf_counter() - start)
    return statistics.median(times[N_WARM_UPS:])


def load(spec: LoadSpec, channel: Channel) -> LoadAnswer:
    """Load a data set through its plugin, telling of its downloads, and store it."""
    plugin = load_plugin(spec.plugin, DatasetPlugin)
    folder = spec.root / "downloads" / spec.name
    make_download_folder(folder)
    try:
        with listening(lambda transfer: channel.ask("download", **asdict(transfer))):
            dataset = plugin.load(folder)
    except DataUnavailableError as error:
        failure = Failure(category="data", message=str(error))
        return LoadAnswer(status="failed", failure=failure, unavailable=True, info=plugin.info)
    stored = store_dataset(plugin.info, dataset, spec.root)
    return LoadAnswer(status="complete", folder=stored.folder)


def call(spec: CallSpec, channel: Channel) -> CallAnswer:
    """Call a function that a higher layer named."""
    module, _, name = spec.function.partition(":")
    function = getattr(importlib.import_module(module), name)
    return CallAnswer(status="complete", returned=function(spec.plugin, spec.arguments, channel))
