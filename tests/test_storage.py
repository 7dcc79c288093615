"""Studies in a database of the user's own: PostgreSQL for real, and passwords that nobody sees."""

import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import psutil
import pytest
from sqlalchemy import NullPool, create_engine, text

from nncompare.comparison import load_results
from nncompare.exceptions import StorageError, UsageError
from nncompare.execution.launch import child_environment
from nncompare.resuming import plan_rest
from nncompare.storage import has_password, open_storage, without_password

from .children import fault, processes_with, wait_until
from .test_resume import resumed, stopped
from .whole_runs import compare_with, files_of

CANARY = "s3cret-canary"
INITDB = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)), None)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"postgresql+psycopg://ann:{CANARY}@host/db", "postgresql+psycopg://ann:***@host/db"),
        (f"postgresql+psycopg://host/db?password={CANARY}", "postgresql+psycopg://host/db?password=%2A%2A%2A"),
        ("sqlite:///file.db", "sqlite:///file.db"),
        (CANARY, "(not an address)"),
        (f"postgresql+psycopg://ann:p@ss/{CANARY}@host/db", "postgresql+psycopg://***"),
        (f"postgresql+psycopg://host:1/db?password=p@ss/{CANARY}", "postgresql+psycopg://***"),
        (f"postgresql+psycopg://ann:{CANARY}/x@host/db", "postgresql+psycopg://ann:***@host/db"),
        (f"postgresql+psycopg://ann:{CANARY}@host/d%40b", "postgresql+psycopg://ann:***@host/d%40b"),
    ],
)
def test_without_password_shows_no_secret(url, shown):
    assert without_password(url) == shown


def test_has_password_counts_options_too():
    assert has_password("postgresql://a:b@h/d")
    assert has_password("postgresql://h/d?sslkey=x")
    assert not has_password("sqlite:///x.db")


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql+psycopg://ann:{CANARY}@127.0.0.1:1/db",
        f"nosuch://ann:{CANARY}@host/db",
        f"{CANARY}",
        f"postgresql+nosuch://ann:{CANARY}@host/db",
    ],
)
def test_open_storage_that_fails_says_so_without_the_password(url):
    with pytest.raises(StorageError) as caught:
        open_storage(url)
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert "--storage" in str(caught.value)


def test_open_storage_with_a_password_that_is_not_escaped_asks_no_server_and_says_how():
    with pytest.raises(StorageError, match=r"^The storage 'postgresql\+psycopg://\*\*\*' .* %40 for @, %2F for /"):
        open_storage(f"postgresql+psycopg://ann:p@ss/{CANARY}@host/db")


def test_children_do_not_inherit_the_address(monkeypatch):
    monkeypatch.setenv("NNCOMPARE_STORAGE", CANARY)
    assert CANARY not in child_environment().values()


@pytest.mark.slow
def test_storage_that_does_not_answer_leaves_no_run_directory(runner, tmp_path):
    with pytest.raises(StorageError):
        compare_with(runner, tmp_path / "out", storage=f"postgresql+psycopg://ann:{CANARY}@127.0.0.1:1/db")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_storage_of_sqlite_is_shared_by_runs(runner, tmp_path):
    url = f"sqlite:///{tmp_path / 'all.db'}"
    first, _ = compare_with(runner, tmp_path / "out", storage=url)
    second, folder = compare_with(runner, tmp_path / "out", storage=url)
    assert (first.state, second.state) == ("complete", "complete")
    assert len(open_storage(url).get_all_studies()) == 2
    assert not (folder / "study.db").exists()


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    """Return the addresses of a PostgreSQL of our own, with a password: on a port, and on a socket."""
    if INITDB is None:
        pytest.skip("PostgreSQL's initdb is not installed")
    folder = tmp_path_factory.mktemp("postgres")
    as_user = []
    if os.geteuid() == 0:
        user = "postgres"
        shutil.chown(folder, user)
        for parent in folder.parents:
            if parent == Path("/tmp"):
                break
            parent.chmod(parent.stat().st_mode | 0o011)
        as_user = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    else:
        user = getpass.getuser()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    password = folder / "password"
    password.write_text(CANARY)
    password.chmod(0o644)
    data, options = folder / "data", f"-p {port} -c listen_addresses=127.0.0.1 -k {folder}"
    control = [*as_user, str(INITDB.with_name("pg_ctl")), "-D", str(data), "-w"]

    def call(*words):
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120, cwd="/")
        assert done.returncode == 0, done.stdout + done.stderr

    initdb = [*as_user, str(INITDB), "-D", str(data), "-U", "ann", "-A", "scram-sha-256", f"--pwfile={password}"]
    call(*initdb)
    call(*control, "-l", str(folder / "log"), "-o", options, "start")
    who = f"postgresql+psycopg://ann:{CANARY}@"
    yield SimpleNamespace(
        port=f"{who}127.0.0.1:{port}/postgres", socket=f"{who}/postgres?host={quote(str(folder))}&port={port}"
    )
    call(*control, "-m", "immediate", "stop")


