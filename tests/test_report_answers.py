"""What the sections of the report answer agrees with the records and with the verdict."""

from __future__ import annotations

import pytest

from nncompare.report import render_html, render_markdown
from nncompare.report.blocks import Part, Section, parts
from nncompare.report.calibration import caption
from nncompare.report.classes import per_class
from nncompare.report.context import GLOSSARY
from nncompare.report.glance import glance
from nncompare.report.searching import section as search_section
from nncompare.report.verdicts import answer, cards
from nncompare.results import Check, Failure, ReferenceRecord, Results, TrialRecord

from . import report_fixtures as fixtures
from .report_default_run import default_run


def test_classes_without_test_items_are_neither_the_hardest_nor_tinted() -> None:
    section = per_class(parts(fixtures.class_absent()))
    assert "0.0000" not in section.answer
    assert "“c”" not in section.answer
    *present, absent = section.groups[0].tables[0].rows
    assert (absent.cells[1].text, absent.cells[1].detail, absent.cells[1].tint) == ("–", "no test items", None)
    assert {row.cells[1].tint for row in present} == {0, 9}
    assert absent.cells[2].text == "0"


def with_checks(*codes: str) -> Results:
    found = fixtures.four_studies()
    verdict = found.datasets[0].verdict
    checks = [Check(code=code, level="warning", text=f"cnn: {code}.") for code in codes]
    first = found.datasets[0].model_copy(update={"verdict": verdict.model_copy(update={"checks": checks})})
    return found.model_copy(update={"datasets": [first, *found.datasets[1:]]})


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        (("search_still_improving",), "Perhaps not. On mnist1d: cnn: search_still_improving."),
        (("few_trials",), "That cannot be told on mnist1d"),
        ((), "It seems so"),
    ],
)
def test_search_answer_is_that_of_the_checks(codes: tuple[str, ...], words: str) -> None:
    section: Section = search_section(parts(with_checks(*codes)))
    assert section.answer.startswith(words)


def test_search_caption_numbers_trials_from_0_as_the_records_do() -> None:
    html = render_html(fixtures.four_studies())
    for study in fixtures.four_studies().studies:
        assert f"best at trial {study.best_trial} (numbered 0 to 19)" in html


def test_verdict_of_the_only_model_asked_for_does_not_say_that_others_failed() -> None:
    alone: tuple[Part, ...] = parts(fixtures.one_model())
    assert (answer(alone), cards(alone)[0].badge) == ("On digits only mlp was run.", "one model")
    found = fixtures.one_model()
    both = parts(found.model_copy(update={"studies": [*found.studies, fixtures.not_run("cnn", "digits")]}))
    assert (answer(both), cards(both)[0].badge) == ("On digits only mlp finished.", "only one model finished")


def test_verdict_says_that_intervals_of_differences_are_simultaneous() -> None:
    html = render_html(fixtures.full())
    assert "95 % CI, simultaneous over all pairs of the data set" in html
    for page in (html, render_markdown(fixtures.full())):
        assert "they hold for all pairs of a data set at once" in page
    assert "at once" not in render_markdown(fixtures.one_model())
    assert "simultaneous" in dict(GLOSSARY)


def test_glossary_does_not_claim_that_test_is_read_once() -> None:
    assert "once" not in dict(GLOSSARY)["sealed test"]


def test_calibration_caption_gives_the_number_of_the_diagram_too() -> None:
    test = fixtures.four_studies().studies[0].test
    assert test is not None
    assert f"{test.calibration.ece:.4f} for the refits pooled" in caption(test)
    pooled = test.calibration.model_copy(update={"ece": test.ece.mean})
    assert "pooled" not in caption(test.model_copy(update={"calibration": pooled}))


def test_reference_that_failed_has_a_row_that_says_why() -> None:
    found = fixtures.four_studies()
    failure = Failure(category="timeout", message="over the limit of 60 s")
    broken = ReferenceRecord(name="logistic_regression", test_accuracy=None, failure=failure)
    first = found.datasets[0].model_copy(update={"references": [found.datasets[0].references[0], broken]})
    found = found.model_copy(update={"datasets": [first, *found.datasets[1:]]})
    assert "failed: over the limit of 60 s" in render_html(found)
    row = next(line for line in render_markdown(found).splitlines() if "failed: over the limit" in line)
    assert row.startswith("| logistic_regression (reference; failed: over the limit of 60 s) | – | – |")


def with_refits(n_seeds: int) -> tuple[Part, ...]:
    found = fixtures.four_studies()
    studies = [study.model_copy(update={"refits": study.refits[:n_seeds]}) for study in found.studies]
    first, *others = found.datasets
    verdict = first.verdict.model_copy(update={"single_seed": n_seeds == 1})
    datasets = [first.model_copy(update={"verdict": verdict}), *others]
    return parts(found.model_copy(update={"studies": studies, "datasets": datasets}))


