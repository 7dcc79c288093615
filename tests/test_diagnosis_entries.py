"""What lies in a run directory and is no file: it is named at once, and nothing waits for it."""

import os
import socket

import pytest

from nncompare.diagnosis import diagnose
from nncompare.diagnosis.scores import check_values, contradictions
from nncompare.diagnosis.subject import Subject
from nncompare.events import Notice
from nncompare.exceptions import ResultsError, StorageError
from nncompare.results import FinalRecord
from nncompare.runfile import hold
from nncompare.runlog import RunLog

from .report_fixtures import results, study


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


ENTRIES = {
    "a named pipe": os.mkfifo,
    "a socket": make_socket,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a link that leads nowhere": lambda path: path.symlink_to("nowhere"),
}


@pytest.mark.parametrize("name", ["results.json", "run.json", "run.lock", "study.db", "report.html"])
@pytest.mark.parametrize(("what", "make"), ENTRIES.items(), ids=ENTRIES)
def test_doctor_names_what_is_no_file_and_does_not_read_it(tmp_path, monkeypatch, what, make, name):
    monkeypatch.chdir(tmp_path)  # the name of a socket must be short
    make(tmp_path.relative_to(tmp_path) / name)
    (finding,) = diagnose(tmp_path).findings
    assert (finding.kind, finding.where) == ("not-a-file", name)
    assert finding.what == f"It is {what}, where a file is expected."
    assert finding.remedy == f"Remove it, then: nncompare resume {tmp_path}"


def test_doctor_names_a_folder_in_the_place_of_the_lock(tmp_path):
    (tmp_path / "run.lock").mkdir()
    assert [finding.what for finding in diagnose(tmp_path).findings] == [
        "It is a folder, where a file is expected."
    ]


def test_doctor_names_a_pipe_deep_inside(tmp_path):
    (tmp_path / "trials" / "mlp--digits").mkdir(parents=True)
    os.mkfifo(tmp_path / "trials" / "mlp--digits" / "0001.record.json")
    assert [finding.where for finding in diagnose(tmp_path).findings] == ["trials/mlp--digits/0001.record.json"]


def test_run_log_that_is_a_pipe_without_a_reader_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "run.log")
    RunLog(tmp_path / "run.log").write(Notice("A line.", "warning"))


def test_lock_that_is_a_folder_is_refused_with_a_remedy(tmp_path):
    (tmp_path / "run.lock").mkdir()
    with pytest.raises(StorageError, match=r"cannot be locked: IsADirectoryError.*or remove it\."), hold(tmp_path):
        pass


def test_doctor_names_a_study_and_a_trial_that_stand_there_twice(tmp_path):
    once = study("mlp", "digits", ["a", "b"])
    trial = once.trials[0]
    found = results([], [once, once.model_copy(update={"model": "cnn", "trials": [trial, trial]}), once])
    subject = Subject(folder=tmp_path, results_or_error=found, run_file_or_error=ResultsError("-"), held=False)
    told = [finding.what for finding in check_values(subject) if finding.kind == "results-contradict"]
    assert told == [
        "mlp on digits stands there 2 times.",
        f"Trial {trial.number} of cnn on digits stands there 2 times.",
    ]


def test_doctor_names_finals_that_cannot_be():
    plain = study("mlp", "digits", ["a", "b"])
    number = plain.trials[0].number
    final = FinalRecord(trial=number, seed=1, valid_log_loss=0.5)
    whole = plain.model_copy(update={"finals": [final], "best_trial": number})

    def told(*finals, finals_run):
        budget = whole.budget.model_copy(update={"finals_run": finals_run})
        return contradictions(results([], [whole.model_copy(update={"finals": list(finals), "budget": budget})]))

    assert told(final, finals_run=1) == []
    assert told(final, final, finals_run=2) == [
        f"The final of trial {number} of mlp on digits stands there 2 times."
    ]
    assert told(final, FinalRecord(trial=99, seed=2, valid_log_loss=0.6), finals_run=2) == [
        "mlp on digits has a final of trial 99, which is no complete trial of it."
    ]
    assert told(finals_run=3) == ["mlp on digits has 0 finals that ended, and budget.finals_run is 3."]


@pytest.mark.parametrize("name", ["accuracy", "macro_f1"])
def test_doctor_and_verify_name_a_mean_that_is_not_that_of_the_refits(tmp_path, name):
    once = study("mlp", "digits", ["a", "b"])
    assert contradictions(results([], [once])) == []
    mean = getattr(once.test, name).mean
    forged = getattr(once.test, name).model_copy(update={"mean": mean - 0.001})
    found = results([], [once.model_copy(update={"test": once.test.model_copy(update={name: forged})})])
    (sentence,) = contradictions(found)
    assert sentence.startswith(f"test.{name} of mlp on digits is {mean - 0.001:.6g}, and the mean of its refits' ")
