"""``nncompare list``, with a catalog made by hand and probes that answer at once."""

import json
import os
import sys
from types import ModuleType, SimpleNamespace

import pytest
from click.testing import CliRunner

from nncompare import registry
from nncompare.cli import main
from nncompare.registry import DATASETS, MODELS, Catalog, PluginProblem, PluginRef
from nncompare.selection import ONLY_VARIABLE

NET = PluginRef("net", MODELS, "shop.models:Net", "shop", "1.0")
BAD = PluginRef("bad", MODELS, "shop.models:Bad", "shop", "1.0")
DIGITS = PluginRef("digits", DATASETS, "shop.data:Digits", "shop", "1.0")
TWICE = PluginProblem("twice", "rival 2.0 and shop 1.0", "2 distributions own 'twice'.")


def answer(ok=True, reason=""):
    return SimpleNamespace(ok=ok, reason=reason, tags={"accepts": ["image"]}, file="/x/models.py", seconds=0.1)


@pytest.fixture
def listing(monkeypatch):
    """Call ``list`` on given plugins; ``probed`` collects what was asked for."""
    probed = []

    def call(*arguments, models=(NET,), problems=(), disabled=(), kept=None, answers=None):
        catalogs = {
            MODELS: Catalog({ref.name: ref for ref in models}, list(problems), list(disabled)),
            DATASETS: Catalog({"digits": DIGITS}, []),
        }

        def probe_plugins(refs, timeout_s, *, fresh):
            probed.extend((ref.name, timeout_s, fresh) for ref in refs)
            return [(answers or {}).get(ref.name, answer()) for ref in refs]

        probe = ModuleType("nncompare.execution.probe")
        probe.last_probe = lambda ref: (kept or {}).get(ref.name)
        probe.probe_plugins = probe_plugins
        monkeypatch.setitem(sys.modules, probe.__name__, probe)
        monkeypatch.setattr(registry, "discover", lambda group, _source: catalogs[group])
        return CliRunner().invoke(main, ["list", *arguments])

    call.probed = probed
    return call


def test_list_names_owner_version_and_that_nothing_was_checked(listing):
    done = listing()
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "MODEL  DISTRIBUTION  VERSION  STATUS",
        "net    shop          1.0      not checked",
        "",
        "DATA SET  DISTRIBUTION  VERSION  STATUS",
        "digits    shop          1.0      not checked",
    ]
    assert listing.probed == []


def test_list_shows_the_last_probe(listing):
    done = listing(models=(NET, BAD), kept={"net": answer(), "bad": answer(ok=False, reason="no module x")})
    assert "net    shop          1.0      ok" in done.stdout
    assert "bad    shop          1.0      broken: no module x" in done.stdout
    assert done.exit_code == 0


def test_list_check_probes_each_anew_and_fails_when_one_is_broken(listing):
    done = listing("--check", models=(NET, BAD), answers={"bad": answer(ok=False, reason="no module x")})
    assert done.exit_code == 3
    assert "broken: no module x" in done.stdout
    assert sorted(listing.probed) == [("bad", 20.0, True), ("digits", 20.0, True), ("net", 20.0, True)]


def test_list_check_of_working_plugins_succeeds(listing):
    assert listing("--check").exit_code == 0


def test_list_refused_name_is_shown_with_both_owners(listing):
    done = listing(problems=(TWICE,))
    assert "twice" in done.stdout
    assert "rival 2.0 and shop 1.0" in done.stdout
    assert "refused: 2 distributions own 'twice'." in done.stdout
    assert done.exit_code == 0
    assert listing("--check", problems=(TWICE,)).exit_code == 3


def test_list_json_has_the_same_facts(listing):
    done = listing("--json", problems=(TWICE,), kept={"net": answer()})
    found = json.loads(done.stdout)
    assert [row["name"] for row in found["models"]] == ["net", "twice"]
    assert found["models"][0] == {
        "name": "net",
        "distribution": "shop",
        "version": "1.0",
        "status": "ok",
        "reason": "",
        "value": "shop.models:Net",
        "file": "/x/models.py",
        "tags": {"accepts": ["image"]},
    }
    assert found["datasets"][0]["status"] == "not checked"


def test_list_reason_cannot_rewrite_the_terminal(listing):
    done = listing(kept={"net": answer(ok=False, reason="a\n\x1b[2Jb")})
    assert "broken: a \\x1b[2Jb" in done.stdout
    assert "\x1b" not in done.stdout


def test_list_shows_what_is_switched_off_and_does_not_probe_it(listing):
    done = listing("--check", disabled=[(BAD, "A variable names 'bad'.")])
    assert "bad    shop          1.0      switched off: A variable names 'bad'." in done.stdout
    assert "bad" not in [name for name, *_ in listing.probed]
    assert done.exit_code == 0
    rows = json.loads(listing("--json", disabled=[(BAD, "x")]).stdout)["models"]
    assert [(row["name"], row["status"]) for row in rows] == [("net", "not checked"), ("bad", "switched off")]


def test_list_names_the_variable_and_not_the_option_that_limits_to_what_is_not_there(monkeypatch):
    monkeypatch.setenv(ONLY_VARIABLE, "mpl")
    done = CliRunner().invoke(main, ["list"])
    assert done.exit_code == 2
    assert done.stderr.startswith("Error: NNCOMPARE_ONLY_PLUGINS names 'mpl', which is neither")
    done = CliRunner().invoke(main, ["list", "--only-plugins", "digitz"])
    assert done.stderr.startswith("Error: --only-plugins names 'digitz', which is neither")


@pytest.mark.parametrize("word", ["", " ", ","])
def test_list_refuses_a_limit_that_names_nothing(word):
    done = CliRunner().invoke(main, ["list", "--only-plugins", "mlp", "--only-plugins", word])
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == "Error: --only-plugins names nothing. Name a plugin or a package, or leave it out.\n"


def test_list_warns_once_of_what_is_switched_off_in_vain(monkeypatch):
    monkeypatch.setenv("NNCOMPARE_DISABLE_PLUGINS", "all,digitz,NNCompare")
    done = CliRunner().invoke(main, ["list"])
    assert done.exit_code == 0
    assert done.stderr == (
        "Warning: NNCOMPARE_DISABLE_PLUGINS names 'digitz', and no plugin or distribution of that name is "
        "installed. Did you mean 'digits'?\n"
    )


def test_list_only_plugins_holds_for_one_command():
    before = os.environ.get(ONLY_VARIABLE)
    done = CliRunner().invoke(main, ["list", "--only-plugins", "mlp,digits", "--only-plugins", "nncompare"])
    assert done.exit_code == 0
    assert os.environ.get(ONLY_VARIABLE) == before
    done = CliRunner().invoke(main, ["list", "--only-plugins", "mpl"])
    assert done.exit_code == 2
    assert "Did you mean 'mlp'?" in done.stderr
    assert os.environ.get(ONLY_VARIABLE) == before
