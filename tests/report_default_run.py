"""The default run at standard size, made from a seed: six studies on four data sets, 20 trials and 3 refits each.

Epochs, parameters, checks and methods have the numbers and lengths of a real run, for the page's weight.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import numpy as np

from nncompare.excerpts import thumbnail
from nncompare.results import (
    Budget,
    Calibration,
    Check,
    CheckLevel,
    DatasetRecord,
    ErrorOverlap,
    FinalRecord,
    Mistake,
    PairRecord,
    Results,
    Settings,
    SharedSample,
    StudyRecord,
    TrialRecord,
    VerdictRecord,
)

from . import report_fixtures as fixtures

N_BINS = 11
N_MISTAKES = 10
WRONG_BY_ALL = {"mnist": 52, "mnist1d": 4, "imdb": 2855, "digits": 9}
PIXELS = {"mnist": 28, "digits": 8}
SHARES_OF_EPOCHS = (1, 0.8, 1, 0.6, 1, 1, 0.3, 0.1, 0.1, 0.1, 0.8, 0.1, 0.2, 0.1, 1, 0.7, 0.5, 0.1, 0.1, 0.3)
NETWORK = {"dropout": (0.0, 0.5), "learning_rate": (0.0001, 0.02), "batch_size": [32, 64, 128]}
CNN = {
    "n_blocks": [1, 2, 3], "filters": [16, 32], "kernel_size": [3, 5], "pooling": ["max", "average"],
    "batch_norm": [True, False], "dense_units": [0, 64], "learning_rate_decay": [0.8, 0.95, 1.0], **NETWORK,
}  # fmt: skip
RECURRENT = {"cell": ["gru", "lstm"], "units": [32, 48, 64], "bidirectional": [True], "readout": ["max", "last"]}
SPACES: dict[str, dict[str, Any]] = {
    "cnn/mnist": CNN,
    "cnn/mnist1d": CNN,
    "lstm/imdb": {
        **RECURRENT, "vocabulary_size": [5000, 10000], "embedding_dim": [32, 64], "max_length": [200, 400],
        **NETWORK,
    },
    "lstm/mnist1d": {**RECURRENT, "n_layers": [1, 2], **NETWORK},
    "mlp/digits": {
        "n_layers": [1, 2, 3], "width_1": [102, 119, 169], "width_2": [32, 43], "activation": ["relu", "sigmoid"],
        "alpha": (1e-6, 1e-3), "learning_rate": (0.0001, 0.02), "batch_size": [32, 64, 128],
    },
}  # fmt: skip
SPACES["mlp/mnist1d"] = {**SPACES["mlp/digits"], "width_3": [41, 101]}


@dataclass(frozen=True, slots=True)
class Data:
    """What a real run says of a data set."""

    kind: str
    rows: tuple[int, int, int]
    max_epochs: int
    keeps_validation: bool
    class_names: list[str]
    description: str
    licence: str
    citation: str


DATA = {
    "mnist": Data(
        "image", (55_000, 5_000, 10_000), 8, True, fixtures.TEN, "Handwritten digits, 28 x 28 pixels",
        "CC BY-SA 3.0",
        "LeCun, Y., Bottou, L., Bengio, Y. and Haffner, P. (1998). Gradient-Based Learning Applied to Document "
        "Recognition. Proceedings of the IEEE 86(11), 2278-2324. https://doi.org/10.1109/5.726791",
    ),
    "mnist1d": Data(
        "sequence", (3_200, 800, 1_000), 40, False, fixtures.TEN,
        "Digits as noisy one-dimensional strokes of 40 steps, generated offline", "Apache-2.0",
        "Greydanus, S. and Kobak, D. (2024). Scaling Down Deep Learning with MNIST-1D. ICML 2024. "
        "https://arxiv.org/abs/2011.14439",
    ),
    "imdb": Data(
        "tokens", (20_000, 5_000, 25_000), 5, True, ["negative", "positive"],
        "Large Movie Review Dataset: reviews of films as ranks of their words",
        "none stated; the authors ask for the citation",
        "Maas, A. L., Daly, R. E., Pham, P. T., Huang, D., Ng, A. Y. and Potts, C. (2011). Learning Word Vectors "
        "for Sentiment Analysis. Proceedings of ACL-HLT 2011, 142-150. https://aclanthology.org/P11-1015/",
    ),
    "digits": Data(
        "tabular", (1_149, 288, 360), 80, False, fixtures.TEN,
        "Handwritten digits, 8 x 8 pixels, embedded in scikit-learn", "CC BY 4.0",
        "Alpaydin, E. and Kaynak, C. (1998). Optical Recognition of Handwritten Digits. UCI Machine Learning "
        "Repository. https://doi.org/10.24432/C50P49",
    ),
}  # fmt: skip
LEVELS = {
    "cnn/mnist": 0.9912,
    "cnn/mnist1d": 0.9571,
    "lstm/imdb": 0.8831,
    "lstm/mnist1d": 0.9652,
    "mlp/digits": 0.9761,
    "mlp/mnist1d": 0.6553,
}


def default_run() -> Results:
    """Return the run of ``nncompare run --all``."""
    return fixtures.results(
        [_dataset(name) for name in DATA],
        [_study(*pair.split("/")) for pair in LEVELS],
        settings=Settings(jobs=2, n_trials=20, n_refits=3, trial_timeout_s=3600.0, trial_memory_mb=9540.0),
        environment={
            "python": "3.11.7",
            "platform": "Linux-6.18.44-x86_64-with-glibc2.36",
            "packages": {
                "nncompare": "0.1.0", "optuna": "5.0.0", "scikit-learn": "1.9.1", "tensorflow": "2.21.0",
                "keras": "3.15.1", "numpy": "2.4.6", "scipy": "1.17.1",
            },
            "processor": "AMD EPYC", "n_cpus": 2, "n_cpus_usable": 2, "memory_mb": 25277,
            "load_average": [3.0, 3.74, 2.99],
        },
        notes=[],
    )  # fmt: skip


def _study(model: str, dataset: str) -> StudyRecord:
    data, space, level = DATA[dataset], SPACES[f"{model}/{dataset}"], LEVELS[f"{model}/{dataset}"]
    made = fixtures.study(
        model, dataset, data.class_names, level=level, epochs=max(3, round(0.7 * data.max_epochs)),
        support=data.rows[2] // len(data.class_names), refit_valid=data.keeps_validation,
    )  # fmt: skip
    rng = random.Random(f"default/{model}/{dataset}")
    trials = [_trial(rng, number, data.max_epochs, space, level) for number in range(len(SHARES_OF_EPOCHS))]
    best = min((t for t in trials if t.state == "complete"), key=lambda t: t.valid_log_loss or 9.0)
    assert made.test is not None
    test = made.test.model_copy(update={"calibration": _calibration(rng)})
    weights = [rng.random() for _ in space]
    return made.model_copy(
        update={
            "view": data.kind,
            "budget": _budget(data, trials),
            "trials": trials,
            "finals": _finals(rng, trials) if data.keeps_validation else [],
            "best_trial": best.number,
            "best_params": best.params,
            "best_epoch": best.best_epoch,
            "test": test,
            "importance": {name: weight / sum(weights) for name, weight in zip(space, weights, strict=True)},
            "mistakes": [_mistake(rng, model, dataset, k) for k in range(N_MISTAKES)],
        }
    )


def _trial(rng: random.Random, number: int, max_epochs: int, space: dict[str, Any], level: float) -> TrialRecord:
    share = SHARES_OF_EPOCHS[number]
    epochs = max(1, round(share * max_epochs))
    state = "pruned" if share < 0.5 else "complete"
    made = fixtures.trial(rng, number, "complete", 1.5 * (1 - level), epochs)
    params = {k: rng.choice(v) if isinstance(v, list) else rng.uniform(*v) for k, v in space.items()}
    return made.model_copy(update={"state": state, "params": params})


def _finals(rng: random.Random, trials: list[TrialRecord]) -> list[FinalRecord]:
    """Return finals in which the best trial of the search stays the best."""
    complete = sorted((t for t in trials if t.state == "complete"), key=lambda t: t.valid_log_loss or 9.0)
    losses = sorted(rng.uniform(0.5, 0.9) * (trial.valid_log_loss or 9.0) for trial in complete[:3])
    return [
        FinalRecord(
            trial=trial.number, seed=rng.randrange(2**31), valid_log_loss=loss, valid_accuracy=0.8754, epochs=4,
            best_epoch=3, fit_time_s=60.2, fit_cpu_s=61.4, peak_memory_mb=312.5, curve=trial.curve,
        )
        for trial, loss in zip(complete, losses, strict=False)
    ]  # fmt: skip


def _budget(data: Data, trials: list[TrialRecord]) -> Budget:
    states = [trial.state for trial in trials]
    return Budget(
        n_trials=len(trials), max_epochs=data.max_epochs, n_refits=3, search_samples=data.rows[0],
        refit_samples=data.rows[0] + (0 if data.keeps_validation else data.rows[1]),
        refit_data="train" if data.keeps_validation else "train+validation",
        trials_complete=states.count("complete"), trials_pruned=states.count("pruned"), trials_failed=0,
        epochs_used=sum(trial.epochs for trial in trials),
        search_cpu_s=sum(trial.fit_cpu_s or 0 for trial in trials),
        **({"n_finalists": 3, "finals_run": 3, "final_epochs_used": 12} if data.keeps_validation else {}),
    )  # fmt: skip


def _calibration(rng: random.Random) -> Calibration:
    confidence = [0.31 + 0.067 * k + rng.uniform(0, 0.01) for k in range(N_BINS)]
    return Calibration(
        ece=0.0188,
        confidence=confidence,
        accuracy=[min(1.0, value + rng.uniform(-0.2, 0.1)) for value in confidence],
        count=[rng.randrange(5, 3000) for _ in confidence],
    )


def _mistake(rng: random.Random, model: str, dataset: str, k: int) -> Mistake:
    true, predicted = rng.sample(DATA[dataset].class_names, 2)
    models = [name for name in ("cnn", "lstm", "mlp") if f"{name}/{dataset}" in LEVELS]
    return Mistake(
        id=rng.randrange(DATA[dataset].rows[2]), true=true, predicted=predicted,
        probability=round(0.9981 - 0.05 * k * rng.random(), 4),
        by=[name for name in models if name == model or rng.random() < 0.4], **_visible(rng, dataset),
    )  # fmt: skip


def _overlap(name: str, models: list[str]) -> ErrorOverlap:
    rng = random.Random(f"overlap/{name}")
    return ErrorOverlap(
        only_right=dict(zip(models, (4, 4, 1), strict=True)),
        wrong_by_all=[_shared(rng, name, models, None) for _ in range(4)],
        right_by_one=[_shared(rng, name, models, model) for model in models for _ in range(3)][:7],
    )


def _shared(rng: random.Random, name: str, models: list[str], right: str | None) -> SharedSample:
    true, *others = rng.sample(DATA[name].class_names, 3)
    predicted = {model: true if model == right else rng.choice(others) for model in models}
    return SharedSample(
        id=rng.randrange(DATA[name].rows[2]), true=true, predicted=predicted, right=right, **_visible(rng, name)
    )


def _visible(rng: random.Random, dataset: str) -> dict[str, Any]:
    """Return what a real run keeps of a sample: a stroke of grey pixels, a curve of 40 steps, or 60 words."""
    kind = DATA[dataset].kind
    if kind == "tokens":
        words = ["".join(rng.choices("etaoinshrdlu", k=rng.randint(2, 8))) for _ in range(60)]
        return {"words": " ".join([*words[:30], "…", *words[30:]])}
    if kind == "sequence":
        return {"series": [round(rng.gauss(0, 1), rng.choice([3, 4])) for _ in range(40)]}
    size = PIXELS[dataset]
    image = np.zeros((size, size, 1), dtype=np.uint8)
    row, column = rng.randrange(size), rng.randrange(size)
    for _ in range(4 * size):
        row, column = (row + rng.choice([-1, 0, 1])) % size, (column + rng.choice([-1, 0, 1])) % size
        image[row, column] = rng.randrange(1, 256)
    return {"thumbnail": thumbnail(image, 1 / 255)}


def _dataset(name: str) -> DatasetRecord:
    data = DATA[name]
    models = sorted((pair for pair in LEVELS if pair.endswith(f"/{name}")), key=lambda pair: -LEVELS[pair])
    verdict = _verdict(name, [pair.split("/")[0] for pair in models])
    made = fixtures.dataset(name, data.class_names, verdict)
    n_train, n_valid, n_test = data.rows
    return made.model_copy(
        update={
            "kind": data.kind, "n_train": n_train, "n_valid": n_valid, "n_test": n_test, "duplicates": 0,
            "description": data.description, "licence": data.licence, "citation": data.citation,
            "references": [reference.model_copy(update={"note": ""}) for reference in made.references],
            "n_wrong_by_all": WRONG_BY_ALL[name],
            "overlap": _overlap(name, [pair.split("/")[0] for pair in models]) if len(models) > 1 else None,
        }
    )  # fmt: skip


def _verdict(name: str, models: list[str]) -> VerdictRecord:
    checks = [Check(code=code, level=level, text=text) for code, level, text in _checks(models)]
    pairs = _pairs(name, models)
    if len(models) == 1:
        percent = 100 * LEVELS[f"{models[0]}/{name}"]
        text = (
            f"Only {models[0]} was run on {name}: its accuracy is {percent:.1f} % (95 % CI {percent - 0.6:.1f} to "
            f"{percent + 0.6:.1f}). It is better than logistic regression by 64.3 points (95 % CI 62.6 to 66.0)."
        )
        return VerdictRecord(state="single", winner=models[0], text=text, pairs=pairs, checks=checks)
    text = (
        f"Undecided on {name}: lstm leads cnn by 0.8 points (95 % CI −0.9 to 2.5), which may be chance; more "
        "refits or test items could decide it. Both are better than mlp. lstm trains 2 times as long as cnn (96.0 "
        "against 41.3 CPU s)."
    )
    return VerdictRecord(state="undecided", tied=models[:2], text=text, pairs=pairs, checks=checks)


def _checks(models: list[str]) -> list[tuple[str, CheckLevel, str]]:
    edges: list[tuple[str, CheckLevel, str]] = [
        ("param_at_edge", "info", f"{model}: n_layers = 1 is at an end of the range that was searched, 1 to 3.")
        for model in models
    ]
    late = "the chosen trial was best at its last epoch, 40; with more epochs (--epochs) the order may change."
    gaps = ", ".join(f"{model} {k / 10} points" for k, model in enumerate(models))
    optimism = f"test accuracy: {gaps}. Trials are chosen by validation, so only the test counts"
    return [
        ("still_learning", "warning", f"{models[0]}: {late}"),
        *edges,
        ("selection_optimism", "info", f"Validation accuracy of the chosen trial minus {optimism}."),
        ("same_split", "ok", "All models were searched on the same rows and tested on the same items."),
        ("equal_budget", "ok", "Every search was given 20 trials of at most 40 epochs; it took 150 CPU s."),
        ("beats_references", "ok", f"{models[0]} is better than the most frequent class and logistic regression."),
        ("duplicates", "ok", "Train and test have no row in common."),
    ]  # fmt: skip


def _pairs(name: str, models: list[str]) -> list[PairRecord]:
    """Return all pairs of models, and each model against both references."""
    references = ["majority", "logistic_regression"]
    names = [(a, b) for k, a in enumerate(models) for b in models[k + 1 :]]
    names += [(model, reference) for model in models for reference in references]
    return [_pair(name, a, b, len(names)) for a, b in names]


def _pair(name: str, a: str, b: str, n_pairs: int) -> PairRecord:
    higher, lower = LEVELS[f"{a}/{name}"], LEVELS.get(f"{b}/{name}", 0.32 if b == "logistic_regression" else 0.1)
    seeds = "3 seeds" if f"{b}/{name}" in LEVELS else "3 seeds against no seed (deterministic)"
    difference = higher - lower
    return PairRecord(
        a=a, b=b, difference=difference, low=difference - 0.017, high=difference + 0.017,
        state="better" if difference > 0.017 else "undecided",
        method=f"paired t interval, {seeds}, {DATA[name].rows[2]:,} test items, Bonferroni over {n_pairs} pairs",
        mcnemar_p=0.0729 if difference < 0.017 else 1.3e-42,
    )  # fmt: skip
