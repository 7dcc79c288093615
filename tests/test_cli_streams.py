"""Standard streams that are closed or full, in processes of their own."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

SCRIPT = Path(sysconfig.get_path("scripts"), "nncompare")
needs_full_device = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


def shell(line):
    """Run a line of shell in which $N is the command."""
    environment = {"N": str(SCRIPT), "PATH": "/usr/bin:/bin", "PYTHONWARNINGS": "error"}
    return subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False, env=environment)


@pytest.mark.parametrize("command", ["list", "--help", "list --json", "--version"])
@needs_full_device
def test_streams_full_output_exits_74_with_one_line(command):
    done = shell(f'"$N" {command} >/dev/full')
    assert done.returncode == 74
    assert done.stderr.startswith("Error: Standard output cannot be written: OSError: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_closed_do_not_stop_a_command(closed):
    done = shell(f'"$N" list {closed}')
    assert done.returncode == 0
    assert done.stderr == ""


@pytest.mark.parametrize("command", ["list", "list --json", "completion bash"])
def test_streams_whose_reader_left_are_no_error(command):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [SCRIPT, *command.split()], stdout=writer, stderr=subprocess.PIPE, text=True, check=False
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_streams_closed_lose_no_predictions_in_silence(tmp_path):
    predict = f'"$N" predict latest --test --out {tmp_path} --output'
    done = shell(f"{predict} - >&-")
    expected = (
        "Error: Standard output is closed, so the predictions cannot be printed. Name a file with --output.\n"
    )
    assert (done.returncode, done.stderr) == (74, expected)
    assert "There is no run" in shell(f"{predict} p.csv >&-").stderr


def test_streams_closed_keep_the_exit_code_of_an_error():
    assert shell('"$N" show nothing 2>&-').returncode == 2


def test_streams_closed_are_not_taken_by_the_next_file(tmp_path):
    code = (
        "import os, sys; from nncompare.cli.streams import open_missing_streams;"
        f"open_missing_streams(); f = open({str(tmp_path / 'f')!r}, 'w');"
        "print('lost', file=sys.stderr); print('lost'); sys.stdout.flush(); sys.exit(f.fileno())"
    )
    done = subprocess.run(["sh", "-c", 'exec "$0" -c "$1" <&- >&- 2>&-', sys.executable, code], check=False)
    assert done.returncode > 2
    assert (tmp_path / "f").read_text() == ""


@pytest.mark.slow
@pytest.mark.parametrize("closed", [">&-", "2>&-"])
def test_streams_closed_let_a_run_end_with_its_report(tmp_path, closed):
    run = f'"$N" run -m mlp -d digits --trials 1 --epochs 1 --seeds 1 --out {tmp_path}/r {closed}'
    assert shell(run).returncode == 0
    assert len(list(tmp_path.glob("r/*/report.html"))) == 1
