"""After the search: refits with fresh seeds, references, and the sealed test that scores both."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from nncompare.clusters import Groups
from nncompare.data.records import Labels, View
from nncompare.data.seeds import derive_seed
from nncompare.data.splits import Split
from nncompare.data.store import StoredDataset
from nncompare.data.views import CONVERSIONS, PreparedView, prepare_view
from nncompare.events import EpochFinished, RefitFinished
from nncompare.exceptions import PluginError, ResultsError
from nncompare.execution.runner import read_answer
from nncompare.execution.saved import check_saved
from nncompare.execution.specs import FitAnswer, FitSpec
from nncompare.execution.supervisor import RefusedError, check_epoch
from nncompare.faultpoints import reached
from nncompare.metrics import predicted, read_probabilities, reference_scores, refit_scores
from nncompare.plan import PlannedStudy
from nncompare.results import Failure, ReferenceRecord, RefitRecord, StudyRecord, TrialRecord
from nncompare.session import Session
from nncompare.slots import Slots
from nncompare.superseded import superseding_name

__all__ = ["Reference", "Refit", "Refits", "SealedTest", "run_references"]

Floats = npt.NDArray[np.float64]
REFERENCE_ROWS = 20_000
REFERENCES = {"majority": "MajorityClass", "logistic_regression": "LogisticRegression"}


@dataclass(frozen=True, slots=True)
class SealedTest:
    """The test labels of one data set; nothing else in the program holds them, and no child sees them."""

    y: Labels
    class_names: Sequence[str]
    groups: Groups | None = None

    @classmethod
    def of(cls, stored: StoredDataset) -> SealedTest:
        """Open the test labels of a data set, and the groups of its test items where it is split by group."""
        by = stored.keys()
        groups = by.keys_test if by is not None and by.kind == "group" else None
        return cls(np.array(stored.y_test()), stored.class_names, None if groups is None else np.array(groups))

    def read(self, predictions: Path) -> Floats:
        """Return the probabilities that a child stored, checked.

        Raises
        ------
        PluginError
            They are not probabilities of the right shape.
        """
        return read_probabilities(predictions, len(self.y), len(self.class_names))

    def correct(self, probabilities: Sequence[Floats]) -> npt.NDArray[np.bool_]:
        """Return which items were right, of shape (n_refits, n_test)."""
        return np.stack([predicted(proba) == self.y for proba in probabilities])


@dataclass(frozen=True, slots=True)
class Refit:
    """One refit: its record, and its probabilities on test where it has any."""

    record: RefitRecord
    answer: FitAnswer | None = None
    probabilities: Floats | None = None
    model: Path | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """One baseline: its record and probabilities on test, or why there are none."""

    name: str
    record: ReferenceRecord | None = None
    probabilities: Floats | None = None
    failure: Failure | None = None


class Refits:
    """The refits of one study.

    Parameters
    ----------
    study : PlannedStudy
    best : TrialRecord
        The chosen trial.
    data : PreparedView
        With test; without a validation part where the refits train for a fixed number of epochs.
    test : SealedTest
    session : Session
    earlier : StudyRecord, optional
        What results.json says of the study now: the files that it names stay as they are.
    """

    def __init__(
        self,
        study: PlannedStudy,
        best: TrialRecord,
        data: PreparedView,
        test: SealedTest,
        session: Session,
        earlier: StudyRecord | None = None,
    ) -> None:
        self._study, self._best, self._data, self._test, self._session = study, best, data, test, session
        self._earlier = earlier
        self._lock = threading.Lock()
        self._n_finished = 0

    def run(self, slots: Slots, priority: int) -> list[Refit]:
        """Run all refits and return those that started, in the order of their numbers."""

        def one(number: int) -> Refit | None:
            return None if self._session.stop.is_set() else self.run_one(number)

        refits = slots.map(one, range(self._study.n_refits), priority)
        return [refit for refit in refits if refit is not None]

    def run_one(self, number: int) -> Refit:
        """Run one refit, from 0."""
        study = self._study
        seed = derive_seed(self._session.config.seed, study.model, study.dataset, "refit", number)
        name = self._name(seed)
        predictions = Path("predictions") / f"{name}.npz"
        model = self._session.folder / "models" / name
        spec = self._spec(number, seed, model)
        if not _holds(spec, model, self._session.folder / predictions):
            spec.result.unlink(missing_ok=True)  # of an earlier part of the run: what it made is gone
        reached("refit")
        answer = self._session.runner.run(spec, lambda kind, m: self._answer(number, predictions, kind, m))
        reached("refitted")
        refit = self._score(seed, answer if isinstance(answer, FitAnswer) else None, predictions, model)
        with self._lock:
            self._n_finished += 1
            n_finished = self._n_finished
        self._session.tell(RefitFinished(study.model, study.dataset, refit.record, n_finished, study.n_refits))
        return refit

    def _name(self, seed: int) -> str:
        """Return what the files of a refit are called; those of another trial's refit are not overwritten."""
        name = f"{self._study.model}--{self._study.dataset}--{seed}"
        refits = self._earlier.refits if self._earlier is not None else []
        named = next((Path(refit.model).name for refit in refits if refit.seed == seed and refit.model), None)
        if self._earlier is None or named is None:
            return name
        is_same = self._earlier.best_trial == self._best.number
        return named if is_same else superseding_name(name, self._best.number)

    def _spec(self, number: int, seed: int, model: Path) -> FitSpec:
        study, best = self._study, self._best
        return self._session.fit_spec(
            study,
            self._data,
            f"refit-{number}-of-{best.number}",
            seed=seed,
            max_epochs=study.max_epochs if study.valid_in_refit else best.best_epoch or study.max_epochs,
            number=number,
            params=best.params,
            save_to=model,
        )

    def _answer(self, number: int, predictions: Path, kind: str, message: Mapping[str, Any]) -> Any:
        """Answer a child: go on; and, once its model is saved, where the test samples lie."""
        study = self._study
        if kind == "report":
            check_epoch(message["epoch"], study.max_epochs)
            self._session.tell(
                EpochFinished(
                    study.model,
                    study.dataset,
                    "refit",
                    number,
                    message["epoch"],
                    study.max_epochs,
                    message["valid_loss"],
                )
            )
            return True
        if kind == "fitted":
            return {"X_test": str(self._data.X_test), "predictions": str(self._session.folder / predictions)}
        raise RefusedError(f"A refit cannot ask for '{kind}'.")

    def _score(self, seed: int, answer: FitAnswer | None, predictions: Path, model: Path) -> Refit:
        """Open the sealed test for one set of probabilities."""
        if answer is None or answer.status != "complete":
            failure = answer.failure if answer is not None else None
            text = "fit() raised TrialPruned in a refit, which is never pruned."
            return Refit(RefitRecord(seed=seed, failure=failure or Failure(category="plugin", message=text)))
        try:
            probabilities = self._test.read(self._session.folder / predictions)
        except (PluginError, OSError, ValueError, KeyError, BadZipFile) as error:
            return Refit(RefitRecord(seed=seed, failure=Failure(category="plugin", message=str(error))))
        record = RefitRecord(
            seed=seed,
            **refit_scores(self._test.y, probabilities, self._test.class_names),
            **answer.model_dump(
                include={
                    "fit_time_s",
                    "fit_cpu_s",
                    "first_batch_s",
                    "predict_time_s",
                    "epochs",
                    "peak_memory_mb",
                }
            ),
            curve=answer.curve,
            predictions=str(predictions),
            model=str(model.relative_to(self._session.folder)),
            manifest_sha256=answer.manifest_sha256,
        )
        return Refit(record, answer, probabilities, model)


