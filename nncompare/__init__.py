"""A fair comparison of neural network families: which one to use, and how sure that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nncompare.comparison import compare
    from nncompare.results import Results
    from nncompare.settings import RunConfig

    __version__: str

__all__ = ["Results", "RunConfig", "__version__", "compare"]

_HOMES = {
    "Results": "nncompare.results",
    "RunConfig": "nncompare.settings",
    "compare": "nncompare.comparison",
}


def __getattr__(name: str) -> Any:
    """Import a public name at its first use, so that ``import nncompare`` costs nothing."""
    if name == "__version__":
        from importlib.metadata import version

        return version("nncompare")
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'nncompare' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
