"""A trained scikit-learn model as one skops file: a pipeline of its preprocessing and its estimator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nncompare.data.column_table import MAX_CATEGORIES, NOWHERE, ColumnTable
from nncompare.data.conversion import Conversion
from nncompare.data.dense import DenseConversion
from nncompare.data.records import Array
from nncompare.frameworks.sklearn import without_optimizer
from nncompare.frameworks.stable_archives import settled_skops
from nncompare.portable.card_code import as_trained
from nncompare.portable.raw import as_columns

__all__ = ["open_skops", "pipeline_of", "untrusted_types", "write_skops"]


def write_skops(estimator: Any, conversion: Conversion, path: Path) -> None:
    """Write a pipeline that takes rows as they were measured: flattened arrays, or a DataFrame."""
    import skops.io

    path.write_bytes(settled_skops(skops.io.dumps(pipeline_of(estimator, conversion))))


def untrusted_types(path: Path) -> list[str]:
    """Return the types in a file that skops does not trust by itself: whoever loads it has to name them."""
    import skops.io

    return list(skops.io.get_untrusted_types(file=path))


def open_skops(path: Path, conversion: Conversion) -> Callable[[Any], Array]:
    """Return a function from samples to probabilities, computed by the pipeline of the file alone.

    Samples are native ones, or a DataFrame where the table names its columns, as its model card takes it.
    """
    import skops.io

    pipeline = skops.io.load(path, trusted=untrusted_types(path))
    columns = conversion.native.columns

    def predict(X: Any) -> Array:
        rows = as_trained(X, as_columns(columns)) if columns else np.asarray(X).reshape(len(X), -1)
        return np.asarray(pipeline.predict_proba(rows))

    return predict


def pipeline_of(estimator: Any, conversion: Conversion) -> Any:
    """Return the pipeline of a fitted conversion and a fitted estimator.

    Parameters
    ----------
    estimator : sklearn.base.ClassifierMixin
    conversion : Conversion
        To a table, of arrays or of a table with named columns.

    Returns
    -------
    sklearn.pipeline.Pipeline
    """
    from sklearn.pipeline import Pipeline

    if isinstance(conversion, ColumnTable):
        steps = _transformer(conversion)
    elif isinstance(conversion, DenseConversion):
        steps = _scaler(conversion.mean, conversion.deviation)
    else:
        raise TypeError(f"No pipeline for {type(conversion).__name__}")
    return Pipeline([("preprocessing", steps), ("model", without_optimizer(estimator))])


def _scaler(mean: Array, deviation: Array) -> Any:
    """Return a StandardScaler with these moments."""
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler()
    scaler.mean_, scaler.scale_, scaler.var_ = mean.copy(), deviation.copy(), deviation**2
    scaler.n_features_in_, scaler.n_samples_seen_ = len(mean), 1
    return scaler


def _transformer(table: ColumnTable) -> Any:
    """Return a ColumnTransformer that is equal to a table's conversion.

    scikit-learn's transformers are fitted on a few made-up rows that give them what was learned: the median, a gap
    where there was one, and each category as often as it takes to be kept or to be rare.
    """
    import pandas as pd
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers: list[str] = []
    parts: list[tuple[str, Any, list[str]]] = []
    rows: dict[str, list[Any]] = {}
    start = 0
    for column in table.native.columns:
        if column.categories is None:
            gap = [np.nan] if len(numbers) in table.gaps else []
            rows[column.name] = [*gap, table.median[len(numbers)]]
            numbers.append(column.name)
        else:
            end = start + len(column.categories) + 2
            rows[column.name] = _seen(column.categories, table.place[start:end])
            rare = OneHotEncoder(
                handle_unknown="infrequent_if_exist", max_categories=MAX_CATEGORIES, sparse_output=False
            )
            parts.append((f"categories_{len(parts)}", rare, [column.name]))
            start = end
    if numbers:
        fill = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
        parts.insert(0, ("numbers", Pipeline([("fill", fill), ("scale", StandardScaler())]), numbers))
    n_rows = max(map(len, rows.values()))
    padded = {name: [*seen, *[seen[-1]] * (n_rows - len(seen))] for name, seen in rows.items()}
    frame = pd.DataFrame(
        {name: pd.Series(seen, dtype=float if name in numbers else object) for name, seen in padded.items()}
    )
    transformer = ColumnTransformer(parts).fit(frame)
    if numbers:
        transformer.named_transformers_["numbers"].steps[-1] = ("scale", _scaler(table.mean, table.deviation))
    return transformer


def _seen(categories: Sequence[str], place: Array) -> list[Any]:
    """Return a column whose encoder has each category in its place: those of a place of their own come twice.

    The last value is one of these, of which there may be more; a column that has none is all missing.
    """
    *known, unknown, _ = place.tolist()
    values = [*categories, np.nan]
    places = [*known, place[-1]]
    own = [value for value, at in zip(values, places, strict=True) if at not in (NOWHERE, unknown)]
    rare = [value for value, at in zip(values, places, strict=True) if at == unknown != NOWHERE]
    return [*rare, *own, *own]
