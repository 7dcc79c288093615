"""What the README shows works as it is written."""

import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.datasets import load_digits

from nncompare.cli import main
from nncompare.cli.summary import EXIT_MEANINGS
from nncompare.plugin import Data, DataSpec, FitContext
from nncompare.registry import load_class

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def plugin(tmp_path):
    """The plugin of the README, loaded from a file as a user would."""
    (code,) = [
        block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "SklearnPlugin" in block
    ]
    (tmp_path / "tanh.py").write_text(code)
    return load_class(f"{tmp_path / 'tanh.py'}:Tanh")()


def test_readme_plugin_trains(plugin):
    X, y = load_digits(return_X_y=True)
    spec = DataSpec(
        name="digits",
        view="tabular",
        n_classes=10,
        class_names=tuple("0123456789"),
        sample_shape=(64,),
        n_train=1000,
    )
    X = (X - X.mean(axis=0)) / (X.std(axis=0) + 1e-6)
    train, valid = (
        Data(X[rows].astype(np.float32), y[rows].astype(np.int64), spec)
        for rows in (slice(1000), slice(1000, None))
    )
    model = plugin.fit(plugin.default_params(spec), train, valid, FitContext(seed=1, max_epochs=20))
    assert (model.predict_proba(valid.X).argmax(axis=1) == valid.y).mean() > 0.8


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
