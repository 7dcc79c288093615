"""What a data set is, before and after it has been put into the view that a model accepts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

View: TypeAlias = Literal["tabular", "image", "sequence", "tokens"]
VIEWS: tuple[View, ...] = get_args(View)

Array: TypeAlias = npt.NDArray[Any]
Labels: TypeAlias = npt.NDArray[np.int64]
Samples: TypeAlias = Any
"""``X`` of a part: an array; a :class:`~nncompare.data.ragged.Ragged` for tokens; a ``scipy.sparse.csr_array`` for
tokens as a table. Not a union, because a plugin knows which views it declared, and so which of them comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetInfo:
    """What is known about a data set before it is loaded.

    Parameters
    ----------
    name : str
        The name of the entry point.
    view : {"tabular", "image", "sequence", "tokens"}
        The form in which ``DatasetPlugin.load`` returns the samples.
    n_train, n_test : int
        Numbers of samples; ``n_test`` is 0 where the data set brings no test part.
    class_names : tuple of str
        Class ``k`` is called ``class_names[k]``.
    scale : float, default 1.0
        Multiply by this for unit range: 1/255 for uint8 images.
    download_bytes : int, default 0
        What has to be fetched at first use.
    licence, citation, description, homepage : str
        Shown by ``nncompare data list``, ``nncompare data info`` and in the report.
    """

    name: str
    view: View
    n_train: int
    n_test: int
    class_names: tuple[str, ...]
    scale: float = 1.0
    download_bytes: int = 0
    licence: str = ""
    citation: str = ""
    description: str = ""
    homepage: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table that is not numbers throughout.

    Parameters
    ----------
    name : str
    categories : tuple of str or None
        Of a categorical column, whose values in ``X`` are positions in it; None for a column of numbers.
    """

    name: str
    categories: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextColumn:
    """Where the texts of a data set stood, so that new ones can be read: nncompare found their words itself.

    Parameters
    ----------
    name : str
        The column of the table.
    n_words : int
        The words that models may learn: the first so many of ``Dataset.words``. The others are for reading only.
    """

    name: str
    n_words: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesColumns:
    """Where the series of a data set stood, so that new ones can be read: a table with a row for each step.

    Parameters
    ----------
    group : str
        The column that tells which series a row belongs to.
    time : str
        The column that orders the steps of a series.
    features : tuple of str
        The columns of numbers, in the order of the features in ``X``.
    is_padded : bool
        Series differ in length. Shorter ones repeat their last step, of longer ones the last steps are kept, and a
        further feature, behind the others, is 1 where a step was there and 0 where it was repeated.
    """

    group: str
    time: str
    features: tuple[str, ...]
    is_padded: bool = False


FindingLevel: TypeAlias = Literal["problem", "warning", "info", "ok"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that a reader has to know of a data set before believing a score; ``code`` is stable."""

    code: str
    level: FindingLevel
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class SplitBy:
    """A column of a data set that says which rows stay together when parts are split off; it is no feature.

    Parameters
    ----------
    kind : {"group", "time"}
        Rows of one group are never in two parts; or the last rows by time are held out.
    column : str
        What the column is called.
    keys : ndarray of shape (n_train,), int64
        Of each row: equal for rows of one group; rising with time.
    keys_test : ndarray of shape (n_test,), int64, or None
        Where the data set brings a test part.
    """

    kind: Literal["group", "time"]
    column: str
    keys: Array
    keys_test: Array | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """The raw samples and labels that ``DatasetPlugin.load`` returns.

    Parameters
    ----------
    X_train : ndarray of shape (n_train, ...) or Ragged
        tabular (n, features) float; image (n, h, w, c) uint8 or float; sequence (n, steps, features) float;
        tokens: a :class:`~nncompare.data.ragged.Ragged` of ids, 1 start, 2 unknown, a word's rank + 3. Ids of
        words follow falling frequency, because vocabularies are cut by id; 0 and 3 are refused.
    y_train : ndarray of shape (n_train,), integer
        Codes 0 ... n_classes - 1.
    X_test, y_test : ndarray, Ragged or None
        The test part, or None for both: then a stratified 20 % of train is set aside.
    words : sequence of str, default ()
        Tokens only, for people to read: the words by rank, so that id ``k`` stands for ``words[k - 4]``. With
        them, the report shows excerpts of test texts that models get wrong; without them it shows no text.
    columns : sequence of Column, default ()
        Tables only: what each column of ``X`` holds. With them ``X`` may have missing values (NaN) and categories;
        without them it is finite numbers throughout.
    target : str or None, default None
        Tables only: the column that held the classes, which is none of ``columns``.
    text : TextColumn or None, default None
        Tokens only, and only where ``X`` and ``words`` are what :func:`nncompare.data.texts.encode_texts` made.
    series : SeriesColumns or None, default None
        Sequences only, and only where nncompare read them from a table with a row for each step.
    left_out : sequence of (name, reason), default ()
        Tables only: columns that were left out of ``X``, to be named in the report.
    split_by : SplitBy or None, default None
        Which rows stay together when validation, and a test part where there is none, are split off. By default
        rows are drawn at random, with the classes in their proportions.
    rows : sequence of ndarray of int64, default ()
        Only where nncompare drew the test part itself on its way here: the rows of train and test in the source.
        Where ``X_test`` is None they are rows of ``X_train``, which is split by them and not drawn from again.
    test_files : sequence of str, default ()
        For people to read: the file that each test sample came from. With them, the report names those of images
        that models get wrong.
    row_names : sequence of str, default ()
        For people to read: what each row of the source is called in findings, such as ``line 7``; where ``X_test``
        came apart, first those of train and then those of test. By default rows are counted from 0.
    """

    X_train: Samples
    y_train: Array
    X_test: Samples | None = None
    y_test: Array | None = None
    words: Sequence[str] = ()
    columns: Sequence[Column] = ()
    target: str | None = None
    text: TextColumn | None = None
    series: SeriesColumns | None = None
    left_out: Sequence[tuple[str, str]] = ()
    split_by: SplitBy | None = None
    rows: Sequence[Array] = ()
    test_files: Sequence[str] = ()
    row_names: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSpec:
    """The shape of the data that a model will see, known before the data are.

    Parameters
    ----------
    name : str
        The data set.
    view : {"tabular", "image", "sequence", "tokens"}
        The view that was chosen among those that the plugin accepts.
    n_classes : int
    class_names : tuple of str
    sample_shape : tuple of int or None
        ``X.shape[1:]``; None where samples are ragged.
    dtype : str
        NumPy's name of ``X``'s dtype.
    scale : float
        Multiply ``X`` by this for unit range: 1/255 for uint8 images, 1.0 where nothing is to be done.
    n_train : int
        Samples in the training part that ``fit`` receives.
    vocabulary_size : int or None
        Tokens only: the largest id in the training part plus 1, at least 3. Other parts may hold larger ids, which
        ``KerasPlugin`` replaces by 2, unknown; other plugins have to expect them.
    sparse : bool
        ``X`` is a ``scipy.sparse.csr_array``.
    """

    name: str
    view: View
    n_classes: int
    class_names: tuple[str, ...]
    sample_shape: tuple[int, ...] | None
    dtype: str = "float32"
    scale: float = 1.0
    n_train: int
    vocabulary_size: int | None = None
    sparse: bool = False


@dataclass(frozen=True, slots=True)
class Data:
    """One part (train or validation) of a data set, in one view.

    Parameters
    ----------
    X : ndarray of shape (n_samples, *spec.sample_shape), Ragged or csr_array
        On read-only memory maps; Ragged for tokens, csr_array of float32 where ``spec.sparse``.
    y : ndarray of shape (n_samples,), int64
        Codes 0 ... n_classes - 1.
    spec : DataSpec
    """

    X: Samples
    y: Labels
    spec: DataSpec

    def __len__(self) -> int:
        return int(self.y.shape[0])
