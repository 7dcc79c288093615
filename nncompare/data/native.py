"""The form in which samples come, before any conversion: what a saved model needs to know of new samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nncompare.data.records import Column, SeriesColumns, View

if TYPE_CHECKING:
    from nncompare.data.store import StoredDataset

__all__ = ["Native"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Native:
    """The form of a data set's samples as they are stored.

    Parameters
    ----------
    view : {"tabular", "image", "sequence", "tokens"}
    sample_shape : tuple of int or None
        ``X.shape[1:]``; None for tokens.
    dtype : str
        NumPy's name of ``X``'s dtype; of the ids for tokens.
    scale : float
        Brings samples to unit range.
    columns : tuple of Column
        Of a table with named columns, whose ``X`` is float64 and may hold NaN; empty for all else.
    target : str or None
        The column with the classes, which is none of ``columns`` and which new tables may have too.
    text : str or None
        The column of texts whose words nncompare found itself; None for all else, tokens of plugins too.
    words : tuple of str
        Of such texts: id ``k`` stands for ``words[k - 4]``. Larger ids are words that no model may learn.
    series : SeriesColumns or None
        The columns of a table of series, whose features are standardised in the view "sequence" too.
    from_files : bool
        The samples were files of images.
    """

    view: View
    sample_shape: tuple[int, ...] | None
    dtype: str
    scale: float = 1.0
    columns: tuple[Column, ...] = ()
    target: str | None = None
    text: str | None = None
    words: tuple[str, ...] = ()
    series: SeriesColumns | None = None
    from_files: bool = False

    @classmethod
    def of(cls, stored: StoredDataset) -> Native:
        """Return the form of a stored data set."""
        return cls(
            view=stored.view,
            sample_shape=stored.sample_shape,
            dtype=stored.dtype,
            scale=stored.scale,
            columns=stored.columns,
            target=stored.target,
            text=None if stored.text is None else stored.text.name,
            series=stored.series,
            from_files=bool(stored.test_files),
            words=() if stored.text is None else tuple(stored.words()[: stored.text.n_words]),
        )
