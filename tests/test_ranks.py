"""Mean ranks over data sets: the arithmetic, and what has to be there for them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from nncompare.ranks import rank_models, ranks_of, with_ranks
from nncompare.results import Failure, Interval, Results, StudyRecord

from . import report_fixtures as fixtures


def changed(results: Results, model: str, dataset: str, **changes: Any) -> Results:
    """Return results in which one study differs."""
    studies = [
        study.model_copy(update=changes) if (study.model, study.dataset) == (model, dataset) else study
        for study in results.studies
    ]
    return results.model_copy(update={"studies": studies, "ranks": None})


def without(results: Results, model: str, dataset: str) -> Results:
    kept = [study for study in results.studies if (study.model, study.dataset) != (model, dataset)]
    return results.model_copy(update={"studies": kept, "ranks": None})


def text_of(results: Results) -> str:
    ranks = rank_models(results)
    assert ranks is not None
    return ranks.text


@given(st.lists(st.integers(0, 20).map(lambda n: n / 20), min_size=1, max_size=8))
def test_ranks_are_those_of_scipy_with_ties_averaged(accuracies: list[float]) -> None:
    named = {f"model{k}": accuracy for k, accuracy in enumerate(accuracies)}
    assert list(ranks_of(named).values()) == list(rankdata([-value for value in accuracies], method="average"))


def test_accuracies_that_differ_by_rounding_alone_share_their_rank() -> None:
    assert 0.1 + 0.2 != 0.3
    assert ranks_of({"a": 0.1 + 0.2, "b": 0.3, "c": 0.2}) == {"a": 1.5, "b": 1.5, "c": 3.0}


def test_mean_ranks_of_five_data_sets_are_given_the_lowest_first() -> None:
    ranks = fixtures.across(5).ranks
    assert ranks is not None
    assert [(one.model, one.mean_rank) for one in ranks.models] == [
        ("cnn", 1.5),
        ("lstm", pytest.approx(1.9)),
        ("mlp", pytest.approx(2.6)),
    ]
    assert ranks.datasets == list(fixtures.ACROSS)
    assert ranks.text == ("Mean ranks over 5 data sets, 1 being the most accurate: cnn 1.50, lstm 1.90, mlp 2.60.")


@pytest.mark.parametrize("n_datasets", [2, 4])
def test_fewer_than_five_data_sets_give_no_ranks_and_say_how_many_there_are(n_datasets: int) -> None:
    ranks = fixtures.across(n_datasets).ranks
    assert ranks is not None
    assert (ranks.models, len(ranks.datasets)) == ([], n_datasets)
    assert ranks.text == (
        "No mean ranks: they need five data sets on which all ranked models (mlp, cnn, lstm) have results, and "
        f"there are {n_datasets}."
    )


def test_one_data_set_says_nothing_of_ranks() -> None:
    assert fixtures.across(1).ranks is None
    assert with_ranks(fixtures.empty()).ranks is None


def test_model_without_results_on_five_data_sets_is_left_out_and_named() -> None:
    found = without(without(fixtures.across(6), "lstm", "digits"), "lstm", "wine")
    ranks = rank_models(found)
    assert ranks is not None
    assert [one.model for one in ranks.models] == ["cnn", "mlp"]
    assert len(ranks.datasets) == 6
    assert ranks.text.endswith("Not ranked for want of results on five data sets: lstm (results on 4).")


def test_data_sets_without_results_of_a_ranked_model_do_not_count() -> None:
    ranks = fixtures.gaps().ranks
    assert ranks is not None
    assert ranks.datasets == list(fixtures.ACROSS)
    assert ranks.text.endswith(f"on which all of them have results: {', '.join(fixtures.ACROSS)}.")


def test_models_that_share_fewer_than_five_data_sets_are_not_ranked() -> None:
    found = without(without(fixtures.across(6), "lstm", "digits"), "cnn", "wine")
    assert text_of(found).endswith("(mlp, cnn, lstm) have results, and there are 4.")


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "interrupted"},
        {"status": "failed", "test": None},
        {"refits": [fixtures.study("cnn", "wine", ["a", "b"]).refits[0].model_copy(
            update={"failure": Failure(category="killed", message="gone")}
        )]},
    ],
)  # fmt: skip
def test_study_that_did_not_end_well_counts_for_no_rank(changes: dict[str, Any]) -> None:
    text = text_of(changed(fixtures.across(5), "cnn", "wine", **changes))
    assert text.endswith(
        "lstm 1.20, mlp 1.80. Not ranked for want of results on five data sets: cnn (results on 4)."
    )


def test_references_are_not_ranked() -> None:
    ranks = fixtures.across(5).ranks
    assert ranks is not None
    assert {one.model for one in ranks.models} == {"mlp", "cnn", "lstm"}


def test_equal_models_share_every_rank() -> None:
    same = Interval(mean=0.9, low=0.89, high=0.91)
    found = fixtures.across(5)

    def level(study: StudyRecord) -> StudyRecord:
        assert study.test is not None
        return study.model_copy(update={"test": study.test.model_copy(update={"accuracy": same})})

    ranks = rank_models(found.model_copy(update={"studies": [level(study) for study in found.studies]}))
    assert ranks is not None
    assert [(one.model, one.mean_rank) for one in ranks.models] == [("mlp", 2.0), ("cnn", 2.0), ("lstm", 2.0)]


@pytest.mark.parametrize(
    ("models", "said"),
    [(("cnn",), "only cnn has"), ((), "none has")],
)
def test_fewer_than_two_models_with_results_are_not_ranked(models: tuple[str, ...], said: str) -> None:
    found = fixtures.across(5)
    kept = [study for study in found.studies if study.model in models]
    lost = [fixtures.failed("lstm", dataset) for dataset in fixtures.ACROSS]
    assert text_of(found.model_copy(update={"studies": [*kept, *lost]})) == (
        f"No mean ranks: they need two models with results, and {said}."
    )