def test_verdict_of_a_single_seed_has_no_clear_winner() -> None:
    several, one = with_refits(3), with_refits(1)
    assert cards(several)[0].badge == "clear winner"
    assert answer(several).startswith("On mnist1d use cnn;")
    assert cards(one)[0].badge == "ahead, single seed"
    assert answer(one).startswith("On mnist1d cnn is ahead (single seed);")


def test_verdict_pairs_name_the_better_one() -> None:
    html = render_html(fixtures.full())
    assert "cnn better" in html
    assert "different" not in html.partition("cnn − lstm")[2].partition("</table>")[0]
    assert "McNemar p" not in html
    assert "McNemar p (uncorrected; not used for the verdict)" in render_html(default_run())


def test_sign_test_over_groups_is_not_called_mcnemar() -> None:
    grouped = default_run()
    for dataset in grouped.datasets:
        pairs = [pair.model_copy(update={"n_groups": 20}) for pair in dataset.verdict.pairs]
        dataset.verdict.pairs[:] = pairs
    html = render_html(grouped)
    assert "p of the sign test over groups (uncorrected; not used for the verdict)" in html
    assert "McNemar" not in html


def test_interrupted_trials_are_not_counted_as_failed() -> None:
    failure = Failure(category="interrupted", message="interrupted")
    stopped = [TrialRecord(number=n, state="failed", params={}, failure=failure) for n in (20, 21)]
    study = fixtures.study("cnn", "mnist1d", fixtures.TEN)
    study = study.model_copy(
        update={"trials": [*study.trials, *stopped], "status": "interrupted", "failure": failure, "test": None}
    )
    found = fixtures.results(fixtures.four_studies().datasets[:1], [study], state="interrupted")
    for page in (render_html(found), render_markdown(found)):
        assert "1 of 22 trials failed, 2 interrupted." in page
        assert "15 complete, 4 pruned, 1 failed, 2 interrupted" in page
        assert "stopped before it was finished" in page


def test_importance_needs_10_trials_complete_or_pruned() -> None:
    for n_trials, is_shown in ((11, True), (9, False)):
        study = fixtures.study("cnn", "mnist1d", fixtures.TEN, n_trials=n_trials)
        html = render_html(fixtures.results(fixtures.four_studies().datasets[:1], [study]))
        assert ("Importance: learning_rate 0.61, width 0.27, pool 0.12; a hint from" in html) == is_shown
        assert ("is not shown: 9 trials are too few, it takes 10." in html) != is_shown


@pytest.mark.parametrize(
    ("having", "words", "n_slices"),
    [
        (19, "Importance: learning_rate 0.61, width 0.27, pool 0.12; a hint from 19 trials only.", 2),
        (
            15,
            "Importance: learning_rate 0.61, width 0.27 (only with 15 of 19 trials), pool 0.12; a hint from 19 "
            "trials only.",
            2,
        ),
        (
            9,
            "Importance: learning_rate 0.61, pool 0.12; a hint from 19 trials only. No importance is "
            "shown of width (only with 9 of 19 trials).",
            1,
        ),
    ],
)
def test_importance_of_a_parameter_rests_on_the_trials_that_had_it(having: int, words: str, n_slices: int) -> None:
    study = fixtures.study("cnn", "mnist1d", fixtures.TEN, n_trials=20)
    ended = [trial.number for trial in study.trials if trial.state in {"complete", "pruned"}]
    trials = [
        trial.model_copy(update={"params": {k: v for k, v in trial.params.items() if k != "width"}})
        if trial.number in ended[having:]
        else trial
        for trial in study.trials
    ]
    found = fixtures.results(fixtures.four_studies().datasets[:1], [study.model_copy(update={"trials": trials})])
    (figure,) = search_section(parts(found)).groups[0].figures
    assert figure.notes == (words,)
    assert len(figure.more) == n_slices  # the pool never varied


def test_configurations_are_folded_below_the_leaderboard() -> None:
    html = render_html(fixtures.full())
    board, folded, rest = html.partition("<summary>Chosen configurations</summary>")
    assert folded
    assert "learning_rate = " not in board
    assert "learning_rate = " in rest.partition("</details>")[0]
    assert "Chosen configuration" not in render_markdown(fixtures.full())


def test_glance_names_the_best_reference() -> None:
    table = glance(parts(fixtures.full()))
    assert table is not None
    place = [column.label for column in table.columns].index("Best reference, %")
    cells = [row.cells[place] for row in table.rows]
    assert (cells[0].text, cells[0].detail) == ("32.0", "logistic regression, 30.0 to 34.0")
    assert cells[2].text == "–"
