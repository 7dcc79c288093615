"""Probing plugins in interpreters of their own: what they say, how they fail, what is remembered."""

import os
import resource
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

from nncompare.execution import probe as probe_module
from nncompare.execution.probe import last_probe, probe_plugin, probe_plugins
from nncompare.registry import DATASETS, MODELS, find

from .children import dataset, fault, n_descriptors, processes_with, wait_until

GOOD = """
from nncompare.plugin import ModelPlugin, ModelTags
class Model(ModelPlugin):
    tags = ModelTags(accepts=("tabular", "image"), default_dataset="digits")
    def suggest_params(self, trial, data): ...
    def default_params(self, data): ...
    def fit(self, params, train, valid, context): ...
"""
NEW_API = GOOD.replace('default_dataset="digits"', "api_version=2")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NNCOMPARE_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def plugin(tmp_path):
    """Write a plugin's file and return its reference."""

    def write(text):
        file = tmp_path / "model.py"
        file.write_text(text)
        return find(f"{file}:Model", MODELS)

    return write


def test_probe_good_model_tells_its_tags(plugin, tmp_path):
    result = probe_plugin(plugin(GOOD))
    assert (result.ok, result.reason) == (True, "")
    assert result.tags["accepts"] == ["tabular", "image"]
    assert result.tags["default_dataset"] == "digits"
    assert result.file == str(tmp_path / "model.py")


def test_probe_good_dataset_tells_its_info():
    result = probe_plugin(find(dataset("Waves"), DATASETS))
    assert result.ok
    assert (result.tags["view"], result.tags["n_train"]) == ("sequence", 60)


REFUSED = {
    "import error": (
        "import no_such_library",
        "ModuleNotFoundError: No module named 'no_such_library' (model.py:1)",
    ),
    "syntax error": ("\ndef", "cannot be imported: SyntaxError: invalid syntax (model.py:2)"),
    "name error": ("\n\nx = undefined", "NameError: name 'undefined' is not defined (model.py:3)"),
    "exit on import": ("import os; os._exit(0)", "ended the interpreter with exit code 0"),
    "sys.exit on import": ("raise SystemExit(3)", "SystemExit: 3"),
    "crash on import": ("import ctypes; ctypes.string_at(0)", "ended the interpreter with signal SIGSEGV"),
    "real-time signal": ("import os; os.kill(os.getpid(), 40)", "ended the interpreter with signal 40"),
    "last words": (
        "import os, sys; print('far' * 99, 'last words', sep='\\n', file=sys.stderr, flush=True); os._exit(7)",
        "ended the interpreter with exit code 7: last words",
    ),
    "no such class": ("", "has no class 'Model'"),
    "not a class": ("Model = 5", "is not a class"),
    "wrong type": ("class Model: pass", "is not a subclass of nncompare.plugin.ModelPlugin"),
    "abstract": (
        "from nncompare.plugin import ModelPlugin\nclass Model(ModelPlugin): pass",
        "does not implement default_params, fit, suggest_params",
    ),
    "no tags": (GOOD.replace("tags =", "labels ="), "no class attribute 'tags' of type ModelTags"),
    "unknown view": (GOOD.replace('"image"', '"sound"'), "choose from tabular, image, sequence, tokens"),
    "no view": (GOOD.replace('("tabular", "image")', "()"), "choose from tabular, image, sequence, tokens"),
    "string of a view": (
        GOOD.replace('("tabular", "image")', '"tabular"'),
        "is 'tabular'; write accepts=(\"tabular\",)",
    ),
    "string of no view": (
        GOOD.replace('("tabular", "image")', '"tables"'),
        "is 'tables'; a tuple of views is expected",
    ),
    "views that are none": (GOOD.replace('("tabular", "image")', "None"), "is None; a tuple of views is expected"),
    "unknown framework": (GOOD.replace("default_dataset", "framework"), "choose 'keras', 'sklearn' or None"),
    "another version": (NEW_API, "was written for version 2 of the plugin contract, this nncompare has version 1"),
    "constructor raises": (f"{GOOD}    def __init__(self): raise ValueError('no')", "ValueError: no (model.py:8)"),
}


@pytest.mark.parametrize(("text", "reason"), REFUSED.values(), ids=REFUSED)
def test_probe_refused_with_its_reason(plugin, text, reason):
    result = probe_plugin(plugin(text))
    assert not result.ok
    assert reason in result.reason
    assert "\n" not in result.reason


def test_probe_hanging_import_is_ended_with_what_it_started(plugin):
    marker = f"nncompare-probe-{os.getpid()}"
    text = f"""
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)  # {marker}"])
time.sleep(1e6)
"""
    before = n_descriptors()
    result = probe_plugin(plugin(text), timeout_s=2)
    assert result.reason == "its import did not end within 2 s"
    assert wait_until(lambda: not processes_with(marker))
    assert n_descriptors() == before


LEAVES = """
import os, subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)  # {marker}"], start_new_session=True)
"""


