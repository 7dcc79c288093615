"""Finals: who takes part, what a child is told, who is chosen, and what a whole run makes of it."""

import json
import threading
import time
from pathlib import Path

import pytest

from nncompare.choice import chosen_trial, finals_in_words
from nncompare.comparison import load_results, run
from nncompare.data.records import DataSpec
from nncompare.data.views import PreparedPart, PreparedView
from nncompare.diagnosis.scores import contradictions
from nncompare.events import EpochFinished, FinalFinished, RefitFinished, TrialChosen, TrialFinished
from nncompare.exceptions import StorageError
from nncompare.execution.runner import LocalRunner, read_answer
from nncompare.execution.saved import check_saved
from nncompare.execution.specs import FitAnswer
from nncompare.execution.supervisor import RefusedError
from nncompare.finals import Finals, finalists
from nncompare.plan import PlannedStudy
from nncompare.registry import MODELS, PluginRef
from nncompare.results import Failure, FinalRecord, TrialRecord
from nncompare.resuming import plan_rest
from nncompare.session import Session
from nncompare.settings import RunConfig
from nncompare.slots import Slots

from .children import dataset
from .test_resume import StopAfter
from .whole_runs import compare_with, differing, selection

CRASH = Failure(category="plugin", message="The process crashed.")
STOPPED = Failure(category="interrupted", message="The run was interrupted.")
N_SAMPLED = 500
"""Of the 1,149 training rows of digits."""


def trial(number, loss, state="complete", **params):
    return TrialRecord(number=number, state=state, valid_log_loss=loss, params=params or {"x": number})


TRIALS = [trial(4, 0.1), trial(0, 0.2), trial(7, 0.3)]


class Children:
    """Stands in for the runner: reports an epoch and answers with the losses that it was given, by trial."""

    def __init__(self, losses=None, failures=None, epoch=1):
        self.losses, self.failures, self.epoch = losses or {}, failures or {}, epoch
        self.specs, self.asked = [], []

    def run(self, spec, handler):
        kept = read_answer(spec)
        if kept is not None:
            return kept
        self.specs.append(spec)
        self.asked.append(handler("report", {"epoch": self.epoch, "valid_loss": 9.0}))
        with pytest.raises(RefusedError):
            handler("fitted", {})
        if spec.number in self.failures:
            return FitAnswer(status="failed", failure=self.failures[spec.number])
        answer = FitAnswer(status="complete", epochs=2, valid_log_loss=self.losses[spec.number], fit_cpu_s=1.5)
        spec.result.write_text(answer.model_dump_json())
        return answer


@pytest.fixture
def finals(tmp_path):
    (tmp_path / "trials" / "m--d").mkdir(parents=True)
    part = PreparedPart(X=tmp_path / "X.npy", y=tmp_path / "y.npy")

    def go(children, stop=None, events=None, jobs=1, halt=lambda _reason: None):
        spec = DataSpec(
            name="d", view="tabular", n_classes=2, class_names=("a", "b"), sample_shape=(4,), n_train=9
        )
        study = PlannedStudy(
            model="m", dataset="d", n_trials=9, max_epochs=5, n_refits=1, n_finalists=3, refit_rows=range(20_000),
            valid_in_refit=True, ref=PluginRef("m", MODELS, "m:M", "(local)", ""),
        )  # fmt: skip
        session = Session(
            config=RunConfig(), runner=children, folder=tmp_path, cache=tmp_path, jobs=jobs, memory_mb=None,
            stop=stop or threading.Event(), tell=(events if events is not None else []).append, halt=halt,
        )  # fmt: skip
        data = PreparedView(spec, part, part, tmp_path / "X_test.npy")  # even where a path is at hand
        return Finals(study, TRIALS, data, session).run(Slots(jobs), 0)

    return go


def test_finalists_are_the_best_complete_trials_that_differ():
    trials = [
        trial(0, 0.5), trial(1, 0.1, "pruned"), trial(2, 0.3, x=1, y="a"), trial(3, 0.3, y="a", x=1),
        trial(4, 0.3, x=1, y="b"), trial(5, None, "failed"), trial(6, 0.2), trial(7, 0.4),
    ]  # fmt: skip
    assert [t.number for t in finalists(trials, 3)] == [6, 2, 4]
    assert [t.number for t in finalists(trials, 9)] == [6, 2, 4, 7, 0]
    assert finalists(trials, 1) == []
    assert finalists(trials[2:4], 3) == []
    assert finalists([], 3) == []


