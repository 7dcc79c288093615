"""Refits, references and the sealed test, without children."""

import shutil
import threading

import numpy as np
import pytest

from nncompare.data.records import DataSpec
from nncompare.data.views import PreparedPart, PreparedView
from nncompare.events import EpochFinished, RefitFinished
from nncompare.execution.saved import MANIFEST, seal
from nncompare.execution.specs import FitAnswer
from nncompare.plan import PlannedStudy
from nncompare.refit import Refits, SealedTest
from nncompare.registry import MODELS, PluginRef
from nncompare.results import Failure, StudyRecord, TrialRecord
from nncompare.session import Session
from nncompare.settings import RunConfig
from nncompare.slots import Slots

Y = np.array([0, 1, 1, 0], dtype=np.int64)
RIGHT = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.6, 0.4]])


class Children:
    """Stands in for the runner: reports an epoch, stores probabilities, answers."""

    def __init__(self, probabilities=RIGHT, answer=None):
        self.probabilities = probabilities
        self.answer = answer or FitAnswer(status="complete", epochs=4, fit_time_s=1.0)
        self.specs, self.told = [], []

    def run(self, spec, handler):
        self.specs.append(spec)
        assert handler("report", {"epoch": 1, "valid_loss": 9.0}) is True
        if self.answer.status == "complete":
            target = handler("fitted", {})
            self.told.append(target["X_test"])
            np.savez(target["predictions"], probabilities=self.probabilities)
        return self.answer


@pytest.fixture
def refitting(tmp_path):
    (tmp_path / "predictions").mkdir()
    part = PreparedPart(X=tmp_path / "X.npy", y=tmp_path / "y.npy")

    def go(children, valid_in_refit=False, stop=None, n_refits=3, events=None, best_epoch=6, best=3, earlier=None):
        data = DataSpec(
            name="d", view="tabular", n_classes=2, class_names=("a", "b"), sample_shape=(4,), n_train=9
        )
        study = PlannedStudy(
            model="m",
            dataset="d",
            n_trials=1,
            max_epochs=20,
            n_refits=n_refits,
            ref=PluginRef("m", MODELS, "m:M", "(local)", ""),
            valid_in_refit=valid_in_refit,
        )
        chosen = TrialRecord(number=best, state="complete", params={"a": 1}, epochs=9, best_epoch=best_epoch)
        session = Session(
            config=RunConfig(),
            runner=children,
            folder=tmp_path,
            cache=tmp_path,
            jobs=1,
            memory_mb=77.0,
            stop=stop or threading.Event(),
            tell=(events if events is not None else []).append,
        )
        view = PreparedView(data, part, part if valid_in_refit else None, tmp_path / "X_test.npy")
        return Refits(study, chosen, view, SealedTest(Y, ("a", "b")), session, earlier).run(Slots(1), 0)

    return go


def test_refits_of_another_trial_overwrite_nothing_that_results_json_names(refitting):
    def earlier(refits, best):
        records = [refit.record for refit in refits]
        return StudyRecord(model="m", dataset="d", status="complete", best_trial=best, refits=records)

    def names(refits):
        return [refit.record.model for refit in refits]

    first = refitting(Children())
    same = refitting(Children(), earlier=earlier(first, 3))
    assert names(same) == names(first)
    other = refitting(Children(), best=8, earlier=earlier(first, 3))
    assert names(other) == [f"{name}--of-8" for name in names(first)]
    assert [refit.record.predictions for refit in other] == [
        f"{name.replace('models', 'predictions')}.npz" for name in names(other)
    ]
    assert names(refitting(Children(), best=8, earlier=earlier(other, 8))) == names(other)
    third = names(refitting(Children(), best=9, earlier=earlier(other, 8)))
    assert third == [f"{name}--of-9" for name in names(first)]
    never = StudyRecord(model="m", dataset="d", status="interrupted", best_trial=2)
    assert names(refitting(Children(), earlier=never)) == names(first)


class Saving(Children):
    """Saves a model and commits its answer, as real children do; remembers whether it found one."""

    def __init__(self):
        super().__init__()
        self.found = []

    def run(self, spec, handler):
        self.found.append(spec.result.exists())
        shutil.rmtree(spec.save_to, ignore_errors=True)
        spec.save_to.mkdir(parents=True)
        spec.result.parent.mkdir(parents=True, exist_ok=True)
        digest = seal(spec.save_to, f"of {spec.params}", "m:M")
        self.answer = FitAnswer(status="complete", epochs=4, manifest_sha256=digest)
        spec.result.write_text(self.answer.model_dump_json())
        return super().run(spec, handler)


