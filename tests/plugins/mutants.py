"""A bank of model plugins, each wrong in one way; those in ``RIGHT`` are right.

``FAULTS`` says of each which checks it has to fail: these, and no other.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from threadpoolctl import threadpool_limits

from nncompare.plugin import Data, DataSpec, FitContext, FittedModel, ModelPlugin, ModelTags, Params, Trial


class Weights(FittedModel):
    """Softmax of a linear map."""

    def __init__(self, weights: np.ndarray) -> None:
        self.weights = weights

    @property
    def n_parameters(self) -> int:
        return int(self.weights.size)

    def features(self, X):
        return np.asarray(X, dtype=np.float64).reshape(len(X), -1)

    def predict_proba(self, X):
        return self.probabilities(self.features(X)).astype(np.float32)

    def probabilities(self, features):
        scores = features @ self.weights[:-1] + self.weights[-1]
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        return scores / scores.sum(axis=1, keepdims=True)

    def save(self, folder: Path) -> None:
        np.save(folder / "weights.npy", self.weights)

    @classmethod
    def load(cls, folder: Path) -> Self:
        return cls(np.load(folder / "weights.npy"))


class Softmax(ModelPlugin):
    """Multinomial logistic regression by gradient descent on batches, with the weights of its best epoch."""

    tags: ClassVar[ModelTags] = ModelTags(accepts=("tabular",), default_dataset="digits")
    model: ClassVar[type[Weights]] = Weights

    def suggest_params(self, trial: Trial, data: DataSpec) -> Params:
        return {
            "rate": trial.suggest_float("rate", 0.1, 1.0, log=True),
            "batch_size": trial.suggest_categorical("batch_size", [16, 32]),
        }

    def default_params(self, data: DataSpec) -> Params:
        return {"rate": 0.3, "batch_size": 32}

    def fit(self, params, train: Data, valid: Data | None, context: FitContext) -> FittedModel:
        random = self.random(context)
        model = self.model(self.start(train, random))
        best = None
        for epoch in range(1, self.n_epochs(context) + 1):
            self.epoch(model, params, train, random)
            if valid is None:
                self.report(context, epoch)
                continue
            loss, accuracy = self.score(model, valid)
            self.report(context, epoch, valid_loss=loss, valid_accuracy=accuracy)
            if context.best_epoch() == epoch:
                best = model.weights.copy()
            if self.is_over(context):
                break
        return self.finish(model, best)

    def random(self, context):
        return np.random.default_rng(context.seed)

    def start(self, train, random):
        n_features = self.model(None).features(train.X[:1]).shape[1]
        return random.normal(0, 0.1, (n_features + 1, train.spec.n_classes))

    def n_epochs(self, context):
        return context.max_epochs

    def epoch(self, model, params, train, random):
        order, size = random.permutation(len(train)), params["batch_size"]
        for begin in range(0, len(order), size):
            rows = np.sort(order[begin : begin + size])
            self.step(model, model.features(train.X[rows]), train.y[rows], params["rate"])

    def step(self, model, features, y, rate):
        error = model.probabilities(features)
        error[np.arange(len(y)), y] -= 1
        model.weights[:-1] -= rate / len(y) * features.T @ error
        model.weights[-1] -= rate * error.mean(axis=0)

    def score(self, model, valid):
        p = model.predict_proba(valid.X)
        return float(-np.log(p[np.arange(len(p)), valid.y].clip(1e-7)).mean()), float(
            (p.argmax(1) == valid.y).mean()
        )

    def report(self, context, epoch, **scores):
        context.report(epoch, **scores)

    def is_over(self, context):
        return False

    def finish(self, model, best):
        if best is not None:
            model.weights = best
        return model


class WordWeights(Weights):
    """Shares of each word, ids beyond those of training as 2."""

    n_words: ClassVar[int] = 18  # enough for the kit's three classes, and fewer than for ten

    def features(self, X):
        counts = np.zeros((len(X), WordWeights.n_words))
        ids = np.where(X.values < WordWeights.n_words, X.values, 2)
        np.add.at(counts, (np.repeat(np.arange(len(X)), X.lengths), ids), 1)
        return 5 * counts / np.maximum(1, X.lengths)[:, None]


class WordSoftmax(Softmax):
    """The same on texts."""

    tags: ClassVar[ModelTags] = ModelTags(accepts=("tokens",), default_dataset="imdb")
    model = WordWeights


class Fixed(Softmax):
    """Starts at zero and goes through the rows in their order: right, and the same for each seed."""

    expected_failures: ClassVar = {"check_other_seed_other_predictions": "Nothing in it is random."}

    def start(self, train, random):
        return 0 * super().start(train, random)

    def epoch(self, model, params, train, random):
        return super().epoch(model, params, train, np.random.default_rng(0))


class RandomFeatures(Softmax):
    """Trains the last of its two layers, and counts that one: its `n_parameters` are fewer than what it holds."""

    def fit(self, params, train, valid, context):
        first = np.random.default_rng(context.seed).normal(0, 0.3, (train.X.shape[1], 40))
        hidden = [part and Data(np.tanh(part.X @ first), part.y, part.spec) for part in (train, valid)]
        return TwoLayers(first, super().fit(params, *hidden, context).weights)


class TwoLayers(Weights):
    def __init__(self, first, weights) -> None:
        super().__init__(weights)
        self.first = first

    def features(self, X):
        return np.tanh(super().features(X) @ self.first)

    def save(self, folder):
        super().save(folder)
        np.save(folder / "first.npy", self.first)

    @classmethod
    def load(cls, folder):
        return cls(np.load(folder / "first.npy"), np.load(folder / "weights.npy"))


# Declarations.


class NeedsArguments(Softmax):
    def __init__(self, size) -> None:
        self.size = size


class UnknownFramework(Softmax):
    tags = ModelTags(accepts=("tabular",), framework="torch")


class UnknownView(Softmax):
    tags = ModelTags(accepts=("tabular", "video"))


class NamesNoDataset(Softmax):
    tags = ModelTags(accepts=("tabular",), default_dataset="digitz")


class ClaimsAView(Softmax):
    """Says that it takes sequences, and does not."""

    tags = ModelTags(accepts=("tabular", "sequence"))

    def start(self, train, random):
        (_,) = train.spec.sample_shape
        return super().start(train, random)


class SecondView(Weights):
    """Wrong where a sample has two dimensions; what is wrong follows."""

    def predict_proba(self, X):
        found = super().predict_proba(X)
        return self.spoil(found) if np.ndim(X) == 3 else found

    def spoil(self, found):
        return found


class TwoViews(Softmax):
    tags = ModelTags(accepts=("tabular", "sequence"), default_dataset="digits")
    model = SecondView

    def score(self, model, valid):
        return super().score(Weights(model.weights), valid)


class Random(SecondView):
    def spoil(self, found):
        return np.random.default_rng().dirichlet(np.ones(found.shape[1]), len(found)).astype("f4")


class RandomInSecondView(TwoViews):
    model = Random


class Missing(SecondView):
    def spoil(self, found):
        return found * np.nan


class NaNInSecondView(TwoViews):
    model = Missing


class Backwards(SecondView):
    def spoil(self, found):
        return found[np.argsort(found[:, 0])]


class SortsInSecondView(TwoViews):
    model = Backwards


class ExcusesWhatPasses(Softmax):
    expected_failures: ClassVar = {"check_n_parameters": "It is hard."}


class ExcusesItsFoundation(Softmax):
    expected_failures: ClassVar = {"check_trains": "We are working on it."}


class ListsItsExcuses(Softmax):
    expected_failures: ClassVar = ["check_n_parameters"]


class GivesNoReason(Softmax):
    expected_failures: ClassVar = {"check_n_parameters": " "}


class ExcusesWhatIsNoCheck(Softmax):
    expected_failures: ClassVar = {"check_everything": "It is hard."}


class EmptyRange(Softmax):
    def suggest_params(self, trial, data):
        return {"rate": trial.suggest_float("rate", 1.0, 0.1), "batch_size": 32}


class ChangesChoices(Softmax):
    def suggest_params(self, trial, data):
        sizes = [16, 32] if trial.number % 2 else [32, 64]
        return {**super().suggest_params(trial, data), "batch_size": trial.suggest_categorical("size", sizes)}

    def default_params(self, data):
        return {**super().default_params(data), "size": 32}


class NotJson(Softmax):
    def suggest_params(self, trial, data):
        return {**super().suggest_params(trial, data), "batch_size": np.int64(32)}


class ReturnsPairs(Softmax):
    def suggest_params(self, trial, data):
        return list(super().suggest_params(trial, data).items())


class DrawsByItself(Softmax):
    def suggest_params(self, trial, data):
        return {**super().suggest_params(trial, data), "rate": float(np.random.uniform(0.1, 1.0))}  # noqa: NPY002


class SearchesTheImpossible(Softmax):
    """Half of its space is refused by fit."""

    def suggest_params(self, trial, data):
        return {**super().default_params(data), "rate": trial.suggest_float("rate", -1.0, 1.0)}

    def fit(self, params, train, valid, context):
        if params["rate"] <= 0:
            raise ValueError(f"rate is {params['rate']}; a number above 0 is expected")
        return super().fit(params, train, valid, context)


class DefaultsOutside(Softmax):
    def default_params(self, data):
        return {"rate": 3.0, "batch_size": 32}

    def test_params(self, data):
        return Softmax.default_params(self, data)


class TestsNoJson(Softmax):
    __test__ = False

    def test_params(self, data):
        return {"rate": np.float32(0.3), "batch_size": 32}


class TestsHalf(Softmax):
    """Works without the size of a batch, and forgets that it is searched."""

    __test__ = False

    def test_params(self, data):
        return {"rate": 0.3}

    def fit(self, params, train, valid, context):
        return super().fit({"batch_size": 32, **params}, train, valid, context)


class SaysLittle(Softmax):
    def fit(self, params, train, valid, context):
        try:
            return super().fit(params, train, valid, context)
        except KeyError:
            raise ValueError("bad configuration") from None


# Manners.


class ReturnsADict(Softmax):
    def finish(self, model, best):
        return {"weights": best}


class ChangesX(Softmax):
    """Centres the training rows where they are."""

    def fit(self, params, train, valid, context):
        np.subtract(train.X, train.X.mean(axis=0), out=train.X)
        return super().fit(params, train, valid, context)


class ChangesParams(Softmax):
    def fit(self, params, train, valid, context):
        params["rate"] /= 2
        return super().fit(params, train, valid, context)


class SeedsTheGlobalState(Softmax):
    def fit(self, params, train, valid, context):
        np.random.seed(context.seed)  # noqa: NPY002
        return super().fit(params, train, valid, context)


class SetsAVariable(Softmax):
    def fit(self, params, train, valid, context):
        os.environ["OMP_NUM_THREADS"] = "4"
        return super().fit(params, train, valid, context)


class IgnoresTheSeed(Softmax):
    def random(self, context):
        return np.random.default_rng(0)


class IsNeverTheSame(Softmax):
    def random(self, context):
        return np.random.default_rng()


class KeepsState(Softmax):
    """Starts where its last training ended."""

    last = None

    def start(self, train, random):
        found = super().start(train, random)
        return found if self.last is None or self.last.shape != found.shape else self.last

    def finish(self, model, best):
        self.last = super().finish(model, best).weights.copy()
        return model


class KeepsItsScale(Softmax):
    """Steps as far as suits the first data that its process saw."""

    scale = None

    def fit(self, params, train, valid, context):
        cls = KeepsItsScale
        cls.scale = cls.scale or float(np.abs(train.X[0]).sum())
        return super().fit(params, train, valid, context)

    def step(self, model, features, y, rate):
        super().step(model, features, y, 3 * rate / self.scale)


class DrawsOncePerProcess(Softmax):
    """Starts from a seed that its process drew when it first trained."""

    seed = None

    def start(self, train, random):
        cls = DrawsOncePerProcess
        cls.seed = cls.seed or int.from_bytes(os.urandom(4))
        return super().start(train, np.random.default_rng([cls.seed, random.integers(2**32)]))


class TrainsOtherwiseHere(Softmax):
    """Right: takes other steps where the settings of a user's session are not those of a run."""

    def step(self, model, features, y, rate):
        in_a_run = os.environ.get("CUDA_VISIBLE_DEVICES") == "-1"
        super().step(model, features, y, rate if in_a_run else rate / 2)


