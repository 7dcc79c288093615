"""Synthetic results for the tests of the report: made from a seed, so that they never change."""

from __future__ import annotations

import math
import random

import numpy as np

from nncompare.excerpts import thumbnail
from nncompare.ranks import with_ranks
from nncompare.results import (
    Budget,
    Calibration,
    Check,
    ClassScores,
    Curve,
    DatasetRecord,
    ErrorOverlap,
    Failure,
    Interval,
    Mistake,
    Owner,
    PairRecord,
    ReferenceRecord,
    RefitRecord,
    Results,
    Settings,
    SharedSample,
    StudyRecord,
    TestScores,
    TrialRecord,
    VerdictRecord,
)

LEVELS = {"mlp": 0.655, "cnn": 0.957, "lstm": 0.9512}
COSTS = {"mlp": 8.2, "cnn": 41.3, "lstm": 96.0}


def around(mean: float, half: float) -> Interval:
    return Interval(mean=round(mean, 5), low=round(mean - half, 5), high=round(mean + half, 5))


def curve(rng: random.Random, epochs: int, floor: float, *, valid: bool = True) -> Curve:
    train = [round(floor * 0.6 + 2.1 * math.exp(-e / 5), 4) for e in range(1, epochs + 1)]
    loss = [round(v * 1.1 + 0.02 + 0.002 * e + rng.uniform(0, 0.02), 4) for e, v in enumerate(train)]
    accuracy = [round(max(0.1, 1 - v / 2.4), 4) for v in loss]
    nothing: list[float | None] = [None] * epochs
    return Curve(
        epoch=list(range(1, epochs + 1)),
        train_loss=train,
        valid_loss=loss if valid else nothing,
        valid_accuracy=accuracy if valid else nothing,
    )


def trial(rng: random.Random, number: int, state: str, floor: float, epochs: int) -> TrialRecord:
    params = {
        "learning_rate": round(10 ** rng.uniform(-4, -2), 6),
        "width": rng.choice([32, 64, 128]),
        "pool": "max",
    }
    if state == "failed":
        failure = Failure(category="oom", message="over the limit of 2,000 MB")
        return TrialRecord(number=number, state="failed", params=params, epochs=2, fit_cpu_s=3.0, failure=failure)
    trained = epochs if state == "complete" else 4
    found = curve(rng, trained, floor + rng.uniform(0.02, 0.5) / (1 + number / 4))
    lowest = min(v for v in found.valid_loss if v is not None)
    best = found.valid_loss.index(lowest)
    return TrialRecord(
        number=number,
        state=state,  # type: ignore[arg-type]
        params=params,
        valid_log_loss=lowest,
        valid_accuracy=found.valid_accuracy[best],
        epochs=trained,
        best_epoch=best + 1,
        fit_time_s=rng.uniform(4, 9),
        fit_cpu_s=rng.uniform(5, 12),
        curve=found,
    )


def scores(rng: random.Random, level: float, names: list[str], support: int) -> TestScores:
    n = len(names)
    matrix = [[0.0] * n for _ in names]
    for k in range(n):
        wrong = min(support, round(support * (1 - level) * rng.uniform(0.4, 1.6)))
        matrix[k][k] = float(support - wrong)
        for _ in range(3 * wrong):
            j = rng.choice([j for j in range(n) if j != k] or [k])
            matrix[k][j] += 1 / 3
    matrix = [[round(v, 4) for v in row] for row in matrix]
    classes = []
    for k, name in enumerate(names):
        recall = matrix[k][k] / support if support else 0.0
        precision = matrix[k][k] / (sum(row[k] for row in matrix) or 1.0)
        f1 = 2 * precision * recall / ((precision + recall) or 1.0)
        low, high = max(0.0, f1 - 0.03), min(1.0, f1 + 0.03)
        classes.append(
            ClassScores(
                name=name, precision=precision, recall=recall, f1=f1, support=support, f1_low=low, f1_high=high
            )
        )
    bins = [0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95]
    return TestScores(
        accuracy=around(level, 0.006),
        balanced_accuracy=around(level - 0.0011, 0.007),
        macro_f1=around(level - 0.0007, 0.008),
        weighted_f1=around(level - 0.0004, 0.007),
        log_loss=around(3 * (1 - level), 0.02),
        brier=around(1 - level, 0.01),
        ece=around(0.02 + (1 - level) / 5, 0.006),
        per_class=classes,
        confusion_matrix=matrix,
        calibration=Calibration(
            ece=0.03,
            confidence=bins,
            accuracy=[round(b - rng.uniform(-0.05, 0.12), 4) for b in bins],
            count=[9] * 7,
        ),
    )


