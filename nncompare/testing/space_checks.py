"""Checks of the search space of a model plugin, its default configuration and that for tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nncompare.data.records import DataSpec
from nncompare.exceptions import PluginError
from nncompare.execution.plugins import check_params
from nncompare.execution.spaces import N_DRAWS, RecordingTrial
from nncompare.plugin import ModelPlugin, Params, TrialPruned
from nncompare.testing.calling import plugin_errors
from nncompare.testing.keras_checks import is_keras
from nncompare.testing.outcomes import BuildsOn, CheckFailedError, sentence
from nncompare.testing.problems import make_problem, take_rows
from nncompare.testing.subject import ModelSubject

N_TRIED_ELSEWHERE = 10
"""Draws that are tried in each view but the first, in which all are."""
ALLOWED = (type(None), bool, int, float, str)
"""What choices can be, so that every storage of a search holds them."""
N_ROWS = 40
"""Of the training that a drawn configuration has to survive."""


class DrawingTrial(RecordingTrial):
    """Draws like its base, refuses questions without an answer, and remembers each question."""

    def __init__(self, number: int, values: Params | None = None) -> None:
        super().__init__(number, values)
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """Return a float from ``[low, high]``."""
        self._note(name, {"type": "float", "low": low, "high": high, "step": step, "log": log})
        return super().suggest_float(name, low, high, step=step, log=log)

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """Return an integer from ``[low, high]``."""
        self._note(name, {"type": "int", "low": low, "high": high, "step": step, "log": log})
        return super().suggest_int(name, low, high, step=step, log=log)

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Return one of ``choices``."""
        self._note(name, {"type": "categorical", "choices": list(choices)})
        return super().suggest_categorical(name, choices)

    def _note(self, name: str, asked: dict[str, Any]) -> None:
        fault = _fault(asked)
        if fault:
            raise CheckFailedError(f"suggest_params() asks for '{name}' with {fault}")
        self.asked.append((name, asked))


@dataclass(frozen=True, slots=True)
class Draw:
    """One configuration, and the questions by which it came about."""

    number: int
    params: Any
    asked: list[tuple[str, dict[str, Any]]]


def check_space_is_searchable(subject: ModelSubject) -> None:
    """Each range and list has a value, and a name is always asked for in the same way with the same choices."""
    for view, spec in _specs(subject):
        kinds: dict[str, tuple[str, Any]] = {}
        for draw in draw_space(subject, spec):
            first = dict(reversed(draw.asked))
            for name, asked in draw.asked:
                if asked != first[name] and asked["type"] == first[name]["type"] != "categorical":
                    raise CheckFailedError(
                        f"suggest_params() asks for '{name}' twice with different ranges on view '{view}', and "
                        "gets one value for both. Use another name for the other."
                    )
                kind = asked["type"], asked.get("choices")
                if kinds.setdefault(name, kind) != kind:
                    raise CheckFailedError(
                        f"suggest_params() asks for '{name}' as {_words(kinds[name])} and as {_words(kind)} "
                        f"on view '{view}'; one study can search one of them. Use another name for the other."
                    )


def check_space_is_json(subject: ModelSubject) -> None:
    """Each configuration that ``suggest_params`` returns is a dict of JSON values."""
    for _, spec in _specs(subject):
        for draw in _draws(subject, spec):
            try:
                check_params(draw.params)
            except PluginError as error:
                raise CheckFailedError(sentence(f"suggest_params(), draw {draw.number}: {error}")) from error


def check_space_repeats(subject: ModelSubject) -> None:
    """``suggest_params`` depends on the trial's answers alone: the same answers give the same configuration."""
    for view, spec in _specs(subject):
        for first, again in zip(_draws(subject, spec), draw_space(subject, spec), strict=True):
            if (first.params, first.asked) != (again.params, again.asked):
                raise CheckFailedError(
                    f"suggest_params() returned {again.params} on view '{view}' where the same trial got "
                    f"{first.params} before. Ask the trial for everything that varies."
                )


