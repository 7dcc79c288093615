"""Text in a cell of a CSV file, so that no spreadsheet computes it."""

from __future__ import annotations

import re

__all__ = ["harmless"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


def harmless(text: str) -> str:
    """Put a ' before what a spreadsheet would compute; a number such as -1 is no formula.

    See OWASP, "CSV Injection": https://owasp.org/www-community/attacks/CSV_Injection.
    """
    return f"'{text}" if text.startswith(_FORMULA) and _NUMBER.fullmatch(text) is None else text
