"""What a user who names bad data reads: one sentence with file, place and remedy, and an exit code."""

import pytest
from click.testing import CliRunner

from nncompare.cli import main
from nncompare.data.files import cache_root

from .bad_inputs import (
    BAD_ARCHIVES,
    BAD_FOLDERS,
    BAD_NPY,
    BAD_PARQUET,
    BAD_SERIES,
    BAD_TABLES,
    BAD_TEXTS,
    INPUTS,
    make_input,
)
from .children import fault
from .whole_runs import files_of

USAGE = "Usage: nncompare run [OPTIONS]\nTry 'nncompare run --help' for help.\n\n"
"""What click says before its own sentences."""


@pytest.fixture
def warm(runner, monkeypatch):
    """Let commands use the runner of all tests, whose servers are warm."""

    class Warm:
        __enter__ = staticmethod(lambda: runner)
        __exit__ = staticmethod(lambda *_: None)

    monkeypatch.setattr("nncompare.execution.runner.LocalRunner", Warm)


@pytest.mark.parametrize("name", INPUTS)
def test_bad_input_gets_its_sentence_and_exit_code_and_nothing_is_written(warm, tmp_path, monkeypatch, name):
    if name in BAD_PARQUET:
        pytest.importorskip("pyarrow")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NNCOMPARE_CACHE_DIR", str(tmp_path / "cache"))
    arguments = make_input(name, tmp_path)
    before = files_of(tmp_path)
    done = CliRunner().invoke(main, ["run", "-m", fault("Nearest"), *arguments, "--no-estimate"])
    said = done.stderr.replace(str(tmp_path), ".").removeprefix(USAGE)
    assert (said, done.stdout) == (f"Error: {INPUTS[name]['sentence']}\n", "")
    assert done.exit_code == INPUTS[name]["code"]
    written = set(files_of(tmp_path)) - set(before)
    assert {path for path in written if not path.is_relative_to(cache_root() / "probes")} == set()


def test_bad_inputs_of_every_kind_have_a_fixture():
    named = {*BAD_TABLES, *BAD_TEXTS, *BAD_SERIES, *BAD_PARQUET, *BAD_ARCHIVES, *BAD_FOLDERS, *BAD_NPY}
    assert named <= set(INPUTS)
    assert len(INPUTS) >= 84
