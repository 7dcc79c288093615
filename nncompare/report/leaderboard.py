"""The leaderboard of each data set: every measure of every model, and the references."""

from __future__ import annotations

from nncompare.report import formats
from nncompare.report.blocks import Cell, Column, Entry, Group, Part, Row, Section, Table
from nncompare.results import Interval, ReferenceRecord, StudyRecord, was_interrupted

COLUMNS = (
    Column("Model", False),
    Column("Accuracy"),
    Column("Macro F1"),
    Column("Log loss"),
    Column("Training CPU"),
    Column("Search CPU"),
    Column("Latency"),
    Column("Parameters"),
    Column("Size"),
    Column("Memory"),
    Column("Trials"),
)
ACCURACY = 1


def section(parts: tuple[Part, ...]) -> Section:
    """Return the section with one table per data set."""
    return Section(
        anchor="leaderboard",
        short="Leaderboard",
        question="How do the models compare on every measure?",
        answer=_answer(parts),
        groups=tuple(_group(part) for part in parts),
        notes=(
            "Scores are means over the refits with their 95 % interval below. Training CPU is the mean of the "
            "refits, search CPU the sum of the trials; latency is the median for one sample; memory is the growth "
            "of the training process; trials are complete / pruned / failed.",
        ),
    )


def _answer(parts: tuple[Part, ...]) -> str:
    leaders = [
        f"on {part.dataset.name} {best.study.model} with {formats.mean_and_interval(best.study.test.accuracy)}"
        for part in parts
        for best in part.entries[:1]
        if best.study.test is not None
    ]
    return f"Highest mean test accuracy: {'; '.join(leaders)}." if leaders else "No model has test scores."


def _group(part: Part) -> Group:
    """Return the table, or the reasons where neither a model nor a reference has a score."""
    if part.tested or part.dataset.references:
        return Group(part.dataset.name, tables=(table(part),), details=_configurations(part))
    return Group(part.dataset.name, notes=tuple(_why_not(entry.study) for entry in part.entries))


def _why_not(study: StudyRecord) -> str:
    why = f" ({study.failure.message})" if study.failure is not None else ""
    return f"{study.model} {study.status.replace('_', ' ')}{why}"


def table(part: Part) -> Table:
    """Return all models of a data set by falling accuracy, then its references."""
    return Table(
        label=f"Leaderboard of {part.dataset.name}",
        columns=COLUMNS,
        rows=(
            *(_model(entry) for entry in part.entries),
            *(_reference(reference) for reference in part.dataset.references),
        ),
        sortable=True,
        sorted_by=ACCURACY,
    )


def _model(entry: Entry) -> Row:
    s, test = entry.study, entry.study.test
    return Row(
        (
            Cell(s.model, detail=_status(s), series=entry.series),
            scored(test.accuracy if test else None),
            scored(test.macro_f1 if test else None),
            scored(test.log_loss if test else None),
            Cell(formats.cpu(s.fit_cpu_s)),
            _search_cost(s),
            Cell(formats.milliseconds(s.latency_ms)),
            Cell(formats.count(s.n_parameters)),
            Cell(formats.size(s.size_bytes)),
            Cell(formats.size(None if s.peak_memory_mb is None else s.peak_memory_mb * 1e6)),
            _trials(s),
        ),
        kind="model" if test else "missing",
    )


def _search_cost(study: StudyRecord) -> Cell:
    """Return the CPU seconds of all trials and finals; the wall clock would count what ran beside them."""
    budget = study.budget if study.trials else None
    return Cell(formats.cpu(None if budget is None else budget.search_cpu_s + budget.finals_cpu_s))


def _status(study: StudyRecord) -> str:
    """Return what became of a study that has no scores."""
    return "" if study.test is not None else study.status.replace("_", " ")


def scored(value: Interval | None) -> Cell:
    """Return a score with its interval, which never stand apart."""
    if value is None:
        return Cell(formats.MISSING)
    return Cell(formats.score(value.mean), detail=formats.interval(value))


def _trials(study: StudyRecord) -> Cell:
    complete, pruned, failed = trial_counts(study)
    return Cell(f"{complete} / {pruned} / {failed}") if study.trials else Cell(formats.MISSING)


def trial_counts(study: StudyRecord) -> tuple[int, int, int]:
    """Return how many trials are complete, pruned and failed; the interrupted ones did not fail."""
    states = [trial.state for trial in study.trials if not was_interrupted(trial)]
    return states.count("complete"), states.count("pruned"), states.count("failed")


def _configurations(part: Part) -> tuple[Table, ...]:
    """Return what the searches chose: long lines, which would blow up the rows of the leaderboard."""
    chosen = [(entry, formats.params(entry.study.best_params)) for entry in part.entries]
    rows = tuple(Row((Cell(e.study.model, series=e.series), Cell(text))) for e, text in chosen if text)
    columns = (Column("Model", False), Column("Chosen configuration", False, wide=True))
    label = f"Chosen configurations on {part.dataset.name}"
    return (Table(label, columns, rows, summary="Chosen configurations"),) if rows else ()


def _reference(reference: ReferenceRecord) -> Row:
    note = f"failed: {reference.failure.message}" if reference.failure else reference.note
    if reference.n_train is not None:
        note = f"trained on {reference.n_train:,} rows" + (f"; {note}" if note else "")
    failed = reference.failure is not None
    blank = tuple(Cell(formats.MISSING) for _ in COLUMNS[4:])
    return Row(
        (
            Cell(reference.name, detail=f"reference; {note}" if note else "reference"),
            scored(None if failed else reference.test_accuracy),
            scored(reference.macro_f1),
            scored(reference.log_loss),
            *blank,
        ),
        kind="reference",
    )
