"""Packages of plugins as their authors have them, new ones and the examples: installed, checked, run."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from pathlib import Path

import pytest

from nncompare.scaffold.package import FRAMEWORKS

from . import distributions
from .documents import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

EXAMPLES = ROOT / "plugins" / "examples"
EXAMPLE_DATA = {"transformer": "mnist1d", "hist-gradient-boosting": "digits"}
FEW_CHECKS = ("--check", "check_trains", "--check", "check_saves_and_loads_in_a_fresh_process")
IGNORED = shutil.ignore_patterns("*.egg-info", "__pycache__", "build", ".*")
QUICK = ("--trials", 2, "--seeds", 1, "--epochs", 4, "--no-estimate", "--quiet")
PATIENT = ("--timeout", "10m")  # not what is measured here, on machines that are busy


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """Return the interpreter of an environment in which packages can be installed."""
    pytest.importorskip("setuptools")
    return distributions.environment(tmp_path_factory.mktemp("packages") / "venv")


@pytest.fixture
def call(python, tmp_path):
    """Call nncompare there, in a folder of its own; show what it said where it fails."""

    def run(*arguments):
        return distributions.run(python.with_name("nncompare"), *arguments, cwd=tmp_path, check=True).stdout

    return run


def is_installed(framework):
    """Tell whether what a model is written with is here."""
    return framework == "none" or importlib.util.find_spec(framework) is not None


def with_framework(framework):
    """Skip where what the model is written with is not installed."""
    reason = f"{framework} is not installed, and nncompare needs it not"
    return pytest.param(framework, marks=pytest.mark.skipif(not is_installed(framework), reason=reason))


def test_packages_keep_to_the_style_that_they_ask_for(call, tmp_path):
    """Each is checked with its own settings, as its author would; what mypy learns of libraries is shared."""
    for framework in filter(is_installed, FRAMEWORKS):
        call("new-plugin", f"tidy-{framework}", "--framework", framework)
    for name in EXAMPLE_DATA:
        shutil.copytree(EXAMPLES / f"nncompare-{name}", tmp_path / f"nncompare-{name}", ignore=IGNORED)
    variables = {
        "MYPYPATH": str(ROOT),
        "MYPY_CACHE_DIR": str(tmp_path / "mypy"),
        "RUFF_CACHE_DIR": str(tmp_path / "ruff"),
    }
    for package in tmp_path.glob("nncompare-*"):
        for tool in (["ruff", "check"], ["ruff", "format", "--check"], ["mypy", "--follow-imports", "silent"]):
            if importlib.util.find_spec(tool[0]) is not None:
                distributions.run(Path(sys.executable), "-m", *tool, cwd=package, check=True, **variables)


@pytest.mark.parametrize("framework", [with_framework(name) for name in FRAMEWORKS])
def test_new_package_works_as_it_is_written(python, call, tmp_path, framework):
    name = f"new-{framework}"
    printed = call("new-plugin", name, "--framework", framework)
    steps = [line.split() for line in printed.splitlines() if line.startswith(("  pip", "  nncompare"))]
    assert [step[:2] for step in steps] == [
        ["pip", "install"],
        ["nncompare", "check-plugin"],
        ["nncompare", "run"],
    ]
    package = tmp_path / steps[0][-1]
    distributions.install(python, "--editable", package)
    tested = distributions.run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=package, check=True)
    assert " passed" in tested.stdout
    few = FEW_CHECKS if framework == "keras" else ()  # pytest has just run all of them, which takes a minute
    assert call(*steps[1][1:], *few, *PATIENT)
    report = Path(call(*steps[2][1:], *QUICK).strip())
    assert_learned(tmp_path / report.with_name("results.json"), name)


@pytest.mark.parametrize(("name", "dataset"), EXAMPLE_DATA.items(), ids=EXAMPLE_DATA)
def test_example_package_is_installed_checked_and_run(python, call, tmp_path, name, dataset):
    package = shutil.copytree(EXAMPLES / f"nncompare-{name}", tmp_path / name, ignore=IGNORED)
    distributions.install(python, "--editable", package)
    assert call("check-plugin", name, *PATIENT)
    report = Path(call("run", "-m", name, "-d", dataset, *QUICK).strip())
    assert_learned(tmp_path / report.with_name("results.json"), name)


def assert_learned(results, name):
    """Look whether the model beat the most frequent class by more than chance, on data with ten classes."""
    studies = json.loads(results.read_text(encoding="utf-8"))["studies"]
    (study,) = [study for study in studies if study["model"] == name]
    assert {study["status"] for study in studies} == {"complete"}
    assert study["test"]["accuracy"]["low"] > 0.12


def test_examples_have_models_of_under_60_lines():
    for name in EXAMPLE_DATA:
        (model,) = EXAMPLES.glob(f"nncompare-{name}/src/*/model.py")
        lines = [line for line in model.read_text(encoding="utf-8").splitlines() if line.strip()]
        assert len(lines) < 60, model
