"""Numbers in sentences and tables: percentage points, and how many there are of something."""

from __future__ import annotations

__all__ = ["counted", "points"]


def points(fraction: float, *, signed: bool = False) -> str:
    """Return a fraction in points with one decimal and a true minus sign; never −0.0.

    Parameters
    ----------
    fraction : float
    signed : bool
        Write the plus sign of what is not negative.
    """
    text = f"{100 * fraction:.1f}"
    if text.startswith("-") and float(text):
        return text.replace("-", "−")
    return f"{'+' * signed}{text.removeprefix('-')}"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, which takes an s unless there is one."""
    return f"{number} {noun}{'s' * (number != 1)}"
