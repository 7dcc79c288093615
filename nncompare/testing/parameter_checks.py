"""Checks that what is searched is used: a parameter that changes nothing wastes the trials spent on it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from nncompare.data.records import Array, DataSpec
from nncompare.plugin import ModelPlugin, Params
from nncompare.testing.calling import plugin_errors
from nncompare.testing.keras_checks import built, is_keras
from nncompare.testing.outcomes import BuildsOn, CheckFailedError
from nncompare.testing.space_checks import DrawingTrial
from nncompare.testing.subject import ModelSubject
from nncompare.testing.watching import preserved

N_TRIED = 3
"""Other values of a parameter that are tried."""
USED_BY_BASE = ("batch_size", "learning_rate", "learning_rate_decay", "max_length")
"""Parameters that KerasPlugin itself uses."""
_NUMBERS = re.compile(r'_\d+(?=")|"shared_object_id": \d+| at 0x[0-9a-f]+')
"""By which Keras tells apart the layers of one process, as in ``dense_3``, and Python its objects."""


class _Asking(DrawingTrial):
    """Remembers its answers, too."""

    def __init__(self, number: int, values: Params | None = None) -> None:
        super().__init__(number, values)
        self.answers: Params = {}

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """Return a float from ``[low, high]``."""
        self.answers[name] = super().suggest_float(name, low, high, step=step, log=log)
        return float(self.answers[name])

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """Return an integer from ``[low, high]``."""
        self.answers[name] = super().suggest_int(name, low, high, step=step, log=log)
        return int(self.answers[name])

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Return one of ``choices``."""
        self.answers[name] = super().suggest_categorical(name, choices)
        return self.answers[name]


def check_every_parameter_matters(subject: ModelSubject) -> None:
    """Each searched parameter, set to other values of its space while the others stay, changes the model.

    What ``build`` returns shows it for most plugins of Keras and scikit-learn: other layers, another optimizer,
    other settings of the estimator. Else ``n_parameters`` or predictions have to change for the test configuration
    or, but with Keras, for one of two random ones. A parameter that is not asked for there is not looked at.
    """
    subject.reference()
    spec, plugin = subject.problem().spec, subject.plugin()
    answers = subject.test_params(spec)
    bases = [answers]
    if not is_keras(plugin):
        bases += [{**answers, **_ask(plugin, spec, {}, number)[0].answers} for number in (1, 2)]
    trained: dict[str, Any] = {}
    for name, asked in dict(_ask(plugin, spec, answers)[0].asked).items():
        if name not in answers or (is_keras(plugin) and name in USED_BY_BASE):
            continue
        others = list(_other_values(asked, answers[name]))
        if not others or _differ(lambda of: _visible(plugin, of, spec), *_variants(plugin, spec, answers, name)):
            continue
        variants = [_variants(plugin, spec, base, name) for base in bases]
        if not any(_differ(lambda of: _trained(subject, of, trained), *variant) for variant in variants):
            values = ", ".join(json.dumps(value) for value in [answers[name], *others])
            raise CheckFailedError(
                f"'{name}' is searched and changes nothing: models with the values {values} predict the same. "
                f"Use params[{name!r}], or take it out of suggest_params()."
            )


def _variants(plugin: ModelPlugin, spec: DataSpec, answers: Params, name: str) -> tuple[Params, list[Params]]:
    """Return the configuration of these answers, and those with another value of one parameter."""
    trial, params = _ask(plugin, spec, answers)
    asked = dict(trial.asked).get(name)
    others = [] if asked is None else _other_values(asked, answers[name])
    return params, [_ask(plugin, spec, {**answers, name: value})[1] for value in others]


def _ask(plugin: ModelPlugin, spec: DataSpec, answers: Params, number: int = 1) -> tuple[_Asking, Params]:
    """Return a trial that gives these answers, random ones where there is none, and what comes of them."""
    trial = _Asking(number, answers)
    try:
        with plugin_errors("suggest_params()", "It has to take values of its space for answers"):
            params = plugin.suggest_params(trial, spec)
    except CheckFailedError as error:
        raise BuildsOn("check_space_is_searchable") from error
    if not isinstance(params, dict):
        raise BuildsOn("check_space_is_json")
    return trial, params


def _other_values(asked: dict[str, Any], value: Any) -> Iterator[Any]:
    """Return some values of a parameter's space that are not ``value``: choices, or ends and middle of a range."""
    if asked["type"] == "categorical":
        found = asked["choices"]
    else:
        low, high, kind = asked["low"], asked["high"], int if asked["type"] == "int" else float
        middle = (low * high) ** 0.5 if asked["log"] else (low + high) / 2
        if asked["step"]:
            middle = low + asked["step"] * round((middle - low) / asked["step"])
        found = [kind(low), kind(high), kind(middle)]
    others = [other for k, other in enumerate(found) if other != value and other not in found[:k]]
    yield from others[:N_TRIED]


def _differ(look: Callable[[Params], Any], params: Params, varied: list[Params]) -> bool:
    """Tell whether something seen of a configuration changes for one of the others; whatever fails, differs."""
    first = look(params)
    return first is not None and any(look(other) != first for other in varied)


def _visible(plugin: Any, params: Params, spec: DataSpec) -> object:
    """Return what an untrained model shows of its configuration; None where it shows nothing.

    Of Keras layers, shapes of weights and optimizer, of scikit-learn the estimator's settings.
    """
    sklearn = sys.modules.get("nncompare.frameworks.sklearn")
    try:
        if is_keras(plugin):
            model = built(plugin, params, spec)
            text = json.dumps([json.loads(model.to_json()), plugin.optimizer(params).get_config()], default=str)
            return _NUMBERS.sub("", text), [tuple(weight.shape) for weight in model.weights]
        if sklearn is not None and isinstance(plugin, sklearn.SklearnPlugin):
            with preserved():
                return _NUMBERS.sub("", repr(sorted(plugin.build(dict(params), spec, 1).get_params().items())))
    except Exception:  # noqa: BLE001 - a layer without get_config, or values that other checks complain of
        return None
    return None


def _trained(subject: ModelSubject, params: Params, kept: dict[str, Any]) -> object:
    """Return size and predictions of a trained model, each configuration once; None where it cannot be trained."""
    key = json.dumps(params, sort_keys=True, default=str)
    if key not in kept:
        problem = subject.problem()
        try:
            trained = subject.fit(problem.train, problem.valid, params=dict(params))
            found: Array = subject.predict(trained, problem.valid.X)
            kept[key] = trained.model.n_parameters, np.ascontiguousarray(found).tobytes()
        except CheckFailedError:
            kept[key] = None
    return kept[key]