@pytest.mark.parametrize("end", ["pass", "os._exit(3)", "os.abort()", "import time; time.sleep(600)"])
def test_probe_ends_what_left_its_session_and_does_not_wait_for_it(plugin, monkeypatch, end):
    marker = f"nncompare-probe-left-{os.getpid()}"
    ref = plugin(f"{LEAVES.format(marker=marker)}{end}\n{GOOD}")
    if "sleep" in end:
        assert probe_plugin(ref, timeout_s=2).reason == "its import did not end within 2 s"
    else:
        result = probe_plugin(ref, timeout_s=30)
        assert result.ok == (end == "pass")
        assert "did not end" not in result.reason
    assert wait_until(lambda: not processes_with(f"# {marker}"))


def test_probe_that_prints_without_end_keeps_little_of_it(plugin):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    text = "import os\nfor _ in range(3000): os.write(2, b'x' * 100_000)\nos._exit(1)"
    result = probe_plugin(plugin(text))
    assert result.reason == f"its import ended the interpreter with exit code 1: {'x' * 200}"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_probe_stopped_ends_the_import_and_remembers_nothing(plugin):
    stop = threading.Event()
    stop.set()
    ref = plugin("import time; time.sleep(600)")
    assert probe_plugin(ref, 600.0, stop=stop).reason == "it was interrupted"
    assert last_probe(ref) is None


def test_probe_of_several_keeps_their_order(plugin):
    good = find(fault("Nearest"), MODELS)
    assert [result.ok for result in probe_plugins([good, plugin("raise ValueError"), good])] == [True, False, True]


def test_probe_of_several_is_ended_by_an_interrupt(plugin, monkeypatch):
    ref, seen = plugin("import time; time.sleep(600)"), []

    class Interrupted(probe_module.ThreadPoolExecutor):
        def map(self, probe, refs):
            seen.extend(self.submit(probe, ref) for ref in refs)
            raise KeyboardInterrupt

    monkeypatch.setattr(probe_module, "ThreadPoolExecutor", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        probe_plugins([ref], timeout_s=600.0)
    assert seen[0].result().reason == "it was interrupted"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_probe_that_prints_ten_megabytes_is_good(plugin, stream):
    result = probe_plugin(plugin(f"import sys\nsys.{stream}.write('x' * 10_000_000)\n{GOOD}"))
    assert result.ok


def test_probe_remembered_until_the_file_changes(plugin, tmp_path):
    counter = tmp_path / "imports"
    counting = f"open({str(counter)!r}, 'a').write('x')\n{GOOD}"
    ref = plugin(counting)
    assert last_probe(ref) is None
    first = probe_plugin(ref)
    assert probe_plugin(ref) == first == last_probe(ref)
    assert counter.read_text() == "x"
    plugin(counting.replace("digits", "mnist"))
    assert last_probe(ref) is None
    assert probe_plugin(ref).tags["default_dataset"] == "mnist"
    assert counter.read_text() == "xx"
    assert probe_plugin(ref, fresh=True).ok
    assert counter.read_text() == "xxx"


def test_probe_of_another_version_is_asked_again(plugin):
    ref = plugin(GOOD)
    assert probe_plugin(ref).ok
    assert last_probe(replace(ref, version="2.0")) is None


def test_probe_refusal_is_remembered_for_lists_but_asked_again(plugin, tmp_path):
    flag = tmp_path / "installed"
    ref = plugin(f"import pathlib\nassert pathlib.Path({str(flag)!r}).exists()\n{GOOD}")
    assert not probe_plugin(ref).ok
    remembered = last_probe(ref)
    assert remembered is not None
    assert remembered.reason.startswith(f"'{ref.value}' cannot be imported: AssertionError")
    flag.touch()
    assert probe_plugin(ref).ok


def test_probe_works_where_the_cache_cannot_be_written(plugin, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("NNCOMPARE_CACHE_DIR", str(tmp_path / "file"))
    assert probe_plugin(plugin(GOOD)).ok


def test_probe_file_of_the_current_folder_does_not_replace_a_library(tmp_path, monkeypatch):
    (tmp_path / "numpy.py").write_text("raise RuntimeError('the wrong numpy')")
    monkeypatch.chdir(tmp_path)
    assert probe_plugin(find(fault("Nearest"), MODELS)).ok


@pytest.mark.parametrize("delay", [0, 1.5])
def test_probe_dies_with_its_coordinator(tmp_path, delay):
    marker = f"nncompare-probe-orphan-{os.getpid()}"
    file = tmp_path / "model.py"
    file.write_text("import time; time.sleep(600)")
    code = (
        "from nncompare.execution.probe import probe_plugin; from nncompare.registry import MODELS, find; "
        f"probe_plugin(find('{file}:Model', MODELS))"
    )
    coordinator = subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, "NNCOMPARE_TEST_MARKER": marker}
    )
    assert wait_until(lambda: len(processes_with(marker)) == 3, 20)  # it, a guard, the import
    time.sleep(delay)
    coordinator.kill()
    coordinator.wait()
    assert wait_until(lambda: not processes_with(marker))


def test_probe_several_asks_those_of_others_first_and_answers_in_order(plugin, monkeypatch):
    stranger = plugin(GOOD)
    own = replace(stranger, name="own", distribution="nncompare")
    asked = []

    def remember(ref, **_options):
        asked.append(ref)
        return ref.name

    monkeypatch.setattr(probe_module, "probe_plugin", remember)
    monkeypatch.setattr(probe_module, "default_jobs", lambda: 1)
    assert probe_plugins([own, stranger, own]) == ["own", stranger.name, "own"]
    assert asked == [stranger, own]
