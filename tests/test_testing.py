"""The doors to the kit: a script, pytest, and processes of their own."""

import contextlib
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import nncompare.testing.isolated
from nncompare.exceptions import PluginError, UsageError
from nncompare.registry import DATASETS, MODELS, find
from nncompare.testing import CheckFailedError, CheckResult, check_dataset, check_plugin, parametrize_with_checks
from nncompare.testing.catalog import DATASET_CHECKS, MODEL_CHECKS, building_on, summary
from nncompare.testing.isolated import check_isolated, find_plugin
from nncompare.testing.outcomes import BuildsOn, ProcessLostError, sentence
from nncompare.testing.running import foundations, judge, run_check
from nncompare.testing.size_checks import check_n_parameters
from nncompare.testing.subject import ModelSubject
from nncompare.testing.training_checks import check_trains

from .plugins import dataset_mutants, mutants, unruly

HERE = Path(__file__).parent
CHEAP = ["check_tags", "check_trains"]


def test_check_plugin_returns_a_result_for_each_check():
    told = []
    results = check_plugin(mutants.Softmax, checks=CHEAP, on_result=told.append)
    assert [(r.name, r.status, r.message, r.category) for r in results] == [(n, "passed", "", None) for n in CHEAP]
    assert told == results
    assert all(r.seconds >= 0 for r in results)


def test_check_plugin_takes_objects_and_data_sets_too():
    assert [r.ok for r in check_plugin(mutants.Softmax(), checks=["check_trains"])] == [True]
    assert [r.ok for r in check_plugin(dataset_mutants.Clouds, checks=["check_info"])] == [True]


def test_check_plugin_raises_at_the_end_with_a_line_for_each_failure():
    names = ["check_tags", "check_trains", "check_probabilities_sum_to_one"]
    with pytest.raises(CheckFailedError) as caught:
        check_plugin(mutants.ReturnsLogits, checks=names)
    first, *lines = str(caught.value).splitlines()
    assert first == "'ReturnsLogits' fails 1 of 3 checks."
    (line,) = lines
    assert line.startswith("check_probabilities_sum_to_one: Values of predict_proba() go from -")
    assert line.endswith("Apply a softmax to logits.")
    assert caught.value.exit_code == 3


def test_check_plugin_knows_its_checks():
    with pytest.raises(UsageError, match=r"No check is called 'check_train'\. Did you mean 'check_trains'"):
        check_plugin(mutants.Softmax, checks=["check_train"])
    with pytest.raises(UsageError, match="'str' is no plugin"):
        check_plugin(str)


def test_check_plugin_says_where_a_plugin_raised():
    results = check_plugin(mutants.FewClasses, checks=["check_ten_classes"], on_fail="return")
    assert results[0].message.startswith(
        "fit() on 160 rows of view 'tabular' with 10 classes raised ValueError: n_classes is above 5 (mutants.py:"
    )


def test_check_of_the_default_dataset_names_the_one_that_was_meant_and_can_be_excused():
    name = "check_default_dataset_is_installed"
    (result,) = check_plugin(mutants.NamesNoDataset, checks=[name], on_fail="return")
    words = "tags.default_dataset is 'digitz', and no data set of that name is installed. Did you mean 'digits'?"
    assert result.message.startswith(f"{words} Installed: digits, imdb, ")
    (excused,) = check_plugin(unruly.BringsNoDataset, checks=[name])
    assert (excused.status, excused.message) == ("expected_failure", "Another package brings it.")


def test_messages_end_with_one_full_stop():
    assert [sentence(text) for text in ("It is", "It is.", "Is it?")] == ["It is.", "It is.", "Is it?"]
    passes = judge(CheckResult(name="check_x", status="passed"), {"check_x": "It is hard"})
    assert "it cannot: It is hard. Take it out" in passes.message


