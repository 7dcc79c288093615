"""Run directories that are damaged in one way each: what is done to a whole one, and what ``doctor`` says."""

import errno
import json
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nncompare.cleaned import PARTS
from nncompare.cleaning import remove, run_items
from nncompare.runfile import hold

DAMAGES = {}


@dataclass(frozen=True)
class Ground:
    """A copy of a run, and what of its surroundings may be damaged."""

    folder: Path
    plugin: Path
    patch: object = None
    stack: object = None

    @property
    def trials(self):
        return self.folder / "trials" / "Nearest--Waves"

    @property
    def model(self):
        """The saved model of the first refit, which predicts by default."""
        return self.folder / self._refit["model"]

    @property
    def predictions(self):
        return self.folder / self._refit["predictions"]

    @property
    def _refit(self):
        return json.loads((self.folder / "results.json").read_text())["studies"][0]["refits"][0]

    def edit(self, name, change):
        """Change a JSON file by a function."""
        values = json.loads((self.folder / name).read_text())
        change(values)
        (self.folder / name).write_text(json.dumps(values))

    def sql(self, *statements):
        """Change the database, and leave nothing beside it."""
        with closing(sqlite3.connect(self.folder / "study.db")) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
            for statement in statements:
                connection.execute(statement)
            connection.commit()


def damage(kind, place="", words="", *, level="problem"):
    """Register a damage under its name, with the kind, the place and some words of the finding."""

    def register(function):
        DAMAGES[function.__name__] = (function, kind, place, words, level)
        return function

    return register


# --- results.json ----------------------------------------------------------------------------------------------


@damage("results-missing", "results.json", "makes it again from the trials that finished")
def results_gone(run):
    (run.folder / "results.json").unlink()


@damage("results-damaged", "results.json", "no schema_version")
def results_empty(run):
    (run.folder / "results.json").write_text("")


@damage("results-damaged", "results.json", "Invalid JSON: EOF while parsing")
def results_truncated(run):
    path = run.folder / "results.json"
    path.write_bytes(path.read_bytes()[:-200])


@damage("results-damaged", "results.json", "no schema_version")
def results_not_json(run):
    (run.folder / "results.json").write_text("<html>")


@damage("results-damaged", "results.json", "it is not UTF-8 at byte 0")
def results_not_text(run):
    (run.folder / "results.json").write_bytes(b"\xff\xfe\x00")


@damage("results-damaged", "results.json", "IsADirectoryError")
def results_a_folder(run):
    (run.folder / "results.json").unlink()
    (run.folder / "results.json").mkdir()


@damage("results-version", "results.json", "written by a newer nncompare: it is of schema version 2")
def results_newer(run):
    run.edit("results.json", lambda values: values.update(schema_version=2))


@damage("results-version", "results.json", "is of schema version 0, and this nncompare reads version 1")
def results_older(run):
    run.edit("results.json", lambda values: values.update(schema_version=0))


@damage("results-damaged", "results.json", "studies.0.status: Field required")
def results_without_a_field(run):
    run.edit("results.json", lambda values: values["studies"][0].pop("status"))


@damage("results-damaged", "results.json", "studies.0.refits.0.test_accuracy: Input should be a finite number")
def results_not_a_number(run):
    run.edit("results.json", lambda values: values["studies"][0]["refits"][0].update(test_accuracy=float("nan")))


@damage("results-range", "results.json", "studies.0.refits.0.test_accuracy is 1.5, where a number from 0 to 1 is")
def results_above_one(run):
    run.edit("results.json", lambda values: values["studies"][0]["refits"][0].update(test_accuracy=1.5))


@damage("results-range", "results.json", "studies.0.fit_time_s is -2.0, where a number from 0 is expected")
def results_negative_time(run):
    run.edit("results.json", lambda values: values["studies"][0].update(fit_time_s=-2.0))


@damage("results-contradict", "results.json", "No report can be made of it: ")
def results_contradict(run):
    run.edit("results.json", lambda values: values["datasets"][0].update(class_names=[]))


@damage("results-range", "results.json", "has not 2 rows of 2 numbers. It was edited")
def results_ragged(run):
    def change(values):
        values["studies"][0]["refits"][0]["confusion_matrix"] = [[1, 2], [3]]

    run.edit("results.json", change)


@damage(
    "not-a-file", "run.log", "It is a named pipe, where a file is expected. Remove it, then: nncompare resume "
)
def log_a_pipe(run):
    (run.folder / "run.log").unlink()
    os.mkfifo(run.folder / "run.log")


# --- how the run ended -----------------------------------------------------------------------------------------


@damage("held", "run.lock", f"held by process {os.getpid()} on ", level="note")
def held(run):
    run.stack.enter_context(hold(run.folder))


