"""The pace of a study: what is timed, what a child is told, and when there is no pace."""

import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest

from nncompare import pace
from nncompare.data.files import cache_root
from nncompare.execution.specs import FitAnswer
from nncompare.execution.supervisor import RefusedError
from nncompare.pace import Pace, Unmeasured, measure_pace
from nncompare.planning import make_plan
from nncompare.results import Failure
from nncompare.session import Session
from nncompare.settings import RunConfig

from .children import fault


class Child:
    """Stands in for the runner: reports at given times on a clock of its own, then answers."""

    def __init__(self, clock, times, **answer):
        self.clock, self.times, self.told, self.specs = clock, times, [], []
        self.answer = FitAnswer(**({"status": "complete"} | answer))

    def run(self, spec, handler):
        self.specs.append(spec)
        for epoch, seconds in enumerate(self.times, 1):
            self.clock.now = 100.0 + seconds
            self.told.append(handler("report", {"epoch": epoch, "valid_loss": 1.0}))
        return self.answer


@pytest.fixture
def clock(monkeypatch):
    found = SimpleNamespace(now=100.0)
    monkeypatch.setattr(pace, "time", SimpleNamespace(monotonic=lambda: found.now))
    return found


@pytest.fixture
def measured(runner, tmp_path):
    """Return a function that measures the pace of a model on digits."""

    def go(child=None, model="Nearest", **fields):
        plan = make_plan(RunConfig(models=(fault(model),), datasets=("digits",), out=tmp_path / "out"), runner)
        session = Session(
            config=plan.config,
            runner=child or runner,
            folder=tmp_path / "probe",
            cache=cache_root(),
            jobs=1,
            memory_mb=None,
            stop=threading.Event(),
            tell=lambda _event: None,
        )
        return measure_pace(replace(plan.studies[0], **fields), plan.datasets[0], session)

    return go


def test_pace_is_the_time_between_two_reports(measured, clock):
    child = Child(clock, [1.25, 1.5])
    assert measured(child) == Pace(startup_s=1.0, epoch_s=0.25)
    assert child.told == [True, False]


def test_pace_of_a_slow_epoch_leaves_the_first_batch_out_and_ends_there(measured, clock):
    child = Child(clock, [9.0], status="pruned", first_batch_s=2.0)
    assert measured(child) == Pace(startup_s=2.0, epoch_s=7.0)
    assert child.told == [False]


def test_pace_of_a_budget_of_one_epoch(measured, clock):
    child = Child(clock, [1.0], first_batch_s=0.25)
    assert measured(child, max_epochs=1) == Pace(startup_s=0.25, epoch_s=0.75)
    assert child.specs[0].max_epochs == 1


def test_pace_of_a_model_that_is_fitted_in_one_go(measured, clock):
    assert measured(Child(clock, [1.0], first_batch_s=1.0)) == Pace(startup_s=0.0, epoch_s=1.0, at_once=True)


def test_pace_is_measured_on_the_rows_of_the_search_and_nothing_is_saved(measured, clock):
    child = Child(clock, [0.5, 1.0])
    measured(child)
    (spec,) = child.specs
    assert (spec.max_epochs, spec.save_to, spec.params, spec.data.n_train) == (2, None, None, 1149)
    assert spec.valid is not None


@pytest.mark.parametrize(
    ("times", "answer", "reason"),
    [
        ([], {}, "reports no epochs"),
        ([0.5], {"status": "failed", "failure": Failure(category="plugin", message="broken")}, "^broken$"),
        ([], {"status": "failed", "failure": Failure(category="timeout", message="Killed")}, "takes more than"),
        ([], {"status": "failed"}, "without a result"),
    ],
)
def test_pace_that_cannot_be_measured_has_a_reason(measured, clock, times, answer, reason):
    with pytest.raises(Unmeasured, match=reason):
        measured(Child(clock, times, **answer))


def test_pace_parameters_are_pinned_or_default_or_in_the_middle(measured, clock):
    class Asks(Child):
        def run(self, spec, handler):
            def ask(distribution, name, **arguments):
                return handler("suggest", {"name": name, "distribution": distribution, "arguments": arguments})

            self.values = [
                ask("float", "sharpness", low=0.5, high=50.0, step=None, log=True),
                ask("categorical", "kind", choices=["mean", "median"]),
                ask("int", "depth", low=1, high=4, step=1, log=False),
                ask("float", "rate", low=0.01, high=1.0, step=None, log=True),
                ask("float", "momentum", low=0.0, high=1.0, step=None, log=False),
                ask("categorical", "activation", choices=["relu", "tanh"]),
            ]
            with pytest.raises(RefusedError):
                handler("fitted", {})
            return super().run(spec, handler)

    child = Asks(clock, [0.5, 1.0])
    measured(child, pins={"kind": "median"})
    assert child.values == [5.0, "median", 2, pytest.approx(0.1), 0.5, "relu"]


def test_pace_of_a_real_child(measured):
    found = measured(model="Slow")  # sleeps 0.2 s in each epoch
    assert found.epoch_s >= 0.19
    assert not found.at_once


@pytest.mark.parametrize(
    ("model", "reason"), [("Raises", "ValueError: a b"), ("NeverReports", "no epochs"), ("Segfaults", "SIGSEGV")]
)
def test_pace_of_a_real_child_that_fails(measured, model, reason):
    with pytest.raises(Unmeasured, match=reason):
        measured(model=model)
