"""What is shown while a run goes on: the lines of a pipe, and the table of a terminal."""

import io
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest
from rich.console import Console

from nncompare.events import (
    DownloadProgress,
    EpochFinished,
    FinalFinished,
    Notice,
    RefitFinished,
    Stopping,
    StudyFinished,
    StudyStarted,
    TrialChosen,
    TrialFinished,
)
from nncompare.progress import lines
from nncompare.progress.lines import PlainProgress, QuietProgress, choose_progress, outcome
from nncompare.progress.live import LiveProgress
from nncompare.results import Failure, FinalRecord, RefitRecord, StudyRecord, TrialRecord

FAILURE = Failure(category="plugin", message="no\nmodule")


def trial(**fields):
    record = TrialRecord(number=0, params={}, **{"state": "complete", **fields})
    return TrialFinished("mlp", "digits", record, 1, 2, record.valid_log_loss)


EVENTS = [
    Notice("Loading digits"),
    Notice("one core only", level="warning"),
    StudyStarted("mlp", "digits", n_trials=2, max_epochs=10, n_refits=1),
    trial(valid_log_loss=0.25, valid_accuracy=0.9),
    RefitFinished("mlp", "digits", RefitRecord(seed=1, test_accuracy=0.875), 1, 1),
    StudyFinished(StudyRecord(model="cnn", dataset="mnist", status="not_run", failure=FAILURE)),
]


@pytest.fixture(autouse=True)
def still_clock(monkeypatch):
    """Every estimate is the same, however fast the test is."""
    monkeypatch.setattr(lines, "duration", lambda _seconds: "1 s")


def send(watcher, events=EVENTS):
    with watcher:
        for event in events:
            watcher(event)


def test_plain_progress_writes_a_line_per_event_on_stderr(capsys):
    send(PlainProgress())
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "Loading digits",
        "Warning: one core only",
        "mlp on digits: 2 trials of at most 10 epochs, then 1 refit",
        "mlp on digits: 1 of 2 trials done, number 0, validation log loss 0.2500, best 0.2500 (accuracy 0.900), "
        "about 1 s left",
        "mlp on digits: refit 1 of 1, test accuracy 0.8750",
        "cnn on mnist: not run: no module",
    ]


FINALS = [
    FinalRecord(trial=1, failure=Failure(category="oom", message="no memory")),
    FinalRecord(trial=0, valid_log_loss=0.31),
]
IN_FINALS = [
    StudyStarted("mlp", "digits", n_trials=2, max_epochs=10, n_refits=1, n_finalists=2),
    EpochFinished("mlp", "digits", "final", 1, 1, 5, 0.9),
    FinalFinished("mlp", "digits", FINALS[0], 1, 2),
    FinalFinished("mlp", "digits", FINALS[1], 2, 2),
    TrialChosen("mlp", "digits", tuple(FINALS), 20_000),
]
CHOICE = "mlp on digits: trial 0 is best on all 20,000 rows (0.3100; trial 1 failed)"


def test_plain_progress_tells_of_finals_and_their_choice(capsys):
    send(PlainProgress(), IN_FINALS)
    assert capsys.readouterr().err.splitlines() == [
        "mlp on digits: 2 trials of at most 10 epochs, then 2 finals and 1 refit",
        "mlp on digits: final 1 of 2, trial 1 failed: no memory",
        "mlp on digits: final 2 of 2, trial 0, validation log loss 0.3100",
        CHOICE,
    ]


def test_live_progress_counts_finals_and_keeps_the_choice_above_the_table():
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    live = LiveProgress(console)
    send(live, IN_FINALS)
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", console.file.getvalue())
    assert CHOICE in shown
    assert "final 1 of 2" not in shown
    console.print(live.draw())
    assert "2/2 finals" in console.file.getvalue()


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"state": "pruned"}, "1 of 2 trials done, number 0, pruned"),
        (
            {"state": "failed", "failure": FAILURE},
            "1 of 2 trials done, number 0, about 1 s left, failed: no module\n",
        ),
    ],
)
def test_plain_progress_says_what_became_of_a_trial(capsys, fields, text):
    send(PlainProgress(), [EVENTS[2], trial(**fields)])
    assert text in capsys.readouterr().err


def test_plain_progress_tells_an_error_of_a_study_once(capsys):
    failure = Failure(category="plugin", message="PluginError: no class.")
    ended = Failure(category="plugin", message=f"2 of 2 trials failed and none was completed. {failure.message}")
    record = StudyRecord(model="mlp", dataset="digits", status="failed", failure=ended)
    again = trial(state="failed", failure=failure)
    send(PlainProgress(), [EVENTS[2], again, again, StudyFinished(record)])
    assert capsys.readouterr().err.splitlines()[1:] == [
        "mlp on digits: 1 of 2 trials done, number 0, about 1 s left, failed: PluginError: no class.",
        "mlp on digits: 1 of 2 trials done, number 0, about 1 s left, failed: the same error again, "
        "2 times so far",
        "mlp on digits: failed: 2 of 2 trials failed and none was completed. The error is told above.",
    ]


