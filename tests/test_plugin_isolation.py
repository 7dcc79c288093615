"""One broken plugin never stands in the way of another: distributions that are built, installed and broken."""

from __future__ import annotations

import shutil
import textwrap
from pathlib import Path

import pytest

from . import distributions
from .documents import DOCS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

GOOD = (DOCS / "examples" / "tanh.py").read_text(encoding="utf-8")

FAULTS = {
    "import-error": "import a_package_that_nobody_has\n",
    "os-error": "import ctypes\nctypes.CDLL('libgone.so.1')\n",
    "exits": "import os\nos._exit(7)\n",
    "hangs": "import time\nwhile True:\n    time.sleep(1)\n",
    "prints": "import sys\nfor stream in (sys.stdout, sys.stderr):\n    stream.write('x' * 10_000_000)\n" + GOOD,
    "wrong-type": "class Tanh:\n    pass\n",
    "wrong-version": GOOD.replace('framework="sklearn"', 'framework="sklearn", api_version=2'),
    "first-owner": GOOD,
    "second-owner": GOOD,
}
REASONS = {
    "good": "ok",
    "prints": "ok",
    "import-error": "broken: 'fault_import_error:Tanh' cannot be imported: "
    "ModuleNotFoundError: No module named 'a_package_that_nobody_has'",
    "os-error": "broken: 'fault_os_error:Tanh' cannot be imported: OSError: libgone.so.1",
    "exits": "broken: its import ended the interpreter with exit code 7",
    "hangs": "broken: its import did not end within 20 s",
    "wrong-type": "broken: 'fault_wrong_type:Tanh' is not a subclass of nncompare.plugin.ModelPlugin",
    "wrong-version": "broken: 'fault_wrong_version:Tanh' was written for version 2 of the plugin contract",
    "gone": "broken: 'nncompare_gone:Tanh' cannot be imported: ModuleNotFoundError",
}
TWO_OWNERS = "refused: 2 distributions own 'twice': first-owner 1.0 and second-owner 1.0. Uninstall all but one."
QUICK = ("-d", "digits", "--trials", 1, "--seeds", 1, "--epochs", 2, "--no-estimate", "--quiet")


def editable(folder: Path, name: str) -> Path:
    """Write the sources of a plugin that is installed in editable mode."""
    (folder / "src").mkdir(parents=True)
    (folder / "src" / f"nncompare_{name}.py").write_text(GOOD, encoding="utf-8")
    project = f"""
        [build-system]
        requires = ["setuptools"]
        build-backend = "setuptools.build_meta"
        [project]
        name = "nncompare-{name}"
        version = "1.0"
        [project.entry-points."nncompare.models"]
        {name} = "nncompare_{name}:Tanh"
        """
    (folder / "pyproject.toml").write_text(textwrap.dedent(project), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def crowd(tmp_path_factory):
    """Return the command of an environment with a good plugin among all kinds of broken ones, and its folder."""
    pytest.importorskip("setuptools")
    folder = tmp_path_factory.mktemp("crowd")
    python = distributions.environment(folder / "venv")
    wheels = [distributions.wheel(folder, "good", {"good_model.py": GOOD}, {"good": "good_model:Tanh"})]
    for name, code in FAULTS.items():
        module = f"fault_{name.replace('-', '_')}"
        model = "twice" if name.endswith("owner") else name
        wheels.append(distributions.wheel(folder, name, {f"{module}.py": code}, {model: f"{module}:Tanh"}))
    distributions.install(python, *wheels)
    for name in ("gone", "uninstalled"):
        distributions.install(python, "--editable", editable(folder / name, name))
    distributions.pip(python, "uninstall", "--yes", "nncompare-uninstalled")
    shutil.rmtree(folder / "gone")
    return python.with_name("nncompare"), folder


@pytest.fixture
def call(crowd, tmp_path):
    """Call nncompare there, beside the sources of the uninstalled plugin."""
    command, folder = crowd

    def run(*arguments, **env):
        return distributions.run(
            command,
            *arguments,
            cwd=folder / "uninstalled" / "src",
            NNCOMPARE_CACHE_DIR=str(tmp_path / "cache"),
            **env,
        )

    return run


def statuses(listed):
    """Return owner and status by name, from what ``list`` prints of models."""
    lines = listed.partition("\n\n")[0].splitlines()
    starts = [lines[0].index(title) for title in ("DISTRIBUTION", "VERSION", "STATUS")]
    rows = [(line[: starts[0]], line[starts[0] : starts[2]], line[starts[2] :]) for line in lines[1:]]
    return {name.strip(): (" ".join(owner.split()), status) for name, owner, status in rows}


def test_isolation_list_names_every_plugin_and_starts_none(call):
    done = call("list")
    assert (done.returncode, done.stderr) == (0, "")
    found = statuses(done.stdout)
    assert set(found) == {*REASONS, "twice", "cnn", "lstm", "mlp"}
    assert {status for name, (_, status) in found.items() if name != "twice"} == {"not checked"}
    assert found["good"][0] == "good 1.0"


def test_isolation_list_check_gives_owner_and_reason_of_each(call):
    done = call("list", "--check")
    assert done.returncode == 3
    assert done.stderr == ""
    found = statuses(done.stdout)
    for name, reason in REASONS.items():
        owner, status = found[name]
        assert owner == ("nncompare-gone 1.0" if name == "gone" else f"{name} 1.0")
        assert status.startswith(reason), status
    assert found["twice"] == ("first-owner 1.0 and second-owner 1.0", TWO_OWNERS)
    # Not cnn and lstm: on a busy machine TensorFlow alone may take longer than the limit of 20 s.
    assert found["mlp"][1] == "ok"


def test_isolation_good_plugin_runs_among_the_broken(call, tmp_path):
    done = call("run", "-m", "good", *QUICK, "--out", tmp_path / "reports")
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).name == "report.html"


def test_isolation_plugins_that_are_switched_off_are_listed_and_not_started(call):
    slow_to_import = {"NNCOMPARE_DISABLE_PLUGINS": "cnn, lstm"}
    done = call("list", "--check", "--only-plugins", "good", "--json", **slow_to_import)
    assert done.returncode == 0
    assert done.stdout.count('"switched off"') == len(FAULTS) + 3
    done = call("list", NNCOMPARE_DISABLE_PLUGINS="all")
    assert done.returncode == 0
    found = statuses(done.stdout)
    assert (
        found["good"][1] == "switched off: NNCOMPARE_DISABLE_PLUGINS names 'all'. Take it out to use the plugin."
    )
    assert found["mlp"][1] == "ok"  # as it was checked before


def test_isolation_one_of_two_owners_can_be_chosen(call, tmp_path):
    done = call("run", "-m", "twice", *QUICK, "--out", tmp_path)
    assert done.returncode == 2
    assert TWO_OWNERS.removeprefix("refused: ") in done.stderr
    done = call("run", "-m", "twice", *QUICK, "--out", tmp_path, NNCOMPARE_DISABLE_PLUGINS="second-owner")
    assert done.returncode == 0, done.stderr
    done = call("run", "--all", "--only-plugins", "first-owner", *QUICK, "--out", tmp_path, "--dry-run")
    assert done.returncode == 0, done.stderr
