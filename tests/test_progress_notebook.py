"""The table of a notebook, without a kernel: what is detected, drawn and sent."""

import re
import sys
from itertools import pairwise
from types import ModuleType, SimpleNamespace

import pytest

from nncompare.events import DownloadProgress, Notice, Stopping, StudyFinished, StudyStarted, TrialFinished
from nncompare.progress import notebook
from nncompare.progress.lines import PlainProgress, QuietProgress, choose_progress, in_notebook
from nncompare.progress.notebook import MAX_NOTICES, MAX_STUDIES, NotebookProgress
from nncompare.results import Failure, StudyRecord, TrialRecord

from .planned_studies import planned


def shell(**attributes):
    """Return a module that stands for IPython with this shell."""
    module = ModuleType("IPython")
    module.get_ipython = lambda: SimpleNamespace(**attributes) if attributes else None
    return module


@pytest.fixture
def sent(monkeypatch):
    """Return what reaches the front end: (shown or updated, output, display_id)."""
    outputs = []
    display = ModuleType("IPython.display")
    display.display = lambda output, *, raw, display_id: outputs.append(("shown", output, display_id))
    display.update_display = lambda output, *, raw, display_id: outputs.append(("updated", output, display_id))
    monkeypatch.setitem(sys.modules, "IPython", shell(kernel=object()))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return outputs


def plan(n_studies=1):
    return SimpleNamespace(studies=[planned(f"model{number}") for number in range(n_studies)])


def trial_of(model):
    record = TrialRecord(number=0, state="complete", params={}, valid_log_loss=0.1234, valid_accuracy=0.95)
    return TrialFinished(model, "digits", record, 1, 4, 0.1234)


FAILURE = Failure(category="plugin", message="<b>no</b>\nmodule")


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (None, False),
        (shell(), False),
        (shell(colors="NoColor"), False),
        (shell(kernel=object()), True),
        (ModuleType("IPython"), False),
    ],
)
def test_in_notebook_tells_a_kernel_from_a_terminal(monkeypatch, module, expected):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    if module is not None:
        monkeypatch.setitem(sys.modules, "IPython", module)
    assert in_notebook() is expected
    assert ("IPython" in sys.modules) is (module is not None)


def test_choose_progress_in_a_notebook(sent, monkeypatch):
    assert type(choose_progress(quiet=False)) is NotebookProgress
    assert type(choose_progress(quiet=True)) is QuietProgress
    monkeypatch.delitem(sys.modules, "IPython")
    assert type(choose_progress(quiet=False)) is PlainProgress


def test_notebook_replaces_one_output_and_ends_with_a_line_per_study(sent, monkeypatch):
    monkeypatch.setattr(notebook, "PERIOD_S", 0.01)
    with NotebookProgress() as progress:
        progress(Notice("one core only", level="warning"))
        progress.follow(plan(2))
        progress(StudyStarted("model0", "digits", 4, 10, 2))
        progress(trial_of("model0"))
        while "1/4 trials" not in sent[-1][1]["text/html"]:
            pass
        for model in ("model0", "not_planned"):
            progress(StudyFinished(StudyRecord(model=model, dataset="digits", status="failed", failure=FAILURE)))
    kinds, outputs, ids = zip(*sent, strict=True)
    assert (kinds[0], set(kinds[1:])) == ("shown", {"updated"})
    assert len(set(ids)) == 1
    assert all(before != after for before, after in pairwise(outputs))
    assert outputs[-1]["text/plain"].splitlines() == [
        "Warning: one core only",
        "model0 on digits: failed: <b>no</b> module",
        "not_planned on digits: failed: <b>no</b> module",
    ]
    assert "<table>" not in outputs[-1]["text/html"]
    assert "failed: &lt;b&gt;no&lt;/b&gt; module</div>" in outputs[-1]["text/html"]


def test_notebook_ends_where_the_block_raises(sent):
    progress = NotebookProgress()
    with pytest.raises(KeyboardInterrupt), progress:
        raise KeyboardInterrupt
    assert not progress._thread.is_alive()
    assert sent[-1][1]["text/plain"] == ""


def test_notebook_that_cannot_show_anything_costs_nothing(sent, monkeypatch):
    def broken(*_arguments, **_keywords):
        raise OSError("the front end has left")

    monkeypatch.setattr(sys.modules["IPython.display"], "display", broken)
    monkeypatch.setattr(sys.modules["IPython.display"], "update_display", broken)
    with NotebookProgress() as progress:
        progress(Notice("hello"))
    assert sent == []


def test_notebook_draws_studies_with_bars_scores_and_time_left():
    progress = NotebookProgress()
    progress.follow(plan(2), SimpleNamespace(seconds=600.0))
    progress(StudyStarted("model0", "digits", 4, 10, 2))
    progress(trial_of("model0"))
    html = progress.draw()["text/html"]
    assert re.search(
        r'model0 on digits</th>.*<progress max="8000" value="1000".*1/4 trials.*loss 0\.1234, acc\. 0\.950', html
    )
    assert re.search(r"model1 on digits</th>.*0/4 trials.*waiting", html)
    assert "0 of 2 studies done, about" in html
    assert not re.search(r"<script|<style|color|\son\w+=", html)


def test_notebook_draws_downloads():
    progress = NotebookProgress()
    event = DownloadProgress(
        dataset="mnist",
        file="<mnist>.npz",
        source="storage.example",
        received_bytes=4,
        total_bytes=11,
        state="receiving",
    )
    progress(event)
    html = progress.draw()["text/html"]
    assert '&lt;mnist&gt;.npz <progress max="11" value="4"' in html
    assert "4 bytes of 11 bytes from storage.example" in html


def test_notebook_of_very_many_studies_and_notices_stays_short():
    progress = NotebookProgress()
    progress.follow(plan(MAX_STUDIES + 5))
    progress(trial_of("model3"))
    for number in range(MAX_NOTICES + 5):
        progress(Notice(f"notice {number}"))
    html = progress.draw()["text/html"]
    assert html.count('<th scope="row"') == 1
    assert "model3 on digits" in html
    assert f"and {MAX_STUDIES + 4} more" in html
    assert "notice 4<" not in html
    assert f"notice {MAX_NOTICES + 4}<" in html


def test_notebook_table_says_that_the_run_stops(sent):
    shown = NotebookProgress()
    shown.follow(plan())
    shown(Stopping(10.0))
    expected = "Stopping: trials may finish within 10 s; press the stop button again to end at once."
    assert shown.draw()["text/plain"] == expected
