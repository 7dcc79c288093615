"""The stored form of a data set: four .npy files and a manifest in a folder named by its content."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import TypeAdapter, ValidationError

from nncompare.data.arrays import open_array
from nncompare.data.checks import check_dataset
from nncompare.data.declared import info_digest, split_digest
from nncompare.data.files import fill_folder, write_atomic
from nncompare.data.findings import RULES
from nncompare.data.fingerprint import fingerprint
from nncompare.data.parts import Parts
from nncompare.data.ragged import Ragged
from nncompare.data.records import (
    Column,
    Dataset,
    DatasetInfo,
    Finding,
    Labels,
    Samples,
    SeriesColumns,
    SplitBy,
    TextColumn,
    View,
)
from nncompare.data.samples import arrays_of, open_samples, sample_files, sample_path, write_samples
from nncompare.data.stored_keys import TEST_KEYS, TRAIN_KEYS, open_keys
from nncompare.exceptions import DataError

__all__ = ["StoredDataset", "is_stored_folder", "open_dataset", "store_dataset"]

MANIFEST = "manifest.json"
FOLDER = "data"
_FOLDER_NAME = re.compile(r"[0-9a-f]{16}-[0-9a-f]{16}-[0-9a-f]{8}")
WORDS = "words.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDataset:
    """A data set in the cache; its arrays are read-only memory maps.

    Parameters
    ----------
    name, view, class_names, scale, description, licence, citation
        As in :class:`~nncompare.data.records.DatasetInfo`.
    folder : Path
        Holds the files.
    fingerprint, test_fingerprint : str
        Digest of ``X_train``, ``y_train`` and ``X_test``, everything that a model may see, and one of ``y_test``.
    n_train, n_test : int
        Rows of the training part (validation included) and of the test part.
    sample_shape : tuple of int or None
        ``X_train.shape[1:]`` in the native view; None for tokens.
    dtype : {"uint8", "float32", "float64", "int32"}
        Of the samples.
    test_support : list of int
        Test rows of each class.
    duplicates : int
        Test rows that occur in the training part too, byte for byte.
    columns : tuple of Column
        Of a table that names them; then the samples are float64, and NaN is a missing value.
    target : str or None
        The column that held the classes, where it had a name.
    text : TextColumn or None
        The column that held the texts, where nncompare found their words.
    series : SeriesColumns or None
        The columns of a table that held series, where nncompare read them from one.
    findings, rules : tuple of Finding, int
        What has to be known of the data before a score is believed, and by which rules of
        :mod:`nncompare.data.findings` that was found.
    split_by : {"class", "given", "group", "time"}
        How the test part was split off: at random with the classes in their proportions, by a column, or not here.
    split_column, split_keys : str or None, str
        The column by which rows are split; kind, column and digest of its keys, empty without.
    has_test_keys : bool or None
        The folder holds the keys of the test rows; None in manifests of before, which do not tell.
    test_files : tuple of str
        The file of each test sample, where they came from files.
    """

    name: str
    view: View
    class_names: tuple[str, ...]
    scale: float
    description: str
    licence: str
    citation: str
    folder: Path
    fingerprint: str
    test_fingerprint: str
    n_train: int
    n_test: int
    sample_shape: tuple[int, ...] | None
    dtype: str
    test_support: list[int]
    duplicates: int
    columns: tuple[Column, ...] = ()
    target: str | None = None
    text: TextColumn | None = None
    series: SeriesColumns | None = None
    findings: tuple[Finding, ...] = ()
    rules: int = 1
    split_by: Literal["class", "given", "group", "time"] = "class"
    split_column: str | None = None
    split_keys: str = ""
    has_test_keys: bool | None = None
    test_files: tuple[str, ...] = ()

    def X_train(self) -> Samples:  # noqa: N802 - the field's name
        """Return the training samples, of shape (n_train, *sample_shape), or a Ragged."""
        return open_samples(self._samples("X_train"))

    def y_train(self) -> Labels:
        """Return the training labels, int64 of shape (n_train,)."""
        return open_array(self.folder / "y_train.npy")

    def X_test(self) -> Samples:  # noqa: N802 - the field's name
        """Return the test samples, of shape (n_test, *sample_shape), or a Ragged."""
        return open_samples(self._samples("X_test"))

    def y_test(self) -> Labels:
        """Return the test labels, int64 of shape (n_test,); only the coordinator calls this."""
        return open_array(self.folder / "y_test.npy")

    def keys(self) -> SplitBy | None:
        """Return the keys by which rows are split, by group or by time; a file that is gone is a DataError."""
        if self.split_by not in ("group", "time"):
            return None
        return open_keys(self.folder, self.split_by, self.split_column or "", self.has_test_keys)

    def words(self) -> list[str]:
        """Return the words by rank; empty where the data set has none."""
        return _WORDS.validate_json((self.folder / WORDS).read_bytes())

    def files(self) -> list[str]:
        """Return the names of the files that the folder holds."""
        samples = [file for role in ("X_train", "X_test") for file in sample_files(self._samples(role))]
        names = [str(file.relative_to(self.folder)) for file in samples]
        keys = [TRAIN_KEYS] * bool(self.split_keys) + [TEST_KEYS] * bool(self.has_test_keys)
        return [*names, *keys, "y_train.npy", "y_test.npy", WORDS, MANIFEST]

    def is_of(self, info: DatasetInfo) -> bool:
        """Tell whether this was stored under exactly these declarations: the folder's name holds their digest."""
        if self.name != info.name:
            return False  # without reading the words
        words = (self.folder / WORDS).read_bytes()
        digest = info_digest(info, words, self.columns, self.split_keys, self.series)
        return self.folder.name.endswith(f"-{digest[:8]}")

    def _samples(self, role: str) -> Path:
        return sample_path(self.folder, role, ragged=self.view == "tokens")


