"""Histogram gradient boosting from scikit-learn: a strong reference on tables, and no network."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from nncompare.frameworks.sklearn import SklearnModel, SklearnPlugin
from nncompare.plugin import Data, DataSpec, FitContext, ModelTags, Params, Trial
from sklearn.ensemble import HistGradientBoostingClassifier

ROUNDS_PER_EPOCH = 5


class ByRounds(HistGradientBoostingClassifier):  # type: ignore[misc]
    """Each call of ``partial_fit`` adds rounds of boosting, so that nncompare can score and stop in between."""

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Self:
        """Add ``ROUNDS_PER_EPOCH`` rounds; a round is one tree per class."""
        n_rounds = getattr(self, "n_iter_", 0)
        self.set_params(max_iter=n_rounds + ROUNDS_PER_EPOCH)
        return self.fit(X, y)  # type: ignore[no-any-return]


class Boosted(SklearnModel):
    """Fitted trees, which are stored without pickle."""

    trusted_types: ClassVar[tuple[str, ...]] = (
        f"{__name__}.ByRounds",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    )

    @property
    def n_parameters(self) -> int:
        """Number of nodes: each holds one fitted value, a threshold or, in a leaf, what it adds."""
        return sum(len(tree.nodes) for trees in self.estimator._predictors for tree in trees)


class HistGradientBoosting(SklearnPlugin):
    """Trees that correct each other, on features in 255 bins (Ke et al., 2017: LightGBM)."""

    tags: ClassVar[ModelTags] = ModelTags(accepts=("tabular",), default_dataset="digits", framework="sklearn")

    def suggest_params(self, trial: Trial, data: DataSpec) -> Params:
        """Ask for learning rate, size of the trees, share of the features and penalty."""
        return {
            "learning_rate": trial.suggest_float("learning_rate", 0.03, 0.3, log=True),
            "max_leaf_nodes": trial.suggest_int("max_leaf_nodes", 7, 31, log=True),
            "max_features": trial.suggest_float("max_features", 0.3, 0.9),
            "l2_regularization": trial.suggest_float("l2_regularization", 1e-4, 10.0, log=True),
        }

    def default_params(self, data: DataSpec) -> Params:
        """Return the configuration of trial 0."""
        return {"learning_rate": 0.1, "max_leaf_nodes": 15, "max_features": 0.5, "l2_regularization": 1e-2}

    def build(self, params: Params, data: DataSpec, seed: int) -> Any:
        """Return an unfitted classifier; nncompare stops it early, on the validation part."""
        return ByRounds(**params, early_stopping=False, warm_start=True, random_state=seed)

    def fit(self, params: Params, train: Data, valid: Data | None, context: FitContext) -> SklearnModel:
        """Train one configuration."""
        model = super().fit(params, train, valid, context)
        return Boosted(model.estimator, model.n_classes)
