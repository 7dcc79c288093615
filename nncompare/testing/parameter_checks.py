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
from nncompare.testing.outcomes import BuildsOn, CheckFailedError, SkippedCheck
from nncompare.testing.problems import NOISE
from nncompare.testing.reading import ReadParams
from nncompare.testing.space_checks import DrawingTrial
from nncompare.testing.subject import BRIEF, ENOUGH, ModelSubject
from nncompare.testing.watching import preserved

N_TRIED = 3
"""Other values of a parameter that are tried."""
USED_BY_BASE = ("batch_size", "learning_rate", "learning_rate_decay", "max_length", "weight_average")
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
    or, but with Keras, for one of two random ones, or after 30 epochs on a problem with wrong labels. Where they
    do not, a ``fit`` of the plugin's own is taken at its word: a parameter that it reads may matter on more data,
    so the check is skipped; whether it is read and dropped cannot be told. One that it never reads is a fault.
    A parameter that is not asked for in the test configuration is not looked at.
    """
    subject.reference()
    spec, plugin = subject.problem().spec, subject.plugin()
    answers = subject.test_params(spec)
    bases = [answers]
    if not is_keras(plugin):
        bases += [{**answers, **_ask(plugin, spec, {}, number)[0].answers} for number in (1, 2)]
    trained, unseen = _Trained(subject), []
    for name, asked in dict(_ask(plugin, spec, answers)[0].asked).items():
        if name not in answers or (is_keras(plugin) and name in USED_BY_BASE):
            continue
        others = list(_other_values(asked, answers[name]))
        if not others or _differ(lambda of: _visible(plugin, of, spec), *_variants(plugin, spec, answers, name)):
            continue
        variants = [_variants(plugin, spec, base, name) for base in bases]
        if any(_differ(trained.briefly, *variant) for variant in variants):
            continue
        if _differ(trained.on_noise, *variants[0]):
            continue
        passed_on = any(other != first for first, varied in variants for other in varied)
        if passed_on and _fits_for_itself(plugin) and trained.may_have_read(name):
            unseen.append(name)
            continue
        values = ", ".join(json.dumps(value) for value in [answers[name], *others])
        raise CheckFailedError(
            f"'{name}' is searched and changes nothing: models with the values {values} predict the same. "
            f"Use params[{name!r}], or take it out of suggest_params()."
        )
    if unseen:
        names = " and ".join(f"'{name}'" for name in unseen)
        raise SkippedCheck(
            f"fit() reads {names}, which made no difference on {len(subject.problem().train)} rows; on more "
            "it may."
        )


class _Trained:
    """What trainings of configurations come to, each trained once, and which parameters they read."""

    def __init__(self, subject: ModelSubject) -> None:
        self._subject = subject
        self._kept: dict[tuple[float, str], object] = {}
        self._given: set[str] = set()
        self._read: set[str] = set()

    def briefly(self, params: Params) -> object:
        """Return size and predictions after three epochs on the plain problem; None where it cannot be trained."""
        return self._train(params, 0.0, BRIEF)

    def on_noise(self, params: Params) -> object:
        """Return the same after thirty epochs on a problem that is not separable."""
        return self._train(params, NOISE, ENOUGH)

    def may_have_read(self, name: str) -> bool:
        """Tell whether some training read a parameter, or whether it cannot be told, as of one in another form."""
        return name in self._read or name not in self._given or not self._read

    def _train(self, params: Params, noise: float, max_epochs: int) -> object:
        key = noise, json.dumps(params, sort_keys=True, default=str)
        if key not in self._kept:
            problem = self._subject.problem(noise=noise)
            self._given.update(params)
            given = ReadParams(params, self._read)
            try:
                trained = self._subject.fit(problem.train, problem.valid, params=given, max_epochs=max_epochs)
                found: Array = self._subject.predict(trained, problem.valid.X)
                self._kept[key] = trained.model.n_parameters, np.ascontiguousarray(found).tobytes()
            except CheckFailedError:
                self._kept[key] = None
        return self._kept[key]


def _fits_for_itself(plugin: ModelPlugin) -> bool:
    """Tell whether ``fit`` is the plugin's own, and more than what ``build`` returns may hang on a parameter."""
    return not type(plugin).fit.__module__.startswith("nncompare.frameworks.")


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
