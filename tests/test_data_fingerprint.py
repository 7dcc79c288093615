import hashlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nncompare.data import arrays
from nncompare.data.fingerprint import fingerprint

X = np.arange(12, dtype=np.int32).reshape(4, 3)


def test_fingerprint_is_sha256_of_headers_and_bytes():
    y = np.array([1, 0])
    expected = hashlib.sha256(b"X|<i4|(4, 3)\n" + X.tobytes() + b"y|<i8|(2,)\n" + y.tobytes())
    assert fingerprint(X=X, y=y) == expected.hexdigest()


def test_fingerprint_changes_with_role_dtype_shape_and_order():
    y = np.arange(4)
    digests = {
        fingerprint(X=X),
        fingerprint(Z=X),
        fingerprint(X=X.view(np.uint32)),
        fingerprint(X=X.view(np.float32)),
        fingerprint(X=X.astype(">i4")),
        fingerprint(X=X.reshape(3, 4)),
        fingerprint(X=X.ravel()),
        fingerprint(X=X, y=y),
        fingerprint(y=y, X=X),
        fingerprint(X=X[:2], y=X[2:]),
        fingerprint(X=X[:1], y=X[1:]),
        fingerprint(),
    }
    assert len(digests) == 12


@given(
    hnp.arrays(np.uint8, hnp.array_shapes(min_dims=0, max_dims=3, max_side=5)),
    st.integers(0, 10_000),
    st.integers(1, 255),
)
def test_fingerprint_changes_with_any_byte(array, position, change):
    other = array.copy()
    other.reshape(-1)[position % array.size] ^= change
    assert fingerprint(X=array) == fingerprint(X=array.copy())
    assert fingerprint(X=array) != fingerprint(X=other)


def test_fingerprint_ignores_memory_layout_and_chunk_size(tmp_path, monkeypatch):
    np.save(tmp_path / "a.npy", X)
    expected = fingerprint(X=X)
    assert fingerprint(X=np.asfortranarray(X)) == expected
    assert fingerprint(X=np.repeat(X, 2, axis=0)[::2]) == expected
    assert fingerprint(X=np.load(tmp_path / "a.npy", mmap_mode="r")) == expected
    monkeypatch.setattr(arrays, "CHUNK_BYTES", 1)
    assert fingerprint(X=X) == expected
