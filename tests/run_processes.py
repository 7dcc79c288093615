"""What tests of whole runs in processes of their own share: the command, kills, what a run has committed."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress

import psutil

NNCOMPARE = (sys.executable, "-c", "from nncompare.cli import main; main()")
COMMITTED = {"trial": "trials/*/*.record.json", "refit": "trials/*/refit-*.json"}


def command(*arguments, **environment):
    """Run nncompare to its end."""
    return subprocess.run(
        [*NNCOMPARE, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def start(*arguments, **environment):
    """Start nncompare in a session of its own."""
    return subprocess.Popen(
        [*NNCOMPARE, *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


class WarmStarter:
    """Starts nncompare by forking a process that has its imports behind it, as a context manager.

    A hundred starts then cost no hundred imports; what is forked is a coordinator as any other.
    """

    CODE = """
import json, os, signal, sys
import jinja2, optuna.samplers._tpe.sampler, scipy.stats, sqlalchemy.dialects.sqlite
from nncompare.cli import main
import nncompare.api, nncompare.cli.resume, nncompare.cli.run, nncompare.engine, nncompare.resuming
for line in sys.stdin:
    arguments, environment, waits = json.loads(line)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL if waits else signal.SIG_IGN)
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(null, number)
        os.environ.update(environment)
        main(arguments)
        os._exit(1)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) if waits else pid, flush=True)
"""

    def __enter__(self):
        one = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # a process with threads must not fork
        self._process = subprocess.Popen(
            [sys.executable, "-c", self.CODE],
            env=os.environ | one,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_):
        for process in psutil.Process(self._process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.communicate()

    def start(self, *arguments):
        """Start nncompare in a session of its own, and return its process."""
        return psutil.Process(self._send(arguments, {}, waits=False))

    def run(self, *arguments, **environment):
        """Run nncompare to its end and return its exit code."""
        return self._send(arguments, environment, waits=True)

    def _send(self, arguments, environment, *, waits):
        self._process.stdin.write(json.dumps([arguments, environment, waits]) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


def kill_with_children(process, *, children=True):
    """Kill a coordinator and, if asked to, all that descends from it; return its descendants."""
    family = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    for child in family if children else ():
        with suppress(psutil.NoSuchProcess):
            child.kill()
    process.wait()
    return family


def is_alive(process):
    """Tell whether a process of psutil's still does anything."""
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def committed(folder):
    """Return the content of what finished, trials and refits, by kind and path."""
    return {(kind, path): path.read_bytes() for kind, glob in COMMITTED.items() for path in folder.glob(glob)}


def rows(folder, query):
    """Return what a query of the run's database yields, once the database was found to be sound."""
    with closing(sqlite3.connect(folder / "study.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return connection.execute(query).fetchall()


def states(folder):
    """Return the states of all trials as the database has them."""
    return rows(folder, "SELECT study_id, number, state FROM trials ORDER BY study_id, number")


def finished_trials(folder):
    """Return what Optuna was told of each finished trial: state, time and values."""
    told = (
        "SELECT trial_id, number, state, datetime_complete FROM trials WHERE state NOT IN ('RUNNING', 'WAITING')"
    )
    values = "SELECT trial_id, objective, value FROM trial_values ORDER BY trial_id, trial_value_id"
    found = rows(folder, values)
    return {
        number: (state, when, [row[1:] for row in found if row[0] == trial])
        for trial, number, state, when in rows(folder, told)
    }