@pytest.mark.slow
def test_storage_of_postgresql_is_resumed_and_its_password_is_nowhere(postgres, tmp_path):
    from nncompare.execution.runner import LocalRunner

    folder = stopped(LocalRunner, tmp_path / "out", storage=postgres.port)
    with LocalRunner() as runner:
        with pytest.raises(UsageError, match="whose password is not kept"):
            plan_rest(folder, runner)
        results = resumed(runner, folder, storage=postgres.port)
    assert results.state == "complete"
    assert [trial.number for trial in results.studies[0].trials] == list(range(6))
    for file in files_of(folder):
        assert CANARY.encode() not in file.read_bytes(), file


def begin(arguments, **environment):
    return subprocess.Popen(
        [sys.executable, "-c", "from nncompare.cli import main; main()", *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def n_committed(out):
    return len(list(out.glob("*/trials/*/*.record.json")))


@pytest.mark.slow
def test_storage_of_postgresql_on_a_socket_survives_two_kills(postgres, tmp_path):
    """Coordinator and children are killed at once, twice; then the run goes on to its end."""
    given = {"NNCOMPARE_STORAGE": postgres.socket, "NNCOMPARE_TEST_MARK": f"{tmp_path.name}-{time.time_ns()}"}
    budget = ("--trials", "12", "--epochs", "3", "--seeds", "2", "--jobs", "2", "--no-estimate")
    arguments = ("run", "-m", fault("Slow"), "-d", "digits", *budget, "--out", str(tmp_path))
    for _ in range(2):
        before = n_committed(tmp_path)
        process = begin(arguments, **given)
        assert wait_until(lambda: n_committed(tmp_path) >= before + 3, 120)  # noqa: B023 - at once
        assert process.poll() is None, "it ended before the kill"
        for victim in processes_with(given["NNCOMPARE_TEST_MARK"]):
            with suppress(psutil.Error):
                victim.kill()
        assert process.wait(10) == -signal.SIGKILL
        assert wait_until(lambda: not processes_with(given["NNCOMPARE_TEST_MARK"]), 10)
        (folder,) = (path.parent for path in tmp_path.glob("*/run.json"))
        arguments = ("resume", str(folder))
    kept = {path: path.read_bytes() for path in folder.glob("trials/*/*.record.json")}
    assert begin(arguments, **given).wait(120) == 0
    assert {path: path.read_bytes() for path in kept} == kept
    assert [trial.number for trial in load_results(folder).studies[0].trials] == list(range(12))
    with create_engine(postgres.socket, poolclass=NullPool).connect() as connection:
        mine = f"FROM trials NATURAL JOIN studies WHERE study_name LIKE '{folder.name}%'"
        rows = connection.execute(text(f"SELECT number, state {mine} ORDER BY number")).all()
        values = f"SELECT count(*) FROM trial_values WHERE trial_id IN (SELECT trial_id {mine})"
        told = connection.execute(text(values)).scalar_one()
    assert [row.number for row in rows] == list(range(12))
    assert {str(row.state) for row in rows} <= {"COMPLETE", "PRUNED", "FAIL"}
    assert told == sum(str(row.state) != "FAIL" for row in rows)
    assert [path for path in files_of(tmp_path) if CANARY.encode() in path.read_bytes()] == []


def test_storage_with_options_that_are_not_accepted_is_one_sentence(tmp_path, recwarn):
    with pytest.raises(StorageError) as caught:
        open_storage(f"sqlite:///{tmp_path}/x.db?cache=shared")
    assert str(caught.value).endswith(
        "' cannot be opened: its driver would ignore 'cache'. Leave it out; SQLite takes options only "
        "with 'uri=true' among them."
    )
    assert list(recwarn) == []