def test_finals_train_each_finalist_once_for_a_quarter_of_the_epochs(finals):
    children, events = Children({4: 0.3, 0: 0.25, 7: 0.4}), []
    records = finals(children, events=events)
    assert [record.trial for record in records] == [4, 0, 7]
    assert [spec.params for spec in children.specs] == [{"x": 4}, {"x": 0}, {"x": 7}]
    assert {spec.max_epochs for spec in children.specs} == {2}  # of 5
    assert [record.seed for record in records] == [spec.seed for spec in children.specs]
    assert len({spec.seed for spec in children.specs}) == 3
    assert children.asked == [True] * 3
    assert [type(event) for event in events] == [EpochFinished, FinalFinished] * 3 + [TrialChosen]
    assert events[-1].n_samples == 20_000
    assert chosen_trial(records) == 0


def test_finals_name_no_test_samples_and_save_nothing(finals):
    children = Children({4: 0.3, 0: 0.2, 7: 0.4})
    finals(children)
    for spec in children.specs:
        assert "test" not in spec.model_dump_json(exclude={"log", "result", "train", "valid"}).lower()
        assert (spec.save_to, spec.valid is None) == (None, False)


def test_finals_do_not_depend_on_jobs(finals, tmp_path):
    losses = {4: 0.3, 0: 0.2, 7: 0.4}
    one = finals(Children(losses))
    for path in tmp_path.glob("trials/*/*.json"):
        path.unlink()
    assert finals(Children(losses), jobs=3) == one


def test_finals_that_ended_are_not_run_again_whatever_they_gave(finals):
    first = finals(Children({4: 0.3, 7: 0.4}, {0: CRASH}))
    assert [record.failure for record in first] == [None, CRASH, None]
    again = Children({0: 0.1})
    assert finals(again) == first
    assert again.specs == []


def test_final_that_was_stopped_is_run_again(finals):
    first = finals(Children({4: 0.3, 7: 0.4}, {0: STOPPED}))
    assert chosen_trial(first) == 4  # nothing is decided: the best one of the search
    again = Children({0: 0.1})
    assert chosen_trial(finals(again)) == 0
    assert [spec.number for spec in again.specs] == [0]


@pytest.mark.parametrize(("max_epochs", "most"), [(1, 1), (2, 2), (5, 2), (8, 2), (9, 3), (40, 10)])
def test_finals_have_a_quarter_of_the_epochs_and_two_at_least(max_epochs, most):
    study = PlannedStudy(model="m", dataset="d", n_trials=20, max_epochs=max_epochs, n_refits=3)
    assert study.final_epochs == most


def test_final_of_more_epochs_than_it_may_is_refused(finals):
    (record, *_) = finals(Children({4: 0.3, 0: 0.2, 7: 0.4}, epoch=3))
    assert record.failure.message == "RefusedError: fit() trained for epoch 3, and max_epochs is 2."


@pytest.mark.parametrize("error", [OSError(24, "Too many open files"), StorageError("The disk is full.")])
def test_final_that_cannot_be_started_costs_no_other_and_is_tried_again(finals, error):
    class Broken(Children):
        def run(self, spec, handler):
            if spec.number == 0:
                raise error
            return super().run(spec, handler)

    halted = []
    records = finals(Broken({4: 0.3, 7: 0.4}), halt=halted.append)
    assert [record.valid_log_loss for record in records] == [0.3, None, 0.4]
    assert records[1].failure.category == "disk"
    assert halted == (["The disk is full."] if isinstance(error, StorageError) else [])
    assert [r.valid_log_loss for r in finals(Children({4: 9.0, 0: 0.2, 7: 9.0}))] == [0.3, 0.2, 0.4]


def test_finals_none_starts_once_stopped(finals):
    stop, children, events = threading.Event(), Children(), []
    stop.set()
    records = finals(children, stop=stop, events=events)
    assert (children.specs, events) == ([], [])
    assert {record.failure.category for record in records} == {"interrupted"}


def final(number, loss=None, failure=None):
    return FinalRecord(trial=number, seed=number, valid_log_loss=loss, failure=failure)