@damage("stopped", "results.json", "was stopped with 0 of 1 studies done. Go on with: nncompare resume ")
def stopped(run):
    def change(values):
        values["state"] = values["studies"][0]["status"] = "interrupted"

    run.edit("results.json", change)


@damage("stopped", "results.json", "was killed with 1 of 1 studies done. Go on with: nncompare resume ")
def killed(run):
    run.edit("results.json", lambda values: values.update(state="running"))


# --- run.json --------------------------------------------------------------------------------------------------


@damage(
    "run-file-missing",
    "run.json",
    "so the run cannot be resumed. Restore it from a copy. Report, diff and predict",
)
def run_file_gone(run):
    (run.folder / "run.json").unlink()


@damage("run-file-damaged", "run.json", "Invalid JSON")
def run_file_truncated(run):
    path = run.folder / "run.json"
    path.write_bytes(path.read_bytes()[:100])


@damage("run-file-damaged", "run.json", "written by a newer nncompare")
def run_file_newer(run):
    run.edit("run.json", lambda values: values.update(schema_version=7))


@damage("run-file-damaged", "run.json", "config")
def run_file_without_models(run):
    run.edit("run.json", lambda values: values["config"].pop("models"))


@damage("run-file-missing", "run.json", "so the run cannot be resumed. Restore it from a copy, or run again.")
def both_records_gone(run):
    (run.folder / "run.json").unlink()
    (run.folder / "results.json").unlink()


# --- the database ----------------------------------------------------------------------------------------------


@damage("database-missing", "study.db", "put back from the run directory when the run is resumed")
def database_gone(run):
    for path in run.folder.glob("study.db*"):
        path.unlink()


@damage("database-damaged", "study.db", "file is not a database")
def database_not_one(run):
    (run.folder / "study.db").write_bytes(b"no database at all" * 100)


@damage("database-damaged", "study.db", "no such table")
def database_empty(run):
    (run.folder / "study.db").write_bytes(b"")


@damage("database-damaged", "study.db", "DatabaseError")
def database_page_overwritten(run):
    run.sql()
    path = run.folder / "study.db"
    content = bytearray(path.read_bytes())
    for page in range(3, len(content) // 4096):
        content[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    path.write_bytes(content)


@damage("database-unread", "study.db", "No space left on device. Take the right to read it, or set TMPDIR")
def database_without_room_for_a_copy(run):
    def full(_source, target):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))

    run.patch.setattr("nncompare.diagnosis.database.shutil.copyfile", full)


@damage("trials-running", "study.db: Nearest--Waves", "begun and have not ended: 1. They are run again")
def trial_left_running(run):
    run.sql("UPDATE trials SET state = 'RUNNING' WHERE number = 1", "DELETE FROM trial_values WHERE trial_id = 2")
    (run.trials / "0001.record.json").unlink()


@damage("trials-not-told", "study.db: Nearest--Waves", "the database was not told: 1. It is told when")
def trial_not_told(run):
    run.sql("UPDATE trials SET state = 'RUNNING' WHERE number = 1", "DELETE FROM trial_values WHERE trial_id = 2")


@damage("trials-told-twice", "study.db: Nearest--Waves", "there twice, or were told twice: 1.")
def trial_twice(run):
    columns = "number, study_id, state, datetime_start, datetime_complete"
    run.sql(f"INSERT INTO trials ({columns}) SELECT {columns} FROM trials WHERE number = 1")


@damage("trials-lost", "study.db: Nearest--Waves", "lacks trials that the run directory has: 1.")
def trial_lost(run):
    tables = ("trial_params", "trial_values", "trial_intermediate_values", "trial_system_attributes", "trials")
    run.sql(*(f"DELETE FROM {table} WHERE trial_id = 2" for table in tables))


@damage("trials-differ", "study.db: Nearest--Waves", "differs from the run directory on how trials ended: 1.")
def trial_differs(run):
    run.sql("UPDATE trials SET state = 'FAIL' WHERE number = 1")


@damage("database-elsewhere", "postgresql://ann:***@host/db", "The trials are kept there", level="note")
def database_elsewhere(run):
    run.edit("run.json", lambda values: values["config"].update(storage="postgresql://ann:***@host/db"))


# --- files of trials -------------------------------------------------------------------------------------------


@damage("record-damaged", "trials/Nearest--Waves/0000.record.json", "Invalid JSON")
def record_truncated(run):
    path = run.trials / "0000.record.json"
    path.write_bytes(path.read_bytes()[:50])


@damage("record-damaged", "trials/Nearest--Waves/0001.json", "it is not JSON")
def answer_half_written(run):
    (run.trials / "0001.json").write_text('{"status": "comp')


