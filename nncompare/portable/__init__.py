"""A trained model in a form that other programs load, with its preprocessing and a model card."""

from nncompare.portable.exporting import Exported, export
from nncompare.portable.formats import FORMATS

__all__ = ["FORMATS", "Exported", "export"]
