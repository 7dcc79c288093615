"""The verdict in plain words: at most 60 of them, every number from the records.

Scores are fractions in the records; here they become points, rounded to one decimal.
"""

from __future__ import annotations

from collections.abc import Sequence

from nncompare.points import points
from nncompare.results import PairRecord, StudyRecord, VerdictRecord
from nncompare.standing import REFERENCE, SHORTEST_S, is_better, is_slight, pair_of, shortfall
from nncompare.statistics import SINGLE_SEED

MAX_WORDS = 60
# Below this ratio of CPU seconds two trainings count as equally long.
_SAME_TIME = 1.2


def verdict_text(
    dataset: str,
    verdict: VerdictRecord,
    ranked: Sequence[StudyRecord],
    *,
    others_requested: bool = True,
) -> str:
    """Return the sentence: who, by how many points, how sure, at what cost, and what to beware of.

    Parameters
    ----------
    dataset : str
    verdict : VerdictRecord
        All but its text and checks.
    ranked : sequence of StudyRecord
        The studies that were compared, best mean accuracy first.
    others_requested : bool
        Whether more models than those of ``ranked`` were to run on the data set.
    """
    if not ranked:
        return f"No model finished on {dataset}, so there is nothing to compare."
    lead = _Lead(verdict)
    second = next((study for study in ranked if study.model == lead.rival), None)
    is_single = verdict.state == "single"
    main = _single(dataset, ranked[0], others_requested) if is_single else lead.sentence(dataset)
    parts = [
        main,
        lead.against_reference(),
        f"{SINGLE_SEED.capitalize()}." if verdict.single_seed else "",
        lead.rest(),
        _cost(ranked[0], second, decides=verdict.state == "equal") if second else "",
    ]
    return _within_limit([part for part in parts if part])


def rival_of_first(models: Sequence[str], tied: Sequence[str], pairs: Sequence[PairRecord]) -> str | None:
    """Return the model that matters most beside the first: one that may be as good, else one that is as good.

    Parameters
    ----------
    models : sequence of str
        The best mean accuracy first.
    tied : sequence of str
        Those that share the first place.
    pairs : sequence of PairRecord

    Returns
    -------
    str or None
        Of several the best; where none shares the first place, the second.
    """
    if not models:
        return None
    states = {pair.b: pair.state for pair in pairs if pair.a == models[0]}
    shared = tied[1:]
    undecided = [name for name in shared if states.get(name) == "undecided"]
    return next(iter([*undecided, *shared, *models[1:]]), None)


class _Lead:
    """The first model's pairs, in words."""

    def __init__(self, verdict: VerdictRecord) -> None:
        self.verdict = verdict
        self.first = verdict.compared[0]
        self.shared = verdict.tied[1:]
        self.beaten = [name for name in verdict.compared[1:] if name not in self.shared]
        self.rival = verdict.rival
        self.shortfall = shortfall(verdict, self.first)

    def _known_pair(self) -> PairRecord:
        return next(pair for pair in self.verdict.pairs if (pair.a, pair.b) == (self.first, self.rival))

    def sentence(self, dataset: str) -> str:
        """Say how the first model stands to its nearest rival."""
        pair = self._known_pair()
        if self.verdict.state == "better":
            text = f"Use {self.first} on {dataset}: it is better than {self.rival} by {_size(pair)}"
            if self.shortfall is not None:  # a reference may be the one to use
                text = f"{self.first} is better than {self.rival} on {dataset} by {_size(pair)}"
            slight = ", though that is too little to matter in practice" if is_slight(self.verdict) else ""
            return f"{text}{slight}."
        if self.verdict.state == "equal" and len(self.shared) == 1:
            return (
                f"{self.first} and {self.rival} are practically equal on {dataset}: they differ by {_size(pair)}."
            )
        if self.verdict.state == "equal":
            equal = f"{self.first} is practically equal to {_listed(self.shared)} on {dataset}"
            return f"{equal}: {self.first} and {self.rival} differ by {_size(pair)}."
        leads = f"{self.first} leads {self.rival} by {_size(pair)}, which may be chance"
        if pair.difference == 0:
            leads = f"{self.first} and {self.rival} score the same, but may differ by {_range(pair)}"
        return f"Undecided on {dataset}: {leads}; {_what_decides(pair)}."

    def rest(self) -> str:
        """Name the models that the leading ones are better than, and others that may be as good."""
        others = [name for name in self.beaten if name != self.rival]
        may_be = [name for name in self.shared if name != self.rival and self.verdict.state == "undecided"]
        texts = [f"Nor is {_listed(may_be, 'or')} shown to be worse."] if may_be else []
        if others:
            leading = [self.first, *self.shared]
            do_all = all(is_better(self.verdict, one, other) for one in leading for other in others)
            who = "Both are" if do_all and len(leading) == 2 else f"{self.first} is"
            also = " also" if self.verdict.state == "better" else ""
            texts.append(f"{who}{also} better than {_listed(others)}.")
        return " ".join(texts)

    def against_reference(self) -> str:
        """Say where the first model is no better than a reference, or by how much it is where it is alone."""
        if self.shortfall is not None:
            return f"But {self.first} {self.shortfall.words}."
        pair = pair_of(self.verdict, self.first, REFERENCE)
        if pair is None or self.verdict.state != "single":
            return ""
        return f"It is better than logistic regression by {_size(pair)}."


