"""The code that a saved model needs: digests of the user's files, or the version of an installed distribution."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from nncompare.data.files import file_digest
from nncompare.exceptions import ResultsError
from nncompare.registry import MODELS, discover

__all__ = ["Code", "changed_code", "check_code", "code_of", "find_origin", "origin_here", "version_note"]

_SITES = {"site-packages", "dist-packages"}
_LOOK_S = 60.0
_LOOK = """
import importlib.util, os, sys
sys.path.append(os.getcwd())
spec = importlib.util.find_spec(sys.argv[1])
print()
print("" if spec is None else spec.origin or next(iter(spec.submodule_search_locations or ()), ""))
"""


class Code(BaseModel):
    """The code that a plugin's class lies in.

    ``distribution`` and ``version`` are those of an installed one. Else ``sha256`` has a digest for the plugin's
    file and for those beside it, or in its package, that it imported; names are relative to the folder that Python
    imports them from.
    """

    model_config = ConfigDict(frozen=True)

    distribution: str = ""
    version: str = ""
    sha256: dict[str, str] = {}


def code_of(plugin: str) -> Code:
    """Return the code of a plugin that was imported in this process.

    Parameters
    ----------
    plugin : str
        ``package.module:Class`` or ``/path/file.py:Class``.
    """
    where = plugin.rpartition(":")[0].strip()
    if where.endswith(".py"):
        file = Path(where).resolve()
        return Code(sha256=_digests(file.parent, {file, *_beside(file)}))
    ref = next((ref for ref in discover(MODELS).plugins.values() if ref.value == plugin), None)
    if ref is not None:
        return Code(distribution=ref.distribution, version=ref.version)
    top = where.partition(".")[0]
    file = Path(getattr(sys.modules.get(where), "__file__", None) or "")
    if not file.is_file():
        return Code()
    file = file.resolve()
    if _SITES & set(file.parts):
        name = next(iter(metadata.packages_distributions().get(top, ())), "")
        return Code(distribution=name, version=metadata.version(name) if name else "")
    root = file.parents[where.count(".") + (file.name == "__init__.py")]
    own = _files_of(lambda name: name.partition(".")[0] == top)
    return Code(sha256=_digests(root, {file, *own, *(_beside(file) if root == file.parent else ())}))


def check_code(plugin: str, code: Code | None, find: Callable[[str], Path | None]) -> None:
    """Refuse code of the user's own that is not what it was when the model was saved; none is imported.

    Parameters
    ----------
    plugin : str
    code : Code or None
        What :func:`code_of` returned then; None, from earlier versions, is taken.
    find : callable
        From the name of a top-level module to its file; :func:`find_origin` or :func:`origin_here`.

    Raises
    ------
    ResultsError
        A file was changed, is gone or cannot be read.
    """
    changed = changed_code(plugin, code, find)
    if changed:
        raise ResultsError(
            f"{changed}, so the model is not loaded. Give the old file back, or run again to train a model."
        )


def changed_code(plugin: str, code: Code | None, find: Callable[[str], Path | None]) -> str:
    """Say which file of the user's own is not, or may not be, what the model was saved with; empty for none.

    The parameters are those of :func:`check_code`.
    """
    if code is None or not code.sha256:
        return ""
    where = plugin.rpartition(":")[0].strip()
    file = Path(where) if where.endswith(".py") else find(where.partition(".")[0])
    if file is None:
        return ""  # the import itself fails, and says so
    root = file.parent.parent if file.name == "__init__.py" else file.parent
    for name, digest in code.sha256.items():
        path = root / name
        try:
            if not path.is_file():
                return f"'{path}' is gone, and the model was saved with it"
            if file_digest(path) != digest:
                return f"'{path}' was changed after the model was saved"
        except OSError as error:
            return f"'{path}' cannot be read ({type(error).__name__}: {error.strerror or error})"
    return ""


def version_note(code: Code | None) -> str:
    """Say that another version is installed than the model was saved with; empty where none is."""
    if code is None or not code.distribution:
        return ""
    try:
        now = metadata.version(code.distribution)
    except metadata.PackageNotFoundError:
        return ""
    if now == code.version:
        return ""
    return f"The model was saved with {code.distribution} {code.version}, and {now} is installed now."


def find_origin(module: str) -> Path | None:
    """Return the file that a child would import under this name, or a package's folder; None where it finds none.

    It is asked of an interpreter that starts like a child: the caller's ``sys.path`` says nothing about theirs.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", _LOOK, module],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=_LOOK_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = done.stdout.splitlines()
    return Path(lines[-1]).resolve() if done.returncode == 0 and lines and lines[-1] else None


def origin_here(module: str) -> Path | None:
    """Return what :func:`find_origin` does, of this process, which is a child; nothing is imported."""
    if importlib.util.find_spec(module) is None:
        sys.path.append(str(Path.cwd()))
    spec = importlib.util.find_spec(module)
    if spec is None:
        return None
    origin = spec.origin or next(iter(spec.submodule_search_locations or ()), None)
    return Path(origin).resolve() if origin else None


def _beside(file: Path) -> set[Path]:
    """Return the modules in the folder of a file that this process imported."""
    return {path for path in _files_of(lambda name: "." not in name) if path.parent == file.parent}


def _files_of(is_wanted: Callable[[str], bool]) -> set[Path]:
    files = [getattr(module, "__file__", None) for name, module in list(sys.modules.items()) if is_wanted(name)]
    return {Path(file).resolve() for file in files if file and file.endswith(".py")}


def _digests(root: Path, files: set[Path]) -> dict[str, str]:
    inside = sorted(file for file in files if file.is_relative_to(root) and file.is_file())
    return {file.relative_to(root).as_posix(): file_digest(file) for file in inside}
