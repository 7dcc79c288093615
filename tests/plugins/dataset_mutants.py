"""A bank of data set plugins, each wrong in one way; those in ``RIGHT`` are right. See `mutants`."""

from __future__ import annotations

import os
import socket
import urllib.request
from dataclasses import replace

import numpy as np

from nncompare.exceptions import DataUnavailableError
from nncompare.plugin import Column, Dataset, DatasetInfo, DatasetPlugin


class Clouds(DatasetPlugin):
    """Two clouds of points."""

    info = DatasetInfo(name="clouds", view="tabular", n_train=40, n_test=10, class_names=("left", "right"))

    def load(self, cache):
        random = self.random()
        y = np.arange(50) % 2
        X = (random.normal(0, 1, (50, 3)) + y[:, None]).astype(np.float32)
        return self.finish(X, y)

    def random(self):
        return np.random.default_rng(0)

    def finish(self, X, y):
        return Dataset(X[:40], y[:40], X[40:], y[40:])


class NotHere(Clouds):
    """Says as it should that it cannot be had."""

    def load(self, cache):
        try:
            socket.create_connection(("127.0.0.1", 9), timeout=1)
        except OSError as error:
            raise DataUnavailableError(f"The clouds are away: {error}.") from error
        raise AssertionError("nobody listens there")


class CrashesInLoad(Clouds):
    """Ends its process, so that only a check in another one survives it; no part of the bank."""

    def load(self, cache):
        os._exit(7)


class NeedsAFolder(Clouds):
    def __init__(self, folder) -> None:
        self.folder = folder


class NamesAClassTwice(Clouds):
    info = replace(Clouds.info, class_names=("left", "left"))


class ExcusesWhatIsNoCheck(Clouds):
    expected_failures = {"check_learns_a_trivial_problem": "It is no model."}  # noqa: RUF012


class ReturnsATuple(Clouds):
    def finish(self, X, y):
        return X, y


class HoldsNaN(Clouds):
    def finish(self, X, y):
        X[3, 1] = np.nan
        return super().finish(X, y)


class CountsWrong(Clouds):
    info = replace(Clouds.info, n_train=400)


class CountsFromOne(Clouds):
    def finish(self, X, y):
        return super().finish(X, y + 1)


class NamesOneMore(Clouds):
    """Its test part has no rows of the third class, of which there are some in training."""

    info = replace(Clouds.info, class_names=("left", "right", "above"))

    def finish(self, X, y):
        y[:4] = 2
        return super().finish(X, y)


class RepeatsRows(Clouds):
    def finish(self, X, y):
        X[45:] = X[:5]
        return super().finish(X, y)


class ShufflesAnew(Clouds):
    def random(self):
        return np.random.default_rng()


class DrawsOncePerProcess(Clouds):
    seed = None

    def random(self):
        cls = DrawsOncePerProcess
        cls.seed = cls.seed or int.from_bytes(os.urandom(4))
        return np.random.default_rng(cls.seed)


class TakesTheOrderOfASet(Clouds):
    """Numbers its rows as a set of names gives them."""

    def finish(self, X, y):
        rows = [int(name[4:]) for name in {f"row {k}" for k in range(len(X))}]
        return super().finish(X[rows], y[rows])


class LoadsOtherwiseHere(Clouds):
    """Right: rounds otherwise where the settings of a user's session are not those of a run."""

    def finish(self, X, y):
        in_a_run = os.environ.get("CUDA_VISIBLE_DEVICES") == "-1"
        return super().finish(X if in_a_run else X + np.float32(1e-6), y)


class SeedsTheGlobalState(Clouds):
    def random(self):
        np.random.seed(0)  # noqa: NPY002
        return super().random()


class SetsAVariable(Clouds):
    def random(self):
        os.environ["NO_PROXY"] = "*"
        return super().random()


class PassesNetworkErrorsOn(Clouds):
    """Does without its server in silence, except where there is no network at all."""

    def load(self, cache):
        try:
            urllib.request.urlopen("http://127.0.0.1:9/clouds", timeout=1)
        except OSError as error:
            if "unreachable" in str(error):
                raise
        return super().load(cache)


class Pictures(DatasetPlugin):
    """A light half each; their bytes are as they come."""

    info = DatasetInfo(
        name="pictures", view="image", n_train=40, n_test=10, class_names=("left", "right"), scale=1 / 255
    )

    def load(self, cache):
        y = np.arange(50) % 2
        X = np.random.default_rng(0).integers(0, 100, (50, 4, 4, 1)).astype(np.uint8)
        X[:, :, :2] += (150 * y).astype(np.uint8)[:, None, None, None]
        return Dataset(self.of_training(X[:40]), y[:40], self.of_test(X[40:]), y[40:])

    def of_training(self, X):
        return X

    def of_test(self, X):
        return X


class ForgetsTheScale(Pictures):
    info = replace(Pictures.info, scale=1.0)


class ScalesTwice(Pictures):
    def of_training(self, X):
        return (X / 255).astype(np.float32)

    of_test = of_training


class ScalesTrainingAlone(Pictures):
    info = replace(Pictures.info, scale=1.0)

    def of_training(self, X):
        return (X / 255).astype(np.float32)

    def of_test(self, X):
        return X.astype(np.float32)


class Standardises(Pictures):
    """Right: zero mean and unit deviation."""

    info = replace(Pictures.info, scale=1.0)

    def of_training(self, X):
        return ((X - 90.0) / 70.0).astype(np.float32)

    of_test = of_training


class Table(Clouds):
    """Names its columns and the one that held the classes."""

    target = "side"

    def finish(self, X, y):
        columns = [Column(name=name) for name in ("width", "height", "depth")]
        return replace(super().finish(X, y), columns=columns, target=self.target)


class KeepsItsTarget(Table):
    target = "depth"


RIGHT = [Clouds, NotHere, LoadsOtherwiseHere, Pictures, Standardises, Table]

FAULTS = {
    NeedsAFolder: {"check_constructs_without_arguments"},
    NamesAClassTwice: {"check_info"},
    ExcusesWhatIsNoCheck: {"check_expected_failures"},
    ReturnsATuple: {"check_loads"},
    HoldsNaN: {"check_loads"},
    ForgetsTheScale: {"check_pictures_are_scaled"},
    ScalesTwice: {"check_pictures_are_scaled"},
    ScalesTrainingAlone: {"check_pictures_are_scaled"},
    KeepsItsTarget: {"check_target_is_no_column"},
    CountsWrong: {"check_sizes_match"},
    CountsFromOne: {"check_labels_in_range"},
    NamesOneMore: {"check_class_names_match"},
    RepeatsRows: {"check_parts_are_disjoint"},
    ShufflesAnew: {"check_fingerprint_is_stable"},
    TakesTheOrderOfASet: {"check_fingerprint_is_stable"},
    DrawsOncePerProcess: {"check_fingerprint_is_stable"},
    SeedsTheGlobalState: {"check_load_leaves_global_state_alone"},
    SetsAVariable: {"check_load_leaves_global_state_alone"},
    PassesNetworkErrorsOn: {"check_works_without_a_network"},
}
