"""Whether the accuracy of one model differs between two runs: paired on the same test items, or from intervals."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from nncompare.clusters import Groups
from nncompare.data.files import cache_root
from nncompare.data.records import Labels
from nncompare.data.store import StoredDataset
from nncompare.differences.records import ScoreDifference, ScoreState
from nncompare.differences.unpaired import unpaired_difference
from nncompare.exceptions import PluginError
from nncompare.inventory import stored_datasets
from nncompare.metrics import predicted, read_probabilities
from nncompare.results import DatasetRecord, RefitRecord, StudyRecord
from nncompare.search_checks import n_failed_refits
from nncompare.statistics import MARGIN, paired_difference

__all__ = ["Side", "compare_scores", "test_groups", "test_labels"]

Floats = npt.NDArray[np.float64]


class NotReadableError(Exception):
    """The predictions of a study cannot be compared item by item; the text says why."""


@dataclass(frozen=True, slots=True)
class Side:
    """One study with the folder of its run."""

    study: StudyRecord
    folder: Path
    name: str


def test_labels(record: DatasetRecord) -> Labels | None:
    """Return the test labels of a run's data set from the cache; None where it is not there any more."""
    stored = _stored_of(record)
    return None if stored is None else np.array(stored.y_test())


def test_groups(record: DatasetRecord) -> Groups | None:
    """Return the groups of the test items of a data set that is split by group, as far as the cache has them."""
    stored = _stored_of(record)
    by = stored.keys() if stored is not None and record.split_by == "group" else None
    return None if by is None or by.keys_test is None else np.array(by.keys_test)


def _stored_of(record: DatasetRecord) -> StoredDataset | None:
    """Return what the cache holds of a run's data; equal arrays that other keys split are others."""
    return next((stored for stored in stored_datasets(cache_root()) if _is_of(stored, record)), None)


def _is_of(stored: StoredDataset, record: DatasetRecord) -> bool:
    if (stored.fingerprint, stored.test_fingerprint) != (record.fingerprint, record.test_fingerprint):
        return False
    if record.split_by not in ("group", "time"):
        return True  # the test labels are the same, and no groups are asked for
    if (stored.split_by, stored.split_column) != (record.split_by, record.split_column):
        return False
    return record.split_keys in ("", stored.split_keys)  # older results do not tell


def compare_scores(
    a: Side,
    b: Side,
    labels: Labels | None,
    n_classes: int,
    *,
    n_pairs: int,
    margin: float = MARGIN,
    groups: Groups | None = None,
    is_grouped: bool = False,
) -> ScoreDifference:
    """Compare the accuracy of a model in two runs that saw the same data, split and test labels.

    Parameters
    ----------
    a, b : Side
        Both with test scores.
    labels : ndarray of shape (n_test,), int64, or None
        The test labels, None where they are not known.
    n_classes : int
    n_pairs : int
        Models that are compared between the two runs on this data set (Bonferroni).
    margin : float
        Differences inside ± this fraction are equal in practice.
    groups : ndarray of shape (n_test,), int64, optional
        Test items of equal numbers depend on each other.
    is_grouped : bool
        The accuracies' own intervals count groups.

    Returns
    -------
    ScoreDifference
        B minus A. A side some of whose refits failed cannot be the better one. The seeds of the two runs count as
        independent: where they are the same, the interval is on the safe side.

    Raises
    ------
    ValueError
        A side has no test scores.
    """
    found = _compared(
        a, b, labels, n_classes, n_pairs=n_pairs, margin=margin, groups=groups, is_grouped=is_grouped
    )
    single = any(len(_scored(side)) == 1 for side in (a, b))
    lucky = _failed_refits({"better": b, "worse": a}.get(found.state))
    state: ScoreState = "undecided" if lucky else found.state
    return found.model_copy(update={"state": state, "failed_refits": lucky, "single_seed": single})


def _failed_refits(ahead: Side | None) -> str:
    """Say how many refits of the side ahead failed; as in a verdict, its lead may be the luck of the rest."""
    failed = n_failed_refits(ahead.study) if ahead is not None else 0
    return f"{failed} of {len(ahead.study.refits)} refits failed in {ahead.name}" if ahead and failed else ""


def _compared(
    a: Side,
    b: Side,
    labels: Labels | None,
    n_classes: int,
    *,
    n_pairs: int,
    margin: float,
    groups: Groups | None,
    is_grouped: bool,
) -> ScoreDifference:
    """Return the interval and what it implies, whatever the refits that failed."""
    if a.study.test is None or b.study.test is None:
        raise ValueError(f"{a.study.model} on {a.study.dataset} lacks test scores")
    scores = {"a": a.study.test.accuracy, "b": b.study.test.accuracy}
    try:
        of_a, of_b = (_probabilities(side, labels, n_classes) for side in (a, b))
    except NotReadableError as error:
        return unpaired_difference(
            **scores,
            n_seeds=(len(_scored(a)), len(_scored(b))),
            n_pairs=n_pairs,
            margin=margin,
            reason=str(error),
            is_grouped=is_grouped,
        )
    assert labels is not None  # noqa: S101 - else the probabilities were refused
    if len(of_a) == len(of_b) and all(np.array_equal(x, y) for x, y in zip(of_a, of_b, strict=True)):
        same = {"difference": 0.0, "low": 0.0, "high": 0.0}
        return ScoreDifference(state="identical", **scores, **same, method="every probability is the same")
    right = [np.stack([predicted(proba) == labels for proba in side]) for side in (of_b, of_a)]
    found = paired_difference(*right, n_pairs=n_pairs, margin=margin, groups=groups)
    state: ScoreState = found.state if found.state != "better" or found.difference > 0 else "worse"
    interval = {"difference": found.difference, "low": found.low, "high": found.high}
    return ScoreDifference(state=state, **scores, **interval, method=found.method)


def _scored(side: Side) -> list[RefitRecord]:
    return [refit for refit in side.study.refits if refit.test_accuracy is not None]


def _probabilities(side: Side, labels: Labels | None, n_classes: int) -> list[Floats]:
    """Return the test probabilities of every refit that was scored, or say why they cannot be had."""
    if labels is None:
        raise NotReadableError("the test part is not in the cache any more")
    files = [refit.predictions for refit in _scored(side)]
    if not files:
        raise NotReadableError(f"run {side.name} names no predictions of {side.study.model}")
    return [_read(side, file, len(labels), n_classes) for file in files]


def _read(side: Side, file: str | None, n_test: int, n_classes: int) -> Floats:
    where = f"of {side.study.model} in run {side.name}"
    path = (side.folder / file).resolve() if file else None
    if path is None or not path.is_relative_to(side.folder.resolve()):
        raise NotReadableError(f"a file of predictions {where} has no place in the run directory")
    try:
        return read_probabilities(path, n_test, n_classes)
    except FileNotFoundError as error:
        raise NotReadableError(f"a file of predictions {where} is missing") from error
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, PluginError) as error:
        raise NotReadableError(f"a file of predictions {where} is damaged") from error