class LearnsTheValidationPart(Softmax):
    def fit(self, params, train, valid, context):
        if valid is not None:
            train = Data(np.concatenate([train.X, valid.X]), np.concatenate([train.y, valid.y]), train.spec)
        return super().fit(params, train, valid, context)


class ReadsTheWallClock(Softmax):
    def is_over(self, context):
        return context.deadline is not None and time.time() > context.deadline


class HardCodesWorkers(Softmax):
    def epoch(self, model, params, train, random):
        together = threading.Barrier(4)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: together.wait(), range(4)))
        super().epoch(model, params, train, random)


class HardCodesThreads(Softmax):
    def fit(self, params, train, valid, context):
        with threadpool_limits(4):
            return super().fit(params, train, valid, context)


class HardCodesThreadsInEpochs(Softmax):
    """Takes them back before it reports."""

    def epoch(self, model, params, train, random):
        with threadpool_limits(4):
            super().epoch(model, params, train, random)


class HandsThreadsOn(Softmax):
    """Right: sets the number that it was given."""

    def epoch(self, model, params, train, random):
        with threadpool_limits(self.n_threads):
            super().epoch(model, params, train, random)

    def fit(self, params, train, valid, context):
        self.n_threads = context.n_threads
        return super().fit(params, train, valid, context)


