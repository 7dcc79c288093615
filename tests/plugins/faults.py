"""Plugins that do wrong in one way each; `nearest` is the one that does right."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from nncompare.plugin import Data, DataSpec, FitContext, FittedModel, ModelPlugin, ModelTags, Params, Trial


class Centroids(FittedModel):
    """Softmax over negative distances to the class means."""

    def __init__(self, means: np.ndarray, sharpness: float) -> None:
        self.means, self.sharpness = means, sharpness

    @property
    def n_parameters(self) -> int:
        return int(self.means.size)

    def predict_proba(self, X):
        flat = np.asarray(X, dtype=np.float64).reshape(len(X), -1)
        distance = ((flat[:, None, :] - self.means[None]) ** 2).mean(axis=2)
        scores = -self.sharpness * distance
        scores -= scores.max(axis=1, keepdims=True)
        weights = np.exp(scores)
        return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)

    def save(self, folder: Path) -> None:
        np.save(folder / "means.npy", self.means)
        (folder / "sharpness.json").write_text(json.dumps(self.sharpness))

    @classmethod
    def load(cls, folder: Path) -> Self:
        return cls(np.load(folder / "means.npy"), json.loads((folder / "sharpness.json").read_text()))


class Nearest(ModelPlugin):
    """Class means of a seeded 90 % of the rows; reports each epoch."""

    tags: ClassVar[ModelTags] = ModelTags(accepts=("tabular",), default_dataset="digits")

    def suggest_params(self, trial: Trial, data: DataSpec) -> Params:
        return {
            "sharpness": trial.suggest_float("sharpness", 0.5, 50.0, log=True),
            "kind": trial.suggest_categorical("kind", ["mean", "median"]),
        }

    def default_params(self, data: DataSpec) -> Params:
        return {"sharpness": 5.0, "kind": "mean"}

    def fit(self, params, train: Data, valid: Data | None, context: FitContext) -> FittedModel:
        rng = np.random.default_rng(context.seed)
        rows = rng.random(len(train)) < 0.9
        X, y = np.asarray(train.X, dtype=np.float64).reshape(len(train), -1)[rows], train.y[rows]
        reduce = np.mean if params["kind"] == "mean" else np.median
        means = np.stack([reduce(X[y == k], axis=0) for k in range(train.spec.n_classes)])
        model = Centroids(means, params["sharpness"])
        for epoch in range(1, context.max_epochs + 1):
            self.epoch(epoch, context)
            if valid is None:
                context.report(epoch)
                continue
            p = model.predict_proba(valid.X)[np.arange(len(valid)), valid.y]
            loss = float(-np.log(np.clip(p, 1e-7, 1)).mean()) * (1 + 1 / epoch)
            accuracy = float((model.predict_proba(valid.X).argmax(1) == valid.y).mean())
            context.report(epoch, train_loss=loss, valid_loss=loss, valid_accuracy=accuracy)
        return model

    def epoch(self, epoch: int, context: FitContext) -> None:
        """What a faulty plugin overrides."""


class Segfaults(Nearest):
    def epoch(self, epoch, context):
        ctypes.string_at(0)


class KilledFromOutside(Nearest):
    def epoch(self, epoch, context):
        os.kill(os.getpid(), signal.SIGKILL)


class ExitsQuietly(Nearest):
    def epoch(self, epoch, context):
        os._exit(0)


class Aborts(Nearest):
    def epoch(self, epoch, context):
        os.abort()


class ExitsWithCode(Nearest):
    def epoch(self, epoch, context):
        sys.exit(3)


class RunsOutOfStack(Nearest):
    def epoch(self, epoch, context):
        self.epoch(epoch, context)


class RunsOutOfMemory(Nearest):
    def epoch(self, epoch, context):
        raise MemoryError


class FillsTheDisk(Nearest):
    def epoch(self, epoch, context):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class StopsItself(Nearest):
    def epoch(self, epoch, context):
        os.kill(os.getpid(), signal.SIGSTOP)


class EatsMemory(Nearest):
    def epoch(self, epoch, context):
        hoard = []
        while True:
            hoard.append(np.ones(2_500_000))
            time.sleep(0.005)


class LoopsForEver(Nearest):
    def epoch(self, epoch, context):
        while True:
            pass


class SleepsForEver(Nearest):
    def epoch(self, epoch, context):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(1e6)


class PrintsWithoutEnd(Nearest):
    def epoch(self, epoch, context):
        for _ in range(500):
            sys.stdout.write("x" * 1_000_000)
        raise RuntimeError("printed 500 MB")


class PrintsForEver(Nearest):
    def epoch(self, epoch, context):
        while True:
            sys.stdout.write("x" * 1_000_000)


class Diverges(Nearest):
    def epoch(self, epoch, context):
        context.report(epoch, train_loss=float("nan"))


class Raises(Nearest):
    def epoch(self, epoch, context):
        raise ValueError("a\nb <script>alert(1)</script>")


class LeavesGrandchildren(Nearest):
    def epoch(self, epoch, context):
        if epoch == 1:
            marker = os.environ.get("NNCOMPARE_TEST_MARKER", "nncompare-grandchild")
            code = f"import time; time.sleep(600)  # {marker}"
            subprocess.Popen([sys.executable, "-c", code])
            subprocess.Popen([sys.executable, "-c", code], start_new_session=True)


class Slow(Nearest):
    def epoch(self, epoch, context):
        time.sleep(0.2)


class Uneven(Nearest):
    """Trials that overtake each other: how long an epoch takes follows from the seed."""

    def epoch(self, epoch, context):
        time.sleep(context.seed % 5 / 50)


class WrongShape(Nearest):
    def fit(self, params, train, valid, context):
        model = super().fit(params, train, valid, context)
        model.means = model.means[:-1]
        return model


class ReturnsNothing(Nearest):
    def fit(self, params, train, valid, context):
        return None


class Unserialisable(Nearest):
    def suggest_params(self, trial, data):
        return {"sharpness": {1, 2}}


class ClosesItsOutput(Nearest):
    def epoch(self, epoch, context):
        sys.stdout.close()
        sys.stderr.close()
        raise ValueError("and nobody can read it")


class AsksTheImpossible(Nearest):
    def suggest_params(self, trial, data):
        return {"sharpness": trial.suggest_float("sharpness", 2.0, 1.0), "kind": "mean"}


class NeverReports(Nearest):
    def fit(self, params, train, valid, context):
        return super().fit(params, train, valid, FitContext(seed=context.seed, max_epochs=1))


class PredictsNaN(NeverReports):
    def fit(self, params, train, valid, context):
        model = super().fit(params, train, valid, context)
        model.means[:] = np.nan
        return model


class PredictsTooFewClasses(NeverReports):
    def fit(self, params, train, valid, context):
        model = super().fit(params, train, valid, context)
        model.means = model.means[:-1]
        return model


class PredictsNothing(Nearest):
    def fit(self, params, train, valid, context):
        model = super().fit(params, train, valid, context)
        return Mute(model.means, model.sharpness)


class Mute(Centroids):
    def predict_proba(self, X):
        return None


class SavesNothing(Nearest):
    def fit(self, params, train, valid, context):
        model = super().fit(params, train, valid, context)
        return Forgetful(model.means, model.sharpness)


class Forgetful(Centroids):
    def save(self, folder):
        pass


class Looks(Nearest):
    """Returns what it sees of its process as parameters."""

    def suggest_params(self, trial, data):
        from threadpoolctl import threadpool_info

        return {
            "sharpness": 1.0,
            "kind": "mean",
            "pid": os.getpid(),
            "session": os.getsid(0),
            "parent": os.getppid(),
            "stdin": str(Path("/proc/self/fd/0").resolve()),
            "terminals": [fd for fd in range(3) if os.isatty(fd)],
            "threads": max(pool["num_threads"] for pool in threadpool_info()),
            "folder_first": sys.path[0] in ("", str(Path.cwd())),
            "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        }


class ImageOnly(Nearest):
    tags: ClassVar[ModelTags] = ModelTags(accepts=("image",))


class WaitsFirst(Nearest):
    """Takes its time, so that a signal finds it at work."""

    def fit(self, params, train, valid, context):
        time.sleep(1e6)


class Worsens(Nearest):
    """Every trial but the first is worse from its first epoch."""

    def fit(self, params, train, valid, context):
        for epoch in range(1, context.max_epochs + 1):
            loss = 0.5 if params["sharpness"] == 5.0 else 5.0 + epoch
            context.report(epoch, train_loss=loss, valid_loss=loss, valid_accuracy=0.5)
        return super().fit(params, train, None, FitContext(seed=context.seed, max_epochs=1))


class Turns(Nearest):
    """The sharper the better on a part of the rows, the less sharp the better on more of them."""

    most_of_a_part = 600

    def fit(self, params, train, valid, context):
        has_more = len(train) > self.most_of_a_part
        for epoch in range(1, context.max_epochs + 1):
            loss = params["sharpness"] if has_more else 1 / params["sharpness"]
            context.report(epoch, train_loss=loss, valid_loss=loss, valid_accuracy=0.5)
        return super().fit(params, train, None, FitContext(seed=context.seed, max_epochs=1))


class TurnsLate(Turns):
    """As Turns, where a sample has 20,000 rows."""

    most_of_a_part = 20_000

    def fit(self, params, train, valid, context):
        time.sleep(float(os.environ.get("NNCOMPARE_TEST_SLEEP_S", "0")))
        return super().fit(params, train, valid, context)


class FailsOnMoreRows(Turns):
    """As Turns; of more rows it can make nothing."""

    def fit(self, params, train, valid, context):
        if len(train) > self.most_of_a_part:
            os.abort()
        return super().fit(params, train, valid, context)


class HalfDefaults(Nearest):
    def default_params(self, data):
        return {"sharpness": 5.0}


class TrainsTooLong(Nearest):
    """Hides its epochs from its own context, so that only the coordinator can see them."""

    def fit(self, params, train, valid, context):
        own = FitContext(seed=context.seed, max_epochs=10 * context.max_epochs, on_report=context.on_report)
        return super().fit(params, train, valid, own)


class AsksTwice(Nearest):
    def suggest_params(self, trial, data):
        trial.suggest_float("sharpness", 0.5, 1.0)
        return super().suggest_params(trial, data)

    def default_params(self, data):
        return {"sharpness": 0.7, "kind": "mean"}


class AsksForTooMuch(Nearest):
    def suggest_params(self, trial, data):
        trial.suggest_int("sharpness", 1, 10**30)
        return super().suggest_params(trial, data)


class ForksItself(Nearest):
    """Goes on twice: the copy comes first, as the original waits for its end."""

    def fit(self, params, train, valid, context):
        model = super().fit(params, train, valid, context)
        pid = os.fork()
        if pid:
            os.waitpid(pid, 0)
            return model
        return Centroids(model.means * 0, model.sharpness)


class ForksAndReports(Nearest):
    def epoch(self, epoch, context):
        if epoch == 1 and (pid := os.fork()):
            os.waitpid(pid, 0)


class ForksAndFails(Nearest):
    """Its copy raises what nobody may hear of."""

    def epoch(self, epoch, context):
        if epoch == 1:
            if (pid := os.fork()) == 0:
                raise RuntimeError("the copy")
            os.waitpid(pid, 0)


class Unreadable(Exception):  # noqa: N818 - its name is what a message shows
    def __str__(self):
        raise RuntimeError("no text either")


class RaisesUnreadable(Nearest):
    def epoch(self, epoch, context):
        raise Unreadable


class RaisesSurrogates(Nearest):
    def epoch(self, epoch, context):
        raise ValueError("half \ud800 a character")


class RaisesKeyboardInterrupt(Nearest):
    def epoch(self, epoch, context):
        raise KeyboardInterrupt("not by the user")


class ValidatesItself(Nearest):
    def epoch(self, epoch, context):
        import pydantic

        pydantic.TypeAdapter(int).validate_python("many")


class NegativeParameters(Nearest):
    def fit(self, params, train, valid, context):
        model = super().fit(params, train, valid, context)
        return Owing(model.means, model.sharpness)


class Owing(Centroids):
    @property
    def n_parameters(self):
        return -3


class NegativeTime(Nearest):
    def fit(self, params, train, valid, context):
        model = super().fit(params, train, valid, context)
        context.first_batch_s = -1.0
        return model


class PredictsWide(Nearest):
    """Is right until it has more rows than the validation part has."""

    def fit(self, params, train, valid, context):
        model = super().fit(params, train, valid, context)
        return Wide(model.means, model.sharpness)


class Wide(Centroids):
    def predict_proba(self, X):
        return np.zeros((len(X), 1000))


class PredictsIntegers(PredictsWide):
    def fit(self, params, train, valid, context):
        model = super().fit(params, train, valid, context)
        return Whole(model.means, model.sharpness)


class Whole(Centroids):
    def predict_proba(self, X):
        return np.ones((len(X), len(self.means)), dtype=np.int64)


class AsksFromThreads(Nearest):
    """Asks for many values at a time, each of which must be its own."""

    def suggest_params(self, trial, data):
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(8) as pool:
            values = list(pool.map(lambda low: trial.suggest_int(f"n{low}", low, low + 1), range(200)))
        return {"sharpness": 1.0, "kind": "mean", "values": values}


class TwoSpaces(Nearest):
    """Right too; it searches other values and one more parameter on ten classes."""

    def suggest_params(self, trial, data):
        ten = data.n_classes == 10
        found = {
            **super().suggest_params(trial, data),
            "units": trial.suggest_categorical("units", [16, 48] if ten else [16, 32]),
        }
        return {**found, "depth": trial.suggest_int("depth", 1, 3)} if ten else found

    def default_params(self, data):
        found = {**super().default_params(data), "units": 16}
        return {**found, "depth": 1} if data.n_classes == 10 else found
