"""The plan: names, data sets by default, what cannot run and why, pins, budgets."""

import numpy as np
import pytest

from nncompare.events import Notice
from nncompare.exceptions import PluginError, StorageError, UsageError
from nncompare.execution.specs import DescribeAnswer, DescribeSpec
from nncompare.loading import load_datasets
from nncompare.pins import check_pin
from nncompare.planning import make_plan
from nncompare.registry import DATASETS, MODELS, Catalog, PluginProblem, PluginRef, discover
from nncompare.results import Failure
from nncompare.settings import RunConfig

from .children import FAULTS, dataset, fault
from .whole_runs import compare_with

LINEAR = {"type": "float", "low": 0.5, "high": 50.0, "step": None, "log": True}
WHOLE = {"type": "int", "low": 1, "high": 3, "step": 1, "log": False}
CHOICE = {"type": "categorical", "choices": ["relu", 1, True]}


@pytest.fixture
def planned(runner, tmp_path):
    def plan(models, datasets=(), **settings):
        return make_plan(RunConfig(models=models, datasets=datasets, out=tmp_path, **settings), runner)

    return plan


def test_plan_of_one_model_on_digits(planned):
    plan = planned((fault("Nearest"),), ("digits",), n_trials=2)
    (study,) = plan.studies
    assert (study.model, study.dataset, study.view, study.failure) == ("Nearest", "digits", "tabular", None)
    assert (study.n_trials, study.max_epochs, study.n_refits) == (2, 80, 3)
    assert study.defaults == {"sharpness": 5.0, "kind": "mean"}
    assert set(study.space) == {"sharpness", "kind"}
    (digits,) = plan.datasets
    assert (digits.n_train, digits.n_valid, digits.n_test) == (1149, 288, 360)
    assert (study.search_samples, study.refit_samples, study.valid_in_refit) == (1149, 1437, False)
    assert not plan.folder.exists()


def test_plan_seed_moves_validation_and_not_the_test(planned):
    first, same, other = (planned((fault("Nearest"),), ("digits",), seed=seed).datasets[0] for seed in (1, 1, 2))
    assert np.array_equal(first.split.valid, same.split.valid)
    assert not np.array_equal(first.split.valid, other.split.valid)
    assert (first.fingerprint, first.stored.test_fingerprint) == (other.fingerprint, other.stored.test_fingerprint)


def test_plan_quick_preset_quarters_the_epochs(planned):
    study = planned((fault("Nearest"),), ("digits",), preset="quick").studies[0]
    assert (study.n_trials, study.max_epochs, study.n_refits) == (5, 20, 1)


def test_plan_without_datasets_takes_the_models_own_and_the_common_ground(planned):
    plan = planned((fault("Nearest"),))
    assert [study.dataset for study in plan.studies] == ["digits", "mnist1d"]
    assert [study.failure for study in plan.studies] == [None, None]


def test_plan_model_without_own_dataset_takes_the_common_ground(planned):
    assert [study.dataset for study in planned((fault("ImageOnly"),)).studies] == ["mnist1d"]


def test_plan_dataset_named_twice_is_planned_once(planned):
    assert len(planned((fault("Nearest"),), ("digits", "digits")).studies) == 1


def test_plan_two_datasets_of_one_name_are_refused(planned, tmp_path):
    (tmp_path / "other.py").write_text("")
    with pytest.raises(UsageError, match="Two of the data sets are called 'Waves'"):
        planned((fault("Nearest"),), (dataset("Waves"), f"{tmp_path / 'other.py'}:Waves"))


def test_plan_two_models_of_one_name_are_refused(planned, tmp_path):
    (tmp_path / "other.py").write_text("")
    with pytest.raises(UsageError, match="Two of the models are called 'Nearest'"):
        planned((fault("Nearest"), f"{tmp_path / 'other.py'}:Nearest"), ("digits",))


@pytest.mark.parametrize(
    ("models", "datasets", "words"),
    [
        (("lsmt",), (), "No model plugin is called 'lsmt'. Did you mean 'lstm'?"),
        ((fault("Nearest"),), ("digit",), "No data set plugin is called 'digit'. Did you mean 'digits'?"),
        (("no/such/file.py:Model",), (), "There is no file 'no/such/file.py'"),
        ((fault("Nearest"),), ("no/such/file.py:Data",), "There is no file 'no/such/file.py'"),
    ],
)
def test_plan_unknown_name_is_refused(planned, models, datasets, words):
    with pytest.raises(UsageError) as caught:
        planned(models, datasets)
    assert words in str(caught.value)


