"""All checks, in the order in which they run and are listed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from nncompare.exceptions import UsageError
from nncompare.plugin import DatasetPlugin, ModelPlugin
from nncompare.testing import dataset_checks as data
from nncompare.testing import declaration_checks as declarations
from nncompare.testing import keras_checks as keras
from nncompare.testing import learning_checks as learning
from nncompare.testing import parameter_checks as parameters
from nncompare.testing import prediction_checks as predictions
from nncompare.testing import report_checks as reports
from nncompare.testing import size_checks as size
from nncompare.testing import space_checks as space
from nncompare.testing import training_checks as training
from nncompare.testing.dataset_subject import DatasetSubject
from nncompare.testing.outcomes import CheckFailedError
from nncompare.testing.subject import ModelSubject

__all__ = [
    "DATASET_CHECKS",
    "MODEL_CHECKS",
    "Check",
    "Subject",
    "building_on",
    "checks_of",
    "expected_failures",
    "select",
    "summary",
]

Subject: TypeAlias = ModelSubject | DatasetSubject
Check: TypeAlias = Callable[[Any], None]


_NEVER_EXCUSED = frozenset(
    {
        "check_constructs_without_arguments",
        "check_tags",
        "check_info",
        "check_expected_failures",
        "check_space_is_searchable",
        "check_space_is_json",
        "check_trains",
        "check_predicts",
        "check_probabilities_have_shape_and_dtype",
        "check_probabilities_sum_to_one",
        "check_predictions_repeat",
        "check_rows_keep_their_order",
        "check_loads",
        "check_labels_in_range",
    }
)
"""What every family can have, and what most others build on: to excuse one of these would excuse them all."""


_WITHOUT_AN_OBJECT = frozenset(
    {"check_tags", "check_default_dataset_is_installed", "check_info", "check_expected_failures"}
)
"""Those that look at the class alone."""


_WITHOUT_PREDICTIONS = frozenset(
    {
        "check_every_draw_is_accepted",
        "check_error_messages_name_the_parameter",
        "check_leaves_its_arguments_alone",
        "check_leaves_global_random_state_alone",
        "check_leaves_environment_alone",
        "check_initial_weights_follow_the_seed",
        "check_respects_n_threads",
        "check_works_without_validation",
        "check_reports_every_epoch",
        "check_pruning_passes_through",
        "check_uses_the_given_validation_part",
        "check_n_parameters",
    }
)
"""Those that train and do not call ``predict_proba``."""


def check_expected_failures(subject: Subject) -> None:
    """``expected_failures`` maps names of checks to reasons, and names none that every plugin has to pass."""
    names = [check.__name__ for check in checks_of(subject.cls)]
    found = getattr(subject.cls, "expected_failures", {})
    if not isinstance(found, Mapping):
        raise CheckFailedError(
            f"expected_failures is of type {type(found).__name__}. A dict is expected, of names of checks with a "
            "reason for each."
        )
    for name, reason in found.items():
        if name not in names:
            near = _nearest(str(name), names)
            raise CheckFailedError(f"expected_failures names '{name}', which is no check. {near}")
        if not _is_reason(reason):
            raise CheckFailedError(f"expected_failures gives no reason for '{name}'. Say why it cannot hold.")
        if name in _NEVER_EXCUSED:
            raise CheckFailedError(
                f"expected_failures names '{name}', which has to hold for every plugin: other checks build on it. "
                "Take it out, and mend the plugin where it fails."
            )


MODEL_CHECKS: tuple[Check, ...] = (
    declarations.check_constructs_without_arguments,
    declarations.check_tags,
    declarations.check_default_dataset_is_installed,
    check_expected_failures,
    space.check_space_is_searchable,
    space.check_space_is_json,
    space.check_space_repeats,
    space.check_default_params_lie_in_the_space,
    space.check_test_params,
    training.check_trains,
    training.check_predicts,
    space.check_every_draw_is_accepted,
    space.check_error_messages_name_the_parameter,
    parameters.check_every_parameter_matters,
    training.check_accepts_its_views,
    training.check_takes_read_only_maps,
    training.check_leaves_its_arguments_alone,
    training.check_leaves_global_random_state_alone,
    training.check_leaves_environment_alone,
    training.check_same_seed_same_predictions,
    training.check_other_seed_other_predictions,
    keras.check_initial_weights_follow_the_seed,
    training.check_fits_are_independent,
    training.check_trains_on_the_training_part_only,
    training.check_respects_deadline,
    training.check_respects_n_threads,
    reports.check_works_without_validation,
    reports.check_respects_max_epochs,
    reports.check_reports_every_epoch,
    reports.check_pruning_passes_through,
    reports.check_uses_the_given_validation_part,
    reports.check_keeps_the_best_epoch,
    predictions.check_probabilities_have_shape_and_dtype,
    predictions.check_probabilities_sum_to_one,
    predictions.check_far_samples_have_probabilities,
    predictions.check_predictions_repeat,
    predictions.check_rows_keep_their_order,
    predictions.check_one_row_equals_its_row_in_a_batch,
    predictions.check_many_rows_equal_their_rows_in_a_batch,
    predictions.check_predicting_leaves_samples_alone,
    predictions.check_takes_unseen_words,
    size.check_n_parameters,
    predictions.check_saves_and_loads_in_a_fresh_process,
    learning.check_two_classes,
    learning.check_ten_classes,
    learning.check_class_missing_in_a_batch,
    learning.check_class_missing_in_training,
    learning.check_one_sample_in_the_last_batch,
    learning.check_learns_a_trivial_problem,
    learning.check_beats_the_majority_class,
    learning.check_columns_follow_class_codes,
)

DATASET_CHECKS: tuple[Check, ...] = (
    data.check_constructs_without_arguments,
    data.check_info,
    check_expected_failures,
    data.check_loads,
    data.check_pictures_are_scaled,
    data.check_target_is_no_column,
    data.check_sizes_match,
    data.check_labels_in_range,
    data.check_class_names_match,
    data.check_parts_are_disjoint,
    data.check_fingerprint_is_stable,
    data.check_load_leaves_global_state_alone,
    data.check_works_without_a_network,
)


def checks_of(cls: type) -> tuple[Check, ...]:
    """Return the checks for a class of plugins.

    Raises
    ------
    UsageError
        It is neither a model nor a data set plugin.
    """
    if issubclass(cls, ModelPlugin):
        return MODEL_CHECKS
    if issubclass(cls, DatasetPlugin):
        return DATASET_CHECKS
    raise UsageError(
        f"'{cls.__name__}' is no plugin: derive it from nncompare.plugin.ModelPlugin or DatasetPlugin."
    )


def select(names: Iterable[str], checks: Iterable[Check]) -> tuple[Check, ...]:
    """Return the checks of these names, all where there are none.

    Raises
    ------
    UsageError
        There is no check of that name, or it is one of the other kind of plugins.
    """
    known = {check.__name__: check for check in checks}
    wanted = list(names)
    for name in wanted:
        if name not in known:
            raise UsageError(_unknown(name, list(known)))
    return tuple(check for name, check in known.items() if name in wanted or not wanted)


def expected_failures(cls: type) -> Mapping[str, str]:
    """Return what the plugin says cannot hold for it, without what has to hold for every plugin."""
    found = getattr(cls, "expected_failures", {})
    if not isinstance(found, Mapping):
        return {}
    return {name: why for name, why in found.items() if name not in _NEVER_EXCUSED and _is_reason(why)}


def building_on(name: str, checks: Iterable[Check]) -> frozenset[str]:
    """Return the names of those checks that cannot be carried out where this one crashed or hung."""
    names = [check.__name__ for check in checks]
    if name == "check_constructs_without_arguments":
        return frozenset(names) - {name, *_WITHOUT_AN_OBJECT}
    if name == "check_space_is_searchable":
        first = names.index("check_trains")
        return frozenset(names[names.index(name) + 1 : first]) | {"check_every_draw_is_accepted"}
    if name == "check_trains":
        return frozenset(names[names.index(name) + 1 :])
    if name == "check_works_without_validation":
        return frozenset({"check_respects_max_epochs"})
    if name == "check_predicts":
        return frozenset(names[names.index(name) + 1 :]) - _WITHOUT_PREDICTIONS
    if name == "check_loads":
        return frozenset(names[names.index(name) + 1 :]) - {"check_works_without_a_network"}
    return frozenset()


def summary(check: Check) -> str:
    """Return the property that a check stands for, in one line."""
    return (inspect.getdoc(check) or "").partition("\n")[0]


def _unknown(name: str, names: list[str]) -> str:
    for kind, checks in (("models", MODEL_CHECKS), ("data sets", DATASET_CHECKS)):
        if name in [check.__name__ for check in checks]:
            return f"'{name}' is a check of {kind}, which this plugin is not. The documentation lists its checks."
    return f"No check is called '{name}'. {_nearest(name, names)}"


def _is_reason(reason: object) -> bool:
    return isinstance(reason, str) and bool(reason.strip())


def _nearest(name: str, names: list[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, names, n=1)
    return f"Did you mean '{near[0]}'?" if near else "The documentation lists all of them."
