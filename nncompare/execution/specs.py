"""What a child is asked to do and what it answers: the JSON that crosses the process border."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from nncompare.data.records import DatasetInfo, DataSpec, View
from nncompare.data.views import PreparedPart
from nncompare.results import Curve, Failure, Record

NotNegative: TypeAlias = Annotated[float, Field(ge=0)]
Count: TypeAlias = Annotated[int, Field(ge=0)]


class Spec(BaseModel):
    """Base of all requests to a child.

    ``plugin`` is the entry point's value (``package.module:Class``), ``framework`` chooses the fork server,
    ``result`` is the file that commits the answer: where it exists, the request is not run again.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=False)

    plugin: str
    framework: str | None = None
    n_threads: int = 1
    timeout_s: float = 3600.0
    memory_mb: float | None = None
    result: Path
    log: Path


class FitSpec(Spec):
    """Train one configuration; without ``params`` the child asks for them (a trial), with them it is a refit.

    The fitted ``conversion`` is saved beside the model, so that both predict together. ``deterministic`` lets the
    framework use only operations that give the same result each time.
    """

    task: Literal["fit"] = "fit"
    data: DataSpec
    train: PreparedPart
    valid: PreparedPart | None
    seed: int
    max_epochs: int
    number: int = 0
    params: dict[str, Any] | None = None
    save_to: Path | None = None
    conversion: Path | None = None
    deterministic: bool = False


class MeasureSpec(Spec):
    """Load a saved model in a fresh process, repeat some of its predictions and, unless told not to, time it."""

    task: Literal["measure"] = "measure"
    model: Path
    X_test: Path
    predictions: Path
    timed: bool = True


class DescribeSpec(Spec):
    """Walk through a plugin's search space without training."""

    task: Literal["describe"] = "describe"
    data: DataSpec


class LoadSpec(Spec):
    """Load the data set that is known as ``name`` and store it in the cache below ``root``."""

    task: Literal["load"] = "load"
    root: Path
    name: str


class ReadSpec(Spec):
    """Read the user's own file or folder, and store it as the data set ``name`` in the cache below ``root``."""

    task: Literal["read"] = "read"
    plugin: str = ""
    path: Path
    root: Path
    name: str
    target: str | None = None
    encoding: str | None = None
    view: View | None = None
    text: str | None = None
    image_size: int | None = None
    group: str | None = None
    time: str | None = None


class PredictSpec(Spec):
    """Load a saved model, if its manifest is the one with this digest, and predict the samples at ``X``.

    ``X`` is in the data set's native form; ``work`` is an empty folder for the converted samples; the
    probabilities go into the .npy file ``predictions``, float64 of shape (n_samples, n_classes).
    """

    task: Literal["predict"] = "predict"
    model: Path
    manifest_sha256: str
    n_classes: int
    X: Path
    work: Path
    predictions: Path


class CallSpec(Spec):
    """Call ``function`` (``package.module:name``) with the plugin's name, ``arguments`` and the channel.

    For requests of layers above this one, which must not know them; it returns what is JSON. With a ``hash_seed``
    a fresh interpreter does it, whose sets have another order than those of all other children.
    """

    task: Literal["call"] = "call"
    function: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    hash_seed: int | None = None


AnySpec: TypeAlias = Annotated[
    FitSpec | MeasureSpec | DescribeSpec | LoadSpec | ReadSpec | PredictSpec | CallSpec,
    Field(discriminator="task"),
]


class Request(BaseModel):
    """The envelope in which a spec travels."""

    spec: AnySpec


class Answer(Record):
    """Base of all answers of a child."""

    status: Literal["complete", "pruned", "failed"]
    failure: Failure | None = None


class FitAnswer(Answer):
    """What became of one configuration; see ``TrialRecord`` for the fields."""

    params: dict[str, Any] = Field(default_factory=dict)
    epochs: Count = 0
    best_epoch: Count | None = None
    valid_log_loss: float | None = None
    valid_accuracy: float | None = None
    curve: Curve = Field(default_factory=Curve)
    fit_time_s: NotNegative | None = None
    fit_cpu_s: NotNegative | None = None
    first_batch_s: NotNegative | None = None
    predict_time_s: NotNegative | None = None
    peak_memory_mb: NotNegative | None = None
    n_parameters: Count | None = None
    size_bytes: Count | None = None
    manifest_sha256: str | None = None


class MeasureAnswer(Answer):
    """Times of a saved model: ``latency_ms`` batch of 1, ``throughput_per_s`` batches of 256.

    ``max_difference`` is the largest absolute difference of a probability from the one that was stored when
    the model was trained.
    """

    latency_ms: NotNegative | None = None
    throughput_per_s: NotNegative | None = None
    max_difference: NotNegative | None = None


class DescribeAnswer(Answer):
    """A search space by parameter name, and the default configuration."""

    space: dict[str, dict[str, Any]] = Field(default_factory=dict)
    defaults: dict[str, Any] = Field(default_factory=dict)


class LoadAnswer(Answer):
    """Where the data set lies; ``unavailable`` tells a missing download from a broken data set.

    ``info`` is what the plugin declares of one that is unavailable, for whoever looks for a stored copy.
    """

    folder: Path | None = None
    unavailable: bool = False
    info: DatasetInfo | None = None


class ReadAnswer(Answer):
    """Where the data of the file lie; ``usage`` tells a wrong option from a file that cannot be used."""

    folder: Path | None = None
    usage: bool = False


class PredictAnswer(Answer):
    """How many samples were predicted."""

    n_samples: Count = 0


class CallAnswer(Answer):
    """What the function returned."""

    returned: dict[str, Any] = Field(default_factory=dict)


ANSWERS: dict[str, type[Answer]] = {
    "fit": FitAnswer,
    "measure": MeasureAnswer,
    "describe": DescribeAnswer,
    "load": LoadAnswer,
    "read": ReadAnswer,
    "predict": PredictAnswer,
    "call": CallAnswer,
}