# Epochs and reports.


class IgnoresMaxEpochs(Softmax):
    def n_epochs(self, context):
        return 10 if context.max_epochs < 10 else context.max_epochs


class PretendsEpochs(Softmax):
    """Does all its work in the first epoch, however many there are."""

    def epoch(self, model, params, train, random):
        if not getattr(model, "done", False):
            for _ in range(10):
                super().epoch(model, params, train, random)
        model.done = True


class NeedsValidation(Softmax):
    def fit(self, params, train, valid, context):
        assert len(valid) > 0
        return super().fit(params, train, valid, context)


class ReportsNothing(Softmax):
    def report(self, context, epoch, **scores):
        context.history.clear()


class SkipsReports(Softmax):
    def report(self, context, epoch, **scores):
        if epoch != 2:
            context.report(epoch, **scores)


class ReportsOtherNames(Softmax):
    def report(self, context, epoch, **scores):
        context.report(epoch, **scores, val_loss=0.5)


class ReportsPercent(Softmax):
    def report(self, context, epoch, **scores):
        if "valid_accuracy" in scores:
            scores["valid_accuracy"] *= 100
        context.report(epoch, **scores)


class SwallowsPruning(Softmax):
    def report(self, context, epoch, **scores):
        with contextlib.suppress(Exception):
            context.report(epoch, **scores)


