"""What a run will need on its disk, asked before the hours that would end for want of it."""

from __future__ import annotations

import glob

from nncompare.events import Listener, Notice
from nncompare.exceptions import StorageError
from nncompare.layout import trials_folder
from nncompare.plan import Plan, PlannedStudy
from nncompare.room import free_bytes
from nncompare.trials import kept_numbers

__all__ = ["check_room", "needed_bytes"]

REPORT_BYTES = 300_000
TRIAL_BYTES = 10_000
"""Result file, record, rows of the database, share of results.json and the report; files take whole blocks."""
EPOCH_BYTES = 200
MODEL_BYTES = 10_000_000
"""Of a saved model, which nobody knows before it is trained; those of the built-in models have 0.1 to 16 MB."""
FLOAT_BYTES = 8


def check_room(plan: Plan, listener: Listener | None = None) -> None:
    """Refuse a run for which the disk has no room, and warn of one for which it may have too little.

    Parameters
    ----------
    plan : Plan
    listener : callable, optional
        Hears the warning.

    Raises
    ------
    StorageError
        Records and predictions alone need more than is free.
    """
    free, least, likely = free_bytes(plan.folder.absolute()), needed_bytes(plan), needed_bytes(plan, MODEL_BYTES)
    where, there = f"'{plan.config.out}'", f"{free / 1e6:,.1f} MB are free there"
    if free < least:
        raise StorageError(
            f"There is no room for the run in {where}: it needs at least {least / 1e6:,.1f} MB, and {there}. Free "
            "some space, or choose another folder with --out (in Python: out=)."
        )
    if free < likely and listener is not None:
        text = f"The run may need {likely / 1e6:,.1f} MB in {where} with its models, and {there}."
        listener(Notice(f"{text} If the disk is full, it stops, and can be resumed.", "warning"))


def needed_bytes(plan: Plan, model_bytes: int = 0) -> int:
    """Return what is still to be written of a run, with so many bytes for each saved model."""
    classes = {data.name: len(data.stored.class_names) for data in plan.datasets if data.stored is not None}
    tests = {data.name: data.n_test for data in plan.datasets}
    total = REPORT_BYTES
    for study in plan.studies:
        if study.failure is None and study.dataset in classes:
            predictions = FLOAT_BYTES * tests[study.dataset] * (classes[study.dataset] + 1)
            total += (_n_left(plan, study) + study.n_finals) * (TRIAL_BYTES + EPOCH_BYTES * study.max_epochs)
            total += _n_refits_left(plan, study) * predictions + study.n_refits * model_bytes
    return total


def _n_left(plan: Plan, study: PlannedStudy) -> int:
    kept = kept_numbers(trials_folder(plan.folder, study.model, study.dataset))
    return max(0, study.n_trials - len(kept))


def _n_refits_left(plan: Plan, study: PlannedStudy) -> int:
    """Return how many refits have no predictions yet; those of another trial count as written."""
    written = list((plan.folder / "predictions").glob(f"{glob.escape(f'{study.model}--{study.dataset}--')}*.npz"))
    return max(0, study.n_refits - len(written))
