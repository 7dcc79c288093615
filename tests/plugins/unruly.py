"""Plugins that end or hold the process in which they are checked, and some that need a word of explanation."""

import ctypes
import os
import signal
import sys
import time
from typing import ClassVar

from .mutants import NamesNoDataset, Softmax, Weights


class CrashesOnTenClasses(Softmax):
    def start(self, train, random):
        if train.spec.n_classes == 10:
            ctypes.string_at(0)
        return super().start(train, random)


class HangsWithoutValidation(Softmax):
    def fit(self, params, train, valid, context):
        while valid is None:
            time.sleep(0.1)
        return super().fit(params, train, valid, context)


class CrashesInFit(Softmax):
    def fit(self, params, train, valid, context):
        ctypes.string_at(0)


class CrashesInInit(Softmax):
    def __init__(self):
        ctypes.string_at(0)


class CrashesInItsSpace(Softmax):
    def suggest_params(self, trial, data):
        ctypes.string_at(0)


class ExcusesItsFit(Softmax):
    expected_failures: ClassVar = {"check_trains": "We are working on it."}

    def fit(self, params, train, valid, context):
        raise ValueError("not today")


class ExitsWhenAlone(Softmax):
    """Ends its process without a word where there is no validation part."""

    def fit(self, params, train, valid, context):
        if valid is None:
            sys.stdout.flush()
            os._exit(0)
        return super().fit(params, train, valid, context)


class NeverPredicting(Weights):
    def predict_proba(self, X):
        time.sleep(1e6)


class HangsInPredict(Softmax):
    """Scores its epochs by another way."""

    model = NeverPredicting

    def score(self, model, valid):
        return super().score(Weights(model.weights), valid)


class PidWeights(Weights):
    def save(self, folder):
        super().save(folder)
        (folder / "pid").write_text(str(os.getpid()))

    @classmethod
    def load(cls, folder):
        if (folder / "pid").read_text() == str(os.getpid()):
            raise RuntimeError("it is the same process")
        return super().load(folder)


class LoadsElsewhere(Softmax):
    """Loads only where it was not saved."""

    model = PidWeights


class NeverLoaded(Weights):
    @classmethod
    def load(cls, folder):
        time.sleep(1e6)


class HangsInLoad(Softmax):
    model = NeverLoaded


class CrashingLoad(Weights):
    @classmethod
    def load(cls, folder):
        ctypes.string_at(0)


class CrashesInLoad(Softmax):
    """Would have its crash excused."""

    expected_failures: ClassVar = {"check_saves_and_loads_in_a_fresh_process": "It cannot be loaded."}
    model = CrashingLoad


class KilledLoad(Weights):
    @classmethod
    def load(cls, folder):
        os.kill(os.getpid(), signal.SIGKILL)


class IsKilledInLoad(Softmax):
    expected_failures: ClassVar = {"check_saves_and_loads_in_a_fresh_process": "It needs more memory."}
    model = KilledLoad


class ExitsElsewhere(Softmax):
    """Ends each process in which its first training is on the kit's other data, as that of a fresh one is."""

    expected_failures: ClassVar = {"check_fits_are_independent": "It is not."}
    trained = False

    def fit(self, params, train, valid, context):
        if not ExitsElsewhere.trained and train.y.mean() > 1:  # the shares of the classes are turned round
            os._exit(0)
        ExitsElsewhere.trained = True
        return super().fit(params, train, valid, context)


class HangsInLoadAndCrashesOnTwoClasses(HangsInLoad):
    def start(self, train, random):
        if train.spec.n_classes == 2:
            ctypes.string_at(0)
        return super().start(train, random)


class BringsNoDataset(NamesNoDataset):
    expected_failures: ClassVar = {"check_default_dataset_is_installed": "Another package brings it."}


class NeverSaved(Weights):
    def save(self, folder):
        (folder / "half").write_bytes(b"\0" * 1000)
        time.sleep(1e6)


class HangsInSave(Softmax):
    model = NeverSaved


class GrowingLoad(Weights):
    @classmethod
    def load(cls, folder):
        held = []
        for _ in range(100):
            held.append(b"\1" * 10_000_000)
            time.sleep(0.02)
        return super().load(folder)


class GrowsInLoad(Softmax):
    """Takes a gigabyte to be loaded."""

    model = GrowingLoad