def check_every_draw_is_accepted(subject: ModelSubject) -> None:
    """Each of 50 random configurations is accepted by ``build`` of a Keras plugin, by ``fit`` of any other.

    In each accepted view but the first, 10 of them are tried.
    """
    subject.reference()
    plugin = subject.plugin()
    for position, (view, data) in enumerate(_specs(subject)):
        if position and not _is_accepted(subject, data):
            continue
        spec = data if is_keras(plugin) else replace(data, n_train=N_ROWS)  # of the rows that are fitted
        tried: list[Params] = []
        for draw in _draws(subject, spec)[: N_TRIED_ELSEWHERE if position else None]:
            if not isinstance(draw.params, dict):
                raise BuildsOn("check_space_is_json")
            if draw.params in tried:
                continue
            tried.append(draw.params)
            try:
                _try_out(subject, plugin, spec, draw.params)
            except CheckFailedError as error:
                raise CheckFailedError(
                    f"Draw {draw.number} of the search space on view '{view}' cannot be used: {error} "
                    "Or keep it out of suggest_params()."
                ) from error


def check_default_params_lie_in_the_space(subject: ModelSubject) -> None:
    """``default_params`` has a JSON value for each name that ``suggest_params`` asks for, inside of its range."""
    for view, spec in _specs(subject):
        _draws(subject, spec)
        with plugin_errors("default_params()", "It returns a configuration for any data that the plugin accepts"):
            defaults = subject.plugin().default_params(spec)
        where = f"default_params() on view '{view}'"
        for name, asked in _asked(subject, spec, defaults, where, "the default values"):
            _check_inside(where, name, asked, defaults)


def check_test_params(subject: ModelSubject) -> None:
    """``test_params`` returns a JSON value for each name that ``suggest_params`` asks for, in its range or not."""
    for view, spec in _specs(subject):
        _draws(subject, spec)
        params = subject.test_params(spec)
        where = f"test_params() on view '{view}'"
        asked = _asked(subject, spec, params, where, "the values of test_params()")
        missing = [name for name, _ in asked if name not in params]
        if missing:
            raise CheckFailedError(
                f"{where} has no value for '{missing[0]}', which suggest_params() asks for. Give one."
            )


def check_error_messages_name_the_parameter(subject: ModelSubject) -> None:
    """Where a parameter is missing, ``fit`` works without it or raises an error whose message has its name."""
    subject.reference()
    problem = subject.problem()
    train, valid = (take_rows(part, np.arange(N_ROWS)) for part in (problem.train, problem.valid))
    params = subject.test_params(train.spec)
    for name in params:
        rest = {other: value for other, value in params.items() if other != name}
        try:
            subject.fit(train, valid, params=rest, max_epochs=1, on_report=lambda _report: False)
        except TrialPruned:
            continue
        except CheckFailedError as error:
            said = str(error.__cause__) if error.__cause__ is not None else str(error)
            if name not in said:
                raise CheckFailedError(
                    f"Without the parameter '{name}' fit() raised {type(error.__cause__).__name__} with the "
                    f"message {said!r:.200}, which does not name it. Say which parameter is missing."
                ) from error


def draw_space(subject: ModelSubject, spec: DataSpec) -> list[Draw]:
    """Return what ``suggest_params`` makes of 50 trials with random answers."""
    plugin = subject.plugin()
    found = []
    for number in range(1, N_DRAWS + 1):
        trial = DrawingTrial(number)
        with plugin_errors("suggest_params()", "It asks the trial it is given and returns a configuration"):
            params = plugin.suggest_params(trial, spec)
        found.append(Draw(number, params, trial.asked))
    return found


