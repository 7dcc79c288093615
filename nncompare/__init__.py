"""A fair comparison of neural network families: which one to use, and how sure that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nncompare.api import compare, load, resume
    from nncompare.comparison import Comparison
    from nncompare.results import Results
    from nncompare.settings import RunConfig

    __version__: str

__all__ = ["Comparison", "Results", "RunConfig", "__version__", "compare", "load", "resume"]

_HOMES = {
    "Comparison": "nncompare.comparison",
    "Results": "nncompare.results",
    "RunConfig": "nncompare.settings",
    "compare": "nncompare.api",
    "load": "nncompare.api",
    "resume": "nncompare.api",
}


def __getattr__(name: str) -> Any:
    """Import a public name at its first use, so that ``import nncompare`` costs nothing."""
    if name == "__version__":
        from importlib.metadata import version

        return version("nncompare")
    if name in _HOMES:
        import warnings
        from importlib import import_module

        with warnings.catch_warnings():
            # Optuna loads tqdm, which in a notebook warns of missing widgets; no bar of its own is ever shown.
            warnings.filterwarnings("ignore", "IProgress not found")
            return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'nncompare' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
