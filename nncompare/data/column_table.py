"""Tables with named columns: numbers with gaps and categories become numbers, as the training rows alone say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from nncompare.data.arrays import write_chunks
from nncompare.data.native import Native
from nncompare.data.records import Array, View
from nncompare.data.samples import gather
from nncompare.data.splits import Rows
from nncompare.exceptions import DataError

__all__ = ["ColumnTable"]

MAX_CATEGORIES = 50


@dataclass(frozen=True)
class ColumnTable:
    """A table with named columns as a dense one, of which each column may be a step too.

    A scikit-learn ``ColumnTransformer``. Of a column of numbers the gaps are filled with the median and all is
    standardised; where the fitted rows have gaps, a further column tells them. A column of categories becomes one
    column for each, with missing as a category of its own; of more than 50, the rare ones share one. What was
    never seen before is none of the categories, or one of the rare ones.

    Parameters
    ----------
    native : Native
        With columns.
    view : {"tabular", "sequence"}
    archive : bytes
        The fitted transformer, as skops writes it.
    n_features : int
        Columns of the converted table.
    """

    kind: ClassVar[str] = "columns"
    dtype: ClassVar[str] = "float32"
    remaining_scale: ClassVar[float] = 1.0
    vocabulary_size: ClassVar[None] = None
    sparse: ClassVar[bool] = False

    native: Native
    view: View
    archive: bytes
    n_features: int

    @classmethod
    def fit(cls, native: Native, view: View, X_train: Array, rows: Rows) -> Self:
        """Return the conversion that is fitted on ``X_train[rows]`` alone."""
        import skops.io

        transformer = _transformer(native).fit(np.asarray(X_train[rows]))
        n_features = transformer.transform(np.asarray(X_train[rows[:1]])).shape[1]
        return cls(native, view, skops.io.dumps(transformer), n_features)

    @classmethod
    def from_state(cls, native: Native, view: View, state: Mapping[str, Array]) -> Self:
        """Return the conversion that :meth:`state` was taken of."""
        return cls(native, view, state["archive"].tobytes(), int(state["n_features"]))

    def state(self) -> dict[str, Array]:
        """Return what was fitted."""
        return {"archive": np.frombuffer(self.archive, np.uint8), "n_features": np.array(self.n_features)}

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one converted sample."""
        return (self.n_features, 1) if self.view == "sequence" else (self.n_features,)

    def write(self, folder: Path, X: Array, rows: Rows) -> Path:
        """Write the converted samples of ``rows``, chunk by chunk.

        Raises
        ------
        DataError
            What was fitted holds types that skops does not trust, as nothing that this class wrote does.
        """
        path = folder / "X.npy"
        shape = self.sample_shape
        chunks = (self._fitted.transform(chunk).reshape(len(chunk), *shape) for chunk in gather(X, rows))
        write_chunks(path, (len(rows), *shape), self.dtype, chunks)
        return path

    @cached_property
    def _fitted(self) -> Any:
        import skops.io

        untrusted = skops.io.get_untrusted_types(data=self.archive)
        if untrusted:
            raise DataError(
                f"The preprocessing of the table cannot be loaded safely: skops does not trust "
                f"{', '.join(untrusted)}. Run the comparison again."
            )
        return skops.io.loads(self.archive)


def _transformer(native: Native) -> Any:
    """Return the unfitted transformer of the columns of numbers and of categories."""
    # Imported here because trial children import this module and must start in 0.1 s.
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = [i for i, column in enumerate(native.columns) if column.categories is None]
    categories = [i for i, column in enumerate(native.columns) if column.categories is not None]
    fill = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    encode = OneHotEncoder(
        handle_unknown="infrequent_if_exist",
        max_categories=MAX_CATEGORIES,
        sparse_output=False,
        dtype=np.float32,
    )
    return ColumnTransformer(
        [("numbers", make_pipeline(fill, StandardScaler()), numbers), ("categories", encode, categories)],
        sparse_threshold=0,
    )
