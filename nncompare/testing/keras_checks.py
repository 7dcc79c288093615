"""Checks of Keras plugins alone: what ``build`` returns under one seed and another."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from nncompare.data.records import Array, DataSpec
from nncompare.plugin import ModelPlugin, Params
from nncompare.testing.calling import plugin_errors
from nncompare.testing.outcomes import CheckFailedError, SkippedCheck
from nncompare.testing.subject import ModelSubject
from nncompare.testing.watching import preserved

SEED, OTHER_SEED = 1, 2


def check_initial_weights_follow_the_seed(subject: ModelSubject) -> None:
    """``build`` of a Keras plugin gives the same initial weights under the same seed, and others under another.

    Other plugins are skipped: check_other_seed_other_predictions is theirs.
    """
    plugin = subject.plugin()
    if not is_keras(plugin):
        raise SkippedCheck("It is a check of Keras plugins.")
    subject.reference()
    spec = subject.problem().spec
    params = subject.test_params(spec)
    first, again, other = (_initial_weights(plugin, params, spec, seed) for seed in (SEED, SEED, OTHER_SEED))
    if not _equal(first, again):
        raise CheckFailedError(
            f"build() gives two models under seed {SEED} different initial weights. Draw from Keras's "
            "initializers, which fit() has seeded, and keep nothing between two calls."
        )
    if _equal(first, other):
        raise CheckFailedError(
            f"build() gives models under seeds {SEED} and {OTHER_SEED} the same initial weights, so all refits "
            "would start alike and the intervals come out too small. Call no keras.utils.set_random_seed() in "
            "build(), and give initializers no seed: fit() has seeded them."
        )


def is_keras(plugin: ModelPlugin) -> bool:
    """Tell whether the plugin has Keras's base; nobody else has imported that."""
    module = sys.modules.get("nncompare.frameworks.keras")
    return module is not None and isinstance(plugin, module.KerasPlugin)


def built(plugin: Any, params: Params, spec: DataSpec, seed: int = SEED) -> Any:
    """Return what ``build`` of a Keras plugin makes under a seed, ready for raw samples."""
    import keras

    from nncompare.frameworks.keras_training import take_raw_samples

    with plugin_errors(f"build() with {params}", "It has to build from each configuration"), preserved():
        keras.utils.set_random_seed(seed)
        return take_raw_samples(plugin.build(dict(params), spec), spec)


def _initial_weights(plugin: Any, params: Params, spec: DataSpec, seed: int) -> list[Array]:
    return [np.asarray(weight) for weight in built(plugin, params, spec, seed).trainable_weights]


def _equal(first: list[Array], second: list[Array]) -> bool:
    return len(first) == len(second) and all(map(np.array_equal, first, second))
