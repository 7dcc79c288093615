"""The border between the library's exceptions and the shell: one line on stderr and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

import click

from nncompare.cli.later import Commands, Later
from nncompare.cli.secrets import shown_arguments, without_passwords
from nncompare.cli.streams import open_missing_streams, stdout_errors
from nncompare.columns import one_line, printable
from nncompare.exceptions import NNCompareError, StorageError
from nncompare.selection import DISABLE_VARIABLE, limit_plugins

COMPLETE_VARIABLE = "_NNCOMPARE_COMPLETE"
"""Of the environment: set where a shell asks for completions."""
_DEBUG = "nncompare.debug"
_ARGUMENTS = "nncompare.arguments"
_INTERRUPTED = 130

C = TypeVar("C", bound=click.Command | Callable[..., Any])


class CommandLine(click.Group):
    """A group whose errors are one readable line; ``--debug`` adds the traceback.

    ``closed`` names the standard streams that the caller had closed. The help imports no command.
    """

    closed: frozenset[str] = frozenset()

    def __init__(self, name: str, later: Mapping[str, Later] | None = None, **attributes: Any) -> None:
        self._commands = Commands(later or {})
        super().__init__(name, self._commands, **attributes)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one line for each command."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(self._commands.short_helps().items()))

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command line with three open streams, before anything opens a file."""
        self.closed = open_missing_streams()
        if COMPLETE_VARIABLE in os.environ:
            from nncompare.cli.bash import join_words_at_colons

            join_words_at_colons()
        try:
            with stdout_errors():  # of what click prints by itself: help and version
                return super().main(*args, **extra)
        except StorageError as error:
            click.echo(f"Error: {one_line(str(error))}", err=True)
            sys.exit(error.exit_code)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the arguments as typed: the report says how to repeat the run."""
        ctx.meta[_ARGUMENTS] = ("nncompare", *shown_arguments(args))
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, turning exceptions into a message and an exit code."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            told = without_passwords(error.format_message())
            if told == error.format_message():
                raise
            raise click.UsageError(told, error.ctx) from None  # an address stood where it does not belong
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise  # click's own: it prints and exits as it should
        except NNCompareError as error:
            # A download that failed makes a study "not run" (0); whoever asked for the data alone gets an error.
            _fail(ctx, error, str(error), error.exit_code or 1)
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(_INTERRUPTED)
        except Exception as error:  # noqa: BLE001 - the outermost border: a user never sees a bare traceback
            advice = "" if ctx.meta.get(_DEBUG) else " Run again with --debug for the traceback."
            _fail(ctx, error, f"nncompare failed: {type(error).__name__}: {error}.{advice}", 1)


def require_stdout(ctx: click.Context, what: str, remedy: str) -> None:
    """Refuse to print to a standard output that is closed what exists nowhere else.

    Raises
    ------
    StorageError
        It is closed.
    """
    root = ctx.find_root().command
    if isinstance(root, CommandLine) and "stdout" in root.closed:
        raise StorageError(f"Standard output is closed, so {what} cannot be printed. {remedy}")


def typed_command(ctx: click.Context) -> tuple[str, ...]:
    """Return the command as the user typed it, the passwords in URLs replaced: it stands in the report."""
    return tuple(ctx.meta.get(_ARGUMENTS, ("nncompare",)))


def common_options(command: C) -> C:
    """Add what every command has: ``--debug``."""
    return click.option(
        "--debug", is_flag=True, expose_value=False, callback=_set_debug, help="Show tracebacks of errors."
    )(command)


def only_plugins_option(*, expose_value: bool = False) -> Callable[[C], C]:
    """Return the decorator that adds ``--only-plugins`` to a command that looks for plugins."""
    return click.option(
        "--only-plugins",
        multiple=True,
        expose_value=expose_value,
        callback=_limit_plugins,
        metavar="NAME",
        help="Leave out the plugins of all others: NAME is a plugin or a package. Repeatable.",
    )


def version_option(command: C) -> C:
    """Add ``--version``, which reads the metadata only when it is asked for."""
    return click.version_option(package_name="nncompare", message="%(prog)s %(version)s")(command)


def _set_debug(ctx: click.Context, _option: click.Parameter, value: bool) -> None:
    if value:
        ctx.meta[_DEBUG] = True


def _limit_plugins(ctx: click.Context, _option: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    """Switch off all but the named plugins until the command ends; a comma separates names too."""
    if names:
        ctx.call_on_close(limit_plugins(names))
    if os.environ.get(DISABLE_VARIABLE) and not ctx.resilient_parsing:
        from nncompare.registry import switched_off_in_vain

        for sentence in switched_off_in_vain():
            click.echo(one_line(f"Warning: {sentence}"), err=True)
    return names


def _fail(ctx: click.Context, error: Exception, message: str, exit_code: int) -> NoReturn:
    """Print one line, or the traceback and one line, and leave."""
    if ctx.meta.get(_DEBUG):
        import traceback

        lines = without_passwords("".join(traceback.format_exception(error))).splitlines()
        click.echo("\n".join(map(printable, lines)), err=True)
    click.echo(f"Error: {one_line(without_passwords(message))}", err=True)
    ctx.exit(exit_code)