_MANIFEST: TypeAdapter[StoredDataset] = TypeAdapter(StoredDataset)
_FIELDS: TypeAdapter[dict[str, object]] = TypeAdapter(dict[str, object])
_WORDS: TypeAdapter[list[str]] = TypeAdapter(list[str])


def is_stored_folder(name: str) -> bool:
    """Tell whether a path has the form of a folder of :func:`store_dataset`, which may be gone."""
    path = Path(name)
    return path.parent.name == FOLDER and _FOLDER_NAME.fullmatch(path.name) is not None


def store_dataset(info: DatasetInfo, dataset: Dataset, root: Path) -> StoredDataset:
    """Check a data set, set a test part aside where it brings none, and write it into the cache.

    Parameters
    ----------
    info : DatasetInfo
    dataset : Dataset
        As ``DatasetPlugin.load`` returned it.
    root : Path
        The cache; see :func:`~nncompare.data.files.cache_root`.

    Returns
    -------
    StoredDataset
        Under ``root/data``. What is there already is used again, also when two processes store the same data
        at once; a damaged manifest is written anew.

    Raises
    ------
    DataError
        The data cannot be used; see :func:`~nncompare.data.checks.check_dataset`.
    StorageError
        The cache cannot be written.
    """
    checked = check_dataset(info, dataset)
    parts = Parts.of(checked)
    words = _WORDS.dump_json(list(checked.words))
    stored = _with_findings(_describe(info, parts, words, checked, root), info, checked, parts)

    def fill(folder: Path) -> None:
        for role, samples in parts.samples().items():
            write_samples(folder, role, samples)
        write_atomic(folder / WORDS, words)
        _write_manifest(stored, folder)

    fill_folder(stored.folder, fill, stored.files())
    if not _agrees(stored):
        _write_manifest(stored, stored.folder)
    return stored


def open_dataset(folder: Path) -> StoredDataset:
    """Return what :func:`store_dataset` wrote into ``folder``.

    Raises
    ------
    DataError
        There is no stored data set in that folder, or its manifest is damaged.
    """
    try:
        text = (folder / MANIFEST).read_text(encoding="utf-8")
        fields = _FIELDS.validate_json(text)
        return _MANIFEST.validate_python({**fields, "folder": folder})
    except OSError as error:
        raise _unreadable(folder, f"{type(error).__name__}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise _unreadable(folder, f"{where}: {first['msg']}") from error


def _write_manifest(stored: StoredDataset, folder: Path) -> None:
    write_atomic(folder / MANIFEST, _MANIFEST.dump_json(stored, exclude={"folder"}, indent=1))


def _agrees(stored: StoredDataset) -> bool:
    """Tell whether the manifest on disk is whole."""
    try:
        return open_dataset(stored.folder) == stored
    except DataError:
        return False


def _unreadable(folder: Path, cause: str) -> DataError:
    return DataError(
        f"The stored data set in '{folder}' cannot be read. {MANIFEST}, {cause}. Delete that folder and run again."
    )


def _describe(info: DatasetInfo, parts: Parts, words: bytes, dataset: Dataset, root: Path) -> StoredDataset:
    """Describe a data set that is split, but for what is found in it."""
    columns, X_train, y_test, by = tuple(dataset.columns), parts.X_train, parts.y_test, dataset.split_by
    seen = {"X_train": X_train, "y_train": parts.y_train, "X_test": parts.X_test}
    visible = fingerprint(
        **{name: array for role, X in seen.items() for name, array in arrays_of(role, X).items()}
    )
    sealed, split = fingerprint(y_test=y_test), split_digest(by)
    declared = info_digest(info, words, columns, split, dataset.series)
    ragged = isinstance(X_train, Ragged)
    return StoredDataset(
        name=info.name,
        view=info.view,
        class_names=info.class_names,
        scale=info.scale,
        description=info.description,
        licence=info.licence,
        citation=info.citation,
        folder=root / FOLDER / f"{visible[:16]}-{sealed[:16]}-{declared[:8]}",
        fingerprint=visible,
        test_fingerprint=sealed,
        n_train=len(X_train),
        n_test=len(y_test),
        sample_shape=None if ragged else X_train.shape[1:],
        dtype=X_train.values.dtype.name if ragged else X_train.dtype.name,
        test_support=np.bincount(y_test, minlength=len(info.class_names)).tolist(),
        duplicates=0,
        columns=columns,
        target=dataset.target,
        text=dataset.text,
        series=dataset.series,
        split_by=by.kind if by is not None else "class" if parts.rows else "given",
        split_column=by.column if by is not None else None,
        split_keys=split,
        has_test_keys=parts.keys_test is not None,
        test_files=tuple(dataset.test_files),
        rules=RULES,
    )


def _with_findings(stored: StoredDataset, info: DatasetInfo, dataset: Dataset, parts: Parts) -> StoredDataset:
    """Add what is found in the data; what the same rules found earlier still holds, and took its time."""
    with suppress(DataError):
        earlier = open_dataset(stored.folder)
        if earlier == replace(stored, duplicates=earlier.duplicates, findings=earlier.findings):
            return earlier
    duplicates, findings = parts.look(info, dataset)
    return replace(stored, duplicates=duplicates, findings=findings)