def test_skip_for_a_check_that_passes_is_an_error():
    def check_other(_subject):
        raise BuildsOn("check_trains")

    first, second = (ModelSubject(mutants.Softmax) for _ in range(2))
    early = [run_check(check, first) for check in (check_trains, check_other)]
    late = [run_check(check, second) for check in (check_other, check_trains)]
    for told, others in ((early[1], early[0].status), (late[1], late[0].status)):
        assert (told.status, told.category, told.builds_on) == ("error", "internal", None)
        assert told.message.startswith("check_other was skipped because check_trains failed, and that passes")
        assert others in ("passed", "skipped")


def test_check_that_others_were_skipped_for_is_run_and_shown_too():
    name = "check_pruning_passes_through"
    results = check_plugin(mutants.ReturnsADict, checks=[name], on_fail="return")
    assert [(r.name, r.status) for r in results] == [(name, "skipped"), ("check_trains", "failed")]
    report = check_isolated(find(f"{HERE / 'plugins' / 'mutants.py'}:Softmax", MODELS), checks=[name])
    assert foundations(report.results) == []


def test_fault_without_validation_is_charged_once():
    checks = ["check_works_without_validation", "check_respects_max_epochs"]
    assert [c.__name__ for c in MODEL_CHECKS if c.__name__ in checks] == checks
    assert building_on(checks[0], MODEL_CHECKS) == {checks[1]}
    results = check_plugin(mutants.NeedsValidation, checks=checks, on_fail="return")
    assert [(r.status, r.builds_on) for r in results] == [("failed", None), ("skipped", checks[0])]


class TorchLike:
    """What the kit uses of a module of torch: some weights, one of them frozen."""

    def parameters(self):
        return [
            SimpleNamespace(numel=lambda: 30, requires_grad=True),
            SimpleNamespace(numel=lambda: 500, requires_grad=False),
        ]


@pytest.mark.parametrize(("told", "ok"), [(30, True), (530, False), (29, False)])
def test_check_n_parameters_of_a_torch_module_counts_what_requires_a_gradient(told, ok, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(nn=SimpleNamespace(Module=TorchLike)))
    subject = ModelSubject(mutants.Softmax)
    model = mutants.Guessed(subject.reference().model.weights)
    monkeypatch.setattr(mutants.Guessed, "n_parameters", told)
    model.module = TorchLike()
    monkeypatch.setattr(subject, "reference", lambda: SimpleNamespace(model=model))
    with contextlib.nullcontext() if ok else pytest.raises(CheckFailedError, match="has 30 trainable values"):
        check_n_parameters(subject)


def test_check_plugin_of_a_class_in_a_function_says_why_it_cannot_be_loaded():
    class Local(mutants.Softmax):
        pass

    (result,) = check_plugin(Local, checks=["check_saves_and_loads_in_a_fresh_process"], on_fail="return")
    assert result.status == "failed"
    assert "Define it at the top level of a file." in result.message


def test_check_plugin_loads_saved_models_in_another_process():
    (result,) = check_plugin(unruly.LoadsElsewhere, checks=["check_saves_and_loads_in_a_fresh_process"])
    assert result.status == "passed"


def test_check_dataset_raises_too(tmp_path):
    with pytest.raises(CheckFailedError, match=r"check_sizes_match: load\(\) returned 40 training and 10"):
        check_dataset(dataset_mutants.CountsWrong, cache=tmp_path)


def test_checks_are_plain_functions_with_a_property_in_their_first_line():
    for check in (*MODEL_CHECKS, *DATASET_CHECKS):
        assert check.__name__.startswith("check_")
        assert summary(check).endswith(".")
    check_trains(ModelSubject(mutants.Softmax))
    with pytest.raises(CheckFailedError, match="returned an object of type dict"):
        check_trains(ModelSubject(mutants.ReturnsADict))