def _asked(
    subject: ModelSubject, spec: DataSpec, params: Params, where: str, answers: str
) -> list[tuple[str, dict[str, Any]]]:
    """Return what ``suggest_params`` asks for where it gets a configuration for answers, which has to be JSON."""
    try:
        check_params(params)
    except PluginError as error:
        raise CheckFailedError(sentence(f"{where}: {error}")) from error
    trial = DrawingTrial(0, params)
    with plugin_errors("suggest_params()", f"It has to take {answers} for answers"):
        subject.plugin().suggest_params(trial, spec)
    return trial.asked


def _draws(subject: ModelSubject, spec: DataSpec) -> list[Draw]:
    try:
        return draw_space(subject, spec)
    except CheckFailedError as error:
        raise BuildsOn("check_space_is_searchable") from error


def _specs(subject: ModelSubject) -> list[tuple[str, DataSpec]]:
    """Return each accepted view with what data in it are like."""
    specs = [make_problem(view, sparse=sparse).spec for view, sparse in subject.views()]
    return [(f"{spec.view}, sparse" if spec.sparse else spec.view, spec) for spec in specs]


def _is_accepted(subject: ModelSubject, spec: DataSpec) -> bool:
    """Tell whether the default configuration trains in a view; where not, check_accepts_its_views says so."""
    try:
        subject.accepted(spec.view, spec.sparse)
    except CheckFailedError:
        return False
    return True


def _fault(asked: dict[str, Any]) -> str:
    """Say why a question has no answer; empty where it has one."""
    if asked["type"] == "categorical":
        if not asked["choices"]:
            return "no choices: no value can be drawn."
        wrong = [choice for choice in asked["choices"] if not isinstance(choice, ALLOWED)]
        kinds = "only None, bool, int, float and str can be. Search names, and look up under them what they mean."
        return f"{wrong[0]!r:.100} as a choice; {kinds}" if wrong else ""
    low, high = asked["low"], asked["high"]
    if not low <= high:
        return f"the range from {low} to {high}: no value can be drawn."
    if asked["log"] and not low > 0:
        return f"log=True and the low end {low}: no value can be drawn."
    return "log=True and a step: no value can be drawn." if asked["log"] and asked["step"] not in (None, 1) else ""


def _words(kind: tuple[str, Any]) -> str:
    return f"a {kind[0]}" if kind[1] is None else f"one of {kind[1]}"


def _check_inside(what: str, name: str, asked: dict[str, Any], values: Params) -> None:
    """Check that ``values`` has an answer to what was asked."""
    if name not in values:
        raise CheckFailedError(
            f"{what} has no value for '{name}', which suggest_params() asks for. "
            "Trial 0 is the default configuration: give one."
        )
    value = values[name]
    if asked["type"] == "categorical":
        inside, space = value in asked["choices"], f"one of {asked['choices']}"
    else:
        number = isinstance(value, int if asked["type"] == "int" else int | float) and not isinstance(value, bool)
        inside = number and asked["low"] <= value <= asked["high"]
        space = f"{'an integer' if asked['type'] == 'int' else 'a number'} from {asked['low']} to {asked['high']}"
    if not inside:
        raise CheckFailedError(
            f"{what} has {name}={json.dumps(value)}, and suggest_params() searches {space}. Make both agree."
        )


def _try_out(subject: ModelSubject, plugin: ModelPlugin, spec: DataSpec, params: Params) -> None:
    """Build a Keras model; train anything else for one epoch on a few rows."""
    if is_keras(plugin):
        from nncompare.frameworks.keras_training import take_raw_samples

        with plugin_errors(f"build() with {params}", "It has to build from each configuration"):
            take_raw_samples(plugin.build(params, spec), spec)  # type: ignore[attr-defined]
            plugin.optimizer(params)  # type: ignore[attr-defined]
        return
    problem = make_problem(spec.view, sparse=spec.sparse)
    train, valid = (take_rows(part, np.arange(N_ROWS)) for part in (problem.train, problem.valid))
    subject.fit(train, valid, plugin=plugin, params=dict(params), max_epochs=1)
