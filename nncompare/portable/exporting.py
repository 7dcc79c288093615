"""Exports a trained model of a run: a folder with the model in another form, and a model card."""

from __future__ import annotations

import tempfile
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nncompare.data.files import cache_root, storage_errors, write_atomic
from nncompare.data.native import Native
from nncompare.data.samples import count_samples, write_samples
from nncompare.data.saved_conversion import load_conversion
from nncompare.data.store import StoredDataset
from nncompare.exceptions import DataError, ExportError, StorageError
from nncompare.execution.provenance import version_note
from nncompare.execution.runner import LocalRunner, Runner, refuse
from nncompare.execution.saved import PREPROCESSING, Manifest
from nncompare.execution.specs import CallAnswer, CallSpec
from nncompare.inventory import find_stored
from nncompare.portable.formats import CARD, MODEL_FILES, check_format, check_installed
from nncompare.portable.place import check_target, put
from nncompare.portable.raw import random_samples
from nncompare.portable.usage import usage
from nncompare.portable.writing import FUNCTION
from nncompare.prediction import open_saved
from nncompare.report import render_model_card
from nncompare.results import Failure, Results
from nncompare.runfile import is_held
from nncompare.trained import Trained, find_trained

__all__ = ["TOLERANCE", "Exported", "export"]

TOLERANCE = 1e-4
"""By how much a probability may differ."""
N_COMPARED = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """One export.

    Parameters
    ----------
    folder : Path
        Holds the files.
    files : tuple of str
        Their names, the model's first.
    model, dataset : str
    refit : int
    reason : str
        Why this model was taken where nobody said; empty where it was named.
    max_difference : float
        The largest one of a probability, between the exported model and the one of the run.
    n_samples : int
        On which they were compared; of a table with named columns, further rows made of them too.
    own_samples : bool
        They are of the run's data; else the data are not in the cache any more, and they are random.
    note : str
        What whoever loads the model has to know; empty for nothing.
    """

    folder: Path
    files: tuple[str, ...]
    model: str
    dataset: str
    refit: int
    reason: str
    max_difference: float
    n_samples: int
    own_samples: bool
    note: str


def export(
    folder: Path,
    results: Results,
    form: str,
    output: Path,
    model: str | None = None,
    dataset: str | None = None,
    refit: int = 1,
    *,
    replace: bool = False,
    runner: Runner | None = None,
) -> Exported:
    """Write a model of a run for use without nncompare, with its preprocessing and a model card.

    A child loads the model, writes it, loads what it wrote, and compares both on samples of the run's data.

    Parameters
    ----------
    folder : Path
        The run directory.
    results : Results
        Of that run.
    form : {"keras", "onnx", "skops"}
    output : Path
        The folder to make; it appears with all of its files, or not at all.
    model, dataset, refit
        As in :func:`nncompare.prediction.predict`.
    replace : bool, default False
        Replace an earlier export in ``output``.
    runner : Runner, optional
        Runs the child; by default one of its own.

    Raises
    ------
    UsageError
        The run has no such model, data set or refit; the model cannot have this form; ``output`` is there already.
    ResultsError
        The run saved no such model, or a file of it was changed since.
    PluginError
        The model's plugin is not installed any more.
    ExportError
        A converter is not installed or fails, or what it wrote predicts otherwise.
    StorageError
        The folder cannot be written.
    """
    check_target(output, folder, replace=replace)
    chosen = find_trained(results, folder, is_held(folder), model, dataset, refit)
    saved, manifest, data = open_saved(folder, results, chosen)
    conversion = load_conversion(saved / PREPROCESSING)
    check_format(form, manifest.framework, conversion, f"The model '{chosen.study.model}' on {data.name}")
    check_installed(form, manifest.framework)
    stored = find_stored(cache_root(), chosen.data.fingerprint, chosen.data.test_fingerprint)
    target = output.absolute()
    with storage_errors(target):
        workplace = tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent)
    with workplace as name, LocalRunner() if runner is None else nullcontext(runner) as children:
        work = Path(name)
        found = _write(form, work, saved, manifest, chosen, _samples(data.native, stored), stored, children)
        has_words = bool(data.native.words or (stored and stored.words()))
        use = usage(form, conversion, found, has_words=has_words, own_samples=stored is not None)
        by_verdict = model is None and chosen.data.verdict.winner == chosen.study.model
        card = render_model_card(results, chosen.data, chosen.study, refit, use, by_verdict=by_verdict)
        write_atomic(work / "export" / CARD, card)
        put(work / "export", target, replace=replace)
    return Exported(
        folder=output,
        files=tuple(sorted((path.name for path in target.iterdir()), key=lambda name: name != MODEL_FILES[form])),
        model=chosen.study.model,
        dataset=data.name,
        refit=refit,
        reason=chosen.reason,
        max_difference=float(found["max_difference"]),
        n_samples=int(found["n_samples"]),
        own_samples=stored is not None,
        note=" ".join(filter(None, [version_note(manifest.code), use.note])),
    )


def _samples(native: Native, stored: StoredDataset | None) -> Any:
    """Return some samples of the run's training part, equal calls equal ones; random ones where that is gone."""
    if stored is None:
        return random_samples(native, N_COMPARED)
    X = stored.X_train()
    n_samples = count_samples(X)
    rows = np.random.default_rng(0).choice(n_samples, min(n_samples, N_COMPARED), replace=False)
    return X[np.sort(rows)]


def _write(
    form: str,
    work: Path,
    saved: Path,
    manifest: Manifest,
    chosen: Trained,
    samples: Any,
    stored: StoredDataset | None,
    runner: Runner,
) -> dict[str, Any]:
    """Have a child write the model into ``work/export``; return what it found."""
    for name in ("export", "converted", "samples"):
        (work / name).mkdir()
    spec = CallSpec(
        plugin=manifest.plugin,
        framework=manifest.framework,
        result=work / "answer.json",
        log=work / "child.log",
        function=FUNCTION,
        arguments={
            "model": str(saved),
            "manifest_sha256": chosen.refit.manifest_sha256,
            "format": form,
            "class_names": chosen.data.class_names,
            "words": stored.words() if stored is not None else [],
            "X": str(write_samples(work / "samples", "X", samples)),
            "work": str(work / "converted"),
            "output": str(work / "export"),
        },
    )
    answer = runner.run(spec, refuse)
    what = f"The model '{chosen.study.model}' on {chosen.data.name}"
    if not isinstance(answer, CallAnswer) or answer.status != "complete":
        raise _error(answer.failure, f"{what} could not be written as {form}")
    difference = answer.returned["max_difference"]
    if difference is None or difference > TOLERANCE:
        told = "is no finite number" if difference is None else f"differs by {difference:.2g}"
        raise ExportError(
            f"{what} predicts otherwise as {form}: a probability {told}, where {TOLERANCE:g} is allowed. Nothing "
            "was kept. Try another format."
        )
    return answer.returned


def _error(failure: Failure | None, what: str) -> Exception:
    message = failure.message if failure is not None else "no reason given"
    category = failure.category if failure is not None else "internal"
    kind = DataError if category == "data" else StorageError if category in ("disk", "storage") else ExportError
    return kind(f"{what}: {message}")