def _single(dataset: str, study: StudyRecord, others_requested: bool) -> str:
    """Give the accuracy of the only model; that others did not finish is said only where there were others."""
    only = f"Only {study.model} {'finished' if others_requested else 'was run'} on {dataset}"
    if study.test is None:
        return f"{only}, so there is nothing to compare it with."
    accuracy = study.test.accuracy
    interval = f"95 % CI {points(accuracy.low)} to {points(accuracy.high)}"
    return f"{only}: its accuracy is {points(accuracy.mean)} % ({interval})."


def _cost(first: StudyRecord, second: StudyRecord, *, decides: bool = False) -> str:
    """Compare the CPU seconds of one refit; between equals they may decide."""
    if not first.fit_cpu_s or not second.fit_cpu_s:
        return ""
    fast, slow = sorted((first, second), key=lambda study: study.fit_cpu_s or 0.0)
    fast_s, slow_s = float(fast.fit_cpu_s or 0.0), float(slow.fit_cpu_s or 0.0)
    if slow_s < SHORTEST_S:
        return ""
    lead = "Cost may decide: " if decides else ""
    longer = f"{lead}{slow.model} trains"
    if fast_s < SHORTEST_S:
        return f"{longer} longer than {fast.model} ({slow_s:.1f} against less than {SHORTEST_S} CPU s)."
    if slow_s < _SAME_TIME * fast_s:
        return f"They train about as fast ({first.fit_cpu_s:.1f} against {second.fit_cpu_s:.1f} CPU s)."
    ratio = slow_s / fast_s
    times = f"{ratio:.0f}" if ratio >= 1.95 else f"{ratio:.1f}"
    return f"{longer} {times} times as long as {fast.model} ({slow_s:.1f} against {fast_s:.1f} CPU s)."


def _what_decides(pair: PairRecord) -> str:
    """Say what an undecided pair lacks."""
    if pair.n_groups == 1:
        return "all test items are of one group, and only more groups could decide it"
    items = "test items" if pair.n_groups is None else "groups of test items"
    return f"more refits or {items} could decide it"


def _size(pair: PairRecord) -> str:
    return f"{points(pair.difference)} points (95 % CI {points(pair.low)} to {points(pair.high)})"


def _range(pair: PairRecord) -> str:
    return f"{points(pair.low)} to {points(pair.high)} points (95 % CI)"


def _listed(names: Sequence[str], joint: str = "and") -> str:
    """Join at most three names; more become "and others"."""
    if len(names) > 3:
        return f"{', '.join(names[:3])} {joint} others"
    return f" {joint} ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _within_limit(parts: Sequence[str]) -> str:
    """Join the parts, leaving out from the end what would pass the limit."""
    kept = list(parts)
    while len(kept) > 1 and len(" ".join(kept).split()) > MAX_WORDS:
        kept.pop()
    return " ".join(kept)
