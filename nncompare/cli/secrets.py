"""Takes passwords out of what the user typed, before it is printed or written anywhere."""

from __future__ import annotations

import re

# A user may have left "/" and "@" of a password unescaped, so it ends at the last "@".
_USER = re.compile(r"(?P<before>[\w+.-]+://[^:/@?#\s]*:)\S*@")
_QUERY = re.compile(r"(?P<before>[?&;]\w*(?:password|passwd|pwd|secret|token)=)[^&;\s]*", re.IGNORECASE)
_HIDDEN = r"\g<before>***"


def without_passwords(text: str) -> str:
    """Return text in which the password of each URL is ``***``, as in ``postgresql://ann:***@host/db``."""
    if "://" not in text:
        return text
    return _USER.sub(_HIDDEN + "@", _QUERY.sub(_HIDDEN, text))
