"""What a user can ask of a run: presets, budgets, limits."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from nncompare.cgroup import cpu_quota
from nncompare.exceptions import UsageError
from nncompare.tablecolumns import COLUMNS, Columns, checked_columns, column_texts

if TYPE_CHECKING:
    from nncompare.data.records import View

PresetName: TypeAlias = Literal["quick", "standard", "thorough"]

STORAGE_VARIABLE = "NNCOMPARE_STORAGE"
"""Of the environment: holds the address of the storage, perhaps with a password."""
COMMON_GROUND = "mnist1d"
MAX_EPOCHS = {"digits": 80, "mnist1d": 40, "mnist": 5, "imdb": 5}
DEFAULT_MAX_EPOCHS = 40
SEARCH_SAMPLES = {"mnist": 5_000, "imdb": 6_000}
DEFAULT_SEARCH_SAMPLES = 20_000


def most_finals(n_finalists: int, n_trials: int) -> int:
    """Return how many finals a search can have: no more than trials, and none where one would decide nothing."""
    most = min(n_finalists, n_trials)
    return most if most > 1 else 0


def final_epochs(max_epochs: int) -> int:
    """Return the most epochs of a final: a quarter of a trial's, but at least 2, on more rows."""
    return min(max_epochs, max(2, math.ceil(max_epochs / 4)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """Trials, finalists and refits for every study; ``epoch_factor`` scales the data set's maximum epochs.

    After a search on a sample, as many of its best trials are trained on all rows to choose among them; with one
    there is nothing to choose.
    """

    n_trials: int
    n_finalists: int
    n_refits: int
    epoch_factor: float

    def max_epochs(self, dataset: str) -> int:
        """Return the maximum epochs of a trial on ``dataset``, at least 3."""
        return max(3, int(MAX_EPOCHS.get(dataset, DEFAULT_MAX_EPOCHS) * self.epoch_factor))


PRESETS: Mapping[PresetName, Preset] = {
    "quick": Preset(n_trials=5, n_finalists=1, n_refits=1, epoch_factor=0.25),
    "standard": Preset(n_trials=20, n_finalists=3, n_refits=3, epoch_factor=1.0),
    "thorough": Preset(n_trials=100, n_finalists=5, n_refits=5, epoch_factor=2.0),
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
        Names of data sets, and paths of the user's own: ``file.csv``, ``file.npz``, ``X.npy``, a folder of images,
        or the folder of a data set in the cache; where empty, each model's own and the common ground ``mnist1d``.
    target : str, mapping of data set to str, or None
        The column of an own table that holds the classes. Of several tables each may have its own: a mapping names
        them as the run or the file is called, and ``"*"`` stands for all others.
    text : str, mapping of data set to str, or None
        The column of an own table that holds texts: it alone is read, and models see its words.
    encoding : str or None
        Of an own table; None for UTF-8.
    group : str, mapping of data set to str, or None
        A column of an own table, or an array beside ``X``, whose equal values tell rows that are never in two of
        train, validation and test; with ``time``, of a table, the rows of one series.
    time : str, mapping of data set to str, or None
        A column of an own table, or an array beside ``X``, by which the last fifth of the rows is the test part,
        and the last fifth of the others, at most 5,000 rows, validate; with ``group``, of a table, the order of
        the steps of a series.
    view : {"tabular", "image", "sequence", "tokens"} or None
        What own arrays are; None to tell by their shape.
    image_size : int or None
        Height and width of own images; None for the size that they share, or one of at most 64 pixels.
    preset : {"quick", "standard", "thorough"}
    n_trials, max_epochs, n_refits : int or None
        Override the preset.
    jobs : int or None
        Trials at a time; None for one per processor. With 1, or with ``deterministic``, a run repeats exactly.
    threads : int
        Threads of each trial, whatever ``jobs`` is.
    seed : int
        Moves the validation split, the sampler, the weights and the data order; never the test part.
    pins : mapping of model name to {parameter: value}
        Parameters that are not searched.
    out : Path
        Folder that receives the run directory.
    strict : bool
        A study that is not run for want of data makes the exit code of the command 3. In Python there is none, so
        :func:`nncompare.compare` refuses it.
    deterministic : bool
        TensorFlow uses only operations that repeat to the last bit, and what a search does no longer depends on
        ``jobs``: a trial is chosen from what was known four trials before it, and waits for that.
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
    target: Columns = None
    text: Columns = None
    encoding: str | None = None
    group: Columns = None
    time: Columns = None
    view: View | None = None
    image_size: int | None = None
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
    deterministic: bool = False
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
        if self.preset not in PRESETS:
            raise UsageError(f"No preset is called {self.preset!r}. Choose from {', '.join(PRESETS)}.")
        if self.view is not None:
            _check_view(self.view)
        if not isinstance(self.out, str | os.PathLike):
            raise UsageError(f"out is {self.out!r}; the path of a folder is expected.")
        for name in ("strict", "deterministic"):
            if not isinstance(getattr(self, name), bool):
                raise UsageError(f"{name} is {getattr(self, name)!r}; True or False is expected.")
        for name in COLUMNS:
            self._set(**{name: checked_columns(name, getattr(self, name))})
        for name in ("encoding", "storage"):
            if not isinstance(getattr(self, name), str | None):
                shown = type(self.storage).__name__ if name == "storage" else repr(getattr(self, name))
                raise UsageError(f"{name} is {shown}; a text is expected.")
        if self.is_series and self.text is not None:
            raise UsageError(
                "--text reads the texts of a table, and --group with --time its series of numbers. Leave one out."
            )
        _check_utf8("out", str(self.out), str(Path(self.out).absolute()))
        for path in self.datasets:
            _check_utf8("datasets", path, str(Path(path).absolute()) if Path(path).exists() else path)
        for model in self.models:
            _check_utf8("models", model, model)
        for option in COLUMNS:
            for text in column_texts(getattr(self, option)):
                _check_utf8(option, text, text)
        self._set(out=Path(self.out), pins=_checked_pins(self.pins))
        for name in ("n_trials", "max_epochs", "n_refits", "jobs", "image_size"):
            if getattr(self, name) is not None:
                self._set(**{name: _whole(name, getattr(self, name), 1)})
        self._set(threads=_whole("threads", self.threads, 1), seed=_whole("seed", self.seed, 0))
        for name in ("trial_memory_mb", "timeout_s"):
            if getattr(self, name) is not None:
                self._set(**{name: _above_0(name, getattr(self, name))})
        self._set(trial_timeout_s=_above_0("trial_timeout_s", self.trial_timeout_s))

    @property
    def is_series(self) -> bool:
        """Whether each group of every own table is a series, in the order of time."""
        return isinstance(self.group, str) and isinstance(self.time, str)

    def _set(self, **values: Any) -> None:
        """Set fields while the record is made."""
        for name, value in values.items():
            object.__setattr__(self, name, value)


def _check_view(view: object) -> None:
    from nncompare.data.records import VIEWS  # here: most commands need no arrays

    if view not in VIEWS:
        raise UsageError(f"No view is called {view!r}. Choose from {', '.join(VIEWS)}.")


def _check_utf8(name: str, text: str, whole: str) -> None:
    """Refuse what JSON cannot hold: bytes of a file system or a shell that are no UTF-8."""
    try:
        whole.encode()
    except UnicodeEncodeError:
        shown = os.fsencode(text).decode(errors="backslashreplace")
        where = " (or a folder above it)" if text.isascii() else ""
        raise UsageError(
            f"{name}: '{shown}'{where} is not UTF-8, so results.json cannot name it. Rename it."
        ) from None


def _whole(name: str, value: object, least: int) -> int:
    """Return a whole number of any kind, NumPy's too, as Python's."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise UsageError(f"{name} is {value!r}; a whole number of at least {least} is expected.")
    return int(value)


def _above_0(name: str, value: object) -> float:
    if isinstance(value, bool) or not (isinstance(value, Real) and 0 < float(value) < math.inf):
        raise UsageError(f"{name} is {value!r}; a number above 0 is expected.")
    return int(value) if isinstance(value, Integral) else float(value)


def _checked_pins(pins: object) -> Mapping[str, Mapping[str, Any]]:
    """Return the pinned parameters with Python's numbers in place of NumPy's."""
    form = "pins={'cnn': {'batch_norm': True}}"
    if not isinstance(pins, Mapping):
        raise UsageError(f"pins is {pins!r}; parameters by model are expected, as in {form}.")
    for model, values in pins.items():
        if not isinstance(model, str) or not isinstance(values, Mapping):
            raise UsageError(f"pins has {model!r}: {values!r}; parameters by name are expected, as in {form}.")
    return {model: {name: _plain(value) for name, value in values.items()} for model, values in pins.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real) else value
