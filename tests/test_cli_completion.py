"""The TAB key: what is offered for each place, and the script in a real bash."""

import os
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest
from click.shell_completion import BashComplete
from click.testing import CliRunner

from nncompare.cli import main
from nncompare.data.own import read_own
from nncompare.exceptions import UsageError

SCRIPTS = sysconfig.get_path("scripts")


def bash_version():
    """Return the version of bash as two numbers; (0, 0) where there is none."""
    bash = shutil.which("bash")
    if bash is None:
        return 0, 0
    shown = subprocess.run([bash, "-c", "echo $BASH_VERSION"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"(\d+)\.(\d+)", shown)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def offered(*words):
    """Return what is offered for the last word, as click sees it: values, or the type of what the shell adds."""
    complete = BashComplete(main, {}, "nncompare", "_NNCOMPARE_COMPLETE")
    items = complete.get_completions(list(words[:-1]), words[-1])
    return [item.value if item.type == "plain" else item.type for item in items]


def in_bash(*words, cwd):
    """Return COMPREPLY after the function of the script has run, in a bash that is not interactive."""
    quoted = " ".join(f"'{word}'" for word in ("nncompare", *words))
    code = (
        "source <(nncompare completion bash)\n"
        f"COMP_WORDS=({quoted}); COMP_CWORD={len(words)}; COMPREPLY=()\n"
        'name=$(complete -p nncompare | sed "s/.*-F \\([^ ]*\\) .*/\\1/")\n'
        '"$name" nncompare\n'
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    environment = {**os.environ, "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "--norc", "-c", code], capture_output=True, text=True, check=True, cwd=cwd, env=environment
    )
    assert done.stderr == ""
    return done.stdout.split()


needs_bash = pytest.mark.skipif(bash_version() < (4, 4), reason="click's script needs bash 4.4")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in a fresh folder with a table and two runs."""
    monkeypatch.chdir(tmp_path)
    Path("wine.csv").touch()
    Path("two words.csv").touch()
    for run in ("20250101-120000-quick", "20250102-120000-standard"):
        Path("reports", run).mkdir(parents=True)
        Path("reports", run, "results.json").touch()
    return tmp_path


@needs_bash
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["ru"], ["run"]),
        (["run", "-m", ""], ["cnn", "lstm", "mlp"]),
        (["run", "-d", "mn"], ["mnist", "mnist1d"]),
        (["run", "-m", "mlp", "-d", "w"], ["wine.csv"]),
        (["run", "--preset", ""], ["quick", "standard", "thorough"]),
        (["report", ""], ["latest", "20250102-120000-standard", "20250101-120000-quick"]),
        (["data", "info", "dig"], ["digits"]),
        (["run", "-d", "sk"], ["sklearn:breast_cancer", "sklearn:digits", "sklearn:iris", "sklearn:wine"]),
        (["run", "-d", "sklearn", ":"], ["breast_cancer", "digits", "iris", "wine"]),  # as bash splits words
        (["run", "-d", "sklearn", ":", "w"], ["wine"]),
    ],
)
def test_completion_in_bash(words, expected, folder):
    found = in_bash(*words, cwd=folder)
    assert [name for name in found if name in expected] == found or words == ["ru"]
    assert set(expected) <= set(found)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["show", "m"], ["mlp"]),
        (["run", "-m", "path/to"], ["file"]),
        (["run", "-d", "two"], ["file"]),
        (["run", "--view", "t"], ["tabular", "tokens"]),
        (["run", "--config", ""], ["file"]),
        (["run", "--out", ""], ["dir"]),
        (["predict", "latest", "-m", "c"], ["cnn"]),
        (["report", "2025"], ["20250102-120000-standard", "20250101-120000-quick"]),
        (["report", "./some"], ["dir"]),
        (["completion", ""], ["bash", "zsh", "fish"]),
    ],
)
def test_completion_offers(words, expected):
    assert offered(*words) == expected


def test_completion_offers_the_data_sets_of_scikit_learn_that_have_classes():
    with pytest.raises(UsageError) as caught:
        read_own("sklearn:nothing")
    assert str(caught.value).endswith(f"There are {', '.join(offered('run', '-d', 'sklearn:'))}.")


def test_completion_of_runs_has_those_that_were_killed_early_and_goes_by_their_start():
    for run, when in (("a-late", "2027-01-02T00:00:00+00:00"), ("z-early", "2020-01-01T00:00:00+00:00")):
        Path("reports", run).mkdir()
        Path("reports", run, "run.json").write_text(f'{{"created_at": "{when}"}}', encoding="utf-8")
    runs = ["20250102-120000-standard", "20250101-120000-quick"]
    assert offered("resume", "") == ["latest", "a-late", *runs, "z-early"]


def test_completion_of_runs_looks_where_the_configuration_says():
    Path("reports").rename("elsewhere")
    Path("nncompare.toml").write_text('out = "elsewhere"', encoding="utf-8")
    assert offered("report", "2025") == ["20250102-120000-standard", "20250101-120000-quick"]
    assert offered("report", "--out", "reports", "2025") == ["dir"]


@pytest.mark.parametrize("text", ["this is = = no TOML", "out = 3"])
def test_completion_is_quiet_about_a_broken_configuration(text):
    Path("nncompare.toml").write_text(text, encoding="utf-8")
    assert offered("run", "-m", "ml") == ["mlp"]
    assert offered("report", "lat") == ["latest"]


@pytest.mark.parametrize(
    ("shell", "place"), [("bash", "bash-completion"), ("zsh", "fpath"), ("fish", "config/fish")]
)
def test_completion_script_says_where_it_belongs(shell, place):
    done = CliRunner().invoke(main, ["completion", shell])
    assert done.exit_code == 0
    install = next(line for line in done.stdout.splitlines() if line.startswith("# Install: "))
    assert place in install
    assert place in CliRunner().invoke(main, ["completion", "--help"]).stdout
    assert (done.stdout.startswith("#compdef nncompare\n")) == (shell == "zsh")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script_is_one_that_its_shell_reads(shell):
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    script = CliRunner().invoke(main, ["completion", shell]).stdout
    assert subprocess.run([shell, "-n"], input=script, text=True, check=False).returncode == 0


def test_completion_imports_nothing_heavy():
    from .test_imports import heavy_after

    code = (
        "from nncompare.cli import main; from click.shell_completion import BashComplete as B; "
        "c = B(main, {}, 'nncompare', 'V'); found = [c.get_completions(['run', o], '') for o in ('-m', '-d')]; "
        "assert all(found), found"
    )
    assert heavy_after(code) == []


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\xef\xbb\xbfash,colour,class\n1,red,a\n", ["class", "colour", "ash"]),
        (b"ash;colour;the class\n1;red;a\n", ["colour", "ash"]),
        (b'\n"ash"\t"class"\n', ["class", "ash"]),
        (b"", []),
        (b"\xff\xfe\x00ash", []),
        (b'"never closed,class', []),
    ],
)
def test_completion_of_the_target_offers_the_columns_of_the_table(content, expected):
    Path("wine.csv").write_bytes(content)
    assert offered("run", "-d", "wine.csv", "--target", "") == expected
    starts = [name for name in expected if name.startswith("c")]
    assert offered("run", "--target", "x", "-d", "wine.csv", "--target", "c") == starts


@pytest.mark.parametrize("data", ["no.csv", "digits", "reports", "wine.npz"])
def test_completion_of_the_target_offers_nothing_where_there_is_no_table(data):
    assert offered("run", "-d", data, "--target", "") == []
    assert offered("run", "--target", "") == []


def test_completion_of_the_target_reads_no_more_than_the_header():
    Path("wine.csv").write_bytes(b"ash,class\n" + b"\xff" * 1000)
    assert offered("run", "-d", "wine.csv", "--target", "") == ["class", "ash"]
    assert offered("run", "-d", "wine.csv", "--encoding", "nonsense", "--target", "") == ["class", "ash"]