def study(
    model: str,
    dataset: str,
    names: list[str],
    *,
    level: float | None = None,
    seeds: int = 3,
    n_trials: int = 20,
    epochs: int = 40,
    support: int = 100,
    refit_valid: bool = False,
) -> StudyRecord:
    rng = random.Random(f"{model}/{dataset}")
    level = LEVELS.get(model, 0.8) if level is None else level
    states = ["pruned" if n % 5 == 3 else "failed" if n == 11 else "complete" for n in range(n_trials)]
    trials = [trial(rng, n, state, 1.5 * (1 - level), epochs) for n, state in enumerate(states)]
    best = min((t for t in trials if t.state == "complete"), key=lambda t: t.valid_log_loss or 9.0)
    cost = COSTS.get(model, 20.0)
    refits = [
        RefitRecord(
            seed=1000 + k,
            test_accuracy=round(level + 0.003 * (k - (seeds - 1) / 2), 5),
            macro_f1=round(level - 0.0007 + 0.003 * (k - 1), 5),
            log_loss=round(3 * (1 - level), 4),
            fit_time_s=cost * 0.8,
            fit_cpu_s=cost + k,
            epochs=epochs,
            peak_memory_mb=212.4,
            curve=curve(rng, epochs, 1.5 * (1 - level), valid=refit_valid),
        )
        for k in range(seeds)
    ]
    return StudyRecord(
        model=model,
        dataset=dataset,
        plugin=Owner(distribution="nncompare", version="0.1.0", file="nncompare_plugins/models.py"),
        view="sequence",
        status="complete",
        budget=Budget(
            n_trials=n_trials, max_epochs=epochs, n_refits=seeds, search_samples=3200, refit_samples=4000,
            refit_data="train+validation", trials_complete=states.count("complete"),
            trials_pruned=states.count("pruned"), trials_failed=states.count("failed"), epochs_used=560,
            search_cpu_s=cost * 12,
        ),
        best_trial=best.number,
        best_params=best.params,
        best_epoch=best.best_epoch,
        valid_log_loss=best.valid_log_loss,
        valid_accuracy=best.valid_accuracy,
        trials=trials,
        refits=refits,
        test=scores(rng, level, names, support),
        importance={"learning_rate": 0.61, "width": 0.27, "pool": 0.12},
        search_time_s=cost * 9,
        fit_time_s=cost * 0.8,
        fit_cpu_s=cost,
        latency_ms=round(cost / 60, 3),
        n_parameters=int(cost * 1234),
        size_bytes=int(cost * 5234),
        peak_memory_mb=212.4,
    )  # fmt: skip


def not_run(model: str, dataset: str) -> StudyRecord:
    failure = Failure(category="data", message=f"Data set '{dataset}' could not be fetched: no network.")
    return StudyRecord(model=model, dataset=dataset, status="not_run", failure=failure)


def lost(name: str, names: list[str]) -> DatasetRecord:
    """A data set that could not be fetched."""
    failure = Failure(category="data", message=f"Data set '{name}' could not be fetched: no network.")
    found = dataset(name, names, no_verdict(), references=False)
    return found.model_copy(update={"failure": failure})


def does_not_apply(model: str, dataset: str) -> StudyRecord:
    failure = Failure(category="data", message=f"{model} accepts image, and '{dataset}' is of view 'tabular'.")
    return StudyRecord(model=model, dataset=dataset, status="not_run", failure=failure)


def failed(model: str, dataset: str, n_trials: int = 5) -> StudyRecord:
    failure = Failure(category="diverged", message="valid_loss is nan: the training diverged.")
    trials = [TrialRecord(number=n, state="failed", params={"width": 8}, failure=failure) for n in range(n_trials)]
    last = Failure(category="plugin", message="5 consecutive trials failed; the study ended.")
    return StudyRecord(model=model, dataset=dataset, status="failed", failure=last, trials=trials)


