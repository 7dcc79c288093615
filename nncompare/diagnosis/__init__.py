"""What is wrong with a run directory, and what to do about it; nothing is changed."""

from nncompare.diagnosis.look import diagnose, looks_like_a_run
from nncompare.diagnosis.records import KINDS, Diagnosis, Finding

__all__ = ["KINDS", "Diagnosis", "Finding", "diagnose", "looks_like_a_run"]