@pytest.mark.parametrize(
    ("status", "judged", "words"),
    [
        ("passed", "failed", "It passes, and expected_failures says that it cannot: It is deterministic."),
        ("failed", "expected_failure", "It is deterministic."),
        ("skipped", "skipped", ""),
        ("error", "error", ""),
    ],
)
def test_expected_failures_are_strict_and_excuse_no_crash(status, judged, words):
    result = judge(CheckResult(name="check_x", status=status), {"check_x": "It is deterministic."})
    assert (result.status, result.message.startswith(words)) == (judged, True)
    untouched = CheckResult(name="check_y", status=status)
    assert judge(untouched, {"check_x": "It is deterministic."}) == untouched


@parametrize_with_checks([dataset_mutants.Clouds, mutants.Fixed])
def test_parametrized(plugin, check):
    if check.__name__ != "check_saves_and_loads_in_a_fresh_process":  # has its own test, with a warm server
        check(plugin)


def test_parametrize_marks_what_is_expected_to_fail_and_fails_where_it_passes(tmp_path):
    code = f"""
import sys
sys.path.insert(0, {str(HERE.parent)!r})
from nncompare.testing import parametrize_with_checks
from tests.plugins.mutants import ExcusesWhatPasses, Fixed, ReturnsLogits

@parametrize_with_checks([ExcusesWhatPasses, Fixed, ReturnsLogits])
def test_plugins(plugin, check):
    check(plugin)
"""
    (tmp_path / "test_it.py").write_text(code)
    wanted = "check_n_parameters or check_other_seed or check_probabilities_sum or check_takes_unseen"
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", "-k", wanted]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()

    def ended(word, test):
        return any(line.startswith(word) and test in line for line in lines)

    assert "XPASS(strict)" in done.stdout
    assert ended("FAILED", "[ExcusesWhatPasses-check_n_parameters]")
    assert ended("XFAIL", "[Fixed-check_other_seed_other_predictions] - Nothing in it is random.")
    assert ended("FAILED", "[ReturnsLogits-check_probabilities_sum_to_one]")
    assert "3 skipped" in done.stdout
    assert "2 failed" in done.stdout


def isolated(cls, *checks, **options):
    module = sys.modules[cls.__module__]
    ref = find(f"{module.__file__}:{cls.__name__}", MODELS)
    return check_isolated(ref, checks=checks, **options)


@pytest.fixture
def flat(tmp_path):
    """Return the unruly plugins as files that need no package."""
    for name in ("mutants", "unruly"):
        text = (HERE / "plugins" / f"{name}.py").read_text().replace("from .mutants", "from mutants")
        (tmp_path / f"{name}.py").write_text(text)
    return tmp_path


AROUND = ["check_trains", "check_works_without_validation", "check_ten_classes", "check_two_classes"]


@pytest.mark.parametrize(
    ("name", "victim", "category", "words"),
    [
        ("CrashesOnTenClasses", "check_ten_classes", "plugin", "crashed with SIGSEGV"),
        ("HangsWithoutValidation", "check_works_without_validation", "timeout", "did not end within 6 s"),
        ("ExitsWhenAlone", "check_works_without_validation", "plugin", "exit code 0 and left no result"),
    ],
)
def test_isolated_crash_or_hang_costs_that_check_only(flat, name, victim, category, words):
    ref = find(f"{flat / 'unruly.py'}:{name}", MODELS)
    report = check_isolated(ref, checks=AROUND, timeout_s=6 if category == "timeout" else 60)
    by_name = {result.name: result for result in report.results}
    assert set(by_name) == set(AROUND)
    assert {n: r.status for n, r in by_name.items()} == {n: "error" if n == victim else "passed" for n in AROUND}
    assert by_name[victim].category == category
    assert words in by_name[victim].message
    assert (report.kind, report.passed) == ("model", False)