def test_quiet_progress_shows_warnings_only(capsys):
    send(QuietProgress())
    assert capsys.readouterr().err == "Warning: one core only\n"


@pytest.mark.parametrize(
    ("quiet", "terminal", "term", "expected"),
    [
        (True, True, "xterm", QuietProgress),
        (False, False, "xterm", PlainProgress),
        (False, True, "dumb", PlainProgress),
        (False, True, "xterm", LiveProgress),
    ],
)
def test_choose_progress_suits_standard_error(monkeypatch, quiet, terminal, term, expected):
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda: terminal))
    assert type(choose_progress(quiet)) is expected


def download(received, state="receiving", file="mnist.npz"):
    return DownloadProgress(
        dataset="mnist",
        file=file,
        source="storage.example",
        received_bytes=received,
        total_bytes=11_490_434,
        state=state,
    )


def test_plain_progress_writes_two_lines_per_download(capsys):
    sizes = (0, 4_000_000, 11_490_434)
    send(PlainProgress(), [*map(download, sizes), download(11_490_434, "done")])
    assert capsys.readouterr().err.splitlines() == [
        "Fetching mnist.npz, 11.5 MB, from storage.example ...",
        "Fetched mnist.npz.",
    ]


def test_plain_progress_says_that_it_waits_and_that_a_download_failed(capsys):
    send(PlainProgress(), [download(0, "waiting"), download(0, "failed", file="a\x1b[2Jb")])
    assert capsys.readouterr().err.splitlines() == [
        "Another process fetches mnist.npz; waiting for it ...",
        "a\\x1b[2Jb was not fetched.",
    ]


def test_quiet_progress_does_not_show_downloads(capsys):
    send(QuietProgress(), [download(0), download(11_490_434, "done")])
    assert capsys.readouterr().err == ""


def downloading(width, *events):
    """Return what a terminal shows while files are on their way."""
    file = io.StringIO()
    live = LiveProgress(Console(file=file, width=width))
    for event in events:
        live(event)
    live._console.print(live.draw())
    return file.getvalue()


def test_live_table_shows_the_bytes_of_a_download():
    text = downloading(100, download(4_000_000), download(0, "waiting", file="imdb.npz"))
    assert re.search(r"mnist\.npz +━+╸ +4\.0 MB of 11\.5 MB from storage\.example", text)
    assert re.search(r"imdb\.npz .*another process fetches it", text)


@pytest.mark.parametrize("width", [20, 40, 60, 80])
def test_live_table_with_a_download_never_exceeds_the_terminal(width):
    assert max(map(len, downloading(width, download(4_000_000)).splitlines())) <= width


@pytest.mark.parametrize("state", ["done", "failed"])
def test_live_table_drops_a_download_that_ended(state):
    assert "mnist" not in downloading(100, download(4_000_000), download(0, state))


def test_live_table_drops_downloads_when_the_run_begins():
    live = LiveProgress(Console(file=io.StringIO()))
    live(download(4_000_000))
    live.follow(SimpleNamespace(studies=[]))
    assert not live.tracker.downloads


def drawn(width, height=24, n_studies=2, *, colour=False):
    """Return the live table as a terminal of this size would show it."""
    file = io.StringIO()
    console = Console(
        file=file, width=width, height=height, force_terminal=colour, color_system="standard" if colour else None
    )
    live = LiveProgress(console)
    studies = [
        SimpleNamespace(
            model=f"model{i}", dataset="mnist1d", failure=None, n_trials=20, n_refits=3, max_epochs=40,
            search_samples=3200, refit_samples=4000, n_finals=0,
        )
        for i in range(n_studies)
    ]  # fmt: skip
    live.follow(SimpleNamespace(studies=studies))
    live.tracker.update(StudyStarted("model0", "mnist1d", 20, 40, 3))
    record = TrialRecord(number=0, state="complete", params={}, valid_log_loss=0.1234, valid_accuracy=0.95)
    live.tracker.update(TrialFinished("model0", "mnist1d", record, 1, 20, 0.1234))
    console.print(live.draw())
    return file.getvalue()


def test_live_table_shows_trials_best_and_waiting_studies():
    text = drawn(120)
    assert "model0 on mnist1d" in text
    assert "1/20 trials" in text
    assert "loss 0.1234, acc. 0.950" in text
    assert "waiting" in text
    assert "0 of 2 studies done" in text


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
def test_live_table_never_exceeds_the_terminal(width):
    assert max(map(len, drawn(width).splitlines())) <= width