def test_plan_class_that_is_not_in_its_file_is_refused(planned):
    with pytest.raises(UsageError, match=r"'faults\.py' has no class 'Nearst'\. Did you mean 'Nearest'\?"):
        planned((fault("Nearst"), fault("Nearest")), ("digits",))
    with pytest.raises(UsageError, match=r"'datasets\.py' has no class 'Wave'\. Did you mean 'Waves'\?"):
        planned((fault("Nearest"),), (dataset("Wave"),))


def test_plan_of_unusable_models_alone_is_refused(planned, tmp_path):
    (tmp_path / "half.py").write_text(
        "from nncompare.plugin import ModelPlugin\nclass Half(ModelPlugin): ...", encoding="utf-8"
    )
    half = f"{tmp_path / 'half.py'}:Half"
    with pytest.raises(
        PluginError, match=r"'Half' cannot be used: .*does not implement .*'Waves' cannot be used: .*is"
    ):
        planned((half, dataset("Waves")), ("digits",))
    bad, fine = planned((half, fault("Nearest")), ("digits",)).studies
    assert bad.broken
    assert fine.failure is None


def test_plan_absent_and_damaged_datasets(planned):
    absent, damaged, fine = planned(
        (fault("Nearest"),), (dataset("Absent"), dataset("Damaged"), dataset("Waves"))
    ).studies
    assert (absent.failure.category, absent.broken) == ("data", False)
    assert absent.failure.message == "'Absent' cannot be fetched: no network."
    assert (damaged.failure.category, damaged.broken) == ("data", True)
    assert "Damaged" in damaged.failure.message
    assert fine.failure is None


def test_plan_default_dataset_that_is_not_installed(planned, tmp_path):
    (tmp_path / "m.py").write_text(
        f"import sys; sys.path.append({str(tmp_path)!r})\n"
        "from nncompare.plugin import ModelTags\n"
        f"import importlib.util as u; s = u.spec_from_file_location('f', {fault('x')[:-2]!r})\n"
        "f = u.module_from_spec(s); s.loader.exec_module(f)\n"
        "class Model(f.Nearest): tags = ModelTags(accepts=('tabular',), default_dataset='atlantis')\n"
    )
    atlantis, common = planned((f"{tmp_path / 'm.py'}:Model",)).studies
    assert not atlantis.broken
    expected = "No installed plugin brings the data set 'atlantis'. Installed data sets: digits, "
    assert atlantis.failure.message.startswith(expected)
    assert common.failure is None


def test_plan_view_that_the_model_lacks(planned):
    (study,) = planned((fault("ImageOnly"),), (dataset("Waves"),)).studies
    assert (study.failure.category, study.broken) == ("data", False)
    assert "ImageOnly accepts image, and 'Waves' is of view 'sequence'" in study.failure.message


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (
            "Nearest",
            "Nearest accepts tabular, and 'Texts' is of view 'tokens', which can become tokens. "
            "A table of texts is sparse: set ModelTags(sparse=True) if the model takes one.",
        ),
        ("ImageOnly", "ImageOnly accepts image, and 'Texts' is of view 'tokens', which can become tokens."),
    ],
)
def test_plan_texts_for_a_model_that_takes_none(planned, model, words):
    (study,) = planned((fault(model),), (dataset("Texts"),)).studies
    assert (study.failure.message, study.broken) == (words, False)


def test_plan_texts_without_a_word_fail_where_they_become_a_table(planned, monkeypatch):
    monkeypatch.setattr("nncompare.planning.search_sample", lambda split, *_: split.train[split.train > 0])
    models = ("nncompare_plugins.mlp:MLP", f"{FAULTS.with_name('readers.py')}:Timid")
    table, tokens = planned(models, (dataset("OneWord"),)).studies
    assert (table.failure.category, table.broken) == ("data", True)
    assert "texts to train on holds a word" in table.failure.message
    assert tokens.failure is None


