"""What the verdict's sentence says of a single model."""

import numpy as np
import pytest

from nncompare.results import PairRecord, VerdictRecord
from nncompare.sentence import verdict_text
from nncompare.verdict import decide

from . import report_fixtures as fixtures


@pytest.mark.parametrize(
    ("others_requested", "words"),
    [(False, "Only mlp was run on digits:"), (True, "Only mlp finished on digits:")],
)
def test_sentence_of_a_single_model_says_whether_others_were_asked_for(others_requested, words):
    study = fixtures.study("mlp", "digits", fixtures.TEN)
    verdict = VerdictRecord(state="single", text="", compared=["mlp"])
    text = verdict_text("digits", verdict, [study], others_requested=others_requested)
    assert text.startswith(words)


def test_sentence_knows_from_the_studies_whether_others_were_asked_for():
    mlp = fixtures.study("mlp", "digits", fixtures.TEN)
    correct = {"mlp": np.ones((3, 50), bool)}
    assert decide("digits", [mlp], [], correct).text.startswith("Only mlp was run on digits")
    both = decide("digits", [mlp, fixtures.not_run("cnn", "digits")], [], correct)
    assert both.text.startswith("Only mlp finished on digits")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        ((0.02, 0.09), ""),
        ((0.04, 0.8), "mlp trains longer than cnn (0.8 against less than 0.1 CPU s)."),
        ((0.4, 0.8), "mlp trains 2 times as long as cnn (0.8 against 0.4 CPU s)."),
    ],
)
def test_sentence_has_no_ratio_of_costs_that_are_too_small(seconds, said):
    pair = PairRecord(a="cnn", b="mlp", difference=0.1, low=0.05, high=0.15, state="better", method="m")
    verdict = VerdictRecord(
        state="better", winner="cnn", text="", compared=["cnn", "mlp"], rival="mlp", pairs=[pair]
    )
    ranked = [
        fixtures.study(model, "digits", fixtures.TEN).model_copy(update={"fit_cpu_s": cost})
        for model, cost in zip(("cnn", "mlp"), seconds, strict=True)
    ]
    text = verdict_text("digits", verdict, ranked)
    assert text.endswith(said or "15.0).")
    assert ("CPU s" in text) == bool(said)
