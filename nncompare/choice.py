"""Which trial the finals of a study chose, and the words for it."""

from __future__ import annotations

from collections.abc import Sequence

from nncompare.results import FinalRecord, was_interrupted

__all__ = ["chosen_trial", "finals_in_words"]


def chosen_trial(finals: Sequence[FinalRecord]) -> int | None:
    """Return the number of the trial with the lowest validation log loss on all rows, None without finals.

    Parameters
    ----------
    finals : sequence of FinalRecord
        The best trial of the search first: it is the choice where every final failed, and where one was stopped,
        so that nothing is decided yet.
    """
    if not finals:
        return None
    undecided = any(map(was_interrupted, finals))
    done = [] if undecided else [final for final in finals if final.valid_log_loss is not None]
    return min(done, key=_loss, default=finals[0]).trial


def finals_in_words(finals: Sequence[FinalRecord], n_samples: int) -> str:
    """Return which trial was best on all rows, and the values of the others, as the end of a sentence.

    Where a final was stopped, nothing is decided, and the words say no more.

    Parameters
    ----------
    finals : sequence of FinalRecord
        At least one.
    n_samples : int
        Training rows of each.
    """
    stopped = sum(map(was_interrupted, finals))
    if stopped:
        return f"nothing is decided on all {n_samples:,} rows: {stopped} of {len(finals)} finals did not end"
    done = sorted((final for final in finals if final.valid_log_loss is not None), key=_loss)
    failed = [f"trial {final.trial} failed" for final in finals if final.valid_log_loss is None]
    if not done:
        return (
            f"no final on all {n_samples:,} rows gave a value; trial {chosen_trial(finals)} was best in the search"
        )
    first, *others = done
    rest = "; ".join([", ".join(f"trial {final.trial}: {_loss(final):.4f}" for final in others), *failed])
    return f"trial {first.trial} is best on all {n_samples:,} rows ({_loss(first):.4f}; {rest.removeprefix('; ')})"


def _loss(final: FinalRecord) -> float:
    return float("inf") if final.valid_log_loss is None else final.valid_log_loss
