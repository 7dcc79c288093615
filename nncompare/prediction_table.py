"""What a saved model says of new samples, and the files that it goes into."""

from __future__ import annotations

import csv
import io
import os
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TextIO

import numpy as np
import numpy.typing as npt

from nncompare.csvcells import harmless
from nncompare.data.files import replacing, storage_errors
from nncompare.data.new_samples import UNKNOWN_CLASS
from nncompare.data.records import Labels
from nncompare.exceptions import UsageError
from nncompare.metrics import predicted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SUFFIXES", "Prediction", "check_keep", "check_output", "csv_text", "write_prediction"]

SUFFIXES = (".csv", ".npz")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prediction:
    """The probabilities that one saved model gives to some samples.

    Parameters
    ----------
    run_id, model, dataset : str
    refit : int
        Which of the model's refits predicted, from 1.
    seed : int
        Of that refit.
    class_names : tuple of str
    probabilities : ndarray of shape (n_samples, n_classes), float64
        Rows sum to 1; column ``k`` belongs to ``class_names[k]``.
    labels : ndarray of shape (n_samples,), int64, or None
        The true classes as codes, -1 where one is not known; None where none is.
    reason : str
        Why this model, where nobody chose it; else empty.
    kept : mapping of str to list of str
        Columns of the table of samples that were asked for, as they stand in it; of images the ``file`` of each,
        of series what tells them.
    note : str
        What a reader must know before believing them, such as another version of the plugin; mostly empty.
    """

    run_id: str
    model: str
    dataset: str
    refit: int
    seed: int
    class_names: tuple[str, ...]
    probabilities: npt.NDArray[np.float64]
    labels: Labels | None = None
    reason: str = ""
    kept: Mapping[str, list[str]] = field(default_factory=dict)
    note: str = ""

    def __len__(self) -> int:
        return len(self.probabilities)

    @property
    def codes(self) -> Labels:
        """The most probable class of each sample: positions in ``class_names``, int64 of shape (n_samples,)."""
        return predicted(self.probabilities)

    @property
    def names(self) -> list[str]:
        """The name of the most probable class of each sample."""
        return [self.class_names[code] for code in self.codes.tolist()]

    @property
    def n_known(self) -> int:
        """Number of samples whose class is known."""
        return 0 if self.labels is None else int((self.labels != UNKNOWN_CLASS).sum())

    @property
    def accuracy(self) -> float | None:
        """The fraction that is right, of the samples whose class is known; None where no class is."""
        if self.labels is None or not self.n_known:
            return None
        known = self.labels != UNKNOWN_CLASS
        return float(np.mean(self.codes[known] == self.labels[known]))

    @property
    def frame(self) -> pd.DataFrame:
        """One row per sample: what was kept, ``prediction``, ``p_<class>``, and ``true`` where it is known."""
        import pandas as pd

        columns: dict[str, Any] = dict(zip(self.kept_names, self.kept.values(), strict=True))
        columns["prediction"] = self.names
        columns |= {f"p_{name}": self.probabilities[:, k] for k, name in enumerate(self.class_names)}
        if self.labels is not None:
            columns["true"] = [self.name_of(code) or None for code in self.labels.tolist()]
        return pd.DataFrame(columns, index=pd.RangeIndex(len(self), name="row"))

    @property
    def kept_names(self) -> list[str]:
        """What the columns that were kept are called beside the predictions: no name is there twice."""
        return _apart(self.kept, {"row", "prediction", "true", *(f"p_{name}" for name in self.class_names)})

    def summary(self) -> dict[str, Any]:
        """Return what was done, as JSON values, without the samples."""
        return {
            "run_id": self.run_id,
            "dataset": self.dataset,
            "model": self.model,
            "refit": self.refit,
            "seed": self.seed,
            "reason": self.reason,
            "note": self.note,
            "class_names": list(self.class_names),
            "n_samples": len(self),
            "n_known": self.n_known,
            "accuracy": self.accuracy,
        }

    def name_of(self, code: int) -> str:
        """Return the name of a class, empty for one that is not known."""
        return "" if code == UNKNOWN_CLASS else self.class_names[code]


