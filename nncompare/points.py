"""Differences and shares in percentage points, as sentences, tables and ``nncompare diff`` write them."""

from __future__ import annotations

__all__ = ["points"]


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