def test_live_table_narrow_keeps_the_counts_and_drops_the_scores():
    text = drawn(50)
    assert "1/20 trials" in text
    assert "loss" not in text


def test_live_table_of_many_studies_shows_the_running_ones():
    text = drawn(100, height=10, n_studies=30)
    assert "model0 on mnist1d" in text
    assert "model7 on mnist1d" not in text


def test_live_table_no_color_has_no_colour(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[[39]\d", drawn(120, colour=True))
    monkeypatch.delenv("NO_COLOR")
    assert re.search(r"\x1b\[[39]\d", drawn(120, colour=True))


def test_live_table_before_the_plan_says_how_long_it_has_taken(monkeypatch):
    live = LiveProgress(Console(file=io.StringIO()))
    monkeypatch.setattr(live.tracker, "elapsed_s", lambda: 12.0)
    assert "Preparing models and data, 12 s so far ..." in [str(part) for part in live.draw().renderables]


def test_live_table_shows_what_was_foretold(monkeypatch):
    live = LiveProgress(Console(file=io.StringIO()))
    study = SimpleNamespace(
        model="mlp", dataset="digits", failure=None, n_trials=2, n_refits=1, max_epochs=5, search_samples=9,
        refit_samples=9, n_finals=0,
    )  # fmt: skip
    live.follow(SimpleNamespace(studies=[study]), SimpleNamespace(seconds=600.0))
    last = str(live.draw().renderables[-1])
    assert last == "0 of 1 study done, about 10 min left. Ctrl-C stops and keeps what is done."


def test_live_table_of_a_dumb_terminal_moves_no_cursor(monkeypatch):
    for term in ("dumb", "unknown"):
        monkeypatch.setenv("TERM", term)
        file = io.StringIO()
        send(LiveProgress(Console(file=file, force_terminal=True, width=40)))
        assert "\x1b" not in file.getvalue()


def test_live_table_at_40_columns_keeps_names_counts_and_states_apart():
    rows = drawn(40).splitlines()
    assert re.fullmatch(r"model0 on mnist1d +1/20  search *", rows[0]), rows
    assert re.fullmatch(r"model1 on mnist1d +0/20  waiting *", rows[1]), rows


def test_outcome_of_an_interrupted_study_says_what_is_kept():
    record = StudyRecord(
        model="cnn",
        dataset="mnist1d",
        status="interrupted",
        failure=FAILURE,
        trials=[TrialRecord(number=n, params={}, state=s) for n, s in enumerate(("complete", "running"))],
    )
    assert outcome(record) == "cnn on mnist1d: interrupted, 1 finished trial kept"


def test_live_prints_notices_above_the_table():
    file = io.StringIO()
    send(LiveProgress(Console(file=file, width=100)))
    assert "Warning: one core only" in file.getvalue()
    assert "cnn on mnist: not run: no module" in file.getvalue()


BUSY = """
import faulthandler, io, threading

faulthandler.dump_traceback_later(20, exit=True)
from rich.console import Console

from nncompare.progress.live import LiveProgress
from nncompare.events import Notice, StudyStarted

live = LiveProgress(Console(file=io.StringIO(), force_terminal=True, width=80, height=24))
live._live.refresh_per_second = 2000
live(StudyStarted("mlp", "digits", 5, 10, 1))
with live:
    talk = lambda: [live(Notice(f"notice {k}")) for k in range(100)]
    threads = [threading.Thread(target=talk) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
print("finished")
"""


def test_live_table_draws_while_several_threads_write():
    child = subprocess.run([sys.executable, "-c", BUSY], capture_output=True, text=True, check=False)
    assert child.stdout == "finished\n", child.stderr


STOPPING = "Stopping: trials may finish within 10 s; press Ctrl-C again to end at once."


def test_live_table_after_ctrl_c_says_what_happens_and_no_time_left():
    live = LiveProgress(Console(file=io.StringIO()))
    study = SimpleNamespace(
        model="mlp", dataset="digits", failure=None, n_trials=2, n_refits=1, max_epochs=5, search_samples=9,
        refit_samples=9, n_finals=0,
    )  # fmt: skip
    live.follow(SimpleNamespace(studies=[study]), SimpleNamespace(seconds=600.0))
    live(Stopping(10.0))
    assert str(live.draw().renderables[-1]) == STOPPING


@pytest.mark.parametrize("progress", [PlainProgress, QuietProgress])
def test_progress_in_lines_says_once_that_it_stops(capsys, progress):
    progress()(Stopping(10.0))
    assert capsys.readouterr().err == f"{STOPPING}\n"
