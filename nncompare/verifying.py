"""Says whether what a run recorded comes out again: one trial and one refit of each study, trained anew."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nncompare.comparison import load_results
from nncompare.data.npyfile import NPY
from nncompare.data.own import ARRAYS, FILES, own_name
from nncompare.data.table_files import TABLES
from nncompare.diagnosis.scores import contradictions
from nncompare.environment import describe_environment
from nncompare.events import Listener
from nncompare.exceptions import DataError, PluginError, ResultsError, UsageError
from nncompare.execution.provenance import changed_code, find_origin
from nncompare.execution.runner import LocalRunner
from nncompare.plan import Plan, PlannedStudy
from nncompare.planning import make_plan
from nncompare.refit import SealedTest
from nncompare.remaining import check_data, check_data_folders, without_known
from nncompare.replay import Replayed, replay_refit, replay_trial, saved_manifest
from nncompare.results import RefitRecord, Results, StudyRecord, TrialRecord
from nncompare.runfile import RunFile, read_run_file
from nncompare.session import Session, quiet_session
from nncompare.settings import RunConfig

__all__ = ["Verification", "VerifiedStudy", "verify"]

_FACTS = ("python", "TF_ENABLE_ONEDNN_OPTS", "processor")


@dataclass(frozen=True, slots=True)
class VerifiedStudy:
    """What was replayed of one study."""

    model: str
    dataset: str
    replays: list[Replayed]


@dataclass(frozen=True, slots=True)
class Verification:
    """What a run's replays gave.

    ``warnings`` say what is other now than it was then, ``contradictions`` what in results.json does not follow
    from its own refits.
    """

    run_id: str
    deterministic: bool
    warnings: list[str]
    contradictions: list[str]
    studies: list[VerifiedStudy]

    @property
    def replays(self) -> list[Replayed]:
        """The replays of all studies."""
        return [replayed for study in self.studies for replayed in study.replays]

    @property
    def agrees(self) -> bool:
        """Whether every replay gave what the run recorded, and its records fit together."""
        return not self.contradictions and all(replayed.agrees for replayed in self.replays)


def verify(
    folder: Path,
    runner: LocalRunner,
    *,
    model: str | None = None,
    dataset: str | None = None,
    trial: int | None = None,
    listener: Listener | None = None,
    tell: Callable[[VerifiedStudy], None] | None = None,
) -> Verification:
    """Replay a trial and a refit of each study in fresh processes; the run directory is only read.

    Parameters
    ----------
    folder : Path
        The run directory.
    runner : LocalRunner
    model, dataset : str, optional
        Replay the studies of this model, on this data set, only.
    trial : int, optional
        Which trial; by default the one that was chosen.
    listener : callable, optional
        Receives notices and the progress of downloads.
    tell : callable, optional
        Receives each study as soon as it was replayed.

    Raises
    ------
    UsageError
        The run has no such study or trial.
    ResultsError
        The run cannot be replayed: it has no result there, its data or its plugin are others now, or gone.
    """
    run_file, results = read_run_file(folder), load_results(folder)
    chosen = _chosen(results, model, dataset)
    wanted = [_trial(study, trial) for study in chosen]
    config = _config(run_file, chosen)
    plan = _plan(config, runner, without_known(listener, results))
    planned = [_planned(study, plan, run_file, folder) for study in chosen]
    found = []
    with tempfile.TemporaryDirectory(prefix="nncompare-verify-") as name:
        session = quiet_session(config, runner, Path(name), jobs=1)
        for known, study, which in zip(chosen, planned, wanted, strict=True):
            found.append(
                VerifiedStudy(known.model, known.dataset, _replays(known, study, which, plan, session, folder))
            )
            if tell is not None:
                tell(found[-1])
    warnings = [*_other_versions(results), *_not_compared(found)]
    return Verification(results.run_id, config.deterministic, warnings, contradictions(results), found)


def _chosen(results: Results, model: str | None, dataset: str | None) -> list[StudyRecord]:
    """Return the studies that are meant and have a result."""
    name = None if dataset is None else own_name(dataset)
    meant = [
        study
        for study in results.studies
        if model in (None, study.model) and (dataset is None or study.dataset in (dataset, name))
    ]
    if not meant:
        pairs = ", ".join(f"{study.model} on {study.dataset}" for study in results.studies)
        raise UsageError(f"The run '{results.run_id}' has no such study. It has: {pairs or 'none'}.")
    done = [
        study for study in meant if study.best_trial is not None and any(r.failure is None for r in study.refits)
    ]
    if not done:
        failure = meant[0].failure.message if meant[0].failure is not None else "it is not complete."
        raise ResultsError(
            f"{meant[0].model} on {meant[0].dataset} has no result in the run '{results.run_id}', so there is "
            f"nothing to replay: {failure}"
        )
    return done


def _trial(study: StudyRecord, number: int | None) -> TrialRecord:
    """Return the trial to replay."""
    wanted = study.best_trial if number is None else number
    pair = f"{study.model} on {study.dataset}"
    found = next((trial for trial in study.trials if trial.number == wanted), None)
    if found is None:
        last = max((trial.number for trial in study.trials), default=0)
        raise UsageError(f"{pair} has no trial {wanted}; choose one from 0 to {last}.")
    if found.state not in ("complete", "pruned"):
        why = found.failure.message if found.failure is not None else "it did not end."
        raise UsageError(f"Trial {wanted} of {pair} has no result to compare with: {why} Choose another.")
    return found


def _config(run_file: RunFile, chosen: Sequence[StudyRecord]) -> RunConfig:
    """Return the settings of the run for the chosen studies, one training at a time, without its storage."""
    models, config = {study.model for study in chosen}, run_file.run_config()
    names = tuple(name for name in config.models if {name, name.rpartition(":")[2]} & models)
    pins = {name: values for name, values in config.pins.items() if name in models}
    config = _loading_only(config, {study.dataset for study in chosen})
    return replace(config, models=names or tuple(sorted(models)), pins=pins, jobs=1, storage=None)


def _loading_only(config: RunConfig, wanted: set[str]) -> RunConfig:
    """Leave out data sets that are not wanted, and how to read their files; all stay where one is unknown."""
    meant = {
        name: {name, name.rpartition(":")[2], own_name(Path(name).stem), own_name(Path(name).name)} & wanted
        for name in config.datasets
    }
    typed = tuple(name for name in config.datasets if meant[name])
    if typed == config.datasets or {name for names in meant.values() for name in names} != wanted:
        return config
    suffixes = {Path(name).suffix.lower() for name in typed}
    if not suffixes & set(TABLES):
        config = replace(config, target=None, text=None, encoding=None)
    if not suffixes & set(FILES):
        config = replace(config, group=None, time=None)
    if not any(Path(name).is_dir() for name in typed):
        config = replace(config, image_size=None)
    return replace(config, datasets=typed, view=config.view if suffixes & {ARRAYS, NPY} else None)


def _plan(config: RunConfig, runner: LocalRunner, listener: Listener | None) -> Plan:
    check_data_folders(config)
    try:
        return make_plan(config, runner, listener)
    except (DataError, PluginError, UsageError) as error:
        raise ResultsError(f"The run cannot be replayed. {error}") from error


def _planned(known: StudyRecord, plan: Plan, run_file: RunFile, folder: Path) -> PlannedStudy:
    """Return a study as it would run now, if data and code are those of the run.

    Raises
    ------
    ResultsError
        They are not.
    """
    pair = f"{known.model} on {known.dataset} cannot be replayed"
    study = next((s for s in plan.studies if (s.model, s.dataset) == (known.model, known.dataset)), None)
    if study is None or study.ref is None:
        raise ResultsError(f"{pair}: the plugin or the data set is not installed any more. Install it again.")
    if study.failure is not None:
        raise ResultsError(f"{pair}: {study.failure.message}")
    check_data(next(data for data in plan.datasets if data.name == known.dataset), run_file, folder)
    before = run_file.plugins.get(known.model, study.ref.owner)
    if before != study.ref.owner:
        raise ResultsError(
            f"{pair}: its model is of {before}, and {study.ref.owner} is installed. Install the other."
        )
    manifests = (saved_manifest(folder, refit) for refit in known.refits)  # the first may be gone
    manifest = next((manifest for manifest in manifests if manifest is not None), None)
    changed = "" if manifest is None else changed_code(manifest.plugin, manifest.code, find_origin)
    if changed:
        raise ResultsError(f"{pair}: {changed}. Give the old file back, or run again.")
    return study


def _refit_of(known: StudyRecord) -> tuple[int, RefitRecord]:
    """Return the first refit that has scores, and its number from 0."""
    return next((i, refit) for i, refit in enumerate(known.refits) if refit.failure is None)


def _replays(
    known: StudyRecord, study: PlannedStudy, trial: TrialRecord, plan: Plan, session: Session, folder: Path
) -> list[Replayed]:
    """Replay the trial, and the first refit that has scores."""
    dataset = next(data for data in plan.datasets if data.name == known.dataset)
    if dataset.stored is None:
        raise ResultsError(f"The data set '{known.dataset}' cannot be had now.")
    test = SealedTest.of(dataset.stored)
    number, refit = _refit_of(known)
    manifest = saved_manifest(folder, refit)
    searched = replay_trial(trial, study, session.search_data(study, dataset), session)
    data = session.refit_data(study, dataset)
    return [searched, replay_refit(number, known, study, data, test, session, manifest)]


def _other_versions(results: Results) -> Iterator[str]:
    """Say what of the machine and the versions is other than in the run: numbers may differ for that."""
    then, now = results.environment, describe_environment()
    packages = then.get("packages", {}), now["packages"]
    for name in sorted(packages[0].keys() | packages[1].keys()):
        before, after = (side.get(name, "none") for side in packages)
        if before != after:
            yield f"The run was made with {name} {before}, and {after} is installed: numbers may differ for that."
    for name in _FACTS:
        if name in then and then[name] != now[name]:
            yield f"The run's {name} was {then[name]}, and is {now[name]} here: numbers may differ for that."


def _not_compared(studies: Sequence[VerifiedStudy]) -> Iterator[str]:
    """Name the studies whose saved files were to be compared and cannot be."""
    for study in studies:
        if any(replayed.saved_gone for replayed in study.replays):
            yield f"{study.model} on {study.dataset}: saved files not compared: the run's are gone or changed."
