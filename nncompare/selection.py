"""Which of the installed plugins the user wants to see: all, unless some are switched off.

Two environment variables say so, each with names of distributions or plugins, separated by commas:
``NNCOMPARE_DISABLE_PLUGINS`` leaves these out, or with ``all`` every one that does not come with nncompare;
``NNCOMPARE_ONLY_PLUGINS``, which ``--only-plugins`` sets for one command, leaves all others out. Plugins that come
with nncompare stay unless they are named in the first.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Self

from nncompare.exceptions import UsageError

__all__ = [
    "DISABLE_VARIABLE",
    "ONLY_VARIABLE",
    "OWN",
    "Selection",
    "did_you_mean",
    "limit_plugins",
    "nearest",
    "normalized",
]

DISABLE_VARIABLE = "NNCOMPARE_DISABLE_PLUGINS"
ONLY_VARIABLE = "NNCOMPARE_ONLY_PLUGINS"
ONLY_OPTION = "--only-plugins"
OWN = "nncompare"
"""The distribution whose plugins come along."""
_ALL = "all"
_limits_by_option: list[str] = []
"""What the variable holds because of the option, while it does."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What is switched off.

    Parameters
    ----------
    disabled : tuple of str
        Distributions and plugins that are left out; ``all`` stands for those of others.
    only : tuple of str
        Distributions and plugins beside which those of others are left out; empty for no such limit.
    limit : str
        What the user wrote ``only`` into: the option or the variable.
    """

    disabled: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    limit: str = field(default=ONLY_OPTION, compare=False)

    @classmethod
    def from_environment(cls) -> Self:
        """Return what the two variables say."""
        only = os.environ.get(ONLY_VARIABLE, "")
        limit = ONLY_OPTION if only in _limits_by_option else ONLY_VARIABLE
        return cls(_words(os.environ.get(DISABLE_VARIABLE, "")), _words(only), limit)

    def why_not(self, name: str, distribution: str) -> str | None:
        """Return why a plugin is left out, in a sentence with its remedy; None where it is not.

        Parameters
        ----------
        name : str
            The name of the entry point.
        distribution : str
            Its owner; compared as PEP 503 does.
        """
        is_own = normalized(distribution) == OWN
        for word in self.disabled:
            if _means(word, name, distribution) or (word == _ALL and not is_own):
                return f"{DISABLE_VARIABLE} names '{word}'. Take it out to use the plugin."
        if self.only and not is_own and not any(_means(word, name, distribution) for word in self.only):
            return f"Only {', '.join(self.only)} may be used, says --only-plugins or {ONLY_VARIABLE}."
        return None

    def check(self, known: Sequence[tuple[str, str]]) -> None:
        """Refuse a word of ``only`` that means none of ``known``: names, each with its distribution.

        Raises
        ------
        UsageError
            A word is mistyped, or its distribution is not installed.
        """
        names = sorted({name for pair in known for name in pair})
        for word in self.only:
            if not any(_means(word, *pair) for pair in known):
                raise UsageError(
                    f"{self.limit} names '{word}', which is neither a plugin nor a distribution with one."
                    f"{did_you_mean(word, names)} Installed: {', '.join(names)}."
                )

    def without_effect(self, known: Sequence[tuple[str, str]]) -> list[str]:
        """Return a sentence for each word of ``disabled`` that means none of ``known``; one may be mistyped.

        It is no error: a profile may be meant for several machines.
        """
        names = sorted({name for pair in known for name in pair})
        return [
            f"{DISABLE_VARIABLE} names '{word}', and no plugin or distribution of that name is installed."
            f"{did_you_mean(word, names)}"
            for word in self.disabled
            if word != _ALL and not any(_means(word, *pair) for pair in known)
        ]


def limit_plugins(names: Iterable[str]) -> Callable[[], None]:
    """Leave out all plugins of others but these, for this process and its children; return how to end that.

    Raises
    ------
    UsageError
        One of the names is empty: it would stand for no limit.
    """
    names = list(names)
    if not all(map(_words, names)):
        raise UsageError(f"{ONLY_OPTION} names nothing. Name a plugin or a package, or leave it out.")
    before = os.environ.get(ONLY_VARIABLE)
    now = os.environ[ONLY_VARIABLE] = ",".join(names)
    _limits_by_option.append(now)

    def restore() -> None:
        _limits_by_option.remove(now)
        if before is None:
            os.environ.pop(ONLY_VARIABLE, None)
        else:
            os.environ[ONLY_VARIABLE] = before

    return restore


def did_you_mean(name: str, known: Iterable[str], *, before: str = "", after: str = "") -> str:
    """Return a question that names the nearest of the known names, after a space; empty where none is near.

    ``before`` and ``after`` are put around it: a folder that two files share makes them no nearer.
    """
    near = nearest(name, known)
    return f" Did you mean '{before}{near}{after}'?" if near else ""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the nearest of the known names; empty where none is near."""
    import difflib

    in_lower_case = {each.lower(): each for each in known}
    near = difflib.get_close_matches(name.lower(), in_lower_case, n=1)
    return in_lower_case[near[0]] if near else ""


def normalized(distribution: str) -> str:
    """Return the name of a distribution as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _means(word: str, name: str, distribution: str) -> bool:
    return word == name or normalized(word) == normalized(distribution)
