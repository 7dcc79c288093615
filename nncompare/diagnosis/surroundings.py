"""What a run needs outside of its directory: plugins, data, room on the disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from nncompare.data.files import cache_root
from nncompare.data.own import is_own_file
from nncompare.diagnosis.records import Finding
from nncompare.diagnosis.subject import Subject
from nncompare.exceptions import PluginError, ResultsError, UsageError
from nncompare.execution.provenance import version_note
from nncompare.execution.saved import MANIFEST, Manifest
from nncompare.inventory import find_stored
from nncompare.prediction import require_plugin
from nncompare.registry import MODELS, discover, find
from nncompare.results import StudyRecord

__all__ = ["LOW_MB", "check_data", "check_disk", "check_plugins"]

LOW_MB = 500
"""A run of small models on small data needs less; what it needs otherwise nobody knows before."""


def check_plugins(subject: Subject) -> Iterator[Finding]:
    """Tell which plugins are gone or changed, of a study with a saved model by what that was saved with."""
    known = set()
    for study in subject.results.studies if subject.results is not None else ():
        manifest = _manifest(subject, study)
        if manifest is not None and study.model not in known:
            known.add(study.model)
            yield from _check_code(subject, study, manifest)
    yield from _check_names(subject, known)


def check_data(subject: Subject) -> Iterator[Finding]:
    """Tell which data are not in the cache any more, and which files and folders of the user's own are gone."""
    yield from _check_cache(subject)
    for name in subject.run_file.config.get("datasets", ()) if subject.run_file is not None else ():
        path = Path(str(name))
        is_path = path.is_absolute() and ":" not in str(name)
        if is_path and not path.exists():
            what = f"The {'file' if is_own_file(str(name)) else 'folder'} that the run was started with is gone."
            remedy = "Bring it back where it was; without it the run cannot be resumed."
            yield subject.finding("data-gone", path, what, remedy)


def check_disk(subject: Subject) -> Iterator[Finding]:
    """Tell whether the disk of the run directory is nearly full."""
    free_mb = shutil.disk_usage(subject.folder).free / 1e6
    if free_mb < LOW_MB:
        what = f"Only {free_mb:,.0f} MB are free on this disk."
        yield subject.finding("disk-low", subject.folder.parent, what, "Free some space before the run goes on.")


def _check_code(subject: Subject, study: StudyRecord, manifest: Manifest) -> Iterator[Finding]:
    where = manifest.plugin.rpartition(":")[0]
    try:
        require_plugin(manifest, study)
    except PluginError as error:
        yield subject.finding("plugin-gone", where, str(error), "Till then it neither predicts nor is resumed.")
        return
    except ResultsError as error:
        yield subject.finding("plugin-changed", where, str(error), "The scores of the run are as they were.")
        return
    except OSError as error:
        what = f"The code of {study.model} cannot be read: {type(error).__name__}: {error}."
        yield subject.finding(
            "plugin-gone", where, what, "Take the right to read it; till then it does not predict."
        )
        return
    note = version_note(manifest.code)
    if note:
        yield subject.finding("plugin-version", where, note, "Predictions may differ; scores stay as they were.")


def _check_names(subject: Subject, known: set[str]) -> Iterator[Finding]:
    """Tell which models cannot be found, of those that have saved nothing yet."""
    if subject.run_file is None:
        return
    typed = {str(name).rpartition(":")[2]: str(name) for name in subject.run_file.config.get("models", ())}
    catalog = discover(MODELS)
    for model, owner in subject.run_file.plugins.items():
        if model in known:
            continue
        try:
            find(typed.get(model, model), MODELS, catalog)
        except UsageError as error:
            remedy = f"It came from {owner}. Bring it back, then: {subject.resume}"
            yield subject.finding("plugin-gone", typed.get(model, model), str(error), remedy)


def _manifest(subject: Subject, study: StudyRecord) -> Manifest | None:
    """Return what the first saved model of a study says of itself, if it can be read."""
    for refit in study.refits:
        folder = subject.inside(refit.model)
        if folder is None:
            continue
        try:
            return Manifest.model_validate_json((folder / MANIFEST).read_bytes())
        except (OSError, ValueError):
            continue
    return None


def _check_cache(subject: Subject) -> Iterator[Finding]:
    """Tell which data sets of the results are not stored any more."""
    for dataset in subject.results.datasets if subject.results is not None else ():
        if dataset.failure is not None or not dataset.test_fingerprint:
            continue
        if find_stored(cache_root(), dataset.fingerprint, dataset.test_fingerprint) is None:
            what = f"'{dataset.name}' (fingerprint {dataset.fingerprint[:12]}) is not in the cache any more."
            remedy = (
                "It is stored again when the run is resumed, or by a run with --dry-run; until then "
                "predict --test and the item-by-item comparison of diff do without."
            )
            yield subject.finding("data-gone", cache_root(), what, remedy)