def _holds(spec: FitSpec, model: Path, predictions: Path) -> bool:
    """Tell whether files are those of a refit that ended; those of another trial's may lie in their place."""
    kept = read_answer(spec)
    if not isinstance(kept, FitAnswer) or not predictions.is_file():
        return False
    try:
        check_saved(model, kept.manifest_sha256)
    except ResultsError:
        return False
    return True


def run_references(
    stored: StoredDataset,
    split: Split,
    test: SealedTest,
    session: Session,
) -> list[Reference]:
    """Train and score the majority class and logistic regression, on 20,000 rows at most.

    They see train and validation, as the refits of a search in full do, and have nothing to select.
    """
    view: View = "tabular"
    if view not in CONVERSIONS[stored.view]:
        return []
    rows = np.sort(np.concatenate([split.train, split.valid]))
    if len(rows) > REFERENCE_ROWS:
        generator = np.random.default_rng(derive_seed(session.config.seed, stored.name, "reference rows"))
        rows = np.sort(generator.choice(rows, REFERENCE_ROWS, replace=False))
    data = prepare_view(stored, view, rows, None, session.cache, with_test=True)
    return [_run_reference(name, data, test, session) for name in REFERENCES]


def _run_reference(name: str, data: PreparedView, test: SealedTest, session: Session) -> Reference:
    seed = derive_seed(session.config.seed, name, data.spec.name, "reference")
    predictions = Path("predictions") / f"{name}--{data.spec.name}--{seed}.npz"
    spec = FitSpec(
        plugin=f"nncompare.frameworks.references:{REFERENCES[name]}",
        framework="sklearn",
        **session.child_fields(session.trials_folder("reference", data.spec.name), name),
        data=data.spec,
        train=data.train,
        valid=None,
        seed=seed,
        max_epochs=1,
        params={},
        save_to=session.folder / "models" / f"{name}--{data.spec.name}--{seed}",
    )
    target = {"X_test": str(data.X_test), "predictions": str(session.folder / predictions)}
    answer = session.runner.run(spec, lambda kind, _message: target if kind == "fitted" else True)
    if answer.status != "complete":
        return Reference(name, failure=answer.failure)
    probabilities = test.read(session.folder / predictions)
    record = ReferenceRecord(
        name=name,
        n_train=data.spec.n_train,
        predictions=str(predictions),
        **reference_scores(test.y, probabilities, seed, test.groups),
    )
    return Reference(name, record, probabilities)
