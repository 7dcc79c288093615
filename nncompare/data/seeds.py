"""Seeds: everything random in a run draws its own seed from the one that the user gave."""

from __future__ import annotations

import hashlib
import json

__all__ = ["derive_seed"]


def derive_seed(seed: int, *parts: str | int) -> int:
    """Return a seed for one purpose, the same on every machine and in every version.

    Parameters
    ----------
    seed : int
        The seed of the run.
    *parts : str or int
        What the seed is for, such as ``("mlp", "digits", "refit", 2)``; ``1`` and ``"1"`` differ.

    Returns
    -------
    int
        From 0 to 2**31 - 1: the first 31 bits of a sha256.
    """
    digest = hashlib.sha256(json.dumps([seed, *parts]).encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
