"""Predictions of a finished run's models for new samples, or for its own sealed test part."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nncompare.cleaned import cleaned_sentence, read_cleaned
from nncompare.data.files import cache_root
from nncompare.data.new_samples import NewSamples, Taken
from nncompare.data.records import Samples
from nncompare.data.samples import count_samples, write_samples
from nncompare.data.store import is_stored_folder
from nncompare.exceptions import DataError, PluginError, ResultsError, StorageError
from nncompare.execution.provenance import check_code, find_origin, version_note
from nncompare.execution.runner import LocalRunner, Runner, refuse
from nncompare.execution.saved import Manifest, SavedData, check_saved
from nncompare.execution.specs import PredictSpec
from nncompare.inventory import find_stored
from nncompare.metrics import check_probabilities
from nncompare.prediction_table import Prediction, check_keep, check_output, write_prediction
from nncompare.registry import LOCAL
from nncompare.results import DatasetRecord, Failure, Results, StudyRecord
from nncompare.runfile import is_held, read_run_file
from nncompare.trained import Trained, find_trained, too_old

__all__ = ["Prediction", "open_saved", "predict", "require_plugin"]


def predict(
    folder: Path,
    results: Results,
    model: str | None = None,
    dataset: str | None = None,
    refit: int = 1,
    *,
    input: Any = None,
    output: Path | None = None,
    encoding: str | None = None,
    keep: Sequence[str] = (),
    runner: Runner | None = None,
) -> Prediction:
    """Predict samples with a model of a run; its code runs in a child, once every file's digest has been checked.

    Parameters
    ----------
    folder : Path
        The run directory.
    results : Results
        Of that run.
    model : str, optional
        By default the verdict's winner, else the model with the lowest validation log loss on the data set.
    dataset : str, optional
        By default the only one of the run.
    refit : int, default 1
        Which of the model's refits predicts; the first is never chosen by its score.
    input : str, path, DataFrame or array-like, optional
        A file of samples in the form of the data set, or such samples; see
        :class:`~nncompare.data.new_samples.NewSamples`. Without it, the run's own test part is predicted.
    output : Path, optional
        A .csv or .npz file to write; see :func:`~nncompare.prediction_table.write_prediction`.
    encoding : str, optional
        Of a table; UTF-8 by default.
    keep : sequence of str, optional
        Columns of the table that are copied before the prediction; ``all`` for every one.
    runner : Runner, optional
        Runs the child; by default one of its own.

    Raises
    ------
    UsageError
        The run has no such model, data set or refit, or several data sets and none was chosen; ``output`` is no
        place for predictions.
    ResultsError
        The run saved no such model, or a file of it was changed since.
    DataError
        The samples cannot be read or are of another form, or the test part is no longer in the cache.
    PluginError
        The model's plugin is not installed any more, or fails.
    StorageError
        A file cannot be written.
    """
    source, target = _path(input), _path(output)
    if target is not None:
        check_output(target, source, folder)
    check_keep(keep, source, target)
    chosen = find_trained(results, folder, is_held(folder), model, dataset, refit)
    saved, manifest, data = open_saved(folder, results, chosen)
    wanted = NewSamples(data.native, data.class_names)
    if input is None:
        taken = _test_part(chosen.data, folder)
    else:
        taken = wanted.take(input) if source is None else wanted.read(source, encoding, keep)
    with LocalRunner() if runner is None else nullcontext(runner) as children:
        probabilities = _probabilities(saved, manifest, chosen, taken.X, children)
    prediction = Prediction(
        run_id=results.run_id,
        model=chosen.study.model,
        dataset=chosen.data.name,
        refit=refit,
        seed=chosen.refit.seed,
        class_names=tuple(data.class_names),
        probabilities=probabilities,
        labels=taken.labels,
        reason=chosen.reason,
        kept=taken.kept,
        note=" ".join(filter(None, [version_note(manifest.code), taken.note])),
    )
    if target is not None:
        write_prediction(prediction, target)
    return prediction


def open_saved(folder: Path, results: Results, chosen: Trained) -> tuple[Path, Manifest, SavedData]:
    """Return where the model lies and what its manifest says, if nothing was changed since and its plugin is here.

    Raises
    ------
    ResultsError
        It lies outside of the run directory, was changed, or was saved without its preprocessing.
    PluginError
        Its plugin is not installed any more, see :func:`require_plugin`.
    """
    saved = (folder / str(chosen.refit.model)).resolve()
    if not saved.is_relative_to(folder.resolve()):
        raise ResultsError(f"results.json of '{folder}' names a model outside of it: '{chosen.refit.model}'.")
    if not saved.is_dir() and "models" in read_cleaned(folder):
        raise ResultsError(
            f"The run '{results.run_id}' has no saved models any more. {cleaned_sentence(folder)} Run the "
            "comparison again."
        )
    manifest = check_saved(saved, chosen.refit.manifest_sha256)
    if manifest.data is None:
        raise ResultsError(too_old(results))
    require_plugin(manifest, chosen.study)
    return saved, manifest, manifest.data


def _path(given: Any) -> Path | None:
    """Return the path that was given; None for nothing, and for samples in memory."""
    return Path(given) if isinstance(given, str | os.PathLike) else None


def require_plugin(manifest: Manifest, study: StudyRecord) -> None:
    """Refuse early what a child could not import, or what is other code; nothing is imported.

    Raises
    ------
    PluginError
        The plugin of a saved model is not installed any more, or its file is gone.
    ResultsError
        Its code was changed since.
    """
    where = manifest.plugin.rpartition(":")[0].strip()
    if where.endswith(".py"):
        if not Path(where).is_file():
            raise PluginError(f"The model '{study.model}' is defined in '{where}', which is gone. Bring it back.")
    elif find_origin(where.partition(".")[0]) is None:
        if study.plugin is None or study.plugin.distribution == LOCAL:
            raise PluginError(
                f"The model '{study.model}' comes from the module '{where}', which is neither installed nor in "
                "this folder. Call predict in the folder that holds it."
            )
        owner = f"{study.plugin.distribution} {study.plugin.version}".strip()
        raise PluginError(
            f"The model '{study.model}' comes from {owner}, which is not installed any more. Install it again."
        )
    check_code(manifest.plugin, manifest.code, find_origin)


def _test_part(record: DatasetRecord, folder: Path) -> Taken:
    """Return the run's own test part, from the cache; its labels go no further than this process."""
    stored = find_stored(cache_root(), record.fingerprint, record.test_fingerprint)
    if stored is not None:
        return Taken(stored.X_test(), np.array(stored.y_test()))
    raise DataError(
        f"The test part of '{record.name}' is not in the cache '{cache_root()}' any more (fingerprint "
        f"{record.fingerprint[:8]}…). {_how_to_store(record, folder)}"
    )