@pytest.mark.parametrize(
    ("name", "victim", "n_skipped"),
    [
        ("CrashesInInit", "check_constructs_without_arguments", len(MODEL_CHECKS) - 4),
        ("CrashesInItsSpace", "check_space_is_searchable", None),
        ("CrashesInFit", "check_trains", None),
    ],
)
def test_isolated_crash_is_told_once_and_skips_what_builds_on_it(flat, name, victim, n_skipped):
    ref = find(f"{flat / 'unruly.py'}:{name}", MODELS)
    wanted = [check.__name__ for check in MODEL_CHECKS]
    if victim == "check_space_is_searchable":
        wanted = wanted[: wanted.index("check_trains") + 1]
    results = check_isolated(ref, checks=wanted).results
    assert [r.name for r in results if r.status == "error"] == [victim]
    skipped = {r.name: r.message for r in results if r.status == "skipped"}
    assert set(skipped.values()) == {f"It builds on {victim}, which could not be carried out."}
    assert set(skipped) == building_on(victim, MODEL_CHECKS) & set(wanted)
    assert n_skipped in (None, len(skipped))


def test_isolated_crash_of_a_data_set_is_told_once_and_what_needs_no_cache_is_checked_all_the_same():
    results = check_isolated(find(f"{dataset_mutants.__file__}:CrashesInLoad", DATASETS)).results
    crashed = [result.name for result in results if result.status == "error"]
    assert crashed == ["check_loads", "check_works_without_a_network"]
    skipped = {result.name: result.message for result in results if result.status == "skipped"}
    assert set(skipped) == building_on("check_loads", DATASET_CHECKS)
    assert set(skipped.values()) == {"It builds on check_loads, which could not be carried out."}
    assert len(skipped) == 8


def test_isolated_load_that_hangs_is_ended_with_its_check(flat):
    ref = find(f"{flat / 'unruly.py'}:HangsInLoad", MODELS)
    wanted = ["check_saves_and_loads_in_a_fresh_process", "check_two_classes"]
    loads, after = check_isolated(ref, checks=wanted, timeout_s=8).results
    assert (loads.status, loads.category, after.status) == ("error", "timeout", "passed")
    seconds = re.match(
        r"In a fresh process: load\(\) or predict_proba\(\) of the saved model did not end within the (\S+) s",
        loads.message,
    )
    assert float(seconds[1]) < 8


RELOAD = "check_saves_and_loads_in_a_fresh_process"
INDEPENDENT = "check_fits_are_independent"


@pytest.mark.parametrize(
    ("name", "check", "category", "words"),
    [
        ("CrashesInLoad", RELOAD, "plugin", "The process crashed with SIGSEGV."),
        ("IsKilledInLoad", RELOAD, "killed", "The process was killed (SIGKILL)"),
        ("ExitsElsewhere", INDEPENDENT, "plugin", "The process ended with exit code 0 and left no result."),
    ],
)
def test_death_of_a_fresh_process_is_an_error_at_each_door_and_excused_at_none(flat, name, check, category, words):
    ref = find(f"{flat / 'unruly.py'}:{name}", MODELS)
    wanted = [check, "check_two_classes"]
    results = check_isolated(ref, checks=wanted).results
    here = check_plugin(getattr(unruly, name), checks=[check], on_fail="return")
    for lost in (*(r for r in results if r.name == check), *here):
        assert (lost.status, lost.category) == ("error", category)
        assert lost.message.startswith(f"In a fresh process: {words}")
    assert [r.status for r in results if r.name != check] == ["passed"]
    (mark,) = next(
        case.marks
        for case in parametrize_with_checks([getattr(unruly, name)]).args[1]
        if case.values[1].__name__ == check
    )
    assert not issubclass(ProcessLostError, mark.kwargs["raises"])


def test_isolated_crash_after_what_hung_in_a_fresh_process_costs_both_checks_and_no_third(flat):
    ref = find(f"{flat / 'unruly.py'}:HangsInLoadAndCrashesOnTwoClasses", MODELS)
    wanted = [RELOAD, "check_two_classes", "check_ten_classes"]
    results = check_isolated(ref, checks=wanted, timeout_s=8).results
    assert [(r.status, r.category) for r in results] == [
        ("error", "timeout"),
        ("error", "plugin"),
        ("passed", None),
    ]


