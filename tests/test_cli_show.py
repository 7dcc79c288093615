"""``nncompare show``, with a plugin that describes itself at once."""

import json
import sys
from types import ModuleType, SimpleNamespace

import pytest
from click.testing import CliRunner

from nncompare.cli import main
from nncompare.cli.show import domain

DESCRIPTION = {
    "dataset": "mnist1d",
    "space": {
        "cell": {"type": "categorical", "choices": ["gru", "lstm", None]},
        "units": {"type": "int", "low": 8, "high": 64, "step": 8, "log": False},
    },
    "defaults": {"cell": "lstm", "units": 32},
}


@pytest.fixture
def show(monkeypatch):
    asked = []

    def call(*arguments, ok=True):
        probe = ModuleType("nncompare.execution.probe")
        probe.probe_plugin = lambda _ref: SimpleNamespace(
            ok=ok, reason="no module x", tags={"accepts": ["sequence", "image"], "framework": None}, file="/x.py"
        )
        planning = ModuleType("nncompare.planning")
        planning.describe_plugin = lambda model, dataset: asked.append((model, dataset)) or DESCRIPTION
        for module in (probe, planning):
            monkeypatch.setitem(sys.modules, module.__name__, module)
        return CliRunner().invoke(main, ["show", *arguments])

    call.asked = asked
    return call


def test_show_prints_tags_ranges_and_defaults(show):
    done = show("lstm", "-d", "mnist1d")
    assert done.exit_code == 0
    assert show.asked == [("lstm", "mnist1d")]
    assert "accepts: sequence, image" in done.stdout
    assert "search space on: mnist1d" in done.stdout
    assert done.stdout.splitlines()[-3:] == [
        "PARAMETER  TYPE         SEARCHED               DEFAULT",
        "cell       categorical  gru, lstm, null        lstm",
        "units      int          8 to 64 in steps of 8  32",
    ]


def test_show_text_cannot_steer_the_terminal(show, monkeypatch):
    hostile = "\x1b[2J\x1b]0;title\x07"
    spec = {"type": "categorical", "choices": [hostile]}
    description = {"dataset": f"d{hostile}", "space": {f"p{hostile}": spec}, "defaults": {f"p{hostile}": hostile}}
    for key, value in description.items():
        monkeypatch.setitem(DESCRIPTION, key, value)
    done = show("lstm")
    assert done.exit_code == 0
    assert all(c.isprintable() for c in done.stdout.replace("\n", ""))
    assert "search space on: d\\x1b[2J\\x1b]0;title\\x07" in done.stdout


def test_show_json_has_the_space(show):
    found = json.loads(show("lstm", "--json").stdout)
    assert found["name"] == "lstm"
    assert found["space"] == DESCRIPTION["space"]
    assert found["defaults"] == DESCRIPTION["defaults"]
    assert found["tags"]["accepts"] == ["sequence", "image"]


def test_show_broken_plugin_exits_3_and_names_the_owner(show):
    done = show("lstm", ok=False)
    assert done.exit_code == 3
    assert done.stderr.startswith("Error: The model 'lstm' of nncompare ")
    assert done.stderr.endswith("does not work: no module x\n")


def test_show_unknown_names_exit_2(show):
    assert show("lsmt").exit_code == 2
    done = show("lstm", "-d", "digit")
    assert done.exit_code == 2
    assert "Did you mean 'digits'?" in done.stderr


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ({"type": "float", "low": 1e-4, "high": 0.1, "log": True}, "0.0001 to 0.1, logarithmic"),
        ({"type": "float", "low": 0.0, "high": 0.5, "step": 0.1, "log": False}, "0 to 0.5 in steps of 0.1"),
        ({"type": "int", "low": 1, "high": 3, "step": 1, "log": False}, "1 to 3"),
        ({"type": "categorical", "choices": [True, "a", 3]}, "true, a, 3"),
    ],
)
def test_show_domain_in_words(spec, text):
    assert domain(spec) == text


def test_show_refuses_a_file_and_names_the_command_that_reads_it(show):
    done = show("mlp", "-d", "wine.csv")
    assert done.exit_code == 2
    assert "nncompare run --all -d wine.csv --target COLUMN --dry-run" in done.stderr
    assert show.asked == []