def test_refits_take_no_files_of_another_trial_for_their_own(refitting):
    children = Saving()
    first = refitting(children, n_refits=1)
    refitting(children, n_refits=1)
    assert children.found == [False, True]
    folder = children.specs[0].save_to
    (folder / MANIFEST).unlink()
    seal(folder, "of another trial", "m:M")  # in the same place, where results.json named neither
    refitting(children, n_refits=1)
    assert children.found == [False, True, False]
    assert first[0].model == folder


def test_refits_train_the_chosen_configuration_for_its_best_epochs(refitting, tmp_path):
    children, events = Children(), []
    refits = refitting(children, events=events)
    assert [spec.params for spec in children.specs] == [{"a": 1}] * 3
    assert {spec.max_epochs for spec in children.specs} == {6}
    assert {spec.valid for spec in children.specs} == {None}
    assert {spec.memory_mb for spec in children.specs} == {77.0}
    assert len({spec.seed for spec in children.specs}) == len({spec.save_to for spec in children.specs}) == 3
    assert [refit.record.seed for refit in refits] == [spec.seed for spec in children.specs]
    assert children.told == [str(tmp_path / "X_test.npy")] * 3
    assert not any("X_test" in spec.model_dump_json() for spec in children.specs)
    assert [type(event) for event in events] == [EpochFinished, RefitFinished] * 3


def test_refits_after_a_sampled_search_stop_early_on_validation(refitting):
    children = Children()
    refitting(children, valid_in_refit=True)
    assert {spec.max_epochs for spec in children.specs} == {20}
    assert None not in {spec.valid for spec in children.specs}


def test_refits_are_scored_by_the_coordinator(refitting):
    wrong_once = RIGHT[[1, 1, 2, 3]]
    records = [refit.record for refit in refitting(Children(wrong_once))]
    assert [record.test_accuracy for record in records] == [0.75] * 3
    assert records[0].confusion_matrix == [[1, 1], [0, 2]]
    assert records[0].log_loss == pytest.approx(-np.log([0.2, 0.8, 0.7, 0.6]).mean())


def test_refits_none_starts_once_stopped(refitting):
    stop = threading.Event()
    stop.set()
    assert refitting(Children(), stop=stop) == []


def test_refits_failed_child_is_a_record(refitting):
    failure = Failure(category="oom", message="too much")
    children = Children(answer=FitAnswer(status="failed", failure=failure))
    refits = refitting(children)
    assert [refit.record.failure for refit in refits] == [failure] * 3
    assert [refit.probabilities for refit in refits] == [None] * 3


def test_refits_pruned_is_the_plugins_mistake(refitting):
    refits = refitting(Children(answer=FitAnswer(status="pruned")))
    assert refits[0].record.failure.category == "plugin"
    assert "TrialPruned in a refit" in refits[0].record.failure.message


@pytest.mark.parametrize(
    ("probabilities", "words"),
    [
        (RIGHT[:3], "shape (3, 2), not (4, 2)"),
        (RIGHT * 2, "lie outside 0 to 1"),
        (RIGHT * np.nan, "NaN"),
        (np.ones((4, 2), dtype=np.int64), "dtype int64"),
    ],
)
def test_refits_what_is_no_probability_is_refused(refitting, probabilities, words):
    record = refitting(Children(probabilities), n_refits=1)[0].record
    assert record.failure.category == "plugin"
    assert words in record.failure.message
    assert record.test_accuracy is None


def test_sealed_test_tells_which_items_were_right():
    test = SealedTest(Y, ("a", "b"))
    right = test.correct([RIGHT, RIGHT[::-1]])
    assert right.tolist() == [[True] * 4, [True] * 4]
    assert test.correct([RIGHT[[1, 1, 2, 3]]]).tolist() == [[False, True, True, True]]


def test_sealed_test_reads_no_pickles(tmp_path):
    np.savez(tmp_path / "p.npz", probabilities=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        SealedTest(Y, ("a", "b")).read(tmp_path / "p.npz")


def test_refits_of_a_model_that_reports_nothing_get_all_epochs(refitting):
    children = Children()
    refitting(children, best_epoch=None)
    assert {spec.max_epochs for spec in children.specs} == {20}