class SplitsForItself(Softmax):
    """Scores a part of the training rows instead of the validation part."""

    def fit(self, params, train, valid, context):
        if valid is not None:
            valid = Data(train.X[-32:], train.y[-32:], train.spec)
        return super().fit(params, train, valid, context)


class KeepsTheLastEpoch(Softmax):
    def finish(self, model, best):
        return model


class KeepsTheFirstEpoch(Softmax):
    def epoch(self, model, params, train, random):
        super().epoch(model, params, train, random)
        model.first = getattr(model, "first", model.weights.copy())

    def finish(self, model, best):
        model.weights = model.weights if best is None else model.first
        del model.first
        return model


class ReportsTheErrorRate(Softmax):
    def score(self, model, valid):
        loss, accuracy = super().score(model, valid)
        return loss, 1 - accuracy


class StopsEarlyAlone(Softmax):
    """Trains for five epochs at most where there is no validation part."""

    def fit(self, params, train, valid, context):
        if valid is None:
            context.max_epochs = min(5, context.max_epochs)
        return super().fit(params, train, valid, context)


# Predictions.


class NeedsLabels(Weights):
    def predict_proba(self, X, y):
        return super().predict_proba(X)


class PredictsWithLabels(Softmax):
    model = NeedsLabels

    def score(self, model, valid):
        return super().score(Weights(model.weights), valid)