def test_isolated_prediction_that_hangs_costs_one_time_out(flat):
    results = check_isolated(find(f"{flat / 'unruly.py'}:HangsInPredict", MODELS), timeout_s=6).results
    (hung,) = [result for result in results if not result.ok]
    assert (hung.name, hung.category) == ("check_predicts", "timeout")
    told = "It builds on check_predicts, which could not be carried out."
    assert {r.name for r in results if r.message == told} == building_on("check_predicts", MODEL_CHECKS)
    assert sum(result.status == "passed" for result in results) == 21


def test_what_builds_on_check_predicts_is_what_is_skipped_where_it_fails():
    results = check_plugin(mutants.PredictsWithLabels, on_fail="return")
    told = "It builds on check_predicts, which failed."
    silent = {"check_takes_unseen_words"}  # no texts
    assert {r.name for r in results if r.message == told} == building_on("check_predicts", MODEL_CHECKS) - silent


def test_what_builds_on_check_trains_is_what_is_skipped_where_it_fails():
    results = check_plugin(unruly.ExcusesItsFit, on_fail="return")
    told = "It builds on check_trains, which failed."
    silent = {"check_takes_unseen_words", "check_initial_weights_follow_the_seed"}  # no texts, and not Keras
    assert {r.name for r in results if r.message == told} == building_on("check_trains", MODEL_CHECKS) - silent


def test_a_foundation_is_not_excused():
    results = check_plugin(unruly.ExcusesItsFit, on_fail="return")
    failed = {r.name: r.message for r in results if not r.ok}
    assert failed.keys() == {"check_expected_failures", "check_trains"}
    assert "which has to hold for every plugin" in failed["check_expected_failures"]
    assert "not today" in failed["check_trains"]


def test_isolated_results_are_those_of_the_same_checks_in_this_process(flat):
    ref = find(f"{flat / 'mutants.py'}:ReturnsLogits", MODELS)
    told = []
    report = check_isolated(ref, on_result=told.append)
    here = check_plugin(mutants.ReturnsLogits, on_fail="return")
    assert [(r.name, r.status) for r in report.results] == [(r.name, r.status) for r in here]
    assert told == report.results


def test_isolated_plugin_that_cannot_be_imported_is_an_error(tmp_path):
    (tmp_path / "broken.py").write_text("import no_such_library\nclass Broken: pass\n")
    ref = find(f"{tmp_path / 'broken.py'}:Broken", MODELS)
    with pytest.raises(PluginError, match=r"plugin 'Broken' of \(local\) cannot be checked: .*no_such_library"):
        check_isolated(ref)


def test_isolated_import_that_hangs_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(nncompare.testing.isolated, "IMPORT_TIMEOUT_S", 3.0)
    (tmp_path / "slow.py").write_text("import time\ntime.sleep(1e6)\n")
    ref = find(f"{tmp_path / 'slow.py'}:Slow", DATASETS)  # which is not probed before
    with pytest.raises(PluginError, match="its import did not end within 3 s"):
        check_isolated(ref)


def test_find_plugin_finds_models_and_data_sets_and_names_the_nearest():
    assert find_plugin("mlp").group == MODELS
    assert find_plugin("digits").value == "nncompare_plugins.datasets.digits:Digits"
    with pytest.raises(UsageError, match=r"No plugin is called 'digit'\. Did you mean 'digits'"):
        find_plugin("digit")


def test_find_plugin_says_what_is_switched_off(monkeypatch):
    monkeypatch.setenv("NNCOMPARE_DISABLE_PLUGINS", "mlp,digits")
    for name in ("mlp", "digits"):
        with pytest.raises(
            UsageError, match=f"plugin '{name}' of nncompare .* is switched off: .*_DISABLE_PLUGINS"
        ):
            find_plugin(name)
