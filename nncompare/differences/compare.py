"""What changed between two runs: settings and versions, data, and each model on each data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nncompare.data.records import Labels
from nncompare.differences.records import (
    Change,
    DataDifference,
    DataState,
    RunDifference,
    RunName,
    ScoreDifference,
    StudyDifference,
)
from nncompare.differences.scores import Side, compare_scores, test_groups, test_labels
from nncompare.results import DatasetRecord, Results, StudyRecord

__all__ = ["compare_runs"]

COSTS = ("search_time_s", "fit_time_s", "fit_cpu_s", "latency_ms", "peak_memory_mb", "n_parameters", "size_bytes")
BUDGET = (
    "n_trials",
    "max_epochs",
    "n_finalists",
    "n_refits",
    "search_samples",
    "refit_samples",
    "refit_data",
)
NEVER_EQUAL = {"environment.load_average", "settings.trial_memory_mb"}
"""What the machine was busy with and had free: no setting and no version."""

Pair = tuple[str, str]


def compare_runs(a: Results, folder_a: Path, b: Results, folder_b: Path) -> RunDifference:
    """Return in what run B differs from run A; nothing is written, and no model is loaded.

    Parameters
    ----------
    a, b : Results
    folder_a, folder_b : Path
        The run directories, whose predictions are read where the data are the same.
    """
    datasets = [_data(name, _dataset(a, name), _dataset(b, name)) for name in _both(a.datasets, b.datasets)]
    comparable = {found.dataset for found in datasets if found.state == "same"}
    labels = {data.name: test_labels(data) for data in a.datasets if data.name in comparable}
    of_a, of_b = ({(s.model, s.dataset): s for s in results.studies} for results in (a, b))
    tested = [d for (m, d), one in of_a.items() if one.test and (two := of_b.get((m, d))) and two.test]
    runs = _Runs(a, folder_a, folder_b, {data.dataset: data for data in datasets}, labels, Counter(tested))
    studies = [_study(pair, of_a.get(pair), of_b.get(pair), runs) for pair in dict.fromkeys([*of_a, *of_b])]
    return RunDifference(
        a=RunName(run_id=a.run_id, folder=str(folder_a), created_at=a.created_at),
        b=RunName(run_id=b.run_id, folder=str(folder_b), created_at=b.created_at),
        changes=list(_changes(_facts(a), _facts(b))),
        datasets=datasets,
        studies=studies,
    )


@dataclass(frozen=True, slots=True)
class _Runs:
    """What the comparison of one study needs to know of the runs; ``n_pairs`` counts models by data set."""

    a: Results
    folder_a: Path
    folder_b: Path
    data: Mapping[str, DataDifference]
    labels: Mapping[str, Labels | None]
    n_pairs: Mapping[str, int]


def _study(pair: Pair, a: StudyRecord | None, b: StudyRecord | None, runs: _Runs) -> StudyDifference:
    model, dataset = pair
    return StudyDifference(
        model=model,
        dataset=dataset,
        status_a=a.status if a is not None else None,
        status_b=b.status if b is not None else None,
        score=_score(a, b, runs),
        params=[] if a is None or b is None else list(_changes(a.best_params, b.best_params)),
        budget=list(_changes(_budget(a), _budget(b))) if a is not None and b is not None else [],
        costs=[] if a is None or b is None else list(_changes(_costs(a), _costs(b))),
    )


def _score(a: StudyRecord | None, b: StudyRecord | None, runs: _Runs) -> ScoreDifference:
    """Compare the accuracies, or say why they are not compared."""
    scores = {
        name: study.test.accuracy
        for name, study in (("a", a), ("b", b))
        if study is not None and study.test is not None
    }
    if a is None or b is None:
        which = "B" if b is None else "A"
        return ScoreDifference(state="not compared", **scores, reason=f"run {which} does not have this model")
    data = runs.data.get(a.dataset)
    if data is None or data.state != "same":
        reason = data.reason if data is not None else "the data set is not recorded"
        return ScoreDifference(state="not compared", **scores, reason=reason)
    missing = [name.upper() for name in ("a", "b") if name not in scores]
    if missing:
        reason = f"it has no test scores in run {' and '.join(missing)}"
        return ScoreDifference(state="not compared", **scores, reason=reason)
    record = _dataset(runs.a, a.dataset)
    assert record is not None  # noqa: S101 - its data are the same in both runs
    return compare_scores(
        Side(a, runs.folder_a, "A"),
        Side(b, runs.folder_b, "B"),
        runs.labels.get(a.dataset),
        len(record.class_names),
        n_pairs=runs.n_pairs[a.dataset],
        margin=record.verdict.margin,
        groups=test_groups(record),
        is_grouped=record.split_by == "group",
    )


def _data(name: str, a: DatasetRecord | None, b: DatasetRecord | None) -> DataDifference:
    """Say whether two runs saw the same data, by the fingerprints of samples, test labels and split."""
    texts = {"verdict_a": a.verdict.text if a else "", "verdict_b": b.verdict.text if b else ""}
    state, reason = _match(a, b)
    changed = a is not None and b is not None and _outcome(a) != _outcome(b)
    return DataDifference(dataset=name, state=state, reason=reason, verdict_changed=changed, **texts)


def _outcome(data: DatasetRecord) -> tuple[str, str | None, list[str]]:
    return data.verdict.state, data.verdict.winner, sorted(data.verdict.tied)


def _match(a: DatasetRecord | None, b: DatasetRecord | None) -> tuple[DataState, str]:
    if a is None:
        return "only b", "run A does not have this data set"
    if b is None:
        return "only a", "run B does not have this data set"
    found = [(d.fingerprint, d.test_fingerprint, d.split_fingerprint) for d in (a, b)]
    if not all(all(prints) for prints in found):
        return "unknown", "a run has no fingerprints of its data, so it is not known whether they are the same"
    said: list[tuple[DataState, str]] = [
        ("other data", "the data differ"),
        ("other test labels", "the labels of the test part differ"),
        ("other split", "the rows of training and validation differ, as with another --seed"),
    ]
    for (state, what), one, two in zip(said, *found, strict=True):
        if one != two:
            return state, f"{what} (fingerprints {one[:8]}… and {two[:8]}…), so scores do not compare"
    return "same", ""


def _dataset(results: Results, name: str) -> DatasetRecord | None:
    return next((data for data in results.datasets if data.name == name), None)


def _both(a: list[DatasetRecord], b: list[DatasetRecord]) -> list[str]:
    return list(dict.fromkeys(data.name for data in (*a, *b)))


def _facts(results: Results) -> dict[str, Any]:
    """Return settings, versions and the machine as one flat mapping."""
    plugins = {s.model: f"{s.plugin.distribution} {s.plugin.version}" for s in results.studies if s.plugin}
    facts = {"preset": results.preset, "seed": results.seed, "state": results.state}
    facts |= dict(_flat("settings", results.settings.model_dump(mode="json")))
    facts |= dict(_flat("environment", results.environment))
    return facts | {f"plugin.{model}": owner for model, owner in plugins.items()}


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _flat(f"{prefix}.{name}", item)
    elif prefix not in NEVER_EQUAL:
        yield prefix, value


def _budget(study: StudyRecord) -> dict[str, Any]:
    return {name: getattr(study.budget, name) for name in BUDGET} if study.budget is not None else {}


def _costs(study: StudyRecord) -> dict[str, Any]:
    return {name: getattr(study, name) for name in COSTS}


def _changes(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Change]:
    """Yield every name whose values differ, in the order of A and then of B."""
    for name in dict.fromkeys([*a, *b]):
        if a.get(name) != b.get(name):
            yield Change(name=name, a=a.get(name), b=b.get(name))
