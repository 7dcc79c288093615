"""Saved models: what is written, and that nothing of it can be changed unseen."""

import json
from pathlib import Path

import numpy as np
import pytest

from nncompare.data.conversion import fit_conversion
from nncompare.data.native import Native
from nncompare.data.saved_conversion import load_conversion, save_conversion
from nncompare.exceptions import PluginError, ResultsError
from nncompare.execution import saved
from nncompare.execution.saved import MANIFEST, PREPROCESSING, check_saved, list_files, load_model, save_model
from nncompare.plugin import FittedModel

from .children import fit_spec


class Model(FittedModel):
    """Saves what it is told to."""

    def __init__(self, **files):
        self.files = files or {"weights.bin": b"abc", "sub/more.json": b"{}"}

    @property
    def n_parameters(self):
        return 1

    def predict_proba(self, X):
        return np.full((len(X), 3), 1 / 3, np.float32)

    def save(self, folder):
        for name, content in self.files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)

    @classmethod
    def load(cls, folder):
        return cls()


@pytest.fixture
def spec(tmp_path, monkeypatch):
    """A refit's request with a fitted conversion; the plugin's class is never needed."""
    monkeypatch.setattr(saved, "class_value", lambda cls, plugin: f"{plugin.rpartition(':')[0]}:Model")
    X = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)
    native = Native(view="tabular", sample_shape=(4,), dtype="float32")
    (tmp_path / "conversion").mkdir()
    save_conversion(fit_conversion(native, "tabular", X, np.arange(9)), tmp_path / "conversion")
    return fit_spec(tmp_path, save_to=tmp_path / "model", conversion=tmp_path / "conversion")


@pytest.fixture
def model(spec):
    """A saved model: its folder, and the digest of its manifest."""
    return spec.save_to, save_model(Model(), spec, spec.save_to)[1]


def test_saved_model_comes_with_its_preprocessing_and_a_digest_of_each_file(spec, model):
    folder, digest = model
    manifest = check_saved(folder, digest)
    files = {"weights.bin", "sub/more.json", f"{PREPROCESSING}/conversion.json", f"{PREPROCESSING}/state.npz"}
    assert set(manifest.sha256) == files
    assert (manifest.data.name, manifest.data.class_names) == ("blobs", ("a", "b", "c"))
    assert manifest.data.native == load_conversion(spec.conversion).native
    assert (
        load_conversion(folder / PREPROCESSING).state().keys() == load_conversion(spec.conversion).state().keys()
    )
    assert str(spec.conversion.parent) not in (folder / PREPROCESSING / "conversion.json").read_text()
    assert str(spec.conversion) not in (folder / MANIFEST).read_text()


def test_saved_size_is_that_of_the_model_alone(spec):
    size, _ = save_model(Model(), spec, spec.save_to)
    assert size == len(b"abc") + len(b"{}")


def test_saved_model_replaces_what_a_killed_try_left(spec):
    (spec.save_to / PREPROCESSING).mkdir(parents=True)
    (spec.save_to / "left.bin").write_bytes(b"x")
    _, digest = save_model(Model(), spec, spec.save_to)
    assert "left.bin" not in check_saved(spec.save_to, digest).sha256


def test_saved_model_without_preprocessing_says_nothing_of_data(spec):
    save_model(Model(), spec.model_copy(update={"conversion": None}), spec.save_to)
    assert check_saved(spec.save_to).data is None


def test_saved_manifest_of_an_earlier_version_is_read(tmp_path):
    (tmp_path / MANIFEST).write_text(json.dumps({"class": "m:C", "plugin": "m:P", "sha256": {}}))
    manifest = check_saved(tmp_path)
    assert (manifest.owner, manifest.plugin, manifest.data) == ("m:C", "m:P", None)


@pytest.mark.parametrize("name", [MANIFEST, PREPROCESSING, f"{PREPROCESSING}/x.json"])
def test_saved_model_must_not_take_the_names_of_others(spec, name):
    with pytest.raises(PluginError, match=r"save\(\) wrote '.*', a name that nncompare needs"):
        save_model(Model(**{"a.bin": b"a", name: b"b"}), spec, spec.save_to)


@pytest.mark.parametrize("name", ["weights.bin", f"{PREPROCESSING}/state.npz", f"{PREPROCESSING}/conversion.json"])
def test_saved_file_that_was_changed_by_a_byte_is_refused(model, name):
    folder, digest = model
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ResultsError, match=rf"{Path(name).name}' was changed after it was saved"):
        check_saved(folder, digest)


def test_saved_manifest_that_was_changed_is_refused_by_who_knows_its_digest(model):
    folder, digest = model
    text = (folder / MANIFEST).read_text()
    (folder / MANIFEST).write_text(text.replace('"blobs"', '"globs"'))
    assert check_saved(folder).data.name == "globs"
    with pytest.raises(ResultsError, match=rf"{MANIFEST}' was changed after it was saved"):
        check_saved(folder, digest)


@pytest.mark.parametrize("name", ["extra.txt", f"{PREPROCESSING}/extra.npz", "new/extra.py"])
def test_saved_folder_with_a_file_more_is_refused(model, name):
    folder, digest = model
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("x")
    with pytest.raises(ResultsError, match=r"extra\.\w+' was added after the model was saved"):
        check_saved(folder, digest)


def test_saved_folder_with_a_file_less_is_refused(model):
    folder, digest = model
    (folder / "weights.bin").unlink()
    with pytest.raises(ResultsError, match=r"weights\.bin' is missing"):
        check_saved(folder, digest)
    (folder / MANIFEST).unlink()
    with pytest.raises(ResultsError, match="There is no saved model in"):
        check_saved(folder, digest)


@pytest.mark.parametrize("target", ["weights.bin", "sub"])
def test_saved_folder_with_a_link_is_refused(model, tmp_path, target):
    folder, digest = model
    (folder / target).rename(tmp_path / "elsewhere")
    (folder / target).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ResultsError, match="is neither a file nor a folder"):
        check_saved(folder, digest)


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/hostname", "sub/../../secret", "./weights.bin", "sub//more.json"]
)
def test_saved_manifest_that_names_files_elsewhere_is_refused(tmp_path, name):
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "secret").write_text("x")
    (folder / MANIFEST).write_text(json.dumps({"class": "m:C", "plugin": "m:P", "sha256": {name: "0" * 64}}))
    with pytest.raises(ResultsError, match="which is no file of that folder"):
        check_saved(folder)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"class": 1}'])
def test_saved_manifest_that_is_none_is_refused(tmp_path, text):
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(ResultsError, match="is not a manifest of a saved model"):
        check_saved(tmp_path)


def test_saved_model_is_not_imported_before_its_files_are_checked(model, monkeypatch):
    folder, digest = model
    monkeypatch.setattr(saved, "load_class", lambda value: pytest.fail(f"{value} was imported"))
    (folder / "extra").write_text("x")
    with pytest.raises(ResultsError, match="was added"):
        load_model(folder, digest)


def test_saved_files_are_listed_with_slashes_and_sorted(tmp_path):
    for name in ("b", "a/z", "a/b/c"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert list_files(tmp_path) == ["a/b/c", "a/z", "b"]
