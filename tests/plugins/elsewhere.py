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
