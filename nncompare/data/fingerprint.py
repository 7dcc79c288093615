"""Fingerprints: two data sets are the same exactly if their fingerprints are."""

from __future__ import annotations

import hashlib

import numpy as np

from nncompare.data.arrays import ChosenRows, chunks
from nncompare.data.records import Array

__all__ = ["fingerprint"]


def fingerprint(**arrays: Array | ChosenRows) -> str:
    """Return a digest of the role, dtype, shape and bytes of each array, in the given order.

    Parameters
    ----------
    **arrays : ndarray or ChosenRows
        Role (such as ``X_train``) to array. Memory maps are read in chunks; how an array lies in memory
        (C order, Fortran order, strides) does not matter, its byte order does.

    Returns
    -------
    str
        64 hexadecimal digits (sha256).
    """
    digest = hashlib.sha256()
    for role, array in arrays.items():
        digest.update(f"{role}|{array.dtype.str}|{array.shape}\n".encode())
        for _, part in chunks(np.atleast_1d(array) if isinstance(array, np.ndarray) else array):
            digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()
