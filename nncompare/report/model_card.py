"""A model card: what an exported model is, what it was measured to be worth, and how it is used."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nncompare.choice import finals_in_words
from nncompare.report import formats
from nncompare.report.render import render_markdown_template
from nncompare.results import Check, DatasetRecord, RefitRecord, Results, StudyRecord

__all__ = ["Use", "render_model_card"]

_LIBRARIES = {"keras": "keras", "onnx": "onnx", "skops": "sklearn"}
_TASKS = {
    "image": "image-classification",
    "tabular": "tabular-classification",
    "tokens": "text-classification",
}
"""Tasks of the Hugging Face Hub; it has none for sequences of numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """How an exported model is loaded and asked.

    Parameters
    ----------
    form : {"keras", "onnx", "skops"}
    file : str
    code : tuple of str
        Lines of Python.
    notes : tuple of str
        What samples have to be like, and whatever else has to be known.
    note : str
        What has to be said at once; empty for nothing.
    max_difference : float
        Of a probability, from the model of the run.
    n_samples : int
        On which the two were compared.
    own_samples : bool
        They are of the run's data; else they are random.
    """

    form: str
    file: str
    code: tuple[str, ...]
    notes: tuple[str, ...]
    note: str
    max_difference: float
    n_samples: int
    own_samples: bool


@dataclass(frozen=True, slots=True)
class _Verbatim:
    """Text that the template prints as it is."""

    text: str

    def __str__(self) -> str:
        return self.text


def render_model_card(
    results: Results, data: DatasetRecord, study: StudyRecord, refit: int, use: Use, *, by_verdict: bool
) -> str:
    """Return the model card of one refit, in the format of the Hugging Face Hub: YAML, then Markdown.

    Parameters
    ----------
    results : Results
    data : DatasetRecord
    study : StudyRecord
    refit : int
        From 1.
    use : Use
    by_verdict : bool
        The model was taken because it won the comparison.
    """
    record = study.refits[refit - 1]
    return (
        render_markdown_template(
            "model_card.md.j2",
            metadata=_Verbatim("\n".join(_yaml(_metadata(data, study, record, use)))),
            code=_Verbatim("\n".join(use.code)),
            use=use,
            results=results,
            data=data,
            study=study,
            refit=record,
            by_verdict=by_verdict,
            n_compared=sum(each.dataset == data.name and each.test is not None for each in results.studies),
            seeds=", ".join(str(each.seed) for each in study.refits if each.failure is None),
            limits=_limits(data, results),
            versions=_versions(results, study),
            searched=_searched(results, study),
            f=formats,
        )
        + "\n"
    )


def _metadata(data: DatasetRecord, study: StudyRecord, refit: RefitRecord, use: Use) -> dict[str, Any]:
    """Return the metadata whose names the Hub knows."""
    task = _TASKS.get(data.kind)
    metadata: dict[str, Any] = {
        "library_name": _LIBRARIES[use.form],
        "tags": [*([task] if task else ["sequence-classification"]), use.form, "nncompare"],
    }
    if task:
        metadata["pipeline_tag"] = task
    if use.form == "skops":
        metadata |= {"model_format": "skops", "model_file": use.file}
    scores = [("accuracy", "Accuracy", refit.test_accuracy), ("f1", "Macro F1", refit.macro_f1)]
    found = [{"type": kind, "name": name, "value": value} for kind, name, value in scores if value is not None]
    if found:
        metadata["metrics"] = [each["type"] for each in found]
        result = {
            "task": {"type": task or "other"},
            "dataset": {"name": data.name, "type": data.name, "split": "test"},
            "metrics": found,
        }
        metadata["model-index"] = [{"name": f"{study.model} on {data.name}", "results": [result]}]
    return metadata


def _yaml(values: dict[str, Any], indent: str = "") -> Iterator[str]:
    """Yield the lines of a mapping; text is quoted as in JSON, which YAML reads too."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield f"{indent}{name}:"
            yield from _yaml(value, f"{indent}  ")
        elif isinstance(value, list):
            yield f"{indent}{name}:"
            for item in value:
                lines = list(_yaml(item)) if isinstance(item, dict) else [json.dumps(item)]
                yield f"{indent}- {lines[0]}"
                yield from (f"{indent}  {line}" for line in lines[1:])
        else:
            yield f"{indent}{name}: {json.dumps(value, allow_nan=False)}"


def _searched(results: Results, study: StudyRecord) -> str:
    """Say how the configuration was found."""
    budget = study.budget
    if budget is None:
        return f"Preset {results.preset}."
    ended = f"{budget.trials_complete} complete, {budget.trials_pruned} pruned, {budget.trials_failed} failed"
    found = "The configuration with the lowest validation log loss was trained again"
    if study.finals:
        finals = finals_in_words(study.finals, budget.refit_samples)
        found = (
            f"The best {len(study.finals)} were trained once more to choose among them: {finals}. The chosen "
            "configuration was trained again"
        )
    return (
        f"Preset {results.preset}: {formats.plural(len(study.trials), 'trial')} ({ended}) of at most "
        f"{formats.plural(budget.max_epochs, 'epoch')}, each trained on "
        f"{formats.plural(budget.search_samples, 'row')} and scored on a validation part. {found} on "
        f"{formats.plural(budget.refit_samples, 'row')} ({budget.refit_data})."
    )


def _limits(data: DatasetRecord, results: Results) -> list[Check]:
    """Return what a reader must know before believing the scores."""
    told = {check.code for check in data.data_checks}
    checks = [*data.data_checks, *(check for check in data.verdict.checks if check.code not in told)]
    wanted = [check for check in checks if check.level in ("problem", "warning")]
    notes = [Check(code="note", level="info", text=note) for note in results.notes]
    return [*wanted, *notes]


def _versions(results: Results, study: StudyRecord) -> str:
    """Return what the model was trained with, on one line."""
    known = results.environment.get("packages", {})
    packages = known if isinstance(known, dict) else {}
    owner = [f"{study.plugin.distribution} {study.plugin.version}".strip()] if study.plugin else []
    python = [f"Python {results.environment['python']}"] if "python" in results.environment else []
    return ", ".join(
        dict.fromkeys([*owner, *python, *(f"{name} {version}" for name, version in packages.items())])
    )