def dataset(name: str, names: list[str], verdict: VerdictRecord, *, references: bool = True) -> DatasetRecord:
    found = [
        ReferenceRecord(name="majority", test_accuracy=around(1 / len(names), 0.01)),
        ReferenceRecord(
            name="logistic_regression", test_accuracy=around(0.32, 0.02), macro_f1=around(0.31, 0.02),
            log_loss=around(1.9, 0.05), n_train=4000, note="lbfgs, 100 iterations",
        ),
    ]  # fmt: skip
    return DatasetRecord(
        name=name, kind="sequence", n_train=3200, n_valid=800, n_test=1000, class_names=names,
        fingerprint="9f2c" * 16, test_fingerprint="71aa" * 16, split_fingerprint="03be" * 16,
        licence="Apache-2.0", citation="Greydanus and Kobak, 2024", description="Forty steps, ten shapes.",
        references=found if references else [], verdict=verdict,
    )  # fmt: skip


def clear_verdict() -> VerdictRecord:
    method = "Welch interval over seeds and items, Bonferroni"
    pairs = [
        PairRecord(a="cnn", b="lstm", difference=0.0058, low=0.0031, high=0.0087, state="better", method=method),
        PairRecord(a="cnn", b="mlp", difference=0.302, low=0.281, high=0.323, state="better", method=method),
    ]
    return VerdictRecord(
        state="better",
        winner="cnn",
        text="Use cnn on mnist1d: it is better than lstm by 0.6 points (95 % CI 0.3 to 0.9). cnn is also better "
        "than mlp. lstm trains 2 times as long as cnn (96.0 against 41.3 CPU s).",
        compared=["cnn", "lstm", "mlp"],
        rival="lstm",
        pairs=pairs,
        checks=[
            Check(code="same-split", level="ok", text="All models saw the same data and the same split."),
            Check(code="equal-budget", level="ok", text="Every model had 20 trials of at most 40 epochs."),
            Check(code="failed-trials", level="problem", text="3 of 60 trials failed: out of memory."),
            Check(code="edge-of-space", level="warning", text="lstm: width lies at the edge of its space."),
            Check(code="duplicates", level="info", text="No test row stands in the training part."),
        ],
    )


SINGLE = {
    "mlp": "Only mlp was run on digits: its accuracy is 97.2 % (95 % CI 96.6 to 97.8).",
    "cnn": "Only cnn was run on mnist1d: its accuracy is 95.7 % (95 % CI 95.1 to 96.3).",
}


def single_verdict(model: str = "mlp") -> VerdictRecord:
    checks = [Check(code="beats-references", level="ok", text=f"{model} beats both references.")]
    return VerdictRecord(state="single", winner=model, text=SINGLE[model], compared=[model], checks=checks)


def no_verdict() -> VerdictRecord:
    return VerdictRecord(state="none", text="No model finished, so there is no verdict.")


def results(datasets: list[DatasetRecord], studies: list[StudyRecord], **changes: object) -> Results:
    values: dict[str, object] = {
        "run_id": "20260102-030405-ab12",
        "state": "complete",
        "created_at": "2026-01-02T03:04:05+00:00",
        "finished_at": "2026-01-02T03:11:05+00:00",
        "duration_s": 420.0,
        "command": ["nncompare", "run", "--all"],
        "seed": 42,
        "preset": "standard",
        "settings": Settings(jobs=1, pins={"lstm": {"cell": "gru"}}),
        "environment": {
            "python": "3.12.4",
            "versions": {"optuna": "5.0.0", "keras": "3.15.0"},
            "processor": "2 cores",
        },
        "notes": ["Two data sets were not downloaded."],
        **changes,
    }
    return with_ranks(Results.model_validate({**values, "datasets": datasets, "studies": studies}))


TEN = [str(k) for k in range(10)]


def full() -> Results:
    """The default run: a clear verdict, a single model, and two data sets that could not be fetched."""
    digits = single_verdict()
    return results(
        [
            dataset("mnist1d", TEN, clear_verdict()),
            dataset("digits", TEN, digits),
            lost("mnist", TEN),
            lost("imdb", ["negative", "positive"]),
        ],
        [
            study("mlp", "digits", TEN, level=0.9722, epochs=80, support=36),
            *(study(model, "mnist1d", TEN) for model in ("mlp", "cnn", "lstm")),
            not_run("cnn", "mnist"),
            not_run("lstm", "imdb"),
        ],
    )


def four_studies() -> Results:
    """Four studies of 20 trials on 10 classes."""
    found = full()
    return results(found.datasets[:2], found.studies[:4])