def check_output(output: Path, source: Path | None, run: Path) -> None:
    """Refuse a file that cannot hold predictions, before anything is computed.

    Parameters
    ----------
    output : Path
    source : Path or None
        The file of the samples, which must not be overwritten.
    run : Path
        The run directory, whose own files must not be either.

    Raises
    ------
    UsageError
        The file has another suffix, no folder, or is one that would be lost; the message says which.
    """
    if output.suffix.lower() not in SUFFIXES:
        raise UsageError(
            f"'{output}' does not end with .csv or .npz, which say what to write. Choose one of them."
        )
    if output.is_dir():
        raise UsageError(f"'{output}' is a folder. Name a file in it, such as {output / 'predictions.csv'}.")
    if not output.parent.is_dir():
        raise UsageError(f"There is no folder '{output.parent}' for the predictions. Make it first.")
    if source is not None and output.exists() and os.path.samefile(output, source):  # noqa: PTH121 - may be absent
        raise UsageError(f"'{output}' is the file of the samples, which would be lost. Choose another name.")
    own = [run.resolve() / name for name in ("models", "predictions", "trials")]
    if any(output.resolve().is_relative_to(folder) for folder in own):
        raise UsageError(
            f"'{output}' lies among the files of the run, which know each other. Choose another folder."
        )


def check_keep(keep: Sequence[str], source: Path | None, output: Path | None) -> None:
    """Refuse columns to keep where there is no table of them, or no table for them.

    Raises
    ------
    UsageError
        The samples are in no file, or the output is an .npz file.
    """
    if keep and source is None:
        raise UsageError(
            "Columns are kept of a table file (--keep, in Python: keep=), and none is given as input."
        )
    if keep and output is not None and output.suffix.lower() != ".csv":
        raise UsageError(f"'{output}' cannot hold the columns to keep (--keep). Choose a .csv file.")


def write_prediction(prediction: Prediction, output: Path) -> None:
    """Write predictions, as a whole or not at all.

    Parameters
    ----------
    prediction : Prediction
    output : Path
        ``.csv``: one line per sample with ``row`` (from 0), columns that were kept, ``prediction``,
        ``p_<class>`` for each class, and ``true`` where classes are known, empty where one is not. Text that a
        spreadsheet would take for a formula has a ``'`` in front. ``.npz``: ``probabilities`` (float64),
        ``predictions`` (int64 codes), ``class_names``, and ``true`` (int64 codes, -1 where not known); of
        images also ``file``, of series what tells them, under the name of its column.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    file = output.resolve()  # a link stays one, and what it leads to is written
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    with storage_errors(output), replacing(file, temporary) as stream:
        if output.suffix.lower() == ".npz":
            _write_archive(_arrays(prediction), stream)
            return
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
        _write_csv(prediction, text)
        text.detach()


def _write_archive(arrays: Mapping[str, npt.NDArray[Any]], stream: IO[bytes]) -> None:
    """Write what ``numpy.savez`` would, which takes no array of the name ``file``."""
    with zipfile.ZipFile(stream, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def csv_text(prediction: Prediction) -> str:
    """Return the lines of the CSV file that :func:`write_prediction` writes."""
    text = io.StringIO(newline="")
    _write_csv(prediction, text)
    return text.getvalue()


def _write_csv(prediction: Prediction, text: TextIO) -> None:
    writer = csv.writer(text, lineterminator="\n")
    kept = map(harmless, prediction.kept_names)
    header = ["row", *kept, "prediction", *(f"p_{name}" for name in prediction.class_names)]
    writer.writerow(header if prediction.labels is None else [*header, "true"])
    writer.writerows(_lines(prediction))
    text.flush()


def _lines(prediction: Prediction) -> Iterator[list[str]]:
    names = [harmless(name) for name in prediction.class_names]
    kept = list(zip(*prediction.kept.values(), strict=True)) or [()] * len(prediction)
    for row, code in enumerate(prediction.codes.tolist()):
        line = [
            str(row),
            *map(harmless, kept[row]),
            names[code],
            *(f"{p:.8g}" for p in prediction.probabilities[row].tolist()),
        ]
        if prediction.labels is not None:
            line.append(harmless(prediction.name_of(int(prediction.labels[row]))))
        yield line


def _arrays(prediction: Prediction) -> dict[str, Any]:
    own: dict[str, Any] = {
        "probabilities": prediction.probabilities,
        "predictions": prediction.codes,
        "class_names": np.array(prediction.class_names, dtype=np.str_),
    }
    if prediction.labels is not None:
        own["true"] = prediction.labels
    kept = [np.array(values, dtype=np.str_) for values in prediction.kept.values()]
    return own | dict(zip(_apart(prediction.kept, own), kept, strict=True))


def _apart(names: Collection[str], own: Collection[str]) -> list[str]:
    """Return names with ``input_`` before those that are our own, as often as it takes to be alone."""
    taken, apart = {*own, *names}, []
    for name in names:
        new = name
        if name in own:
            while new in taken:
                new = f"input_{new}"
            taken.add(new)
        apart.append(new)
    return apart