def _how_to_store(record: DatasetRecord, folder: Path) -> str:
    """Say how a data set gets into the cache again; only the caller of compare() has arrays."""
    try:
        names = [str(name) for name in read_run_file(folder).config.get("datasets", ())]
    except ResultsError:
        names = []
    if any(is_stored_folder(name) and Path(name).name.startswith(record.fingerprint[:16]) for name in names):
        return (
            "If it was made of arrays, call compare() again with the same arrays; an installed data set is stored "
            "by nncompare data fetch."
        )
    return "Store the data set again, as a run with --dry-run does."


def _probabilities(
    saved: Path, manifest: Manifest, chosen: Trained, samples: Samples, runner: Runner
) -> npt.NDArray[np.float64]:
    """Have a child predict, and check what it stored."""
    n_classes = len(chosen.data.class_names)
    with tempfile.TemporaryDirectory(prefix="nncompare-predict-") as name:
        folder = Path(name)
        (folder / "work").mkdir()
        spec = PredictSpec(
            plugin=manifest.plugin,
            framework=manifest.framework,
            result=folder / "answer.json",
            log=folder / "child.log",
            model=saved,
            manifest_sha256=str(chosen.refit.manifest_sha256),
            n_classes=n_classes,
            X=write_samples(folder, "X", samples),
            work=folder / "work",
            predictions=folder / "predictions.npy",
        )
        answer = runner.run(spec, refuse)
        if answer.status != "complete":
            raise _error(answer.failure, chosen.study)
        found = np.load(spec.predictions, allow_pickle=False)
    return check_probabilities(found, count_samples(samples), n_classes)


def _error(failure: Failure | None, study: StudyRecord) -> Exception:
    """Return what a child's failure means to the user."""
    message = failure.message if failure is not None else "no reason given"
    category = failure.category if failure is not None else "internal"
    kind = DataError if category == "data" else StorageError if category in ("disk", "storage") else PluginError
    return kind(f"The saved model '{study.model}' on {study.dataset} could not predict: {message}")
