"""The records of results.json (schema version 1): fields may be added, never changed or removed.

Scores are fractions from 0 to 1, losses mean log losses in nats, times seconds, memory MB (10**6 bytes).
"""

from nncompare.results.base import Record
from nncompare.results.runs import (
    Check,
    CheckLevel,
    DatasetRecord,
    PairRecord,
    PairState,
    ReferenceRecord,
    Results,
    RunState,
    Settings,
    VerdictRecord,
    VerdictState,
    other_version,
)
from nncompare.results.samples import CellValue, ErrorOverlap, Mistake, Sample, SharedSample
from nncompare.results.studies import (
    Budget,
    Calibration,
    ClassScores,
    Curve,
    Failure,
    FailureCategory,
    FinalRecord,
    Interval,
    Owner,
    RefitRecord,
    StudyRecord,
    StudyStatus,
    TestScores,
    TrialRecord,
    TrialState,
)

__all__ = [
    "Budget",
    "Calibration",
    "CellValue",
    "Check",
    "CheckLevel",
    "ClassScores",
    "Curve",
    "DatasetRecord",
    "ErrorOverlap",
    "Failure",
    "FailureCategory",
    "FinalRecord",
    "Interval",
    "Mistake",
    "Owner",
    "PairRecord",
    "PairState",
    "Record",
    "ReferenceRecord",
    "RefitRecord",
    "Results",
    "RunState",
    "Sample",
    "Settings",
    "SharedSample",
    "StudyRecord",
    "StudyStatus",
    "TestScores",
    "TrialRecord",
    "TrialState",
    "VerdictRecord",
    "VerdictState",
    "other_version",
]