def test_plan_broken_plugin_fails_alone(planned, tmp_path):
    (tmp_path / "broken.py").write_text("import no_such_library\n\n\nclass Model: ...")
    broken, fine = planned((f"{tmp_path / 'broken.py'}:Model", fault("Nearest")), ("digits",)).studies
    assert (broken.failure.category, broken.broken) == ("plugin", True)
    assert "No module named 'no_such_library'" in broken.failure.message
    assert fine.failure is None


def test_plan_plugin_whose_space_is_broken_fails_alone(planned):
    broken, fine = planned((fault("Unserialisable"), fault("Nearest")), ("digits",)).studies
    assert (broken.failure.category, broken.broken) == ("plugin", True)
    assert fine.failure is None


@pytest.mark.parametrize(
    ("pins", "words"),
    [
        (
            {"Nearest": {"depth": 3}},
            "Model 'Nearest' has no parameter 'depth' on digits. Its parameters: kind, sharpness.",
        ),
        ({"Nearest": {"kind": "mode"}}, "Nearest.kind on digits cannot be 'mode'. Choose from 'mean', 'median'."),
        ({"Nearest": {"sharpness": 51}}, "Nearest.sharpness on digits cannot be 51; choose from 0.5 to 50."),
        (
            {"Farthest": {"kind": "mean"}},
            "--set (in Python: pins=) names the model 'Farthest', which is not part of this run: Nearest.",
        ),
    ],
)
def test_plan_pin_that_cannot_be_is_refused(planned, pins, words):
    with pytest.raises(UsageError) as caught:
        planned((fault("Nearest"),), ("digits",), pins=pins)
    assert str(caught.value) == words


def test_plan_pin_is_part_of_the_studies_whose_space_has_it(planned):
    pins = {"TwoSpaces": {"depth": 2, "units": 16}}
    ten, two = planned((fault("TwoSpaces"),), ("digits", dataset("Waves")), pins=pins).studies
    assert (ten.pins, two.pins) == ({"depth": 2, "units": 16}, {"units": 16})


@pytest.mark.parametrize(
    ("pins", "words"),
    [
        (
            {"units": 48},
            "TwoSpaces.units on Waves cannot be 48. Choose from 16, 32. On digits it can: add -d digits "
            "(in Python: dataset='digits').",
        ),
        ({"units": 64}, "TwoSpaces.units on digits cannot be 64. Choose from 16, 48."),
        ({"depth": 9}, "TwoSpaces.depth on digits cannot be 9; choose from 1 to 3."),
        (
            {"width": 1},
            "Model 'TwoSpaces' has no parameter 'width' on digits, Waves. "
            "Its parameters: depth, kind, sharpness, units.",
        ),
    ],
)
def test_plan_pin_that_one_of_two_spaces_refuses_is_refused_with_advice(planned, pins, words):
    with pytest.raises(UsageError) as caught:
        planned((fault("TwoSpaces"),), ("digits", dataset("Waves")), pins={"TwoSpaces": pins})
    assert str(caught.value) == words


def test_plan_pin_of_a_model_without_any_space_is_left_alone(planned):
    (study,) = planned((fault("ImageOnly"),), (dataset("Waves"),), pins={"ImageOnly": {"depth": 2}}).studies
    assert (study.failure.category, study.pins) == ("data", {})


@pytest.mark.parametrize(
    ("value", "space"), [(0.5, LINEAR), (50, LINEAR), (1, WHOLE), (3, WHOLE), ("relu", CHOICE), (1, CHOICE)]
)
def test_pin_that_could_be_drawn_passes(value, space):
    check_pin("m.p", value, space)


@pytest.mark.parametrize(
    ("value", "space"),
    [
        *[(0.4, LINEAR), (True, LINEAR), ("1", LINEAR), (None, LINEAR), (float("nan"), LINEAR)],
        *[(1.5, WHOLE), (4, WHOLE), (True, WHOLE), (1.0, CHOICE), ("tanh", CHOICE), (False, CHOICE)],
    ],
)
def test_pin_that_could_not_be_drawn_is_refused(value, space):
    with pytest.raises(UsageError, match=r"m\.p cannot be"):
        check_pin("m.p", value, space)


