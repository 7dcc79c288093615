"""MkDocs hook: the JSON Schema of results.json. And its fields as Markdown, which generate.py writes.

What a field means stands in docs/reference/fields.toml. A field that is missing there, or one that no longer
exists, is refused: so the page cannot drift from the program.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from nncompare.results import Record, Results

_SCHEMA = "reference/results.schema.json"


def on_files(files: Any, *, config: Any) -> Any:
    """Add the JSON Schema as a file of the site."""
    from mkdocs.structure.files import File  # here: the page is written without mkdocs

    files.append(File.generated(config, _SCHEMA, content=json.dumps(schema(), indent=1) + "\n"))
    return files


def schema() -> dict[str, Any]:
    """Return the JSON Schema of results.json; what a later version added is not required of older files."""
    found = Results.model_json_schema(mode="validation")
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, **found, "title": "results.json of nncompare, schema version 1"}


def records() -> list[type[Record]]:
    """Return the records of results.json, the whole first, each before those that it holds."""
    found: list[type[Record]] = []
    waiting: list[type[Record]] = [Results]
    while waiting:
        record = waiting.pop(0)
        if record in found:
            continue
        found.append(record)
        waiting.extend(part for field in record.model_fields.values() for part in _parts(field.annotation))
    return found


def mismatches(meanings: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Yield each field that is explained and does not exist, or exists and is not explained."""
    known = {f"{record.__name__}.{field}" for record in records() for field in record.model_fields}
    explained = {f"{record}.{field}" for record, fields in meanings.items() for field in fields}
    yield from (f"{field} is not explained" for field in sorted(known - explained))
    yield from (f"{field} does not exist" for field in sorted(explained - known))


def record_lines(meanings: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Yield a heading, the docstring's first sentence and a table of fields for each record."""
    for record in records():
        name = record.__name__
        yield f"\n## {name}\n\n{_summary(record)}\n"
        yield "| field | type | meaning |\n| --- | --- | --- |"
        for field, spec in record.model_fields.items():
            yield f"| `{field}` | {_type(spec.annotation)} | {meanings[name][field]} |"


def _summary(record: type[Record]) -> str:
    """Return the first paragraph of a docstring as Markdown."""
    paragraph = (record.__doc__ or "").split("\n\n")[0]
    return re.sub(r"``(.+?)``", r"`\1`", " ".join(paragraph.split()))


def _parts(annotation: Any) -> Iterator[type[Record]]:
    """Yield the records that an annotation names, at any depth."""
    if isinstance(annotation, type) and issubclass(annotation, Record):
        yield annotation
    for argument in get_args(annotation):
        yield from _parts(argument)


def _type(annotation: Any) -> str:
    """Return a type in the words of JSON, with links to records."""
    if isinstance(annotation, type) and issubclass(annotation, Record):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    origin, arguments = getattr(annotation, "__origin__", None), get_args(annotation)
    if origin is list:
        return f"list of {_type(arguments[0])}"
    if origin is dict:
        return "object" if arguments[1] is Any else f"object of {_type(arguments[1])}"
    if str(origin) == "typing.Literal":
        return ", ".join(f"`{json.dumps(value)}`" for value in arguments)
    if arguments:
        return " or ".join(_type(argument) for argument in arguments)
    return _WORDS.get(annotation, "any value")


_WORDS = {str: "text", int: "integer", float: "number", bool: "true or false", type(None): "null"}
