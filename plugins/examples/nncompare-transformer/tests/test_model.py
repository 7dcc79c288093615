"""The checks that every plugin has to pass; ``nncompare check-plugin transformer`` runs the same ones."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points

from nncompare.testing import parametrize_with_checks

from nncompare_transformer.model import Transformer


@parametrize_with_checks([Transformer])
def test_model(plugin: object, check: Callable[[object], None]) -> None:
    check(plugin)


def test_model_is_found_by_its_name() -> None:
    (found,) = entry_points(group="nncompare.models", name="transformer")
    assert found.load() is Transformer
