"""What the verdict's sentence says of a single model."""

import numpy as np
import pytest

from nncompare.results import VerdictRecord
from nncompare.sentence import verdict_text
from nncompare.verdict import decide

from . import report_fixtures as fixtures


@pytest.mark.parametrize(
    ("others_requested", "words"),
    [(False, "Only mlp was run on digits:"), (True, "Only mlp finished on digits:")],
)
def test_sentence_of_a_single_model_says_whether_others_were_asked_for(others_requested, words):
    study = fixtures.study("mlp", "digits", fixtures.TEN)
    verdict = VerdictRecord(state="single", text="")
    text = verdict_text("digits", verdict, [study], {"mlp": 3}, others_requested=others_requested)
    assert text.startswith(words)


def test_sentence_knows_from_the_studies_whether_others_were_asked_for():
    mlp = fixtures.study("mlp", "digits", fixtures.TEN)
    correct = {"mlp": np.ones((3, 50), bool)}
    assert decide("digits", [mlp], [], correct).text.startswith("Only mlp was run on digits")
    both = decide("digits", [mlp, fixtures.not_run("cnn", "digits")], [], correct)
    assert both.text.startswith("Only mlp finished on digits")
