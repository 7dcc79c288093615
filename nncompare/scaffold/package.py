"""The files of a new plugin's package, rendered in memory and written all at once."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from nncompare.data.files import storage_errors
from nncompare.exceptions import UsageError
from nncompare.scaffold.names import CLASS_STAND_IN, PluginNames

__all__ = ["FRAMEWORKS", "Framework", "model_source", "render_package", "write_package"]

Framework: TypeAlias = Literal["keras", "sklearn", "torch", "none"]
FRAMEWORKS: tuple[Framework, ...] = get_args(Framework)

_FILES = {
    "pyproject.toml": "pyproject.toml.j2",
    "README.md": "README.md.j2",
    ".gitignore": "gitignore.j2",
    ".github/workflows/check.yml": "check.yml.j2",
    "src/{module}/__init__.py": "init.py.j2",
    "tests/test_model.py": "test_model.py.j2",
}
_REQUIREMENTS: Mapping[Framework, tuple[str, ...]] = {
    "keras": ("keras>=3.15",),
    "sklearn": ("scikit-learn>=1.7",),
    "torch": ("numpy>=2", "torch>=2.6"),
    "none": ("numpy>=2",),
}
_UNTYPED: Mapping[Framework, str] = {"keras": "keras", "sklearn": "sklearn"}


def model_source(framework: Framework) -> str:
    """Return the module that a plugin of this framework starts from, under its stand-in names."""
    return resources.files("nncompare.scaffold.models").joinpath(f"{framework}.py").read_text(encoding="utf-8")


def render_package(names: PluginNames, framework: Framework) -> dict[str, str]:
    """Return the content of each file by its path inside the package's folder.

    Parameters
    ----------
    names : PluginNames
    framework : {"keras", "sklearn", "torch", "none"}
        What the model is written with.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    source = model_source(framework)
    environment = Environment(
        loader=PackageLoader("nncompare.scaffold", "files"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - TOML, Python and Markdown; every name has been checked
    )
    values = {
        "names": names,
        "requirements": sorted([f"nncompare>={_minor_version()}", *_REQUIREMENTS[framework]]),
        "untyped": _UNTYPED.get(framework, ""),
        "summary": _first_line(source),
    }
    files = {
        path.format(module=names.module): environment.get_template(template).render(values)
        for path, template in _FILES.items()
    }
    model = source.replace(CLASS_STAND_IN, names.class_name)
    return {**files, f"src/{names.module}/model.py": model, f"src/{names.module}/py.typed": ""}


def write_package(files: Mapping[str, str], folder: Path) -> None:
    """Write all files into ``folder``, which is new or empty; what fails leaves nothing behind.

    Raises
    ------
    UsageError
        The folder holds something, or is a file.
    StorageError
        It cannot be written.
    """
    target = folder.absolute()
    _refuse_occupied(folder, target)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    with storage_errors(folder):
        try:
            for path, text in files.items():
                file = temporary / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
            _put_in_place(temporary, target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _refuse_occupied(folder: Path, target: Path) -> None:
    if os.path.lexists(target) and not target.is_dir():
        raise UsageError(f"'{folder}' is not a folder. Name another one with --output.")
    if target.is_dir() and any(target.iterdir()):
        raise UsageError(
            f"The folder '{folder}' is not empty, and nothing in it is replaced. Name another --output."
        )


def _put_in_place(temporary: Path, target: Path) -> None:
    """Rename the folder; where one is there already, perhaps as somebody's working folder, move the content."""
    if not target.is_dir():
        temporary.rename(target)
        return
    moved: list[Path] = []
    try:
        for entry in sorted(temporary.iterdir()):
            moved.append(entry.rename(target / entry.name))  # noqa: PERF401 - what was moved has to be known
    except OSError:
        for entry in moved:
            entry.rename(temporary / entry.name)
        raise


def _minor_version() -> str:
    """Return the running nncompare's version without what follows the minor part."""
    return ".".join(version("nncompare").split(".")[:2])


def _first_line(source: str) -> str:
    """Return the first sentence of a module's docstring, its first letter small."""
    line = source.removeprefix('"""').partition('"""')[0].strip()
    return line[:1].lower() + line[1:]
