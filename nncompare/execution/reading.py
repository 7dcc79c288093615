"""What a child does with a file or folder of the user's own: read it, tell what it holds, store it."""

from __future__ import annotations

from nncompare.data.own import read_own
from nncompare.data.split_columns import SplitColumn
from nncompare.data.store import store_dataset
from nncompare.exceptions import DataError, StorageError, UsageError
from nncompare.execution.specs import ReadAnswer, ReadSpec
from nncompare.results import Failure

__all__ = ["read"]


def read(spec: ReadSpec) -> ReadAnswer:
    """Read and store one file or folder; what is wrong with it is an answer in words, not an exception."""
    series = (spec.group, spec.time) if spec.group is not None and spec.time is not None else None
    try:
        info, dataset = read_own(
            spec.path,
            spec.target,
            spec.encoding,
            spec.view,
            spec.name,
            text=spec.text,
            image_size=spec.image_size,
            root=spec.root,
            split=None if series is not None else SplitColumn.asked(spec.group, spec.time),
            series=series,
        )
        stored = store_dataset(info, dataset, spec.root)
    except (DataError, UsageError) as error:
        failure = Failure(category="data", message=str(error))
        return ReadAnswer(status="failed", failure=failure, usage=isinstance(error, UsageError))
    except StorageError as error:
        return ReadAnswer(status="failed", failure=Failure(category="disk", message=str(error)))
    return ReadAnswer(status="complete", folder=stored.folder)
