"""What the README shows works as it is written."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.datasets import load_digits

from nncompare.cli import main
from nncompare.cli.summary import EXIT_MEANINGS
from nncompare.data.checks import check_dataset
from nncompare.data.ragged import decode
from nncompare.plugin import FIRST_WORD, START, Data, DataSpec, FitContext, Ragged
from nncompare.registry import load_class
from nncompare.settings import PRESETS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


DIGITS = DataSpec(
    name="digits",
    view="tabular",
    n_classes=10,
    class_names=tuple("0123456789"),
    sample_shape=(64,),
    n_train=1000,
)


def example(folder, name):
    """Return the class of an example of the README and of docs/, loaded from a file as a user would."""
    shown = ROOT / "docs" / "examples" / f"{name.lower()}.py"
    file = shutil.copy(shown, folder)
    return load_class(f"{file}:{name}")


@pytest.mark.parametrize("name", ["Tanh", pytest.param("Dense", marks=pytest.mark.slow)])
def test_readme_model_trains(tmp_path, name):
    plugin = example(tmp_path, name)()
    X, y = load_digits(return_X_y=True)
    X = (X - X.mean(axis=0)) / (X.std(axis=0) + 1e-6)
    train, valid = (
        Data(X[rows].astype(np.float32), y[rows].astype(np.int64), DIGITS)
        for rows in (slice(1000), slice(1000, None))
    )
    model = plugin.fit(plugin.default_params(DIGITS), train, valid, FitContext(seed=1, max_epochs=20))
    assert (model.predict_proba(valid.X).argmax(axis=1) == valid.y).mean() > 0.8


def test_readme_data_set_loads(tmp_path):
    plugin = example(tmp_path, "MyData")()
    rows = [f"{k}.5,{2 * k},{k % 3}" for k in range(600)]
    (tmp_path / "measurements.csv").write_text("\n".join(["width,height,class", *rows]))
    found = plugin.load(tmp_path)
    assert (found.X_train.shape, found.X_train[4].tolist()) == ((plugin.info.n_train, 2), [4.5, 8.0])
    assert set(found.y_train.tolist()) == set(range(len(plugin.info.class_names)))


def test_readme_text_data_set_loads(tmp_path):
    plugin = example(tmp_path, "MyTexts")()
    (tmp_path / "reviews.tsv").write_text("\n".join(["0\tA dull film", "1\ta fine fine FILM"] * 300))
    found = check_dataset(plugin.info, plugin.load(tmp_path))
    assert len(found.X_train) == plugin.info.n_train
    assert decode(found.X_train[1], found.words) == ["a", "fine", "fine", "film"]


@pytest.mark.slow
def test_readme_text_model_trains(tmp_path):
    random = np.random.default_rng(0)
    y = random.integers(0, 2, 300)
    X = Ragged.from_rows([[START, FIRST_WORD + label, *random.integers(6, 30, 5)] for label in y])
    spec = replace(DIGITS, view="tokens", n_classes=2, class_names=("no", "yes"), sample_shape=None, dtype="int32")
    data = Data(X, y, replace(spec, vocabulary_size=30))
    plugin = example(tmp_path, "Bag")()
    model = plugin.fit(plugin.default_params(data.spec), data, data, FitContext(seed=1, max_epochs=20))
    assert (model.predict_proba(X).argmax(axis=1) == y).mean() > 0.8


def test_readme_presets_are_those_of_the_settings():
    for name, preset in PRESETS.items():
        epochs = ", ".join(str(preset.max_epochs(data)) for data in ("digits", "mnist1d", "mnist", "imdb", "mine"))
        finals = preset.n_finalists if preset.n_finalists > 1 else "none"
        row = rf"\| `{name}`[^|]*\| {preset.n_trials} \| {finals} \| {preset.n_refits} \| {epochs} \|"
        assert re.search(row, README)


def test_readme_commands_and_options_exist():
    shell = re.findall(r"nncompare (run|list|show|report)([^\n`#&]*)", README)
    assert len(shell) >= 6
    for command, rest in shell:
        known = {option for parameter in main.commands[command].params for option in parameter.opts}
        assert set(re.findall(r"(?<!\S)--?[a-z-]+", rest)) <= known


def test_readme_lists_every_exit_code():
    table = README.partition("## Exit codes")[2].partition("## ")[0]
    codes = {int(code) for row in re.findall(r"^\| ([\d, ]+) \|", table, re.MULTILINE) for code in row.split(",")}
    assert codes == {0, 2, *EXIT_MEANINGS}


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\((?!http)([^)]+)\)", README))))
def test_readme_links_lead_somewhere(target):
    assert (ROOT / target).exists()


def test_readme_first_screen_has_the_two_commands():
    first = README.splitlines()[:12]
    assert "pip install . && nncompare run --all" in first
    assert 'pip install ".[test]" && pytest' in first
    assert CliRunner().invoke(main, ["run", "--help"]).exit_code == 0


@pytest.mark.parametrize("script", sorted(path.name for path in (ROOT / "benchmarks").glob("*.py")))
def test_benchmarks_are_listed_and_run_by_nox(script):
    assert f"| `{script}` |" in (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    assert f'"{script.removesuffix(".py")}"' in (ROOT / "noxfile.py").read_text(encoding="utf-8")
