"""The two reference models that every data set is measured against: the majority class and a linear model."""

from __future__ import annotations

from typing import Any, ClassVar

import sklearn.dummy
import sklearn.linear_model
from sklearn.exceptions import ConvergenceWarning

from nncompare.data.records import DataSpec
from nncompare.frameworks.sklearn import SklearnPlugin
from nncompare.plugin import ModelTags, Params, Trial

LBFGS_ITERATIONS = 100


class _Reference(SklearnPlugin):
    """A model without anything to tune."""

    tags: ClassVar[ModelTags] = ModelTags(accepts=("tabular",), sparse=True, framework="sklearn")

    def suggest_params(self, trial: Trial, data: DataSpec) -> Params:
        """Return nothing: a reference is the same for every study."""
        return {}

    def default_params(self, data: DataSpec) -> Params:
        """Return nothing: a reference has no parameters."""
        return {}


class MajorityClass(_Reference):
    """Predict the class frequencies of the training part for every sample."""

    def build(self, params: Params, data: DataSpec, seed: int) -> Any:
        """Return a ``DummyClassifier`` with the strategy "prior"."""
        return sklearn.dummy.DummyClassifier(strategy="prior")


class LogisticRegression(_Reference):
    """Multinomial logistic regression, L2 with C = 1, at most 100 iterations of L-BFGS.

    The limit keeps a reference cheap; that it may stop before convergence is part of its definition, so the
    warning about it is expected.
    """

    expected_warnings = (ConvergenceWarning,)

    def build(self, params: Params, data: DataSpec, seed: int) -> Any:
        """Return a ``LogisticRegression`` with the solver "lbfgs"."""
        return sklearn.linear_model.LogisticRegression(solver="lbfgs", max_iter=LBFGS_ITERATIONS)
