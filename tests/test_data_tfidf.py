"""TF-IDF against scikit-learn's own way from words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from nncompare.data import samples, tfidf
from nncompare.data.ragged import Ragged
from nncompare.data.tfidf import TfIdf
from nncompare.exceptions import DataError

TEXTS = st.lists(st.lists(st.integers(1, 30), max_size=12), min_size=3, max_size=10).filter(
    lambda rows: any(token >= 4 for row in rows[:2] for token in row)
)


@given(TEXTS)
def test_tfidf_equals_scikit_learn_fitted_on_the_same_rows(rows):
    fit = np.array([0, 1])
    table = TfIdf.fit(Ragged.from_rows(rows), fit)
    found = table.transform(Ragged.from_rows(rows), np.arange(len(rows))).toarray()
    words = [[f"{token}" for token in row if token >= 4] for row in rows]
    vectorizer = TfidfVectorizer(
        analyzer=lambda text: text, sublinear_tf=True, vocabulary=[f"{term}" for term in table.terms]
    ).fit([words[i] for i in fit])
    assert {f"{term}" for term in table.terms} == {token for i in fit for token in words[i]}
    np.testing.assert_allclose(found, vectorizer.transform(words).toarray(), atol=1e-6)


def test_tfidf_keeps_the_most_frequent_terms(monkeypatch):
    monkeypatch.setattr(tfidf, "MAX_TERMS", 2)
    X = Ragged.from_rows([[9, 9, 9, 5], [7, 7, 7, 5], [6]])
    table = TfIdf.fit(X, np.arange(3))
    found = table.transform(X, np.arange(3)).toarray()
    assert (found > 0).tolist() == [[True, False], [False, True], [False, False]]


def test_tfidf_of_words_of_equal_frequency_does_not_depend_on_their_ids(monkeypatch):
    monkeypatch.setattr(tfidf, "MAX_TERMS", 3)
    one, other = [[8, 7, 8], [6, 5, 4]], [[5, 6, 5], [7, 8, 4]]  # the same words under other ids
    assert TfIdf.fit(Ragged.from_rows(one), np.arange(2)).terms.tolist() == [8, 7, 6]
    assert TfIdf.fit(Ragged.from_rows(other), np.arange(2)).terms.tolist() == [5, 6, 7]


def test_tfidf_leaves_out_padding_start_and_unknown():
    X = Ragged.from_rows([[1, 2, 2, 2, 4], [1, 2, 5]])
    assert TfIdf.fit(X, np.arange(2)).n_terms == 2


def test_tfidf_ignores_words_that_the_fit_rows_lack():
    X = Ragged.from_rows([[4, 5], [4], [99, 4]])
    found = TfIdf.fit(X, np.array([0, 1])).transform(X, np.array([2])).toarray()
    np.testing.assert_allclose(found, [[1, 0]])


def test_tfidf_of_rows_without_a_word_says_so():
    X = Ragged.from_rows([[1, 2], [], [1, 4]])
    with pytest.raises(DataError, match=r"none of the 2 texts to train on holds a word\. .*leave out texts"):
        TfIdf.fit(X, np.arange(2))


@pytest.mark.parametrize("chunk_bytes", [1, 40])
def test_tfidf_does_not_depend_on_the_chunk_size(monkeypatch, chunk_bytes):
    rng = np.random.default_rng(0)
    X = Ragged.from_rows([rng.integers(4, 40, rng.integers(1, 20)) for _ in range(30)])
    rows = np.arange(30)
    whole = TfIdf.fit(X, rows[:20]).transform(X, rows).toarray()
    monkeypatch.setattr(samples, "CHUNK_BYTES", chunk_bytes)
    np.testing.assert_allclose(TfIdf.fit(X, rows[:20]).transform(X, rows).toarray(), whole)