def test_choice_is_the_lowest_loss_and_among_equals_the_better_in_the_search():
    assert chosen_trial([]) is None
    assert chosen_trial([final(4, 0.3), final(0, 0.2), final(7, 0.25)]) == 0
    assert chosen_trial([final(4, 0.3), final(7, 0.2), final(0, 0.2)]) == 7
    assert chosen_trial([final(4, failure=CRASH), final(7, 0.5), final(0, 0.6)]) == 7
    assert chosen_trial([final(4, failure=CRASH), final(7, failure=CRASH)]) == 4
    assert chosen_trial([final(4, failure=STOPPED), final(7, 0.5)]) == 4


def test_choice_in_words():
    assert finals_in_words([final(17, 0.281), final(12, 0.274), final(0, 0.267)], 20_000) == (
        "trial 0 is best on all 20,000 rows (0.2670; trial 12: 0.2740, trial 17: 0.2810)"
    )
    assert finals_in_words([final(4, failure=CRASH), final(7, 0.5)], 900) == (
        "trial 7 is best on all 900 rows (0.5000; trial 4 failed)"
    )
    assert finals_in_words([final(4, failure=CRASH), final(7, failure=CRASH)], 900) == (
        "no final on all 900 rows gave a value; trial 4 was best in the search"
    )
    assert finals_in_words([final(4, failure=STOPPED), final(7, 0.5), final(2, failure=CRASH)], 900) == (
        "nothing is decided on all 900 rows: 1 of 3 finals did not end"
    )


@pytest.fixture
def sampled(monkeypatch):
    """Let searches see a part of the digits."""
    monkeypatch.setattr("nncompare.planning.DEFAULT_SEARCH_SAMPLES", N_SAMPLED)


def test_run_chooses_another_trial_where_the_finals_disagree_with_the_search(sampled, runner, tmp_path):
    events = []
    results, folder = compare_with(runner, tmp_path, ("Turns",), n_trials=6, jobs=2, listener=events.append)
    (study,) = results.studies
    ranked = sorted((t for t in study.trials if t.state == "complete"), key=lambda t: t.valid_log_loss)
    assert [final.trial for final in study.finals] == [t.number for t in ranked[:3]]
    assert [final.valid_log_loss for final in study.finals] == [t.params["sharpness"] for t in ranked[:3]]
    assert study.best_trial == ranked[2].number != ranked[0].number
    assert (study.best_params, study.valid_log_loss) == (ranked[2].params, ranked[2].valid_log_loss)
    seeds = [*(t.seed for t in study.trials), *(f.seed for f in study.finals), *(r.seed for r in study.refits)]
    assert len(set(seeds)) == len(seeds)
    budget = study.budget
    assert (budget.n_finalists, budget.finals_run, budget.final_epochs_used) == (3, 3, 3 * 2)
    assert budget.finals_cpu_s > 0
    for refit in study.refits:  # of the chosen configuration
        assert json.loads((folder / refit.model / "sharpness.json").read_text()) == ranked[2].params["sharpness"]
    kinds = [type(event) for event in events]
    assert kinds.count(FinalFinished) == 3
    assert kinds.index(TrialFinished) < kinds.index(FinalFinished) < kinds.index(TrialChosen)
    assert kinds.index(TrialChosen) < kinds.index(RefitFinished)
    line = f"trial {study.best_trial} is best on all 1,149 rows ("
    assert f"chosen Turns digits: {line}" in (folder / "run.log").read_text()
    assert line in (folder / "report.html").read_text()
    assert line in (folder / "report.md").read_text()
    assert contradictions(results) == []
    wrong = results.model_copy(update={"studies": [study.model_copy(update={"best_trial": ranked[0].number})]})
    assert [text for text in contradictions(wrong) if f"its finals chose {ranked[2].number}" in text]


def test_run_on_all_rows_or_of_a_quick_preset_has_no_finals(runner, tmp_path, monkeypatch):
    whole, _ = compare_with(runner, tmp_path / "whole", ("Turns",), n_trials=4)
    monkeypatch.setattr("nncompare.planning.DEFAULT_SEARCH_SAMPLES", N_SAMPLED)
    quick, _ = compare_with(runner, tmp_path / "quick", ("Turns",), n_trials=4, preset="quick")
    for study in (*whole.studies, *quick.studies):
        best = min(study.trials, key=lambda t: (t.state != "complete", t.valid_log_loss))
        assert (study.finals, study.budget.n_finalists, study.best_trial) == ([], 1, best.number)


