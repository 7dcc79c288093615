"""Numbers as text: the one place that decides how many digits a reader sees."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from nncompare.results import Interval

MISSING = "–"
LEAST_OF_4_DIGITS = 999.5  # what is less has 3 digits, which are written without an exponent


def score(value: float | None) -> str:
    """Return a score or loss with 4 digits."""
    return MISSING if value is None else f"{value:.4f}"


def interval(value: Interval | None) -> str:
    """Return the bounds of a 95 % interval, without its mean."""
    return MISSING if value is None else f"{value.low:.4f} to {value.high:.4f}"


def mean_and_interval(value: Interval | None) -> str:
    """Return a mean with its interval, for sentences."""
    return MISSING if value is None else f"{value.mean:.4f} (95 % CI {interval(value)})"


def seconds(value: float | None) -> str:
    """Return a duration given in seconds, in the unit that a person would use."""
    if value is None:
        return MISSING
    if value < 100:
        return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"
    if value < 1000:
        return f"{value:.0f} s"
    return f"{value / 60:.0f} min" if value < 10_800 else f"{value / 3600:.1f} h"


def cpu(value: float | None) -> str:
    """Return CPU seconds, always in seconds: sentences and tables quote the same number."""
    return MISSING if value is None else f"{value:.1f} s"


def times(ratio: float) -> str:
    """Return a ratio of 1 or more as the verdict's sentence says it."""
    return f"{ratio:.0f} times" if ratio >= 1.95 else f"{ratio:.1f} times"


def moment(text: str) -> str:
    """Return an ISO 8601 time to the minute with its offset; anything else as it is."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{found:%Y-%m-%d %H:%M %Z}".strip()


def milliseconds(value: float | None) -> str:
    """Return a latency given in milliseconds, a long one in seconds."""
    if value is None:
        return MISSING
    return f"{value:.3g} ms" if value < LEAST_OF_4_DIGITS else seconds(value / 1000)


def count(value: float | None) -> str:
    """Return a whole number with separators, or one digit after the point for a mean of counts."""
    if value is None:
        return MISSING
    return f"{value:,.0f}" if float(value).is_integer() or value >= 100 else f"{value:,.1f}"


def size(n_bytes: float | None) -> str:
    """Return a size given in bytes; 1 MB is 10**6 bytes."""
    if n_bytes is None:
        return MISSING
    if n_bytes < 1000:
        return f"{n_bytes:.0f} B"
    for unit, name in ((1e3, "kB"), (1e6, "MB"), (1e9, "GB")):
        if n_bytes < LEAST_OF_4_DIGITS * unit:
            return f"{n_bytes / unit:.3g} {name}"
    return f"{n_bytes / 1e9:,.0f} GB"


def plain(value: Any) -> str:
    """Return a JSON value as a reader would write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return params(value) or MISSING
    if isinstance(value, list | tuple):
        return ", ".join(plain(item) for item in value) or MISSING
    return MISSING if value is None or value == "" else str(value)


def params(values: Mapping[str, Any]) -> str:
    """Return a configuration on one line."""
    return ", ".join(f"{name} = {plain(value)}" for name, value in values.items())


def plural(number: int, noun: str) -> str:
    """Return the number with its noun; ``noun`` takes an s."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listed(names: list[str]) -> str:
    """Return names as a person would list them."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def shorten(text: str, length: int) -> str:
    """Return at most ``length`` characters, with an ellipsis where some were left out."""
    return text if len(text) <= length else text[: length - 1] + "…"
