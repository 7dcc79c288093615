"""What every command has: an example, help for every option, lines that fit, and a word for what is mistyped."""

import os
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from nncompare.cli import main


def commands(command=main, path=("nncompare",)):
    """Yield every command that is not hidden, with the words that lead to it."""
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        if not child.hidden:
            yield from commands(child, (*path, name))


EVERY = list(commands())
NAMES = [" ".join(path) for path, _ in EVERY]


def help_of(path, width=80):
    done = CliRunner().invoke(main, [*path[1:], "--help"], terminal_width=width)
    assert done.exit_code == 0
    return done.stdout


def shell(*arguments, stdout=subprocess.PIPE, **env):
    code = "from nncompare.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        env={**os.environ, **env},
    )


@pytest.mark.parametrize(("path", "command"), EVERY, ids=NAMES)
def test_help_has_an_example(path, command):
    del command
    title, _, example = help_of(path).partition("Example")
    assert title
    assert example.startswith((":\n", "s:\n"))
    assert " ".join(path) in example.partition("Options:")[0]
    assert "\\b" not in example


@pytest.mark.parametrize(("path", "command"), EVERY, ids=NAMES)
def test_help_says_what_every_option_is_for(path, command):
    del path
    options = [option for option in command.params if isinstance(option, click.Option) and not option.hidden]
    assert options
    assert [option.name for option in options if not (option.help or "").strip()] == []
    assert [option.name for option in options if not option.help.rstrip().endswith(".")] == []


@pytest.mark.parametrize(("path", "command"), EVERY, ids=NAMES)
def test_help_names_values_by_what_they_are(path, command):
    """INTEGER, TEXT and FLOAT say nothing that a user wants to know."""
    with click.Context(command, info_name=path[-1]) as ctx:
        metavars = [
            option.make_metavar(ctx)
            for option in command.params
            if isinstance(option, click.Option) and not option.is_flag and not option.count
        ]
    assert [
        name for name in metavars if name.split(" ")[0] in {"INTEGER", "TEXT", "FLOAT", "PATH", "BOOLEAN"}
    ] == []
    assert "RANGE" not in " ".join(metavars)


@pytest.mark.parametrize("width", [50, 80])
@pytest.mark.parametrize(("path", "command"), EVERY, ids=NAMES)
def test_help_fits_the_terminal(path, command, width):
    """Examples are to be copied, so they stay whole; they fit into 80 columns, and all else into any terminal."""
    del command
    text = help_of(path, width)
    examples = "\n".join(line for line in text.splitlines() if line.startswith("    "))
    assert max(map(len, text.splitlines())) <= 80
    assert [line for line in text.splitlines() if len(line) > width and line not in examples] == []


def test_help_every_group_and_command_has_a_short_help():
    assert [
        name for name, (_, command) in zip(NAMES, EVERY, strict=True) if not command.get_short_help_str()
    ] == []


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["rnu"], "run"),
        (["data", "lst"], "list"),
        (["run", "--presset", "quick"], "--preset"),
        (["run", "-m", "mpl"], "mlp"),
        (["run", "-m", "mlp", "-d", "digit"], "digits"),
        (["data", "info", "mnist1"], "mnist1d"),
    ],
)
def test_mistyped_words_get_a_suggestion_and_exit_2(arguments, meant):
    done = CliRunner().invoke(main, arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    last = done.stderr.splitlines()[-1]
    assert "Did you mean" in last
    assert f"'{meant}'" in last


@pytest.mark.parametrize("arguments", [["--help"], ["list"], ["run", "--help"], ["completion", "bash"]])
def test_a_reader_that_leaves_is_no_error(arguments):
    read, write = os.pipe()
    os.close(read)
    done = shell(*arguments, stdout=write)
    os.close(write)
    assert done.stderr == ""


@pytest.mark.parametrize(
    "env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"COLUMNS": "20"}, {"LC_ALL": "C", "LANG": "C"}]
)
def test_terminals_of_every_kind_get_plain_text(env):
    for arguments in (["--help"], ["run", "--help"], ["list"]):
        done = shell(*arguments, **env)
        assert (done.returncode, done.stderr) == (0, "")
        assert "\x1b" not in done.stdout
