"""Families of scikit-learn that are right, each of another kind: what they hold is not what they train."""

from __future__ import annotations

from typing import ClassVar

from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier

from nncompare.frameworks.sklearn import SklearnModel, SklearnPlugin
from nncompare.plugin import ModelTags

TAGS = ModelTags(accepts=("tabular",), default_dataset="digits", framework="sklearn")
NOT_RANDOM = {"check_other_seed_other_predictions": "Nothing in it is random."}


class Discriminant(SklearnPlugin):
    """Holds means and covariances beside its weights."""

    tags: ClassVar[ModelTags] = TAGS
    expected_failures: ClassVar[dict[str, str]] = NOT_RANDOM

    def suggest_params(self, trial, data):
        return {"shrinkage": trial.suggest_float("shrinkage", 0.1, 1.0)}

    def default_params(self, data):
        return {"shrinkage": 0.4}

    def build(self, params, data, seed):
        return LinearDiscriminantAnalysis(solver="lsqr", shrinkage=params["shrinkage"])


class Trees(SklearnModel):
    """Trusts what a forest is stored with."""

    trusted_types = ("sklearn.tree._tree.Tree",)


class Forest(SklearnPlugin):
    """Holds its trees in memory of compiled code."""

    tags: ClassVar[ModelTags] = TAGS
    expected_failures: ClassVar[dict[str, str]] = {}

    def suggest_params(self, trial, data):
        return {"trees": trial.suggest_int("trees", 5, 20)}

    def default_params(self, data):
        return {"trees": 10}

    def build(self, params, data, seed):
        return RandomForestClassifier(params["trees"], random_state=seed)

    def fit(self, params, train, valid, context):
        return Trees(super().fit(params, train, valid, context).estimator, train.spec.n_classes)


class Neighbours(SklearnPlugin):
    """Holds the training rows; how many of them it may ask depends on how many there are."""

    tags: ClassVar[ModelTags] = TAGS
    expected_failures: ClassVar[dict[str, str]] = NOT_RANDOM

    def suggest_params(self, trial, data):
        return {"k": trial.suggest_int("k", 1, min(100, data.n_train))}

    def default_params(self, data):
        return {"k": 5}

    def build(self, params, data, seed):
        return KNeighborsClassifier(params["k"], algorithm="brute")


RIGHT = [Discriminant, Forest, Neighbours]
