"""A planned study as progress sees it, without the plan around it."""

from types import SimpleNamespace


def planned(model="mlp", failure=None, **changes):
    sizes = {
        "n_trials": 4,
        "n_refits": 2,
        "max_epochs": 10,
        "search_samples": 100,
        "refit_samples": 200,
        "n_finals": 0,
    }
    return SimpleNamespace(model=model, dataset="digits", failure=failure, **{**sizes, **changes})
