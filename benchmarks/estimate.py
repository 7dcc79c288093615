"""What the trainings of finished runs cost beside the default configuration, and their estimates beside the truth.

    python benchmarks/estimate.py [RESULTS.JSON ...]

The shares are those of ``nncompare/estimate.py``: the part of their epochs that the trials before pruning begins,
the later ones and the refits use. The costs are those of an epoch against one of trial 0, which is the default.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from statistics import fmean

from nncompare.columns import columns
from nncompare.comparison import load_results
from nncompare.estimate import FIRST_TRIALS_SHARE, later_share, refit_share
from nncompare.plan import PlannedStudy
from nncompare.results import RefitRecord, Results, StudyRecord, TrialRecord
from nncompare.samplers import n_unpruned_trials

SAMPLE = Path("reports/sample/results.json")
HEADER = ("RUN", "MODEL", "DATA SET", "EPOCHS", "FIRST", "LATER", "REFITS", "TRIAL COST", "REFIT COST")


def epoch_s(trainings: list[TrialRecord] | list[RefitRecord]) -> float:
    """Return the mean seconds of an epoch, the first batches left out."""
    seconds = sum((one.fit_time_s or 0.0) - (one.first_batch_s or 0.0) for one in trainings)
    return seconds / max(1, sum(one.epochs for one in trainings))


def study_figures(study: StudyRecord) -> list[float]:
    """Return the three shares and the two costs of one study."""
    budget, trials = study.budget, study.trials
    assert budget is not None
    given = {"n_trials": budget.n_trials, "max_epochs": budget.max_epochs, "n_refits": budget.n_refits}
    n_first = n_unpruned_trials(PlannedStudy(model=study.model, dataset=study.dataset, **given))
    parts = (trials[:n_first], trials[n_first:] or trials, study.refits)
    shares = [fmean(one.epochs for one in part) / budget.max_epochs for part in parts]
    default = epoch_s(trials[:1])
    refit = epoch_s(study.refits) * budget.search_samples / budget.refit_samples
    return [*shares, epoch_s(trials) / default, refit / default]


def expected(study: StudyRecord) -> str:
    """Return the three shares that the estimate takes."""
    epochs = study.budget.max_epochs if study.budget is not None else 1
    return f"{FIRST_TRIALS_SHARE:.2f} {later_share(epochs):.2f} {refit_share(epochs):.2f}"


def truth(results: Results) -> str:
    """Return a run's estimate against its duration."""
    took = results.duration_s or 0.0
    if results.estimate_s is None or not took:
        return f"{results.run_id}: took {took:.0f} s; not estimated"
    ratio = results.estimate_s / took
    return f"{results.run_id}: took {took:.0f} s; estimated {results.estimate_s:.0f} s, {ratio:.2f} times it"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", nargs="*", type=Path, default=[SAMPLE])
    runs = [load_results(path) for path in parser.parse_args().results]
    studies = [(run, study) for run in runs for study in run.studies if study.status == "complete"]
    figures = [study_figures(study) for _, study in studies]
    rows = [
        (run.run_id, s.model, s.dataset, str(s.budget.max_epochs if s.budget else 0), *(f"{f:.2f}" for f in found))
        for (run, s), found in zip(studies, figures, strict=True)
    ]
    means = [f"{fmean(column):.2f}" for column in zip(*figures, strict=True)]
    print("\n".join(columns([*rows, ("mean", "", "", "", *means)], HEADER, right=range(3, len(HEADER)))))
    taken = {study.budget.max_epochs: expected(study) for _, study in studies if study.budget is not None}
    print("\nshares that the estimate takes, by epochs:", dict(sorted(taken.items())))
    print("\n".join(truth(run) for run in runs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
