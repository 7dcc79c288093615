"""A trained model as one ONNX file, its preprocessing in front."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import compose, helper, numpy_helper, utils

from nncompare.data.conversion import Conversion
from nncompare.data.records import Array
from nncompare.portable.onnx_inputs import BATCH, INPUT, SAMPLES, onnx_inputs, onnx_preprocessing

__all__ = ["OUTPUT", "keras_to_onnx", "open_onnx", "sklearn_to_onnx", "write_onnx"]

OUTPUT = "probabilities"
OPSETS = {"": 17, "ai.onnx.ml": 3}
_MODEL = "model/"
_TEXT_MODELS = "ai.onnx.ml"


def write_onnx(model: onnx.ModelProto, conversion: Conversion, class_names: Sequence[str], path: Path) -> None:
    """Write a model with its preprocessing; the file takes raw samples and gives probabilities.

    Its output is called ``OUTPUT``, with a line behind it where a column of the table is.

    Parameters
    ----------
    model : onnx.ModelProto
        From one input of converted samples to one output of shape (n, n_classes), float32.
    conversion : Conversion
    class_names : sequence of str
        Kept in the file's metadata, under ``class_names``, as JSON.
    path : Path
    """
    opsets = {each.domain: each.version for each in model.opset_import}
    if conversion.native.columns and opsets.get(_TEXT_MODELS, 1) < 2:
        # Version 2 changes nothing but the encoder of texts, which a model of numbers does not have.
        opsets[_TEXT_MODELS] = 2
        del model.opset_import[:]
        model.opset_import.extend(helper.make_opsetid(*each) for each in opsets.items())
    before = onnx_preprocessing(conversion, opsets, model.ir_version)
    (given,), (found,) = model.graph.input, model.graph.output
    joined = compose.merge_models(before, model, io_map=[(SAMPLES, given.name)], prefix2=_MODEL)
    output, columns = OUTPUT, {column.name for column in conversion.native.columns}
    while output in columns:
        output += "_"
    joined.graph.node.append(helper.make_node("Identity", [f"{_MODEL}{found.name}"], [output], name=output))
    del joined.graph.output[:]
    joined.graph.output.append(
        helper.make_tensor_value_info(output, onnx.TensorProto.FLOAT, [BATCH, len(class_names)])
    )
    helper.set_model_props(joined, {"class_names": json.dumps(list(class_names))})
    onnx.checker.check_model(joined)
    path.write_bytes(joined.SerializeToString())


def sklearn_to_onnx(estimator: Any, n_features: int, n_classes: int) -> onnx.ModelProto:
    """Return a fitted classifier as a model from float32 (n, n_features) to probabilities of all classes.

    Parameters
    ----------
    estimator : sklearn.base.ClassifierMixin
        Its classes are codes; it may know fewer than ``n_classes``.
    n_features, n_classes : int
    """
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType

    made = convert_sklearn(
        estimator,
        initial_types=[(INPUT, FloatTensorType([None, n_features]))],
        options={id(estimator): {"zipmap": False}},
        target_opset=OPSETS,
    )
    model = utils.Extractor(made).extract_model([INPUT], [OUTPUT])
    if len(estimator.classes_) < n_classes:
        spread = np.eye(n_classes, dtype=np.float32)[estimator.classes_]
        model.graph.initializer.append(numpy_helper.from_array(spread, "spread"))
        model.graph.node.append(helper.make_node("MatMul", [OUTPUT, "spread"], ["spread_probabilities"]))
        model.graph.output[0].name = "spread_probabilities"
    return model


def keras_to_onnx(model: Any, work: Path) -> onnx.ModelProto:
    """Return a Keras model as ONNX, by Keras's own export.

    Parameters
    ----------
    model : keras.Model
        With one input.
    work : Path
        A folder for the file that Keras writes.
    """
    file = work / "keras.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras 3.15 prepares tf2onnx for NumPy 2 in ways that NumPy warns of
        model.export(file, format="onnx", verbose=False, opset_version=OPSETS[""])
    return onnx.load(file)


def open_onnx(path: Path, conversion: Conversion) -> Callable[[Any], Array]:
    """Return a function from samples to probabilities, computed by ONNX Runtime from the file alone.

    Samples are native ones, or a DataFrame where the table names its columns.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def predict(X: Any) -> Array:
        (found,) = session.run(None, onnx_inputs(conversion, X))
        return np.asarray(found)

    return predict