class Doubles(Weights):
    def predict_proba(self, X):
        return super().predict_proba(X).astype(np.float64)


class ReturnsDoubles(Softmax):
    model = Doubles


class Logits(Weights):
    def predict_proba(self, X):
        return np.log(super().predict_proba(X) + 1e-7)


class ReturnsLogits(Softmax):
    model = Logits

    def score(self, model, valid):
        return super().score(Weights(model.weights), valid)


class DoubleLogits(Logits):
    def predict_proba(self, X):
        return super().predict_proba(X).astype(np.float64)


class ReturnsDoubleLogits(ReturnsLogits):
    model = DoubleLogits


class Overflowing(Weights):
    """Takes powers of e as they come."""

    def probabilities(self, features):
        powers = np.exp((features @ self.weights[:-1] + self.weights[-1]).astype(np.float32))
        return powers / powers.sum(axis=1, keepdims=True)


class OverflowsFarAway(Softmax):
    model = Overflowing


class Noisy(Weights):
    def predict_proba(self, X):
        return super().predict_proba(X * np.random.default_rng().uniform(0.8, 1.2, X.shape))


class DropsWhilePredicting(Softmax):
    model = Noisy


class Sorted(Weights):
    """Predicts the first two rows by size and forgets to turn them back."""

    def predict_proba(self, X):
        found = super().predict_proba(X)
        if len(X) > 1 and np.abs(X[0]).sum() > np.abs(X[1]).sum():
            found[:2] = found[1::-1]
        return found


class ForgetsTheOrder(Softmax):
    model = Sorted


class Standardised(Weights):
    def features(self, X):
        found = super().features(X)
        return (found - found.mean(axis=0)) / np.maximum(found.std(axis=0), 0.1)


class UsesTheBatch(Softmax):
    model = Standardised


