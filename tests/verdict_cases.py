"""Score sets of one data set, clear and unclear ones, for the tests of sentences and reports."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nncompare.results import DatasetRecord, Failure, ReferenceRecord, RefitRecord, Results, StudyRecord
from nncompare.statistics import accuracy_interval
from nncompare.verdict import decide

from . import report_fixtures as fixtures

DATASET = "mnist1d"
KILLED = Failure(category="killed", message="killed")
CLASS_NAMES = ["a", "b"]


def rows(accuracy, n_seeds=3, *, n_items=10_000, spread=0.0, shift=0):
    """Return correctness with the given accuracy; items are hard in one order, so errors are shared."""
    right = [round((accuracy + spread * (seed - (n_seeds - 1) / 2)) * n_items) for seed in range(n_seeds)]
    return np.stack([np.roll(np.arange(n_items) < count, shift) for count in right])


def scattered(accuracy, n_seeds=3, *, n_items=10_000, seed=0):
    """Return correctness whose errors lie at random, another draw for each seed."""
    return np.random.default_rng(seed).uniform(size=(n_seeds, n_items)) < accuracy


@dataclass(frozen=True, slots=True)
class Case:
    """Models and references with what they got right, their CPU seconds, and what failed."""

    models: dict[str, Any]
    references: dict[str, Any] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    failed_refits: dict[str, int] = field(default_factory=dict)
    failed: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()


LOW = {"majority": rows(0.1, 1), "logistic_regression": rows(0.3, 1)}
TIMES = {"cnn": 70.4, "lstm": 9.8, "mlp": 3.1}
LONG = "a_family_of_networks_with_a_name_that_nobody_would_type_twice_but_that_a_plugin_may_have"
MARKUP = "<b>bold</b>&|"

CASES = {
    "clear": Case({"mlp": rows(0.6), "cnn": rows(0.95)}, LOW, TIMES),
    "clear of three": Case({"mlp": rows(0.6), "cnn": rows(0.9), "lstm": rows(0.95)}, LOW, TIMES),
    "equal": Case({"cnn": rows(0.95), "lstm": rows(0.95)}, LOW, TIMES),
    "undecided": Case(
        {"cnn": rows(0.95, spread=0.02), "lstm": rows(0.94, spread=0.02)}, LOW, {"cnn": 10.0, "lstm": 10.5}
    ),
    "better and inside the margin": Case({"cnn": rows(0.952), "lstm": rows(0.95)}, {}, TIMES),
    "tie on few items": Case({"cnn": rows(1.0, n_items=30), "lstm": rows(1.0, n_items=30)}, {}, TIMES),
    "single seed": Case({"cnn": rows(0.95, 1), "lstm": rows(0.9, 1)}, {}, TIMES),
    "single model": Case({"cnn": rows(0.9, spread=0.01)}, LOW),
    "single model, others failed": Case({"cnn": rows(0.9, spread=0.01)}, LOW, failed=("mlp",)),
    "no model": Case({}, failed=("cnn", "mlp")),
    "other data sets": Case(
        {"cnn": rows(0.9), "mlp": rows(0.8)}, {}, {"cnn": 0.02, "mlp": 0.04}, elsewhere=("lstm",)
    ),
    "worse than a reference": Case(
        {"mlp": rows(0.8), "lstm": rows(0.85)},
        {"logistic_regression": rows(0.89, 1)},
        {"mlp": 0.04, "lstm": 0.8},
    ),
    "better, not shown to beat a reference": Case(
        {"mlp": rows(0.8), "lstm": rows(0.85)}, {"logistic_regression": rows(0.85, 1)}
    ),
    "single model worse than a reference": Case({"lstm": rows(0.85)}, {"logistic_regression": rows(0.89, 1)}),
    "majority class only": Case(
        {"cnn": rows(0.7), "mlp": rows(0.7)}, {"majority": rows(0.7, 1), "logistic_regression": rows(0.6, 1)}
    ),
    "undecided on the second, better than the third": Case(
        {"a": rows(0.95, spread=0.0005), "b": rows(0.949, spread=0.004), "c": rows(0.9465, spread=0.0005)}
    ),
    "ring": Case({"a": scattered(0.9), "b": scattered(0.903, seed=1), "c": scattered(0.906, seed=2)}),
    "tiny test set": Case({"cnn": rows(0.9, n_items=20), "mlp": rows(0.5, n_items=20)}, {}, TIMES),
    "two level, both better than a third": Case(
        {"mlp": rows(0.6), "cnn": rows(0.95), "lstm": rows(0.95)}, LOW, TIMES
    ),
    "some refits failed": Case({"cnn": rows(0.9, 2), "mlp": rows(0.6)}, LOW, TIMES, failed_refits={"cnn": 1}),
    "no spread over seeds": Case({"cnn": rows(0.91, n_items=1000), "mlp": rows(0.9, n_items=1000)}, {}, TIMES),
    "no spread and too few items differ": Case(
        {"cnn": rows(0.904, n_items=1000), "mlp": rows(0.9, n_items=1000)}, {}, TIMES
    ),
    "twenty models": Case({f"model_{k}": rows(0.9 - 0.02 * k, shift=9 * k) for k in range(20)}, LOW),
    "long name": Case({LONG: rows(0.95), "mlp": rows(0.6)}, LOW, {LONG: 70.4, "mlp": 3.1}),
    "markup": Case({MARKUP: rows(0.95), "mlp": rows(0.6)}, LOW, {MARKUP: 70.4, "mlp": 3.1}),
}


def study_of(case: Case, model: str) -> StudyRecord:
    """Return the study of a model that was tested, its scores those of its correctness."""
    correct = case.models[model]
    scores = fixtures.scores(random.Random(1), float(correct.mean()), CLASS_NAMES, 50)
    refits = [RefitRecord(seed=k, test_accuracy=float(row.mean())) for k, row in enumerate(correct)]
    refits += [RefitRecord(seed=100 + k, failure=KILLED) for k in range(case.failed_refits.get(model, 0))]
    made = fixtures.study(model, DATASET, CLASS_NAMES, level=0.9, n_trials=10, epochs=3)
    return made.model_copy(
        update={
            "test": scores.model_copy(update={"accuracy": accuracy_interval(correct)}),
            "refits": refits,
            "fit_cpu_s": case.cpu.get(model),
        }
    )


def results_of(case: Case) -> Results:
    """Return the results of a run that scored so."""
    studies = [study_of(case, model) for model in case.models]
    studies += [fixtures.failed(model, DATASET) for model in case.failed]
    others = [fixtures.study(model, "digits", CLASS_NAMES, level=0.99, n_trials=3) for model in case.elsewhere]
    references = [
        ReferenceRecord(name=name, test_accuracy=accuracy_interval(correct), n_train=100)
        for name, correct in case.references.items()
    ]
    correct = {**case.models, **case.references, **{study.model: rows(0.99) for study in others}}
    data = fixtures.dataset(DATASET, CLASS_NAMES, fixtures.no_verdict())

    def judged(name: str, record: DatasetRecord) -> DatasetRecord:
        verdict = decide(name, [*studies, *others], references, correct)
        return record.model_copy(update={"name": name, "verdict": verdict, "references": references})

    datasets = [judged(DATASET, data), *([judged("digits", data)] if others else [])]
    return fixtures.results(datasets, [*studies, *others])
