"""One process at a time has a run directory, and the next one has it as soon as the holder is gone."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nncompare import runfile
from nncompare.exceptions import BusyError
from nncompare.runfile import hold, is_held

HOLDER = """
import sys, time
from pathlib import Path
from nncompare.runfile import hold
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_second_process_is_refused_at_once_and_told_who_holds_the_run(holder, tmp_path):
    assert runfile.BUSY_WAIT_S < 1  # all that it waits for
    assert is_held(tmp_path)
    words = rf"is held by process {holder.pid} on .*\. Wait for its end\."
    with pytest.raises(BusyError, match=words) as caught, hold(tmp_path):
        pytest.fail("two hold it")
    assert caught.value.exit_code == 75


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_holder_that_was_killed_holds_no_more(holder, tmp_path, signum):
    holder.send_signal(signum)
    holder.wait()
    assert not is_held(tmp_path)
    with hold(tmp_path):
        assert (tmp_path / runfile.HOLDER).read_text().startswith(f"process {os.getpid()} on ")


def test_lock_outlives_a_holder_that_is_paused(holder, tmp_path):
    holder.send_signal(signal.SIGSTOP)
    assert is_held(tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_run_is_held_where_the_name_of_the_holder_finds_no_room(tmp_path):
    (tmp_path / runfile.HOLDER).symlink_to("/dev/full")
    with hold(tmp_path):
        assert is_held(tmp_path)