class Chunks(Weights):
    """Predicts 64 rows at a time, and beyond that whole chunks only."""

    def predict_proba(self, X):
        whole = max(1, len(X) // 64 * 64)
        return np.concatenate([super(Chunks, self).predict_proba(X[i : i + 64]) for i in range(0, whole, 64)])


class LosesTheLastChunk(Softmax):
    model = Chunks


class FirstChunk(Weights):
    """Centres what lies beyond 64 rows."""

    def features(self, X):
        found = super().features(X)
        found[64:] -= found[64:].mean(axis=0) if len(found) > 64 else 0
        return found


class TreatsLaterChunksOtherwise(Softmax):
    model = FirstChunk

    def start(self, train, random):
        return 5 * super().start(train, random)


class Writing(Weights):
    def predict_proba(self, X):
        found = super().predict_proba(X)
        if X.flags.writeable:
            X += 1
        return found


class ChangesWhatItPredicts(Softmax):
    """Works on its samples in place, where it may."""

    model = Writing

    def score(self, model, valid):
        return super().score(Weights(model.weights), valid)


class OnlyKnownWords(WordWeights):
    size = None

    def features(self, X):
        if self.size is not None and X.values.max() >= self.size:
            raise IndexError(f"word {X.values.max()} is out of bounds")
        return super().features(X)


class IndexesUnseenWords(WordSoftmax):
    model = OnlyKnownWords

    def fit(self, params, train, valid, context):
        model = super().fit(params, train, valid, context)
        model.size = train.spec.vocabulary_size
        return model


class Guessed(Weights):
    n_parameters = 42


class GuessesItsSize(Softmax):
    model = Guessed


class Unbiased(Weights):
    def save(self, folder):
        np.save(folder / "weights.npy", np.concatenate([self.weights[:-1], 0 * self.weights[-1:]]))


class LosesWeights(Softmax):
    """Saves without the intercepts."""

    model = Unbiased


class InMemory(Weights):
    kept: ClassVar = {}

    def save(self, folder):
        self.kept["weights"] = self.weights
        (folder / "where.json").write_text(json.dumps("weights"))

    @classmethod
    def load(cls, folder):
        return cls(cls.kept[json.loads((folder / "where.json").read_text())])


class SavesInMemory(Softmax):
    model = InMemory


class Elsewhere(Weights):
    """Writes no weights into its folder, but the name of the file that has them."""

    def save(self, folder):
        file = self.file(folder)
        np.save(file, self.weights)
        (folder / "where.json").write_text(json.dumps(str(file)))

    def file(self, folder):
        return Path(tempfile.gettempdir(), "weights.npy").resolve()

    @classmethod
    def load(cls, folder):
        return cls(np.load(json.loads((folder / "where.json").read_text())))


class SavesOutsideTheFolder(Softmax):
    model = Elsewhere


class NextToIt(Elsewhere):
    def file(self, folder):
        return Path("weights.npy").resolve()


class SavesInTheCurrentFolder(Softmax):
    model = NextToIt


class Absolute(Elsewhere):
    def file(self, folder):
        return (folder / "weights.npy").resolve()


class SavesAnAbsolutePath(Softmax):
    model = Absolute


class Rounding(Weights):
    def save(self, folder):
        super().save(folder)
        self.weights = np.round(self.weights)


class SaveChangesTheModel(Softmax):
    model = Rounding


# Classes and learning.


class OneColumn(Weights):
    def predict_proba(self, X):
        found = super().predict_proba(X)
        return found[:, 1:] if found.shape[1] == 2 else found


class ReturnsOneColumn(Softmax):
    """Gives the probability of the second class alone where there are two."""

    model = OneColumn

    def score(self, model, valid):
        return super().score(Weights(model.weights), valid)


class FewClasses(Softmax):
    def start(self, train, random):
        if train.spec.n_classes > 5:
            raise ValueError("n_classes is above 5")
        return super().start(train, random)


class ComparesWithinBatches(Softmax):
    """Needs two classes in every batch of more than one row."""

    def step(self, model, features, y, rate):
        if len(y) > 1 and len(set(y.tolist())) < 2:
            raise ValueError("a batch holds one class only")
        super().step(model, features, y, rate)

    def epoch(self, model, params, train, random):
        random.permutation(1)
        super().epoch(model, params, train, _InOrder())


class _InOrder:
    def permutation(self, n):
        return np.arange(n)


class CountsLabels(Softmax):
    """Takes the number of classes from the labels."""

    def fit(self, params, train, valid, context):
        codes = np.unique(train.y)
        if len(codes) == train.spec.n_classes:
            return super().fit(params, train, valid, context)
        rows = np.isin(valid.y, codes)
        spec = DataSpec(
            name="fewer",
            view="tabular",
            n_classes=len(codes),
            class_names=tuple(map(str, codes)),
            sample_shape=train.spec.sample_shape,
            n_train=len(train),
        )
        train = Data(train.X, np.searchsorted(codes, train.y), spec)
        valid = Data(valid.X[rows], np.searchsorted(codes, valid.y[rows]), spec)
        return super().fit(params, train, valid, context)


class NeedsPairs(Softmax):
    """Standardises each batch, which takes two rows."""

    def step(self, model, features, y, rate):
        if len(y) < 2:
            raise FloatingPointError("the deviation of one row is not defined")
        super().step(model, features, y, rate)


class LearnsNothing(Softmax):
    def epoch(self, model, params, train, random):
        model.weights[-1] += [1.0] + [0.0] * (train.spec.n_classes - 1)


class FavoursTheFirst(Softmax):
    """With two classes it always says the first."""

    def finish(self, model, best):
        model = super().finish(model, best)
        if model.weights.shape[1] == 2:
            model.weights[-1] = [1e3, 0]
        return model


class Reversed(Weights):
    def predict_proba(self, X):
        return super().predict_proba(X)[:, ::-1].copy()


class SwapsClasses(Softmax):
    model = Reversed


class Buffered(Weights):
    def predict_proba(self, X):
        if len(X) > len(self.__dict__.setdefault("buffer", np.empty((0, 1)))):
            self.buffer = np.empty((len(X), self.weights.shape[1]), dtype=np.float32)
        self.buffer[: len(X)] = super().predict_proba(X)
        return self.buffer[: len(X)]


class ReusesItsBuffer(Softmax):
    model = Buffered


class SearchesLists(Softmax):
    def suggest_params(self, trial, data):
        return {**super().suggest_params(trial, data), "rates": trial.suggest_categorical("rates", [[1], [2]])}

    def default_params(self, data):
        return {**super().default_params(data), "rates": [1]}


class AsksTwice(Softmax):
    def suggest_params(self, trial, data):
        return {**super().suggest_params(trial, data), "late": trial.suggest_float("rate", 0.2, 1.0)}

    def epoch(self, model, params, train, random):
        super().epoch(model, {**params, "rate": params.get("late", params["rate"])}, train, random)


class Centred(Weights):
    def __init__(self, weights, mean=0.0):
        super().__init__(weights)
        self.mean = mean

    def features(self, X):
        return super().features(X) - self.mean

    def save(self, folder):
        super().save(folder)
        np.save(folder / "mean.npy", self.mean)

    @classmethod
    def load(cls, folder):
        return cls(np.load(folder / "weights.npy"), np.load(folder / "mean.npy"))


class CentresWithValidation(Softmax):
    def fit(self, params, train, valid, context):
        rows = train.X if valid is None else np.concatenate([train.X, valid.X])
        mean = rows.mean(axis=0, dtype=np.float64)
        parts = [part and Data(part.X - mean, part.y, part.spec) for part in (train, valid)]
        return Centred(super().fit(params, *parts, context).weights, mean)


class Unbound(Weights):
    def load(self, folder):
        return type(self)(np.load(folder / "weights.npy"))


class LoadsFromAModel(Softmax):
    model = Unbound


class Uncounted(Weights):
    def n_parameters(self):
        return int(self.weights.size)


class CountsInAMethod(Softmax):
    model = Uncounted


class WritesNothing(Weights):
    def save(self, folder):
        pass


class SavesNothing(Softmax):
    model = WritesNothing


RIGHT = [Softmax, TwoViews, WordSoftmax, Fixed, RandomFeatures, HandsThreadsOn, TrainsOtherwiseHere]

FAULTS = {
    ReusesItsBuffer: {"check_predictions_repeat"},
    SearchesLists: {"check_space_is_searchable"},
    AsksTwice: {"check_space_is_searchable"},
    CentresWithValidation: {"check_trains_on_the_training_part_only"},
    LoadsFromAModel: {"check_saves_and_loads_in_a_fresh_process"},
    CountsInAMethod: {"check_n_parameters"},
    SavesNothing: {"check_saves_and_loads_in_a_fresh_process"},
    NeedsArguments: {"check_constructs_without_arguments"},
    UnknownFramework: {"check_tags"},
    UnknownView: {"check_tags"},
    NamesNoDataset: {"check_default_dataset_is_installed"},
    RandomInSecondView: {"check_accepts_its_views"},
    NaNInSecondView: {"check_accepts_its_views"},
    SortsInSecondView: {"check_accepts_its_views"},
    ClaimsAView: {"check_accepts_its_views"},
    ExcusesWhatPasses: {"check_n_parameters"},
    ExcusesItsFoundation: {"check_expected_failures"},
    ListsItsExcuses: {"check_expected_failures"},
    GivesNoReason: {"check_expected_failures"},
    ExcusesWhatIsNoCheck: {"check_expected_failures"},
    EmptyRange: {"check_space_is_searchable"},
    ChangesChoices: {"check_space_is_searchable", "check_every_parameter_matters"},
    NotJson: {"check_space_is_json", "check_every_parameter_matters"},
    ReturnsPairs: {"check_space_is_json"},
    DrawsByItself: {"check_space_repeats"},
    SearchesTheImpossible: {"check_every_draw_is_accepted"},
    DefaultsOutside: {"check_default_params_lie_in_the_space"},
    TestsNoJson: {"check_test_params"},
    TestsHalf: {"check_test_params"},
    SaysLittle: {"check_error_messages_name_the_parameter"},
    ReturnsADict: {"check_trains"},
    ChangesX: {"check_leaves_its_arguments_alone", "check_takes_read_only_maps"},
    ChangesParams: {"check_leaves_its_arguments_alone"},
    SeedsTheGlobalState: {"check_leaves_global_random_state_alone"},
    SetsAVariable: {"check_leaves_environment_alone"},
    IgnoresTheSeed: {"check_other_seed_other_predictions"},
    IsNeverTheSame: {"check_same_seed_same_predictions"},
    KeepsState: {"check_fits_are_independent"},
    KeepsItsScale: {"check_fits_are_independent"},
    DrawsOncePerProcess: {"check_fits_are_independent"},
    LearnsTheValidationPart: {"check_trains_on_the_training_part_only"},
    ReadsTheWallClock: {"check_respects_deadline"},
    HardCodesWorkers: {"check_respects_n_threads"},
    HardCodesThreads: {"check_respects_n_threads"},
    HardCodesThreadsInEpochs: {"check_respects_n_threads"},
    IgnoresMaxEpochs: {"check_respects_max_epochs"},
    PretendsEpochs: {"check_respects_max_epochs"},
    NeedsValidation: {"check_works_without_validation"},
    ReportsNothing: {"check_reports_every_epoch"},
    SkipsReports: {"check_reports_every_epoch"},
    ReportsOtherNames: {"check_reports_every_epoch"},
    ReportsPercent: {"check_reports_every_epoch"},
    SwallowsPruning: {"check_pruning_passes_through"},
    SplitsForItself: {"check_uses_the_given_validation_part"},
    StopsEarlyAlone: {"check_works_without_validation"},
    KeepsTheFirstEpoch: {"check_keeps_the_best_epoch"},
    ReportsTheErrorRate: {"check_keeps_the_best_epoch"},
    KeepsTheLastEpoch: {"check_keeps_the_best_epoch"},
    PredictsWithLabels: {"check_predicts"},
    ReturnsDoubles: {"check_probabilities_have_shape_and_dtype"},
    ReturnsLogits: {"check_probabilities_sum_to_one"},
    ReturnsDoubleLogits: {"check_probabilities_have_shape_and_dtype", "check_probabilities_sum_to_one"},
    OverflowsFarAway: {"check_far_samples_have_probabilities"},
    DropsWhilePredicting: {"check_predictions_repeat"},
    ForgetsTheOrder: {"check_rows_keep_their_order"},
    UsesTheBatch: {"check_one_row_equals_its_row_in_a_batch"},
    LosesTheLastChunk: {"check_many_rows_equal_their_rows_in_a_batch"},
    TreatsLaterChunksOtherwise: {"check_many_rows_equal_their_rows_in_a_batch"},
    ChangesWhatItPredicts: {"check_predicting_leaves_samples_alone"},
    IndexesUnseenWords: {"check_takes_unseen_words"},
    GuessesItsSize: {"check_n_parameters"},
    LosesWeights: {"check_saves_and_loads_in_a_fresh_process"},
    SavesInMemory: {"check_saves_and_loads_in_a_fresh_process"},
    SavesOutsideTheFolder: {"check_saves_and_loads_in_a_fresh_process"},
    SavesInTheCurrentFolder: {"check_saves_and_loads_in_a_fresh_process"},
    SavesAnAbsolutePath: {"check_saves_and_loads_in_a_fresh_process"},
    SaveChangesTheModel: {"check_saves_and_loads_in_a_fresh_process"},
    ReturnsOneColumn: {"check_two_classes"},
    FewClasses: {"check_ten_classes"},
    ComparesWithinBatches: {"check_class_missing_in_a_batch"},
    CountsLabels: {"check_class_missing_in_training"},
    NeedsPairs: {"check_one_sample_in_the_last_batch"},
    LearnsNothing: {"check_learns_a_trivial_problem", "check_beats_the_majority_class"},
    FavoursTheFirst: {"check_beats_the_majority_class"},
    SwapsClasses: {"check_columns_follow_class_codes"},
}
