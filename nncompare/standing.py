"""How the first model of a verdict stands to its rival and to the references.

The sentence, the badge and the line under the heading all read it here, so that none says what another denies.
"""

from __future__ import annotations

from dataclasses import dataclass

from nncompare.results import PairRecord, VerdictRecord

REFERENCE = "logistic_regression"
MAJORITY = "majority"
SHORTEST_S = 0.1
"""Below this many CPU seconds a training is too short to be told in figures or compared by a ratio."""
# The references in the order in which they are named: who is no better than naming one class has lost already.
IN_WORDS = {MAJORITY: "always naming the most frequent class", REFERENCE: "logistic regression"}


@dataclass(frozen=True, slots=True)
class Shortfall:
    """The reference that a model fails to beat, and whether it is shown to be worse."""

    reference: str
    is_worse: bool

    @property
    def words(self) -> str:
        """Return it as the end of a sentence about the model."""
        how = "is worse than" if self.is_worse else "is not shown to beat"
        return f"{how} {IN_WORDS[self.reference]}"


def pair_of(verdict: VerdictRecord, one: str, other: str) -> PairRecord | None:
    """Return the difference between two models or references, in whichever order it was taken."""
    return next((pair for pair in verdict.pairs if {pair.a, pair.b} == {one, other}), None)


def is_better(verdict: VerdictRecord, one: str, other: str) -> bool:
    """Return whether the first is shown to be better; its pair then has it on the side of the higher mean."""
    pair = pair_of(verdict, one, other)
    return pair is not None and pair.a == one and pair.state == "better"


def shortfall(verdict: VerdictRecord, model: str) -> Shortfall | None:
    """Return the first reference that the model is not better than; None where it beats all that are known."""
    for name in IN_WORDS:
        if pair_of(verdict, model, name) is not None and not is_better(verdict, model, name):
            return Shortfall(name, is_better(verdict, name, model))
    return None


def is_slight(verdict: VerdictRecord) -> bool:
    """Return whether the winner is better than its rival by less than matters in practice."""
    if verdict.state != "better" or verdict.winner is None or verdict.rival is None:
        return False
    pair = pair_of(verdict, verdict.winner, verdict.rival)
    return pair is not None and pair.within_margin
