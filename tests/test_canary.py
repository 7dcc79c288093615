"""A password in the address of a storage is nowhere but in the hands of the driver, whatever goes wrong."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from urllib.parse import quote

import pytest
from click.testing import CliRunner

from nncompare.cli import main
from nncompare.report import results_in

from .children import FAULTS, dataset, fault
from .whole_runs import compare_with, files_of

CANARY = "canary7f3a"
PASSWORDS = {
    "plain": CANARY,
    "encoded": quote(f"p@ss/{CANARY}:é ?#", safe=""),
    "unescaped": f"p@ss/{CANARY}",
    "with blanks": f"p ss {CANARY}",
}
"""Each holds the canary as it is, so that it is found in every encoding but a packed one."""
RUN = ("run", "-m", fault("Nearest"), "-d", dataset("Waves"), "--no-estimate")


def by_user(password, host="127.0.0.1:1", driver="postgresql+psycopg", rest=""):
    return f"{driver}://ann:{password}@{host}/db{rest}"


def by_query(password, host="127.0.0.1:1", name="password"):
    return f"postgresql+psycopg://{host}/db?{name}={password}"


FAILURES = {
    "nobody listens": (by_user, RUN, 74),
    "nobody listens, by query": (by_query, RUN, 74),
    "key in the query": (lambda p: by_query(p, name="sslpassword"), RUN, 74),
    "option of another name": (lambda p: by_query(p, name="options"), RUN, 74),
    "unknown host": (lambda p: by_user(p, "nowhere.invalid"), RUN, 74),
    "unknown dialect": (lambda p: by_user(p, driver="nosuch"), RUN, 74),
    "driver that is not installed": (lambda p: by_user(p, driver="mysql+nosuch"), RUN, 74),
    "bad port": (lambda p: by_user(p, "host:port"), RUN, 74),
    "bad option": (lambda p: by_user(p, rest=f"?nosuch=1&connect_timeout={p}"), RUN, 74),
    "option that sqlite has not": (lambda p: f"sqlite:///x.db?password={p}", RUN, 74),
    "user of sqlite": (lambda p: by_user(p, driver="sqlite"), RUN, 74),
    "folder that is not there": (lambda p: f"sqlite:///file:/no/x.db?uri=true&password={p}", RUN, 74),
    "no address": (lambda p: p, RUN, 74),
    "a model that is not there": (by_user, ("run", "-m", "nosuch"), 2),
    "data that are not there": (by_query, (*RUN[:3], "-d", "no.csv"), 2),
    "dry run": (by_user, (*RUN, "--dry-run"), 0),
    "dry run as JSON": (by_query, (*RUN, "--dry-run", "--json"), 0),
    "saved settings": (by_user, (*RUN, "--dry-run", "--save-config", "saved.toml"), 0),
    "saved settings with an option of another name": (
        lambda p: by_query(p, name="options"),
        (*RUN, "--dry-run", "--save-config", "saved.toml"),
        0,
    ),
    "output that cannot be": (by_user, (*RUN, "--out", "/dev/null/x"), 74),
    "resume of a run with another database": (by_user, ("resume", "RUN"), 2),
    "resume of a run in study.db": (by_user, ("resume", "OWN"), 2),
    "doctor": (by_user, ("doctor", "RUN", "--json"), 0),
    "unknown option": (by_user, (*RUN, "--nosuch"), 2),
}
FROM_VARIABLE = ("nobody listens", "no address", "saved settings", "doctor", "unknown dialect")


@pytest.fixture(scope="module")
def own(runner, tmp_path_factory):
    """A folder with a finished run, ``reports/*``, whose trials are in its study.db, and with its ``cache``.

    That of all tests may hold the real data sets, and each test here copies its cache and reads all of it.
    """
    folder = tmp_path_factory.mktemp("own")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NNCOMPARE_CACHE_DIR", str(folder / "cache"))
        compare_with(runner, folder / "reports", datasets=(dataset("Waves"),), n_trials=1)
    return folder


@pytest.fixture
def place(runner, own, tmp_path, monkeypatch):
    """A folder to run commands in, with two runs: one with study.db and one with a database elsewhere."""

    class Warm:
        __enter__ = staticmethod(lambda: runner)
        __exit__ = staticmethod(lambda *_: None)

    monkeypatch.setattr("nncompare.execution.runner.LocalRunner", Warm)
    monkeypatch.chdir(tmp_path)
    shutil.copytree(own / "cache", tmp_path / "cache")
    monkeypatch.setenv("NNCOMPARE_CACHE_DIR", str(tmp_path / "cache"))
    (run,) = (own / "reports").iterdir()
    for name in ("OWN", "RUN"):
        shutil.copytree(run, tmp_path / name)
    text = (tmp_path / "RUN" / "run.json").read_text()
    recorded = '"storage": "postgresql+psycopg://ann:***@other/db"'
    (tmp_path / "RUN" / "run.json").write_text(text.replace('"storage": null', recorded))
    assert recorded in (tmp_path / "RUN" / "run.json").read_text()
    return tmp_path


def leaks(folder, *texts):
    """Return where the canary is: files below a folder, unpacked where they are packed, and texts."""
    needle = CANARY.encode()
    found = [path for path in files_of(folder) if needle in path.read_bytes()]
    pages = [path for path in files_of(folder) if path.name == "report.html"]
    found += [path for path in pages if CANARY in results_in(path.read_text()).to_json()]
    return [*found, *(text for text in texts if CANARY in text)]


@pytest.mark.slow
@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("path", FAILURES)
def test_canary_is_nowhere_when_it_was_typed(place, path, password):
    address, arguments, code = FAILURES[path]
    typed = () if arguments[0] == "doctor" else ("--storage", address(PASSWORDS[password]))
    done = CliRunner().invoke(main, [*arguments, *typed, "--debug"])
    assert leaks(place, done.stdout, done.stderr) == []
    if password == "plain":  # what is not escaped can mean another address
        assert (done.exit_code, path) == (code, path), done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("path", FROM_VARIABLE)
def test_canary_is_nowhere_when_the_variable_has_it(place, monkeypatch, path, password):
    address, arguments, code = FAILURES[path]
    monkeypatch.setenv("NNCOMPARE_STORAGE", address(PASSWORDS[password]))
    done = CliRunner().invoke(main, [*arguments, "--debug"])
    assert leaks(place, done.stdout, done.stderr) == []
    assert done.exit_code == code or password in ("unescaped", "with blanks"), done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("wrong", ["models = 3", "jobs = 'many'", "storage = 3", "half = "])
def test_canary_is_nowhere_when_the_file_of_settings_has_it(place, wrong):
    (place.parent / "settings.toml").write_text(f'storage = "{by_user(CANARY)}"\n{wrong}\n')
    done = CliRunner().invoke(main, [*RUN, "--config", str(place.parent / "settings.toml"), "--debug"])
    assert done.exit_code == 2
    assert leaks(place, done.stdout, done.stderr) == []


@pytest.mark.slow
@pytest.mark.parametrize("address", [by_user(CANARY), by_user(f"p ss {CANARY}"), by_query(f"p ss {CANARY}")])
@pytest.mark.parametrize("option", ["-m", "-d", "--set", "--preset", "--timeout", None])
def test_canary_is_nowhere_when_the_address_was_typed_in_the_wrong_place(place, option, address):
    done = CliRunner().invoke(main, [*RUN, *([option] if option else []), address])
    assert done.exit_code != 0
    assert leaks(place, done.stdout, done.stderr) == []


TELLS_ALL = """
import os, sys
from pathlib import Path
sys.path.insert(0, '{folder}')
from faults import Nearest

class Tells(Nearest):
    def epoch(self, epoch, context):
        if epoch == 1:
            print(dict(os.environ), *(Path("/proc/self", name).read_bytes() for name in ("environ", "cmdline")))
"""


def start(folder, *arguments, **variables):
    """Run nncompare as a user does, its temporary files in the folder too."""
    (folder / "tmp").mkdir(exist_ok=True)
    code = "from nncompare.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder / "tmp"), **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.slow
def test_canary_is_nowhere_in_a_run_that_works_is_read_and_resumed(tmp_path, monkeypatch):
    """SQLite takes any option in its address, so that a password can stand there and the run goes well."""
    monkeypatch.setenv("NNCOMPARE_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "tells.py").write_text(TELLS_ALL.format(folder=FAULTS.parent))
    url = f"sqlite:///file:{tmp_path}/all.db?uri=true&password={CANARY}&key=p ss {CANARY}"
    budget = ("-m", "tells.py:Tells", "-d", dataset("Waves"), "--trials", "2", "--seeds", "1", "--epochs", "2")
    done = start(tmp_path, "run", *budget, "--out", "out", "--json", "--storage", url)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "out").iterdir()
    assert "PATH" in next(folder.glob("trials/Tells*/0000.log")).read_text()  # the child did tell
    more = start(tmp_path, "resume", str(folder), "--trials", "3", NNCOMPARE_STORAGE=url)
    assert more.returncode == 0, more.stderr
    texts = [done.stdout, done.stderr, more.stdout, more.stderr]
    monkeypatch.setenv("NNCOMPARE_STORAGE", url)
    reading = (("runs", "--out", str(folder.parent), "--json"), ("report", str(folder), "--format", "json"))
    for arguments in (
        ("resume", str(folder)),
        ("report", str(folder)),
        ("doctor", str(folder), "--json"),
        *reading,
    ):
        told = CliRunner().invoke(main, arguments)
        assert told.exit_code == 0, told.stderr
        texts += [told.stdout, told.stderr]
    assert leaks(tmp_path, *texts) == []


@pytest.mark.slow
def test_canary_is_nowhere_when_the_database_is_locked(place):
    with closing(sqlite3.connect(place / "locked.db", isolation_level=None)) as holder:
        holder.execute("CREATE TABLE t (x)")
        holder.execute("BEGIN EXCLUSIVE")
        url = f"sqlite:///file:{place}/locked.db?uri=true&timeout=0.2&password={CANARY}"
        done = CliRunner().invoke(main, [*RUN, "--storage", url, "--debug"])
        assert done.exit_code == 74
        assert "database is locked" in done.stderr
        assert leaks(place, done.stdout, done.stderr) == []
        holder.execute("ROLLBACK")
