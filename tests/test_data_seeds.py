from hypothesis import given
from hypothesis import strategies as st

from nncompare.data.seeds import derive_seed

parts = st.lists(st.text(max_size=5) | st.integers(-5, 5), max_size=4).map(tuple)


def test_derived_seeds_are_stable():
    assert derive_seed(42) == 1547013968
    assert derive_seed(42, "mlp", "digits", "refit", 2) == 1290207470


@given(st.integers(0, 2**40), parts)
def test_derived_seed_has_31_bits(seed, parts):
    assert 0 <= derive_seed(seed, *parts) < 2**31


@given(st.integers(0, 100), parts, st.integers(0, 100), parts)
def test_derived_seed_differs_where_its_purpose_does(seed, parts, other_seed, other_parts):
    same = (seed, parts) == (other_seed, other_parts)
    assert (derive_seed(seed, *parts) == derive_seed(other_seed, *other_parts)) == same


def test_derived_seed_keeps_numbers_and_text_apart():
    assert len({derive_seed(0, 1), derive_seed(0, "1"), derive_seed(0, "1", ""), derive_seed(0, 1, 1)}) == 4
