"""FitContext: what plugins may report, and what they hear back."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nncompare import plugin
from nncompare.exceptions import DivergedError, PluginError
from nncompare.plugin import EpochReport, FitContext, TrialPruned


def test_public_names_hold_the_ids_of_tokens():
    assert {"PAD", "START", "UNKNOWN", "FIRST_WORD"} <= set(plugin.__all__)
    assert (plugin.PAD, plugin.START, plugin.UNKNOWN, plugin.FIRST_WORD) == (0, 1, 2, 4)


def context(**fields):
    return FitContext(seed=1, max_epochs=50, **fields)


def test_report_keeps_what_was_said():
    told = context()
    told.report(1, train_loss=np.float32(0.5), valid_loss=2, valid_accuracy=1.0)
    told.report(np.int64(2))
    assert told.history == [EpochReport(1, 0.5, 2.0, 1.0), EpochReport(2, None, None, None)]
    assert {type(report.epoch) for report in told.history} == {int}
    assert type(told.history[0].train_loss) is float


@pytest.mark.parametrize("epoch", [0, 2, -1])
def test_report_out_of_order_is_refused(epoch):
    told = context()
    with pytest.raises(PluginError, match=f"epoch {epoch} where epoch 1 was due"):
        told.report(epoch)
    assert told.history == []


def test_report_twice_is_refused():
    told = context()
    told.report(1)
    with pytest.raises(PluginError, match="epoch 1 where epoch 2 was due"):
        told.report(1)


@pytest.mark.parametrize("name", ["train_loss", "valid_loss"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float32("nan")])
def test_report_not_finite_loss_diverged(name, value):
    with pytest.raises(DivergedError, match=name):
        context().report(1, **{name: value})


@pytest.mark.parametrize("name", ["train_loss", "valid_loss", "valid_accuracy"])
@pytest.mark.parametrize("value", [True, np.True_, "0.5", [0.5], np.array([0.5])])
def test_report_not_a_number_is_refused(name, value):
    with pytest.raises(PluginError, match=rf"{name} is .*a number is expected"):
        context().report(1, **{name: value})


@pytest.mark.parametrize("value", [-0.01, 1.01, 97.5, math.nan, math.inf])
def test_report_accuracy_outside_of_0_to_1_is_refused(value):
    with pytest.raises(PluginError, match="a fraction from 0 to 1 is expected"):
        context().report(1, valid_accuracy=value)


def test_report_pruned_keeps_the_last_epoch():
    told = context(on_report=lambda report: report.epoch < 2)
    told.report(1)
    with pytest.raises(TrialPruned):
        told.report(2, valid_loss=1.0)
    assert [report.epoch for report in told.history] == [1, 2]


def test_best_epoch_without_reports_is_not_known():
    assert context().best_epoch() is None


def test_best_epoch_without_losses_is_the_last():
    told = context()
    told.report(1)
    told.report(2, train_loss=3.0)
    assert told.best_epoch() == 2


@given(st.lists(st.none() | st.floats(0, 100), min_size=1, max_size=8))
def test_best_epoch_is_the_first_of_the_lowest(losses):
    told = context()
    for epoch, loss in enumerate(losses, 1):
        told.report(epoch, valid_loss=loss)
    known = [loss for loss in losses if loss is not None]
    assert told.best_epoch() == (losses.index(min(known)) + 1 if known else len(losses))


def test_report_beyond_the_last_epoch_is_refused():
    told = FitContext(seed=1, max_epochs=2)
    told.report(1)
    told.report(2)
    with pytest.raises(PluginError, match="trained for epoch 3, and max_epochs is 2"):
        told.report(3)


def test_report_of_a_loss_that_no_training_has_is_divergence():
    with pytest.raises(DivergedError, match="1e\\+308"):
        FitContext(seed=1, max_epochs=2).report(1, valid_loss=1e308)
