"""What a user can ask of a run: presets, budgets, limits."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from nncompare.cgroup import cpu_quota
from nncompare.exceptions import UsageError

if TYPE_CHECKING:
    from nncompare.data.records import View

PresetName: TypeAlias = Literal["quick", "standard", "thorough"]

STORAGE_VARIABLE = "NNCOMPARE_STORAGE"
"""Of the environment: holds the address of the storage, perhaps with a password."""
COMMON_GROUND = "mnist1d"
MAX_EPOCHS = {"digits": 80, "mnist1d": 40, "mnist": 8, "imdb": 5}
DEFAULT_MAX_EPOCHS = 40
SEARCH_SAMPLES = {"mnist": 10_000, "imdb": 6_000}
DEFAULT_SEARCH_SAMPLES = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """Trials and refits for every study; ``epoch_factor`` scales the data set's maximum epochs."""

    n_trials: int
    n_refits: int
    epoch_factor: float

    def max_epochs(self, dataset: str) -> int:
        """Return the maximum epochs of a trial on ``dataset``, at least 3."""
        return max(3, int(MAX_EPOCHS.get(dataset, DEFAULT_MAX_EPOCHS) * self.epoch_factor))


PRESETS: Mapping[PresetName, Preset] = {
    "quick": Preset(n_trials=5, n_refits=1, epoch_factor=0.25),
    "standard": Preset(n_trials=20, n_refits=3, epoch_factor=1.0),
    "thorough": Preset(n_trials=100, n_refits=5, epoch_factor=2.0),
}


def default_jobs() -> int:
    """Return the number of processors that this process may use, at least 1.

    A quota of CPU time, as containers have it, counts where it is lower than the number of processors.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    n_processors = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    quota = cpu_quota()
    return n_processors if quota is None else max(1, min(n_processors, int(quota)))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """One request for a comparison.

    Parameters
    ----------
    models : tuple of str
        Names of model plugins; all installed ones where empty.
    datasets : tuple of str
        Names of data sets, and paths of the user's own: ``file.csv``, ``file.npz``, or the folder of a data set in
        the cache; where empty, each model's own and the common ground ``mnist1d``.
    target : str or None
        The column of an own table that holds the classes.
    encoding : str or None
        Of an own table; None for UTF-8.
    view : {"tabular", "image", "sequence", "tokens"} or None
        What own arrays are; None to tell by their shape.
    preset : {"quick", "standard", "thorough"}
    n_trials, max_epochs, n_refits : int or None
        Override the preset.
    jobs : int or None
        Trials at a time; None for one per processor. With 1, a run repeats exactly.
    threads : int
        Threads of each trial, whatever ``jobs`` is.
    seed : int
        Moves the validation split, the sampler, the weights and the data order; never the test part.
    pins : mapping of model name to {parameter: value}
        Parameters that are not searched.
    out : Path
        Folder that receives the run directory.
    strict : bool
        A study that is not run for want of data makes the run fail.
    trial_timeout_s : float
        A trial is killed after this many seconds.
    trial_memory_mb : float or None
        A trial is killed when its memory grows by more; None for 80 % of what is available, divided by jobs.
    timeout_s : float or None
        Wall time for all searches, divided equally among the studies before they start; trials that run when a
        share is used up go on to their end, and the refits come on top. It makes a run not exactly repeatable.
    storage : str or None
        URL of an Optuna RDB storage, instead of ``study.db`` in the run directory. It may hold a password, so it
        is never shown, logged or handed to a child.
    show_rows : bool
        Keep in results.json and show in the report test samples of tables and of the user's own data that models
        get wrong; without it, only those of images, sequences and texts that an installed data set brings.
    """

    models: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    target: str | None = None
    encoding: str | None = None
    view: View | None = None
    preset: PresetName = "standard"
    n_trials: int | None = None
    max_epochs: int | None = None
    n_refits: int | None = None
    jobs: int | None = None
    threads: int = 1
    seed: int = 42
    pins: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    out: Path = Path("reports")
    strict: bool = False
    trial_timeout_s: float = 3600.0
    trial_memory_mb: float | None = None
    timeout_s: float | None = None
    storage: str | None = field(default=None, repr=False)
    show_rows: bool = False
    command: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be meant, in one sentence.

        Raises
        ------
        UsageError
            A value is out of its range.
        """
        object.__setattr__(self, "out", Path(self.out))
        if self.preset not in PRESETS:
            raise UsageError(f"No preset is called {self.preset!r}. Choose from {', '.join(PRESETS)}.")
        for name in ("n_trials", "max_epochs", "n_refits", "jobs", "threads"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise UsageError(f"{name} is {value!r}; a whole number of at least 1 is expected.")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise UsageError(f"seed is {self.seed!r}; a whole number of at least 0 is expected.")
        for name in ("trial_timeout_s", "trial_memory_mb", "timeout_s"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, int | float) and 0 < value < math.inf):
                raise UsageError(f"{name} is {value!r}; a number above 0 is expected.")
