"""Real notebooks in a real kernel: progress in place, HTML results, what is refused, the interrupt button."""

import queue
import time

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient

from .children import FAULTS

pytestmark = pytest.mark.slow

BUDGET = "preset='quick', n_trials=2, max_epochs=3, jobs=1, estimate=False"
COMPARE = f"import nncompare\ndone = nncompare.compare('mlp', 'digits', {BUDGET})"
IN_MAIN = """
from nncompare.plugin import ModelPlugin
class Mine(ModelPlugin): ...
nncompare.compare(Mine, 'digits')
"""
SHOWN = {"display_data", "update_display_data"}


@pytest.fixture
def run_cells(tmp_path, monkeypatch):
    """Return what runs cells as a notebook in an empty folder and returns the outputs of each."""
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)  # with it, no notebook finds what lies beside it

    def run(*cells):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        resources = {"metadata": {"path": str(tmp_path)}}
        NotebookClient(notebook, timeout=250, allow_errors=True, resources=resources).execute()
        return [cell.outputs for cell in notebook.cells]

    return run


@pytest.fixture
def kernel(tmp_path):
    """Return the manager and the client of a kernel in an empty folder."""
    manager, client = start_new_kernel(cwd=str(tmp_path))
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def messages(client, request, timeout=120):
    """Yield what the kernel publishes for one request, until it is idle."""
    end = time.monotonic() + timeout
    while True:
        message = client.get_iopub_msg(timeout=max(0.1, end - time.monotonic()))
        if message["parent_header"].get("msg_id") != request:
            continue
        if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            return
        yield message


def finish(client, request):
    return list(messages(client, request))


def test_notebook_compares_shows_and_refuses(run_cells):
    progress, shown, refused, table = run_cells(COMPARE, "done", IN_MAIN, "done.leaderboard")
    assert [output.output_type for output in progress] == ["display_data"], progress  # no warnings, no lines
    assert progress[0].data["text/plain"].startswith("mlp on digits: complete, test accuracy 0.")
    assert shown[0].data["text/html"].count("<table>") == 1
    assert "Only mlp was run on digits" in shown[0].data["text/html"]
    assert "<Comparison" in shown[0].data["text/plain"]
    assert refused[0].ename == "UsageError"
    assert "%%writefile my_model.py" in refused[0].evalue
    assert "test_accuracy" in table[0].data["text/html"]


def test_notebook_takes_a_class_from_a_file_beside_it(run_cells):
    source = FAULTS.read_text()
    cells = [
        f"%%writefile my_models.py\n{source}",
        f"import nncompare, my_models\ndone = nncompare.compare(my_models.Nearest, 'digits', {BUDGET})",
        f"import nncompare\nagain = nncompare.compare('my_models.py:Nearest', 'digits', {BUDGET})",
        "print(*(d.results.studies[0].status for d in (done, again)))",
    ]
    assert run_cells(*cells)[-1][0].text == "complete complete\n"


def test_notebook_progress_replaces_one_output_in_place(kernel):
    _manager, client = kernel
    found = finish(client, client.execute(COMPARE))
    shown = [message for message in found if message["msg_type"] in SHOWN]
    assert [message["msg_type"] for message in shown[:2]] == ["display_data", "update_display_data"]
    assert {message["msg_type"] for message in shown[1:]} == {"update_display_data"}
    assert len({message["content"]["transient"]["display_id"] for message in shown}) == 1
    assert any("<progress" in message["content"]["data"]["text/html"] for message in shown)
    assert not [message for message in found if message["msg_type"] == "stream"]


def test_notebook_interrupt_keeps_what_finished_and_the_kernel(kernel):
    manager, client = kernel
    long = "preset='quick', n_trials=500, max_epochs=3, jobs=1, estimate=False"
    request = client.execute(f"import nncompare\nnncompare.compare('mlp', 'digits', {long})")
    errors = []
    interrupted = False
    for message in messages(client, request):
        if message["msg_type"] in SHOWN and not interrupted:
            html = message["content"]["data"]["text/html"]
            if "/500 trials" in html and " 0/500 trials" not in html:
                manager.interrupt_kernel()
                interrupted = True
        if message["msg_type"] == "error":
            errors.append(message["content"])
    assert [error["ename"] for error in errors] == ["KeyboardInterrupt"]
    assert "the partial report is reports/" in errors[0]["evalue"]
    request = client.execute(
        "import glob, signal, pathlib\n"
        "from nncompare.comparison import load_results\n"
        "found = load_results(pathlib.Path(glob.glob('reports/*')[0]))\n"
        "print(found.state, len(found.studies[0].trials) > 0, signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)"
    )
    text = "".join(m["content"]["text"] for m in messages(client, request) if m["msg_type"] == "stream")
    assert text == "interrupted True True\n"
    with pytest.raises(queue.Empty):
        client.get_iopub_msg(timeout=1.0)  # nothing is drawn any more
