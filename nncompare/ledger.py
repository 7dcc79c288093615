"""The ledger of one study: what it was given and what it used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from nncompare.plan import PlannedStudy
from nncompare.results import Budget, FinalRecord, TrialRecord, was_interrupted

__all__ = ["budget"]


def budget(study: PlannedStudy, trials: Sequence[TrialRecord], finals: Sequence[FinalRecord]) -> Budget:
    """Return what a study was given and what its search and its finals used."""
    states = Counter(trial.state for trial in trials)
    return Budget(
        n_trials=study.n_trials,
        max_epochs=study.max_epochs,
        n_refits=study.n_refits,
        search_samples=study.search_samples,
        refit_samples=study.refit_samples,
        refit_data="train" if study.valid_in_refit else "train+validation",
        trials_complete=states["complete"],
        trials_pruned=states["pruned"],
        trials_failed=states["failed"],
        epochs_used=sum(trial.epochs for trial in trials),
        search_cpu_s=round(sum(trial.fit_cpu_s or 0.0 for trial in trials), 3),
        n_finalists=study.n_finalists,
        finals_run=sum(not was_interrupted(final) for final in finals),
        final_epochs_used=sum(final.epochs for final in finals),
        finals_cpu_s=round(sum(final.fit_cpu_s or 0.0 for final in finals), 3),
    )
