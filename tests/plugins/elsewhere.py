"""Plugins that do otherwise in a fresh process; a test says to those of its own process that they are ``here``."""

from nncompare.exceptions import DataUnavailableError

from .dataset_mutants import Clouds
from .mutants import Softmax


class RaisesElsewhere(Softmax):
    here = False

    def fit(self, params, train, valid, context):
        if not self.here:
            raise ValueError("no card was found")
        return super().fit(params, train, valid, context)


class RaisesAfterAnother(Softmax):
    """Trains otherwise in a fresh process, and fails there at the kit's plain problem."""

    here = False

    def fit(self, params, train, valid, context):
        if not self.here and train.y.mean() < 1:
            raise ValueError("the first class is too frequent")
        return super().fit(params, train, valid, context)

    def step(self, model, features, y, rate):
        super().step(model, features, y, rate / 2 if self.here else rate)


class LoadsHereAlone(Clouds):
    here = False

    def load(self, cache):
        if not self.here:
            raise ValueError("the sky is closed")
        return super().load(cache)


class IsEmptyElsewhere(Clouds):
    here = False

    def finish(self, X, y):
        return super().finish(X, y) if self.here else super().finish(X[:0], y[:0])


class IsAwayElsewhere(Clouds):
    here = False

    def load(self, cache):
        if not self.here:
            raise DataUnavailableError("The clouds are away.")
        return super().load(cache)
