"""A trained model on disk: its files, its preprocessing, and the manifest of digests by which both are known.

Who holds the digest of the manifest (results.json does) can tell that no file was changed, added or removed since,
before any code of the plugin runs.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nncompare.data.files import file_digest, storage_errors, write_atomic
from nncompare.data.native import Native
from nncompare.data.saved_conversion import load_conversion, save_conversion
from nncompare.exceptions import PluginError, ResultsError
from nncompare.execution.provenance import Code, check_code, code_of, origin_here
from nncompare.execution.specs import FitSpec
from nncompare.plugin import FittedModel
from nncompare.registry import load_class

__all__ = [
    "MANIFEST",
    "PREPROCESSING",
    "Manifest",
    "SavedData",
    "check_saved",
    "load_model",
    "save_files",
    "save_model",
    "seal",
]

MANIFEST = "nncompare.json"
PREPROCESSING = "preprocessing"


class SavedData(BaseModel):
    """What new samples must be like, and what the classes are called."""

    model_config = ConfigDict(frozen=True)

    name: str
    class_names: tuple[str, ...]
    native: Native


class Manifest(BaseModel):
    """What a model folder holds, and which class loads it; ``sha256`` has a digest for each file but this one.

    ``data`` is None where no preprocessing was saved, and ``code`` where the code is not known, as by earlier
    versions.
    """

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    owner: str = Field(alias="class")
    plugin: str
    framework: str | None = None
    data: SavedData | None = None
    code: Code | None = None
    sha256: dict[str, str]


def save_model(model: FittedModel, spec: FitSpec, folder: Path) -> tuple[int, str]:
    """Save a model and its preprocessing into ``folder``, whatever a killed try has left there.

    Returns
    -------
    size_bytes : int
        Of the model's own files.
    manifest_sha256 : str
        Digest of the manifest.

    Raises
    ------
    PluginError
        ``save`` wrote nothing, or a link, or a file under a name that is taken.
    StorageError
        The folder cannot be written.
    """
    size = save_files(model, folder)
    data = _save_preprocessing(spec, folder / PREPROCESSING)
    return size, seal(folder, class_value(type(model), spec.plugin), spec.plugin, spec.framework, data)


def save_files(model: FittedModel, folder: Path) -> int:
    """Have a model write its files into ``folder``, emptied before; return their bytes.

    Raises
    ------
    PluginError, StorageError
        See :func:`save_model`.
    """
    with storage_errors(folder):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    model.save(folder)
    names = list_files(folder)
    taken = [name for name in names if name.partition("/")[0] in (MANIFEST, PREPROCESSING)]
    if taken:
        raise PluginError(
            f"save() wrote '{taken[0]}', a name that nncompare needs in that folder; choose another."
        )
    size = sum((folder / name).stat().st_size for name in names)
    if size == 0:
        raise PluginError("save() wrote nothing into its folder. Write the model's files there.")
    return size


def seal(
    folder: Path, owner: str, plugin: str, framework: str | None = None, data: SavedData | None = None
) -> str:
    """Write the manifest of all files in ``folder``, as :class:`Manifest` explains, and return its digest."""
    digests = {name: file_digest(folder / name) for name in list_files(folder)}
    manifest = Manifest(
        owner=owner, plugin=plugin, framework=framework, data=data, code=code_of(plugin), sha256=digests
    )
    content = manifest.model_dump_json(by_alias=True, indent=1).encode() + b"\n"
    write_atomic(folder / MANIFEST, content)
    return hashlib.sha256(content).hexdigest()


def _save_preprocessing(spec: FitSpec, folder: Path) -> SavedData | None:
    if spec.conversion is None:
        return None
    conversion = load_conversion(spec.conversion)
    with storage_errors(folder):
        folder.mkdir()
    save_conversion(conversion, folder)
    return SavedData(name=spec.data.name, class_names=spec.data.class_names, native=conversion.native)


def check_saved(folder: Path, manifest_sha256: str | None = None) -> Manifest:
    """Return the manifest of a model folder if the folder is as it was saved; no plugin code runs.

    Parameters
    ----------
    folder : Path
    manifest_sha256 : str, optional
        The digest by which results.json knows the manifest; without it the files are compared with the manifest
        alone.

    Raises
    ------
    ResultsError
        The manifest is missing, damaged or not the one that was saved; a file was changed, added or removed.
    """
    path = folder / MANIFEST
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ResultsError(f"There is no saved model in '{folder}': {MANIFEST}: {error.strerror}.") from error
    if manifest_sha256 is not None and hashlib.sha256(content).hexdigest() != manifest_sha256:
        raise _changed(path)
    try:
        manifest = Manifest.model_validate_json(content)
    except ValidationError as error:
        raise ResultsError(f"'{path}' is not a manifest of a saved model: {error.errors()[0]['msg']}.") from error
    _check_files(folder, manifest)
    return manifest


def _check_files(folder: Path, manifest: Manifest) -> None:
    """Compare the files that are there with those of the manifest; nothing outside the folder is looked at."""
    for name in manifest.sha256:
        parts = PurePosixPath(name)
        if parts.is_absolute() or ".." in parts.parts or str(parts) != name:
            raise ResultsError(f"'{folder / MANIFEST}' names '{name}', which is no file of that folder.")
    there = set(list_files(folder)) - {MANIFEST}
    for name in sorted(there - manifest.sha256.keys()):
        raise ResultsError(
            f"'{folder / name}' was added after the model was saved, so it is not loaded. Remove it."
        )
    for name, digest in manifest.sha256.items():
        if name not in there:
            raise ResultsError(
                f"'{folder / name}' is missing, so the model is not loaded. Run again to train one."
            )
        if file_digest(folder / name) != digest:
            raise _changed(folder / name)


def _changed(path: Path) -> ResultsError:
    return ResultsError(
        f"'{path}' was changed after it was saved, so it is not loaded. Restore it, or run again to train a model."
    )


def list_files(folder: Path) -> list[str]:
    """Return the names of all files below ``folder``, sorted, with "/" between folders.

    Raises
    ------
    ResultsError
        There is a link or another thing that is neither a file nor a folder.
    """
    names = []
    for parent, folders, files in os.walk(folder):
        for path in (Path(parent, name) for name in (*folders, *files)):
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise ResultsError(
                    f"'{path}' is neither a file nor a folder, so this is no saved model. Remove it."
                )
            if path.is_file():
                names.append(path.relative_to(folder).as_posix())
    return sorted(names)


def load_model(folder: Path, manifest_sha256: str | None = None) -> FittedModel:
    """Load a model with the class that its folder names, if its files are those that were saved.

    The plugin's module is imported first, because custom layers are registered when it is. For child processes
    only: this runs plugin code.

    Raises
    ------
    ResultsError
        See :func:`check_saved` and :func:`~nncompare.execution.provenance.check_code`.
    PluginError
        The class cannot be imported, or loads something else.
    """
    manifest = check_saved(folder, manifest_sha256)
    check_code(manifest.plugin, manifest.code, origin_here)
    load_class(manifest.plugin)
    cls = load_class(manifest.owner)
    loaded = cls.load(folder) if issubclass(cls, FittedModel) else None
    if not isinstance(loaded, FittedModel):
        raise PluginError(f"{manifest.owner}.load() returned {type(loaded).__name__}; a FittedModel is expected.")
    return loaded


def class_value(cls: type, plugin: str) -> str:
    """Return ``module:Class`` for ``cls``, with the file in place of the module where the plugin is a file."""
    source, _, _ = plugin.rpartition(":")
    same_module = load_class(plugin).__module__ == cls.__module__
    return f"{source if same_module else cls.__module__}:{cls.__qualname__}"
