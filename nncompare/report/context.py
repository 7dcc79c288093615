"""From the records of a run to the plain values of its report."""

from __future__ import annotations

from dataclasses import dataclass

from nncompare.report import (
    across,
    budgets,
    calibration,
    classes,
    formats,
    glance,
    health,
    leaderboard,
    mistakes,
    pareto,
    provenance,
    searching,
    training,
    verdicts,
)
from nncompare.report.blocks import Section, Series, Table, parts
from nncompare.report.brief import Brief, brief
from nncompare.report.verdicts import VerdictCard
from nncompare.results import Results

GLOSSARY = (
    ("95 % CI", "The 95 % confidence interval: the range of values that fit the data. A wider one is less sure."),
    (
        "simultaneous",
        "The intervals of differences are wider than single ones, so that in 95 % of such runs all pairs of a "
        "data set are covered at once (Bonferroni).",
    ),
    (
        "better",
        "The interval of the difference excludes zero: the gap is not explained by seeds and test items. Where "
        "seeds do not differ, an exact sign test has to agree.",
    ),
    (
        "practically equal",
        "The whole interval of the difference lies within the margin, so other costs may decide.",
    ),
    ("undecided", "The data do not tell the models apart; more seeds or a larger test set could."),
    ("point", "One hundredth of accuracy: from 0.97 to 0.98 is one point."),
    ("seed", "A number that fixes the random part of a training: initial weights and order of the data."),
    ("trial", "One configuration, trained once on the training part and scored on the validation part."),
    ("refit", "The chosen configuration trained again with a fresh seed, then scored on the sealed test part."),
    (
        "sealed test",
        "Labels that no search sees: a model predicts on test only after it is trained and saved, and is scored "
        "as its refits end.",
    ),
    ("dominated", "Another model is at least as accurate and costs no more, and better in one of the two."),
    ("pruned", "A trial that was stopped early because others did better at the same epoch."),
    ("reference", "A simple method that every network should beat: the majority class, logistic regression."),
    ("log loss", "How surprised the model was by the right answers, in nats; 0 is best. The search minimises it."),
    ("macro F1", "The mean over classes of F1, which balances precision and recall; rare classes count in full."),
    (
        "precision, recall",
        "Of those called k, the share that is k; of those that are k, the share that was found.",
    ),
    ("support", "How many test samples a class has."),
    ("ECE", "Expected calibration error: the mean gap between stated confidence and share of right answers."),
    ("CPU time", "Seconds of processor time, user and system: comparable even where trials ran side by side."),
    ("fingerprint", "A digest of the data. Scores compare only where data and split fingerprints agree."),
)
MEAN_RANK = (
    "mean rank",
    "The mean over data sets of a model's place by accuracy, 1 being first; given for five data sets or more.",
)
APART = "Models on different data sets are never ranked against each other: the tasks differ in difficulty."
SIMULTANEOUS = "The 95 % intervals of differences are simultaneous: they hold for all pairs of a data set at once."


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that the templates draw."""

    run_id: str
    summary: str
    warning: str
    series: tuple[Series, ...]
    verdict_answer: str
    apart: str
    simultaneous: str
    glance: Table | None
    cards: tuple[VerdictCard, ...]
    briefs: tuple[Brief, ...]
    across: Section | None
    leaderboard: Section
    classes: Section
    provenance: Section
    sections: tuple[Section, ...]
    health: Section
    failed: tuple[Table, ...]
    glossary: tuple[tuple[str, str], ...]


def build(results: Results) -> Report:
    """Return the plain values of a report; equal results give equal values."""
    found = parts(results)
    board, state = leaderboard.section(found), health.section(results)
    by_class, made = classes.per_class(found), provenance.section(results)
    over_datasets = across.section(results, found)
    return Report(
        run_id=results.run_id,
        summary=_summary(results),
        warning=_warning(results),
        series=tuple(dict.fromkeys(entry.series for part in found for entry in part.entries)),
        verdict_answer=verdicts.answer(found),
        apart=APART if len(found) > 1 else "",
        simultaneous=SIMULTANEOUS if any(part.dataset.verdict.pairs for part in found) else "",
        glance=glance.glance(found),
        cards=verdicts.cards(found),
        briefs=tuple(brief(part) for part in found),
        across=over_datasets,
        leaderboard=board,
        classes=by_class,
        provenance=made,
        sections=(
            *([] if over_datasets is None else [over_datasets]),
            board,
            pareto.section(found),
            by_class,
            classes.confusions(found),
            training.section(found),
            searching.section(found),
            budgets.section(found),
            mistakes.section(found),
            calibration.section(found),
            state,
            made,
        ),
        health=state,
        failed=tuple(table for table in (health.without_result(results),) if table.rows),
        glossary=GLOSSARY if over_datasets is None else (*GLOSSARY, MEAN_RANK),
    )


def _summary(results: Results) -> str:
    """Return what was compared, with what effort, and when."""
    models = len({study.model for study in results.studies})
    settings = results.settings
    effort = f"{formats.plural(settings.n_trials, 'trial')} and {formats.plural(settings.n_refits, 'refit')}"
    took = "" if results.duration_s is None else f" It took {formats.seconds(results.duration_s)}."
    return (
        f"{formats.plural(models, 'model')} on {formats.plural(len(results.datasets), 'data set')}, {effort} each "
        f"(preset {results.preset}, seed {results.seed}), started {formats.moment(results.created_at)}.{took}"
    )


def _warning(results: Results) -> str:
    """Return what a reader must know first about a run that did not end."""
    if results.state == "running":
        return "This run is not finished: the report shows what is there so far."
    return (
        "This run was interrupted: the report shows what was finished." if results.state == "interrupted" else ""
    )
