"""Results as pandas tables: the rows, their order, and what a failed study looks like."""

import math

import pandas as pd
import pytest

from nncompare.leaderboard import COLUMNS, TRIAL_COLUMNS, leaderboard, trials

from . import report_fixtures as fixtures


def test_leaderboard_has_a_row_per_study_and_reference():
    results = fixtures.full()
    table = leaderboard(results)
    assert list(table.columns) == list(COLUMNS)
    n_references = sum(len(dataset.references) for dataset in results.datasets)
    assert len(table) == len(results.studies) + n_references
    assert table.is_reference.sum() == n_references
    assert list(dict.fromkeys(table.dataset)) == [dataset.name for dataset in results.datasets]


def test_leaderboard_values_are_those_of_the_records():
    results = fixtures.full()
    study = next(study for study in results.studies if study.test is not None)
    table = leaderboard(results)
    (row,) = table[(table.model == study.model) & (table.dataset == study.dataset)].to_dict("records")
    accuracy = study.test.accuracy
    assert (row["test_accuracy"], row["accuracy_low"], row["accuracy_high"]) == (
        accuracy.mean,
        accuracy.low,
        accuracy.high,
    )
    assert (row["macro_f1"], row["log_loss"]) == (study.test.macro_f1.mean, study.test.log_loss.mean)
    for name, score in (("macro_f1", study.test.macro_f1), ("log_loss", study.test.log_loss)):
        assert (row[f"{name}_low"], row[f"{name}_high"]) == (score.low, score.high)
    for name in ("fit_time_s", "fit_cpu_s", "latency_ms", "n_parameters", "size_bytes", "best_params", "status"):
        assert row[name] == getattr(study, name)
    for name in ("trials_complete", "trials_pruned", "trials_failed"):
        assert row[name] == getattr(study.budget, name)


def test_leaderboard_bounds_the_scores_of_references_too():
    results = fixtures.full()
    data, reference = next((d, r) for d in results.datasets for r in d.references if r.log_loss is not None)
    table = leaderboard(results)
    (row,) = table[(table.model == reference.name) & (table.dataset == data.name)].to_dict("records")
    for name, score in (("accuracy", reference.test_accuracy), ("log_loss", reference.log_loss)):
        assert (row[f"{name}_low"], row[f"{name}_high"]) == (score.low, score.high)


@pytest.mark.parametrize("variant", fixtures.VARIANTS)
def test_leaderboard_of_every_variant_falls_within_each_data_set(variant):
    table = leaderboard(fixtures.VARIANTS[variant]())
    assert {name: str(dtype) for name, dtype in table.dtypes.items()} == COLUMNS
    for _name, part in table.groupby("dataset", sort=False):
        filled = part.test_accuracy.fillna(-1.0)
        assert filled.is_monotonic_decreasing


def test_leaderboard_failed_study_has_nan_and_its_reason():
    table = leaderboard(fixtures.all_failed())
    failed = table[table.status == "failed"]
    assert len(failed) > 0
    assert failed.test_accuracy.isna().all()
    assert failed.reason.str.len().gt(0).all()


def test_leaderboard_goes_through_csv_and_back(tmp_path):
    table = leaderboard(fixtures.full())
    table.to_csv(tmp_path / "board.csv", index=False)
    again = pd.read_csv(tmp_path / "board.csv")
    assert again.test_accuracy.to_list() == pytest.approx(table.test_accuracy.to_list(), nan_ok=True)


def test_trials_has_a_row_per_trial():
    results = fixtures.full()
    table = trials(results)
    assert list(table.columns) == list(TRIAL_COLUMNS)
    assert len(table) == sum(len(study.trials) for study in results.studies)
    first = results.studies[0].trials[0]
    row = table.iloc[0]
    assert (row.model, row.number, row.state, row.params) == (
        results.studies[0].model,
        first.number,
        first.state,
        first.params,
    )
    assert math.isclose(row.valid_log_loss, first.valid_log_loss)
    assert set(table[table.state == "failed"].reason) != {""}