def test_run_gives_every_model_as_many_finals(sampled, runner, tmp_path):
    results, _ = compare_with(runner, tmp_path, ("Turns", "Nearest"), n_trials=6)
    assert [(len(s.finals), s.budget.n_finalists) for s in results.studies] == [(3, 3)] * 2
    (check,) = (c for c in results.datasets[0].verdict.checks if c.code == "equal_budget")
    assert (check.level, "of at most 3 epochs and 3 finals" in check.text) == ("ok", True)


def test_run_whose_finals_all_fail_keeps_the_choice_of_the_search_and_says_so(sampled, runner, tmp_path):
    results, _ = compare_with(runner, tmp_path, ("FailsOnMoreRows",), n_trials=4)
    (study,) = results.studies
    assert [final.failure.category for final in study.finals] == ["plugin"] * 3
    assert study.best_trial == study.finals[0].trial
    assert study.status == "failed"  # its refits crash too


def test_run_with_one_configuration_has_nothing_to_decide(sampled, runner, tmp_path):
    results, _ = compare_with(runner, tmp_path, ("Turns",), n_trials=1)
    assert (results.studies[0].finals, results.studies[0].budget.n_finalists) == ([], 3)


@pytest.mark.slow
def test_run_finals_see_no_test_labels_and_repeat(sampled, runner, tmp_path, monkeypatch):
    sealed = {"models": ("Turns",), "datasets": (dataset("Sealed"),), "n_trials": 5, "deterministic": True}
    plain, _ = compare_with(runner, tmp_path / "plain", **sealed)
    monkeypatch.setenv("NNCOMPARE_TEST_PERMUTE", "1")
    with LocalRunner() as other:
        permuted, _ = compare_with(other, tmp_path / "permuted", **sealed, jobs=2)
    assert plain.datasets[0].test_fingerprint != permuted.datasets[0].test_fingerprint
    assert len(plain.studies[0].finals) == 3
    assert selection(plain.studies[0]) == selection(permuted.studies[0])


@pytest.mark.slow
def test_run_that_is_extended_keeps_its_finals_and_runs_those_of_new_finalists(sampled, runner, tmp_path):
    first, folder = compare_with(runner, tmp_path, ("Turns",), n_trials=3)
    before = {path: path.stat().st_mtime_ns for path in folder.glob("trials/*/final-of-*.json")}
    results = run(plan_rest(folder, runner, n_trials=8), runner)
    (old,), (new,) = first.studies, results.studies
    ranked = sorted((t for t in new.trials if t.state == "complete"), key=lambda t: t.valid_log_loss)
    assert [final.trial for final in new.finals] == [t.number for t in ranked[:3]]
    assert new.best_trial == ranked[2].number
    assert {final.trial for final in new.finals} != {final.trial for final in old.finals}
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert {Path(refit.model).name for refit in new.refits} == {p.name for p in folder.glob("models/Turns--*")}
    for refit in new.refits:
        check_saved(folder / refit.model, refit.manifest_sha256)


@pytest.mark.slow
@pytest.mark.parametrize("n_finals", [0, 1, 2])
def test_run_that_is_stopped_in_its_finals_goes_on_to_the_same_choice(sampled, tmp_path, n_finals):
    settings = {"models": ("Turns",), "n_trials": 5}
    with LocalRunner() as runner:
        whole, _ = compare_with(runner, tmp_path / "whole", **settings)
    signal_at = StopAfter(n_finals, FinalFinished) if n_finals else StopAfter(5)

    def stop(event):
        signal_at(event)
        if signal_at.left == 0:
            time.sleep(0.3)  # until the main thread heard of it

    with LocalRunner() as runner, pytest.raises(KeyboardInterrupt):
        compare_with(runner, tmp_path / "stopped", listener=stop, **settings)
    (folder,) = (tmp_path / "stopped").iterdir()
    study = load_results(folder).studies[0]
    assert (study.status, study.refits) == ("interrupted", [])
    files = {path: path.read_bytes() for path in folder.glob("trials/*/final-of-*.json")}
    assert len(files) == n_finals
    with LocalRunner() as runner:
        results = run(plan_rest(folder, runner), runner)
    assert differing(results, whole) == []
    assert {path: path.read_bytes() for path in files} == files
