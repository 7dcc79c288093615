"""Takes passwords out of what the user typed, before it is printed or written anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

__all__ = ["shown_arguments", "without_passwords"]

# A user may have left "/", "@" and blanks of a password unescaped, so it ends at the last "@" of the line.
_USER = re.compile(r"(?P<before>[\w+.-]+://[^:/\n]*:).*@")
_NAME = r"(?P<before>[?&;]\w*(?:password|passwd|pwd|secret|token)=)"
_QUERY = re.compile(_NAME + r"[^&;'\"\n]*", re.IGNORECASE)  # in a sentence an address stands in quotes
_QUERY_ALONE = re.compile(_NAME + "[^&]*", re.IGNORECASE)
_HIDDEN = r"\g<before>***"
_STORAGE = "--storage"


def without_passwords(text: str) -> str:
    """Return text in which the password of each URL is ``***``, as in ``postgresql://ann:***@host/db``."""
    return _without(text, _QUERY)


def shown_arguments(arguments: Iterable[str]) -> Iterator[str]:
    """Yield arguments as they may be shown; of an address of a database no option either, whatever its name is."""
    is_address = False
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if is_address:
            yield _shown_address(argument)
        elif name == _STORAGE and equals:
            yield f"{_STORAGE}={_shown_address(value)}"
        else:
            yield _without(argument, _QUERY_ALONE)
        is_address = argument == _STORAGE and not is_address


def _without(text: str, query: re.Pattern[str]) -> str:
    if "://" not in text:
        return text
    return _USER.sub(_HIDDEN + "@", query.sub(_HIDDEN, text))


def _shown_address(url: str) -> str:
    from nncompare.storage import without_password  # it imports optuna, which other commands do without

    return without_password(url)
