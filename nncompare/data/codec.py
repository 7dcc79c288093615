"""Names of encodings that a user types."""

from __future__ import annotations

import codecs

from nncompare.exceptions import UsageError

__all__ = ["known_codec"]

_COMMON = "Common ones are utf-8, latin-1, cp1252 and utf-16."
_NOT_OF_FILES = frozenset(("idna", "punycode", "raw-unicode-escape", "unicode-escape"))
"""Python's codecs of host names and of literals, which most texts are not written in."""


def known_codec(encoding: str) -> str:
    """Return the name that Python gives to an encoding.

    Raises
    ------
    UsageError
        None has this name, or the one that has is not one of files.
    """
    try:
        "".encode(encoding)  # also refuses what codes no text, such as hex
        name = codecs.lookup(encoding).name
    except (LookupError, ValueError) as error:
        raise UsageError(f"No encoding is called '{encoding}'. {_COMMON}") from error
    if name in _NOT_OF_FILES:
        raise UsageError(f"'{encoding}' is no encoding of files. {_COMMON}")
    return name
