"""The preprocessing of a model as ONNX operations: from the data as they are to what the model takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, ValueInfoProto, helper, numpy_helper

from nncompare.data.column_table import ColumnTable
from nncompare.data.conversion import Conversion
from nncompare.data.dense import DenseConversion
from nncompare.data.records import Array, Column
from nncompare.portable.card_code import as_trained
from nncompare.portable.formats import MISSING
from nncompare.portable.raw import as_columns

__all__ = ["BATCH", "INPUT", "SAMPLES", "onnx_inputs", "onnx_preprocessing"]

INPUT, SAMPLES, BATCH = "X", "preprocessing/samples", "n_samples"
_TEXT_MODELS = "ai.onnx.ml"


class _Graph:
    """Nodes and constants under names that no column of a table has."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add an operation and return the name of its output."""
        name = f"preprocessing/{len(self.nodes)}/{kind}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, domain=domain, **attributes))
        return name

    def constant(self, values: Array) -> str:
        """Add an array and return its name."""
        name = f"preprocessing/constant/{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values, name))
        return name


def onnx_preprocessing(conversion: Conversion, opsets: Mapping[str, int], ir_version: int) -> ModelProto:
    """Return a graph from raw samples to ``SAMPLES``, the converted ones.

    Parameters
    ----------
    conversion : Conversion
        Of arrays, or of a table with named columns.
    opsets : mapping of str to int
        Versions of the operations, those of the model that it is put before.
    ir_version : int
        Likewise.

    Returns
    -------
    onnx.ModelProto
        Of arrays with the input ``X``, in their shape and dtype. Of a table with an input of shape (n, 1) for each
        column, which has its name: float64 for numbers, with NaN for what is missing, and text for categories;
        a single space is missing, and any other text counts as a rare category.
    """
    graph = _Graph()
    if isinstance(conversion, ColumnTable):
        inputs = [_column(column) for column in conversion.native.columns]
        last = _columns(graph, conversion)
    elif isinstance(conversion, DenseConversion):
        dtype = helper.np_dtype_to_tensor_dtype(np.dtype(conversion.native.dtype))
        inputs = [helper.make_tensor_value_info(INPUT, dtype, [BATCH, *(conversion.native.sample_shape or ())])]
        last = _dense(graph, conversion)
    else:
        raise TypeError(f"No ONNX operations for {type(conversion).__name__}")
    graph.nodes.append(helper.make_node("Identity", [last], [SAMPLES], name="preprocessing/end"))
    dtype = helper.np_dtype_to_tensor_dtype(np.dtype(conversion.dtype))
    output = helper.make_tensor_value_info(SAMPLES, dtype, [BATCH, *(conversion.sample_shape or ())])
    made = helper.make_graph(graph.nodes, "preprocessing", inputs, [output], graph.constants)
    versions = [helper.make_opsetid(domain, version) for domain, version in opsets.items()]
    return helper.make_model(made, opset_imports=versions, ir_version=ir_version)


def onnx_inputs(conversion: Conversion, X: Any) -> dict[str, Array]:
    """Return samples as the inputs of :func:`onnx_preprocessing`, a table as its model card does.

    Parameters
    ----------
    conversion : Conversion
    X : ndarray, or DataFrame where the table names its columns
    """
    if not conversion.native.columns:
        return {INPUT: np.asarray(X)}
    rows = as_trained(X, as_columns(conversion.native.columns))
    return {
        column.name: rows[[column.name]].to_numpy("float64")
        if column.categories is None
        else rows[[column.name]].fillna(MISSING).to_numpy(object)
        for column in conversion.native.columns
    }


def _column(column: Column) -> ValueInfoProto:
    kind = TensorProto.DOUBLE if column.categories is None else TensorProto.STRING
    return helper.make_tensor_value_info(column.name, kind, [BATCH, 1])


def _shaped(graph: _Graph, samples: str, shape: Sequence[int]) -> str:
    return graph.add("Reshape", samples, graph.constant(np.array([0, *shape], dtype=np.int64)))


def _dense(graph: _Graph, conversion: DenseConversion) -> str:
    """Add what :class:`~nncompare.data.dense.DenseConversion` does."""
    if conversion.mean.size:
        flat = graph.add("Flatten", graph.add("Cast", INPUT, to=TensorProto.FLOAT), axis=1)
        centred = graph.add("Sub", flat, graph.constant(conversion.mean.astype(np.float32)))
        scaled = graph.add("Div", centred, graph.constant(conversion.deviation.astype(np.float32)))
        return _shaped(graph, scaled, conversion.sample_shape)
    if (conversion.native.view, conversion.view) == ("image", "sequence"):
        steps = _shaped(graph, graph.add("Cast", INPUT, to=TensorProto.FLOAT), conversion.sample_shape)
        return graph.add("Mul", steps, graph.constant(np.array(conversion.native.scale, dtype=np.float32)))
    return INPUT


def _columns(graph: _Graph, table: ColumnTable) -> str:
    """Add what :class:`~nncompare.data.column_table.ColumnTable` does."""
    parts = [part for part in (_numbers(graph, table), _categories(graph, table)) if part]
    return _shaped(graph, graph.add("Concat", *parts, axis=1), table.sample_shape)


def _numbers(graph: _Graph, table: ColumnTable) -> str:
    """Add filling, indicators of gaps and standardisation; return nothing where no column holds numbers."""
    names = [column.name for column in table.native.columns if column.categories is None]
    if not names:
        return ""
    found = graph.add("Concat", *names, axis=1)
    missing = graph.add("IsNaN", found)
    filled = graph.add("Where", missing, graph.constant(table.median), found)
    if table.gaps.size:
        gaps = graph.add(
            "Gather", graph.add("Cast", missing, to=TensorProto.DOUBLE), graph.constant(table.gaps), axis=1
        )
        filled = graph.add("Concat", filled, gaps, axis=1)
    centred = graph.add("Sub", filled, graph.constant(table.mean))
    scaled = graph.add("Div", centred, graph.constant(table.deviation))
    return graph.add("Cast", scaled, to=TensorProto.FLOAT)


def _categories(graph: _Graph, table: ColumnTable) -> str:
    """Add one column for each category, 1 where a row has it; return nothing where no column holds categories."""
    places = graph.constant(np.arange(int(table.width[0]), dtype=np.int64))
    start, chosen = 0, []
    for column in table.native.columns:
        if column.categories is None:
            continue
        n_known = len(column.categories)
        known = {name: code for code, name in enumerate(column.categories)} | {MISSING: n_known + 1}
        code = graph.add(
            "LabelEncoder",
            column.name,
            domain=_TEXT_MODELS,
            keys_strings=list(known),
            values_int64s=list(known.values()),
            default_int64=n_known,  # the position of what is none of them
        )
        place = graph.add("Gather", graph.constant(table.place[start : start + n_known + 2]), code)
        chosen.append(graph.add("Cast", graph.add("Equal", place, places), to=TensorProto.FLOAT))
        start += n_known + 2
    return graph.add("Sum", *chosen) if chosen else ""
