"""What changed between two runs, and whether each difference in score is real."""

from nncompare.differences.compare import compare_runs
from nncompare.differences.gate import GateResult, check_scores
from nncompare.differences.records import (
    Change,
    DataDifference,
    RunDifference,
    RunName,
    ScoreDifference,
    StudyDifference,
)
from nncompare.differences.words import difference_lines

__all__ = [
    "Change",
    "DataDifference",
    "GateResult",
    "RunDifference",
    "RunName",
    "ScoreDifference",
    "StudyDifference",
    "check_scores",
    "compare_runs",
    "difference_lines",
]