@damage("left-over", "trials/Nearest--Waves/.0002.json.999999999.0badcafe.tmp", "Delete it; nothing reads it.")
def temporary_file_left(run):
    (run.trials / ".0002.json.999999999.0badcafe.tmp").write_text("{")


# --- models and predictions ------------------------------------------------------------------------------------


@damage("model-missing", "models/", "The saved model of Nearest is gone")
def model_gone(run):
    run.model.rename(run.folder.parent / "taken")


@damage("model-missing", "models", "The folder of the saved models is gone, so none can predict")
def models_not_copied(run):
    (run.folder / "models").rename(run.folder.parent / "taken")


@damage("predictions-missing", "predictions", "The folder of the predictions is gone")
def predictions_not_copied(run):
    (run.folder / "predictions").rename(run.folder.parent / "taken")


@damage("model-missing", "results.json", "names no saved model of Nearest on Waves")
def model_of_an_old_version(run):
    run.edit("results.json", lambda values: values["studies"][0]["refits"][0].update(manifest_sha256=None))


@damage("model-changed", "models/", "sharpness.json' was changed after it was saved")
def model_changed(run):
    (run.model / "sharpness.json").write_text("1.0")


@damage("model-changed", "models/", "nncompare.json' was changed after it was saved")
def model_manifest_changed(run):
    path = run.model / "nncompare.json"
    path.write_text(path.read_text().replace("Waves", "Caves"))


@damage("model-changed", "models/", "is missing, so the model is not loaded")
def model_file_gone(run):
    (run.model / "means.npy").unlink()


@damage("model-changed", "models/", "extra.bin' was added after the model was saved")
def model_file_added(run):
    (run.model / "extra.bin").write_bytes(b"x")


@damage("model-changed", "models/", "link' is neither a file nor a folder")
def model_with_a_link(run):
    (run.model / "link").symlink_to("/etc/hostname")


@damage("model-missing", "results.json", "names no saved model")
def model_outside(run):
    run.edit("results.json", lambda values: values["studies"][0]["refits"][0].update(model="../../elsewhere"))


@damage("predictions-missing", "predictions/", "are gone")
def predictions_gone(run):
    run.predictions.unlink()


@damage("predictions-damaged", "predictions/", "cannot be read: BadZipFile")
def predictions_truncated(run):
    path = run.predictions
    path.write_bytes(path.read_bytes()[:-40])


@damage("predictions-damaged", "predictions/", "cannot be read: ")
def predictions_pickled(run):
    path = run.predictions
    np.savez(path, probabilities=np.array([{"a": 1}], dtype=object))


@damage("predictions-damaged", "predictions/", "cannot be read: PluginError")
def predictions_of_other_shape(run):
    np.savez(run.predictions, probabilities=np.full((3, 2), 0.5))


@damage("predictions-differ", "predictions/", "are not those that were scored")
def predictions_of_others(run):
    path = run.predictions
    with np.load(path) as stored:
        values = stored["probabilities"]
    np.savez(path, probabilities=values[:, ::-1])


# --- surroundings ----------------------------------------------------------------------------------------------


@damage("plugin-gone", "model.py", "which is gone. Bring it back")
def plugin_gone(run):
    run.plugin.unlink()


@damage("plugin-changed", "model.py", "cannot be read (PermissionError: Permission denied)")
def plugin_unread(run):
    def refuse(path):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    run.patch.setattr("nncompare.execution.provenance.file_digest", refuse)


@damage("plugin-changed", "model.py", "was changed after the model was saved")
def plugin_changed(run):
    run.plugin.write_text(run.plugin.read_text() + "\n# changed\n")


@damage("data-gone", "", "'Waves' (fingerprint ")
def data_gone(run):
    run.patch.setenv("NNCOMPARE_CACHE_DIR", str(run.folder.parent / "other cache"))


@damage("data-gone", "/nowhere/table.csv", "The file that the run was started with is gone")
def own_file_gone(run):
    run.edit("run.json", lambda values: values["config"].update(datasets=["/nowhere/table.csv"]))


@damage("report-missing", "report.html", "Write it again: nncompare report ")
def report_gone(run):
    (run.folder / "report.html").unlink()


@damage("report-old", "report.html", "it shows other results")
def report_old(run):
    run.edit("results.json", lambda values: values.update(duration_s=123456.0))


@damage("report-old", "report.html", "It holds no results that can be read")
def report_half_written(run):
    path = run.folder / "report.html"
    path.write_bytes(path.read_bytes()[:500])


@damage("cleaned", "cleaned.json", "removed from it the saved models, so that it can neither", level="note")
def cleaned(run):
    remove([item for item in run_items(run.folder) if item.kind in PARTS])


@damage("disk-low", "", "MB are free on this disk")
def disk_nearly_full(run):
    run.patch.setattr("nncompare.diagnosis.surroundings.LOW_MB", 1e12)
