"""The border between exceptions and the shell, with a command that raises whatever it is told to."""

import click
import pytest
from click.testing import CliRunner

from nncompare.cli import main
from nncompare.cli.group import CommandLine, common_options, typed_command
from nncompare.exceptions import BusyError, DataUnavailableError, PluginError, StorageError, UsageError


@pytest.fixture
def invoke():
    def call(error, *arguments):
        group = common_options(CommandLine("nncompare"))

        @group.command("fail")
        @common_options
        def fail():
            raise error

        return CliRunner().invoke(group, [*arguments, "fail"])

    return call


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (UsageError("No."), 2),
        (PluginError("No."), 3),
        (StorageError("No."), 74),
        (BusyError("No."), 75),
        (DataUnavailableError("No."), 1),
    ],
)
def test_group_known_error_is_one_line_and_its_exit_code(invoke, error, exit_code):
    done = invoke(error)
    assert (done.exit_code, done.stdout, done.stderr) == (exit_code, "", "Error: No.\n")


def test_group_message_of_several_lines_becomes_one(invoke):
    assert invoke(PluginError("first\n  second\n")).stderr == "Error: first second\n"


def test_group_unexpected_error_has_no_traceback_but_advice(invoke):
    done = invoke(ZeroDivisionError("by zero"))
    assert done.exit_code == 1
    assert done.stderr == (
        "Error: nncompare failed: ZeroDivisionError: by zero. Run again with --debug for the traceback.\n"
    )


def test_group_debug_shows_the_traceback_then_the_line(invoke):
    done = invoke(ZeroDivisionError("by zero"), "--debug")
    assert done.exit_code == 1
    assert done.stderr.startswith("Traceback (most recent call last):")
    assert done.stderr.splitlines()[-1] == "Error: nncompare failed: ZeroDivisionError: by zero."


@pytest.mark.parametrize("hostile", ["\x1b[2J", "\x1b]0;title\x07", "\x9b2J", "\u202e", "\u200b"])
def test_group_errors_cannot_steer_the_terminal(invoke, hostile):
    for error in (PluginError(f"a{hostile}b"), ZeroDivisionError(f"a{hostile}b")):
        for arguments in ([], ["--debug"]):
            shown = invoke(error, *arguments).stderr
            assert all(c.isprintable() for c in shown.replace("\n", ""))
            assert "a\\" in shown


def test_group_interrupt_is_130(invoke):
    done = invoke(KeyboardInterrupt())
    assert (done.exit_code, done.stderr) == (130, "Interrupted.\n")


def test_group_exit_of_a_command_passes(invoke):
    assert invoke(click.exceptions.Exit(7)).exit_code == 7


def test_group_unknown_command_is_a_usage_error():
    done = CliRunner().invoke(main, ["rnu"])
    assert done.exit_code == 2
    assert "No such command 'rnu'" in done.stderr


def test_group_bare_prints_help_with_the_commands():
    done = CliRunner().invoke(main, [])
    assert done.exit_code == 2
    assert "nncompare run --all" in done.output


@pytest.mark.parametrize("name", sorted(main.commands))
def test_group_every_command_has_an_example_in_its_help(name):
    done = CliRunner().invoke(main, [name, "--help"])
    assert done.exit_code == 0
    assert "Example" in done.output
    assert f"nncompare {name}" in done.output.partition("Example")[2]
    assert "\\b" not in done.output


@pytest.mark.parametrize("name", sorted(main.commands))
def test_group_every_option_has_a_help_text(name):
    options = [option for option in main.commands[name].params if isinstance(option, click.Option)]
    assert options
    assert [option.name for option in options if not option.help] == []


def test_group_remembers_what_was_typed():
    seen = []
    group = CommandLine("nncompare")

    @group.command("keep", context_settings={"ignore_unknown_options": True})
    @click.argument("rest", nargs=-1)
    @click.pass_context
    def keep(ctx, rest):
        seen.append(typed_command(ctx))

    CliRunner().invoke(group, ["keep", "-m", "a b"])
    assert seen == [("nncompare", "keep", "-m", "a b")]


def test_group_says_of_each_command_what_the_command_says():
    said = main.commands.short_helps()
    assert said == {name: command.short_help for name, command in main.commands.items()}
    assert {name: command.name for name, command in main.commands.items()} == {name: name for name in said}