def one_model() -> Results:
    only = study("mlp", "digits", TEN, level=0.9722, seeds=1, n_trials=5, refit_valid=True)
    return results([dataset("digits", TEN, single_verdict())], [only])


def nothing_finished() -> Results:
    return results(
        [dataset("mnist", TEN, no_verdict(), references=False)],
        [not_run("cnn", "mnist")],
        state="interrupted", finished_at=None, duration_s=None, repeatable=False, command=[],
    )  # fmt: skip


def all_failed() -> Results:
    return results(
        [dataset("mnist1d", TEN, no_verdict())], [failed("cnn", "mnist1d"), failed("lstm", "mnist1d", 0)]
    )


def no_curves() -> Results:
    bare = study("cnn", "mnist1d", TEN)
    trials = [t.model_copy(update={"curve": Curve()}) for t in bare.trials]
    refits = [r.model_copy(update={"curve": Curve()}) for r in bare.refits]
    found = bare.model_copy(update={"trials": trials, "refits": refits, "importance": {}})
    return results([dataset("mnist1d", TEN, single_verdict("cnn"))], [found])


def class_absent() -> Results:
    found = study("cnn", "mnist1d", ["a", "b", "c"], n_trials=4)
    assert found.test is not None
    matrix = [*found.test.confusion_matrix[:2], [0.0, 0.0, 0.0]]
    absent = ClassScores(name="c", precision=0.0, recall=0.0, f1=0.0, support=0)
    test = found.test.model_copy(
        update={"confusion_matrix": matrix, "per_class": [*found.test.per_class[:2], absent]}
    )
    return results(
        [dataset("mnist1d", ["a", "b", "c"], single_verdict("cnn"))], [found.model_copy(update={"test": test})]
    )


def many_classes() -> Results:
    names = [f"class {k}" for k in range(30)]
    studies = [study(model, "wide", names, n_trials=4) for model in ("cnn", "mlp")]
    verdict = VerdictRecord(state="undecided", text="The data do not tell cnn and mlp apart.", tied=["cnn", "mlp"])
    return results([dataset("wide", names, verdict)], studies, state="running")


def empty() -> Results:
    return results([], [], settings=Settings(), environment={}, notes=[])


REVIEW = (
    "this film opens with a storm over the harbour and for ten minutes nobody says a word then the ? arrives and "
    "everything that was … a pity because the two leads deserve better than this and the last scene on the pier "
    "is as good as anything that the director has made in years"
)


def mistakes(model: str, models: list[str]) -> list[Mistake]:
    """Return ten mistakes: the first is shared by all models, the second by one other, the rest by nobody."""
    shared = {0: models, 1: [name for name in models if name == model or name == models[0]]}
    return [
        Mistake(
            id=4711 + k,
            true=("negative", "positive")[k % 2],
            predicted=("positive", "negative")[k % 2],
            probability=round(0.9991 - 0.0123 * k, 4),
            by=shared.get(k, [model]),
            words=f"{model} number {k} {REVIEW}",
        )
        for k in range(10)
    ]


def texts() -> Results:
    """Three models on texts, with their most confident mistakes, beside a data set that is not of texts."""
    models = ["mlp", "cnn", "lstm"]
    levels = {"mlp": 0.884, "cnn": 0.879, "lstm": 0.876}
    reviews = dataset("imdb", ["negative", "positive"], no_verdict())
    studies = [
        study(model, "imdb", ["negative", "positive"], level=levels[model], n_trials=5, support=500).model_copy(
            update={"view": "tokens", "mistakes": mistakes(model, models)}
        )
        for model in models
    ]
    return results(
        [
            reviews.model_copy(update={"kind": "tokens", "n_wrong_by_all": 41}),
            dataset("digits", TEN, single_verdict()),
        ],
        [*studies, study("mlp", "digits", TEN, level=0.9722, n_trials=5, support=36)],
    )


def sample_fields(kind: str, k: int) -> dict[str, object]:
    """Return what can be seen of a sample of a kind: a picture of random pixels, a curve, words or a row."""
    rng = np.random.default_rng(k)
    if kind == "image":
        return {"thumbnail": thumbnail(rng.integers(0, 256, (28, 28, 1), dtype=np.uint8), 1 / 255)}
    if kind == "sequence":
        return {"series": [round(float(value), 3) for value in rng.normal(size=40)]}
    return {"words": REVIEW} if kind == "tokens" else {"row": {"width": 1.5, "colour": "red", "age": None}}


