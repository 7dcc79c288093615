"""How models rank over several data sets: mean ranks by test accuracy, where there are data sets enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from nncompare.results import ModelRank, Ranks, Results, StudyRecord
from nncompare.search_checks import n_failed_refits

__all__ = ["LEAST_DATASETS", "rank_line", "rank_models", "with_ranks"]

LEAST_DATASETS = 5
DIGITS = 9
"""Accuracies that agree in so many digits are equal: they are sums of the same fractions in another order."""


def with_ranks(results: Results) -> Results:
    """Return results that say how their models rank over the data sets; unchanged where there is one."""
    ranks = rank_models(results)
    return results if ranks is None else results.model_copy(update={"ranks": ranks})


def rank_line(results: Results) -> str:
    """Return the mean ranks in words, for where there is room for a line; empty where there are none."""
    return results.ranks.text if results.ranks is not None and results.ranks.models else ""


def rank_models(results: Results) -> Ranks | None:
    """Return the mean ranks of the models of a run, or why none are given.

    On each data set the model with the highest mean test accuracy has rank 1, and equal ones share the mean of
    their places (Demšar 2006, JMLR 7, section 3.2.2). Ranked are the models that have results on five data sets or
    more; counted are the data sets on which all of them have results. A study counts where it is complete and none
    of its refits failed. References are not ranked.

    Returns
    -------
    Ranks or None
        Without models where fewer than five data sets count or fewer than two models have results; None where the
        run has fewer than two data sets.
    """
    if len(results.datasets) < 2:
        return None
    found = _accuracies(results.studies)
    if len(found) < 2:
        who = f"only {next(iter(found))} has" if found else "none has"
        return Ranks(text=f"No mean ranks: they need two models with results, and {who}.")
    ranked = [model for model, accuracies in found.items() if len(accuracies) >= LEAST_DATASETS]
    if len(ranked) < 2:
        ranked = list(found)
    names = [dataset.name for dataset in results.datasets]
    counted = [name for name in names if all(name in found[model] for model in ranked)]
    if len(counted) < LEAST_DATASETS:
        return Ranks(text=_why_not(ranked, len(counted)), datasets=counted)
    means = _mean_ranks([{model: found[model][name] for model in ranked} for name in counted])
    n_results = {study.model: len(found.get(study.model, ())) for study in results.studies}
    left_out = {model: number for model, number in n_results.items() if model not in ranked}
    return Ranks(text=_text(means, counted, len(names), left_out), models=means, datasets=counted)


def ranks_of(accuracies: Mapping[str, float]) -> dict[str, float]:
    """Return the rank of each model on one data set, 1 for the highest accuracy; equal ones share theirs.

    Parameters
    ----------
    accuracies : mapping of model to float
        Fractions from 0 to 1.
    """
    values = {model: round(accuracy, DIGITS) for model, accuracy in accuracies.items()}
    every = list(values.values())
    return {
        model: sum(other > value for other in every) + (every.count(value) + 1) / 2
        for model, value in values.items()
    }


def _mean_ranks(by_dataset: Sequence[Mapping[str, float]]) -> list[ModelRank]:
    """Return the mean ranks of the models over data sets, the lowest first, equal ones in the order given."""
    on_each = [ranks_of(accuracies) for accuracies in by_dataset]
    means = [ModelRank(model=model, mean_rank=fmean(ranks[model] for ranks in on_each)) for model in by_dataset[0]]
    return sorted(means, key=lambda one: one.mean_rank)


def _accuracies(studies: Sequence[StudyRecord]) -> dict[str, dict[str, float]]:
    """Return by model and data set the mean test accuracy of each study that counts."""
    found: dict[str, dict[str, float]] = {}
    for study in studies:
        if study.status == "complete" and study.test is not None and n_failed_refits(study) == 0:
            found.setdefault(study.model, {})[study.dataset] = study.test.accuracy.mean
    return found


def _why_not(models: Sequence[str], n_datasets: int) -> str:
    """Return how many data sets count where that is too few."""
    there = {0: "there is none", 1: "there is 1"}.get(n_datasets, f"there are {n_datasets}")
    return (
        f"No mean ranks: they need five data sets on which all ranked models ({', '.join(models)}) have results, "
        f"and {there}."
    )


def _text(
    ranked: Sequence[ModelRank], counted: Sequence[str], n_datasets: int, left_out: Mapping[str, int]
) -> str:
    means = ", ".join(f"{one.model} {one.mean_rank:.2f}" for one in ranked)
    text = f"Mean ranks over {len(counted)} data sets, 1 being the most accurate: {means}."
    if len(counted) < n_datasets:
        text = f"{text} Counted are those on which all of them have results: {', '.join(counted)}."
    if left_out:
        few = ", ".join(f"{model} (results on {number})" for model, number in left_out.items())
        text = f"{text} Not ranked for want of results on five data sets: {few}."
    return text
