"""The verdict of one data set: the intervals of all pairs, the state they imply, the sentence and the checks.

The state is read from the pairs and from nothing else; the sentence is read from the record that holds both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from nncompare.checks import run_checks
from nncompare.clusters import Groups
from nncompare.results import PairRecord, ReferenceRecord, StudyRecord, VerdictRecord, VerdictState
from nncompare.search_checks import n_failed_refits
from nncompare.sentence import rival_of_first, verdict_text
from nncompare.statistics import MARGIN, Correct, paired_difference


def decide(
    dataset: str,
    studies: Sequence[StudyRecord],
    references: Sequence[ReferenceRecord],
    correct: Mapping[str, Correct],
    margin: float = MARGIN,
    *,
    duplicates: int | None = 0,
    test_support: Sequence[int] = (),
    class_names: Sequence[str] = (),
    groups: Groups | None = None,
) -> VerdictRecord:
    """Compare the models of one data set with each other and with the references.

    A model some of whose refits failed cannot win: its score is that of the seeds that worked. A pair's ``a``
    is the side with the higher mean accuracy. Models come in order of their means, models that are exactly
    equal in order of ``studies``; references are compared with each model and never win.

    Parameters
    ----------
    dataset : str
        Studies of other data sets are left out: they are never ranked against each other.
    studies : sequence of StudyRecord
        Whatever happened to them; those that are complete and in ``correct`` are compared.
    references : sequence of ReferenceRecord
        Deterministic baselines; those in ``correct`` are compared.
    correct : mapping of model or reference name to ndarray of shape (n_seeds, n_items), bool
        Which test items each refit got right, the same items in the same order.
    margin : float
        Differences inside ± this fraction are equal in practice.
    duplicates : int or None
        Rows that are both in train and in test; None where there is no data.
    test_support : sequence of int
        Test items of each class.
    class_names : sequence of str
        In the order of ``test_support``.
    groups : ndarray of shape (n_items,), int64, optional
        Test items of equal numbers depend on each other, such as rows of one patient.

    Raises
    ------
    ValueError
        Two arrays of ``correct`` differ in their number of items.
    """
    own = [study for study in studies if study.dataset == dataset]
    models = _ranked([study.model for study in own if study.status == "complete"], correct)
    pairs = _compare(models, [reference.name for reference in references], correct, margin, groups)
    state, tied = _state(models, pairs)
    leader = next((study for study in own if models and study.model == models[0]), None)
    lucky = leader is not None and state == "better" and n_failed_refits(leader) > 0
    if lucky:
        state, tied = "undecided", models[:1]
    n_seeds = {name: len(correct[name]) for name in models}
    rival = rival_of_first(models, tied, pairs)
    verdict = VerdictRecord(
        state=state,
        winner=models[0] if state == "better" else None,
        tied=tied,
        text="",
        compared=models,
        rival=rival,
        single_seed=any(n_seeds[name] == 1 for name in models if name in (models[0], rival)),
        margin=margin,
        pairs=pairs,
    )
    checks = run_checks(
        own,
        pairs,
        [reference.name for reference in references],
        n_seeds=n_seeds,
        missing_references=[reference.name for reference in references if reference.name not in correct],
        duplicates=duplicates,
        test_support=test_support,
        class_names=class_names,
    )
    ranked = [study for name in models for study in own if study.model == name]
    others = len(own) > len(ranked)
    if lucky:
        text = survivors_text(dataset, ranked[0])
    else:
        text = verdict_text(dataset, verdict, ranked, others_requested=others)
    return verdict.model_copy(update={"text": text, "checks": checks})


def survivors_text(dataset: str, leader: StudyRecord) -> str:
    """Return the sentence for a leader some of whose refits failed: it must not win by the seeds that worked."""
    failed = f"{n_failed_refits(leader)} of its {len(leader.refits)} refits failed"
    return f"Undecided on {dataset}: {leader.model} leads, but {failed}, so its lead may be the luck of the rest."


def _ranked(names: Sequence[str], correct: Mapping[str, Correct]) -> list[str]:
    """Return the names that have predictions, best mean accuracy first."""
    known = [name for name in names if name in correct]
    return sorted(known, key=lambda name: -_mean(correct[name]))


def _mean(correct: NDArray[np.bool_]) -> float:
    return float(np.mean(correct))


def _compare(
    models: Sequence[str],
    references: Sequence[str],
    correct: Mapping[str, Correct],
    margin: float,
    groups: Groups | None,
) -> list[PairRecord]:
    """Compare every two models, and each model with each reference, under one Bonferroni correction."""
    baselines = [name for name in references if name in correct]
    names = [*combinations(models, 2), *((model, baseline) for model in models for baseline in baselines)]
    ordered = [(b, a) if _mean(correct[b]) > _mean(correct[a]) else (a, b) for a, b in names]
    return [_pair(a, b, correct, len(ordered), margin, baselines, groups) for a, b in ordered]


def _pair(
    a: str,
    b: str,
    correct: Mapping[str, Correct],
    n_pairs: int,
    margin: float,
    baselines: Sequence[str],
    groups: Groups | None,
) -> PairRecord:
    result = paired_difference(
        correct[a],
        correct[b],
        n_pairs=n_pairs,
        margin=margin,
        deterministic_a=a in baselines,
        deterministic_b=b in baselines,
        groups=groups,
    )
    return PairRecord(
        a=a,
        b=b,
        difference=result.difference,
        low=result.low,
        high=result.high,
        state=result.state,
        method=result.method,
        within_margin=result.within_margin,
        mcnemar_p=result.mcnemar_p,
        n_groups=result.n_groups,
    )


def _state(models: Sequence[str], pairs: Sequence[PairRecord]) -> tuple[VerdictState, list[str]]:
    """Return the state that the first model's pairs imply, and the models that share the first place.

    Those are the first model and all that it is not better than; nobody shares where it is better than all.
    """
    if len(models) < 2:
        return ("single" if models else "none"), []
    against = {pair.b: pair.state for pair in pairs if pair.a == models[0] and pair.b in models}
    if "undecided" in against.values():
        state: VerdictState = "undecided"
    elif "equal" in against.values():
        state = "equal"
    else:
        return "better", []
    return state, [models[0], *(name for name in models[1:] if against[name] != "better")]