def shared(kind: str, k: int, models: list[str], right: str | None = None) -> SharedSample:
    predicted = {model: "1" if model == right else "0" for model in models}
    return SharedSample(id=k, true="1", predicted=predicted, right=right, **sample_fields(kind, k))


def pictured(kind: str = "image", models: tuple[str, ...] = ("cnn", "lstm")) -> Results:
    """Models on one data set of a kind, with mistakes that can be seen and with those that they share."""
    names = list(models)
    found = [
        Mistake(id=k, true="1", predicted="0", probability=0.99 - k / 100, by=names, **sample_fields(kind, k))
        for k in range(10)
    ]
    overlap = ErrorOverlap(
        only_right={model: 31 - 19 * k for k, model in enumerate(models)},
        wrong_by_all=[shared(kind, k, names) for k in range(5)],
        right_by_one=[shared(kind, 10 + k, names, model) for model in models for k in range(3)],
    )
    data = dataset("pictures", TEN, no_verdict()).model_copy(
        update={"kind": kind, "n_test": 1000, "n_wrong_by_all": 12, "overlap": overlap if models[1:] else None}
    )
    studies = [
        study(model, "pictures", TEN, level=0.9, n_trials=3).model_copy(update={"mistakes": found})
        for model in models
    ]
    return results([data], studies)


def hidden() -> Results:
    """Two models on a table whose rows are not shown: counts alone."""
    found = pictured("tabular")
    (data,) = found.datasets
    overlap = ErrorOverlap(only_right={"cnn": 31, "lstm": 12})
    data = data.model_copy(update={"rows_shown": False, "overlap": overlap})
    studies = [one.model_copy(update={"mistakes": []}) for one in found.studies]
    return found.model_copy(update={"datasets": [data], "studies": studies})


ACROSS = {
    "digits": (0.95, 0.98, 0.98),
    "wine": (0.95, 0.93, 0.91),
    "songs-of-forty-birds-in-the-morning": (0.62, 0.81, 0.85),
    "letters": (0.88, 0.93, 0.9),
    "shapes": (0.655, 0.957, 0.9512),
}
"""Accuracies of mlp, cnn and lstm on five data sets: their ranks are 2.6, 1.5 and 1.9 in the mean."""


def across(n_datasets: int = 5) -> Results:
    """Three models on some data sets, whose verdicts differ; after five the names come again with a number."""
    datasets, studies = [], []
    for k in range(n_datasets):
        name, levels = list(ACROSS.items())[k % len(ACROSS)]
        name = name if k < len(ACROSS) else f"{name}-{k // len(ACROSS) + 1}"
        models = dict(zip(("mlp", "cnn", "lstm"), levels, strict=True))
        datasets.append(dataset(name, ["a", "b"], leading_verdict(name, models)))
        studies += [study(m, name, ["a", "b"], level=v, n_trials=3, epochs=3) for m, v in models.items()]
    return results(datasets, studies)


def leading_verdict(name: str, levels: dict[str, float]) -> VerdictRecord:
    """A verdict by the gap between the first two: equal, undecided or better."""
    first, second, *_ = ranked = sorted(levels, key=lambda model: -levels[model])
    gap = levels[first] - levels[second]
    state = "equal" if gap < 0.005 else "undecided" if gap < 0.03 else "better"
    alone = state == "better"
    return VerdictRecord(
        state=state, winner=first if alone else None, tied=[] if alone else [first, second],
        text=f"{first} leads on {name}.", compared=ranked, rival=second,
    )  # fmt: skip


def gaps() -> Results:
    """Five whole data sets and a sixth on which a model failed, one does not apply and one was not asked for."""
    found = across()
    data = dataset("patients", ["ill", "well"], no_verdict())
    studies = [failed("mlp", "patients"), does_not_apply("cnn", "patients")]
    return results([*found.datasets, data], [*found.studies, *studies])


VARIANTS = {
    "full": full,
    "four_studies": four_studies,
    "one_model": one_model,
    "nothing_finished": nothing_finished,
    "all_failed": all_failed,
    "no_curves": no_curves,
    "class_absent": class_absent,
    "many_classes": many_classes,
    "texts": texts,
    "pictures": pictured,
    "curves": lambda: pictured("sequence"),
    "rows": lambda: pictured("tabular"),
    "hidden": hidden,
    "across": across,
    "gaps": gaps,
    "empty": empty,
}