def test_pin_reaches_every_trial_and_refit(runner, tmp_path):
    results, folder = compare_with(runner, tmp_path, pins={"Nearest": {"kind": "median"}})
    (study,) = results.studies
    assert {trial.params["kind"] for trial in study.trials} == {"median"}
    assert study.best_params["kind"] == "median"
    assert study.pinned == {"kind": "median"}
    import optuna

    storage = optuna.storages.RDBStorage(f"sqlite:///{folder / 'study.db'}")
    told = optuna.load_study(study_name="Nearest--digits", storage=storage).trials
    storage.engine.dispose()
    assert [set(trial.params) for trial in told] == [{"sharpness"}] * 3


def test_plan_names_of_run_directories_do_not_collide(planned, tmp_path):
    first = planned((fault("Nearest"),), ("digits",))
    first.folder.mkdir()
    (tmp_path / f"{first.run_id}-2").mkdir()
    assert planned((fault("Nearest"),), ("digits",)).run_id not in {first.run_id, f"{first.run_id}-2"}


def test_plan_interrupted_while_data_load_ends_the_children(monkeypatch, tmp_path):
    from nncompare.execution.runner import LocalRunner

    with LocalRunner() as own:

        def interrupted(*_arguments):
            raise KeyboardInterrupt

        monkeypatch.setattr("nncompare.loading.load_dataset", interrupted)
        with pytest.raises(KeyboardInterrupt):
            load_datasets(["digits"], RunConfig(), discover(DATASETS), own, tmp_path)
        assert own.stopping


def test_plan_fallback_is_noticed(runner, tmp_path, monkeypatch):
    heard = []
    monkeypatch.setitem(runner.fallbacks, "jax", "it leaves 3 threads after its import")
    config = RunConfig(models=(fault("Nearest"),), datasets=("digits",), out=tmp_path)
    make_plan(config, runner, heard.append)
    assert Notice(
        "Trials of jax models start in fresh interpreters, which is slower: it leaves 3 threads after its import.",
        "warning",
    ) in [event for event in heard if isinstance(event, Notice)]


def test_plan_has_each_pair_once_where_a_good_and_a_refused_plugin_share_a_name(runner, tmp_path, monkeypatch):
    good = PluginRef("net", MODELS, fault("Nearest"), "shop", "1.0")
    problems = [
        PluginProblem("net", "rival 2.0", "Its entry point is wrong."),
        PluginProblem("ruin", "ruin 1.0", "Its entry points cannot be read.", is_plugin=False),
        PluginProblem("lost", "rival 2.0", "Its entry point is wrong."),
    ]
    monkeypatch.setattr(
        "nncompare.planning.discover",
        lambda group, source: Catalog({"net": good}, problems) if group == MODELS else discover(group, source),
    )
    notices = []
    plan = make_plan(RunConfig(datasets=("digits",), out=tmp_path), runner, notices.append)
    assert [(study.model, study.failure is None) for study in plan.studies] == [("net", True), ("lost", False)]
    assert [notice.text for notice in notices] == [
        "net of rival 2.0 is not used. Its entry point is wrong.",
        "ruin of ruin 1.0 is not used. Its entry points cannot be read.",
    ]


def test_plan_refuses_defaults_that_leave_a_name_out(runner, tmp_path):
    plan = make_plan(RunConfig(models=(fault("HalfDefaults"),), datasets=("digits",), out=tmp_path), runner)
    (study,) = plan.studies
    assert study.broken
    assert "default_params() has no value for 'kind'" in study.failure.message


def test_plan_on_a_full_disk_is_an_error_of_storage_and_not_of_the_plugin(planned, runner, monkeypatch):
    run, full = runner.run, Failure(category="disk", message="Cannot write 'x'. OSError: No space left on device.")

    def run_on_a_full_disk(spec, *handler):
        is_describe = isinstance(spec, DescribeSpec)
        return DescribeAnswer(status="failed", failure=full) if is_describe else run(spec, *handler)

    monkeypatch.setattr(runner, "run", run_on_a_full_disk)
    with pytest.raises(StorageError, match=r"^Cannot write 'x'"):
        planned((fault("Nearest"),), ("digits",), n_trials=2)
