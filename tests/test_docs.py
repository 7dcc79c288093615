"""The documentation as it is written: its commands exist, its code runs, its examples are those of the README."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import click
import pytest

from nncompare.cli import main

from .documents import (
    DOCS,
    PAGES,
    README,
    ROOT,
    Block,
    blocks,
    check_command,
    commands,
    every_command,
    every_option,
    inline_code,
    is_template,
)

TEXTS = [README, *PAGES]
BLOCKS = [block for page in TEXTS for block in blocks(page)]
LANGUAGES = {"python", "sh", "text", "toml"}

# Blocks that are shown and not run, with their reason in the comment before them. Think twice before adding one.
NOT_RUN = 13
FRAGMENTS = 4

needs_mkdocs = pytest.mark.skipif(
    importlib.util.find_spec("mkdocs") is None, reason="mkdocs is not installed: pip install '.[docs]'"
)


def of_language(*languages: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("block", [b for b in BLOCKS if b.language in languages], ids=str)


def hook(name: str) -> ModuleType:
    """Return one of the modules in docs/hooks."""
    spec = importlib.util.spec_from_file_location(f"docs_hook_{name}", DOCS / "hooks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_docs_blocks_are_found_and_have_a_language():
    fences = sum(page.read_text(encoding="utf-8").count("```") for page in TEXTS)
    assert 2 * len(BLOCKS) == fences
    assert {block.language for block in BLOCKS} == LANGUAGES


def test_docs_blocks_that_are_not_run_are_counted_and_give_a_reason():
    markers = Counter(block.marker for block in BLOCKS if block.page != README)
    assert set(markers) <= {"", "not run", "fragment", "needs", "config"}
    assert (markers["not run"], markers["fragment"]) == (NOT_RUN, FRAGMENTS)
    assert all(block.note for block in BLOCKS if block.marker in {"not run", "fragment", "needs"})


@of_language("python")
def test_docs_python_is_python(block: Block):
    compile(block.code, str(block), "exec")


@of_language("sh")
def test_docs_commands_and_options_exist(block: Block):
    for words in commands(block.code):
        check_command(words)


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: page.name)
def test_docs_commands_in_running_text_exist(page: Path):
    known = {name for _, name in every_option()}
    foreign = {"--no-venv"}  # nox
    for text in inline_code(page):
        if text.startswith("nncompare ") and not is_template(text):
            check_command(next(commands(text)))
        if not text.startswith(("nox", "pip", "python")):
            assert set(re.findall(r"(?<!\S)--?[a-zA-Z][\w-]*", text)) <= known | foreign, text


@of_language("toml")
def test_docs_toml_is_toml_and_settings_are_settings(block: Block, tmp_path: Path):
    assert tomllib.loads(block.code)
    if block.marker == "config":
        file = tmp_path / ("pyproject.toml" if "[tool." in block.code else "nncompare.toml")
        file.write_text(block.code, encoding="utf-8")
        run = main.commands["run"]
        assert run.make_context("run", ["--config", str(file)], parent=click.Context(main)).default_map


@pytest.mark.parametrize("file", sorted((DOCS / "examples").glob("*.py")), ids=lambda file: file.name)
def test_docs_examples_are_those_of_the_readme(file: Path):
    text = file.read_text(encoding="utf-8")
    (name,) = re.findall(r"^class (\w+)\(", text, re.MULTILINE)
    shown = [block.code for block in BLOCKS if block.page == README and f"class {name}(" in block.code]
    assert shown in ([], [text])
    assert any(block.code == text and block.title == file.name for block in BLOCKS)


def test_docs_exit_codes_are_all_listed():
    from nncompare.cli.summary import EXIT_MEANINGS

    table = (DOCS / "runs.md").read_text(encoding="utf-8").partition("## Exit codes")[2]
    codes = {int(code) for row in re.findall(r"^\| ([\d, ]+) \|", table, re.MULTILINE) for code in row.split(",")}
    assert codes == {0, 2, *EXIT_MEANINGS}


def test_docs_name_every_section_of_the_report():
    page = (DOCS / "report.md").read_text(encoding="utf-8")
    source = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "nncompare" / "report").glob("*.py"))
    sections = re.findall(r'short="([^"]+)"', source)
    assert len(sections) >= 9
    assert [name for name in sections if f"| {name} |" not in page] == []


def test_docs_hold_what_the_program_and_the_examples_say():
    """Where this fails: python docs/hooks/generate.py."""
    generate = [sys.executable, str(DOCS / "hooks" / "generate.py"), "--check"]
    done = subprocess.run(generate, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 0), done.stderr


def test_docs_that_are_stale_are_named_and_written_anew(tmp_path):
    shutil.copytree(DOCS, tmp_path / "docs")
    page = tmp_path / "docs" / "models.md"
    page.write_text(page.read_text(encoding="utf-8").replace("class Tanh(", "class Than("), encoding="utf-8")
    generate = [sys.executable, str(tmp_path / "docs" / "hooks" / "generate.py")]
    checked = subprocess.run([*generate, "--check"], capture_output=True, text=True, check=False)
    assert (checked.stdout, checked.returncode) == ("Stale: docs/models.md\n", 1)
    assert (
        subprocess.run(generate, capture_output=True, text=True, check=True).stdout == "Written: docs/models.md\n"
    )
    assert page.read_bytes() == (DOCS / "models.md").read_bytes()


def test_docs_read_in_a_clone_hold_their_examples_and_commands():
    shown = {page: page.read_text(encoding="utf-8") for page in PAGES}
    assert [page.name for page, text in shown.items() if '--8<-- "docs/examples' in text or "\n=== " in text] == []
    reference = shown[DOCS / "reference" / "commands.md"]
    sections = {part.partition("\n")[0].strip("# ") for part in re.findall(r"^##.*", reference, re.MULTILINE)}
    assert sections == {path for path, _ in every_command()}
    assert [name for _, name in every_option() if f">{name}</code>" not in reference] == []


@needs_mkdocs
def test_docs_explain_every_field_of_results_json():
    meanings = tomllib.loads((DOCS / "reference" / "fields.toml").read_text(encoding="utf-8"))
    assert list(hook("records").mismatches(meanings)) == []


@needs_mkdocs
def test_docs_field_without_meaning_ends_the_build():
    records = hook("records")
    meanings = {record.__name__: dict.fromkeys(record.model_fields, "x") for record in records.records()}
    del meanings["Interval"]["low"]
    meanings["Interval"]["lowest"] = "x"
    assert list(records.mismatches(meanings)) == [
        "Interval.low is not explained",
        "Interval.lowest does not exist",
    ]


@needs_mkdocs
def test_docs_page_of_commands_is_made_from_the_commands():
    command = click.Command("greet", help="Say *hello*.\n\n\b\nExample:\n  greet --name Ada", params=[])
    command.params.append(click.Option(["--name"], help="Whom to greet."))
    command.params.append(click.Option(["--secret"], hidden=True))
    lines = "\n".join(hook("commands").command_lines(command, "greet"))
    assert '| <code class="option">--name</code> <var>TEXT</var> | Whom to greet. |' in lines
    assert "```text\ngreet --name Ada\n```" in lines
    assert "Say \\*hello\\*." in lines
    assert "secret" not in lines


def test_docs_name_every_check_and_its_property():
    from nncompare.testing.catalog import DATASET_CHECKS, MODEL_CHECKS, summary

    shown = (DOCS / "reference" / "checks.md").read_text(encoding="utf-8")
    for heading, checks in (("## Of models", MODEL_CHECKS), ("## Of data sets", DATASET_CHECKS)):
        table = shown.partition(heading)[2].partition("\n## ")[0]
        named = re.findall(r"^\| <code id=[^>]*>(check_\w+)</code> \| (.*) \|$", table, re.MULTILINE)
        assert [name for name, _ in named] == [check.__name__ for check in checks]
        assert [text for (_, text), c in zip(named, checks, strict=True) if not _begins(text, summary(c))] == []


CONTRACT_LINES = {
    "FittedModel": [
        "**`load(folder: Path) -> Self`**, a `classmethod`\n",
        "**`n_parameters: int`**, a property:",
        "**`save(folder: Path) -> None`**\n",
    ],
    "Ragged": ["-> Ragged`**, a `classmethod`\n", "**`nbytes: int`**, a property:"],
    "EpochReport": [f"\n| `{name}` | " for name in ("epoch", "train_loss, valid_loss", "valid_accuracy")],
}


def test_docs_contract_is_written_out_with_every_name_and_method():
    import nncompare.plugin as contract

    page = (DOCS / "reference" / "plugins.md").read_text(encoding="utf-8")
    assert ":::" not in page
    anchors = set(re.findall(r'id="nncompare\.plugin\.(\w+?)(?:-value)?"', page))
    assert anchors == set(contract.__all__)
    for cls in (contract.ModelPlugin, contract.FittedModel, contract.DatasetPlugin):
        section = page.partition(f"### {cls.__name__}\n")[2].partition("\n### ")[0]
        assert [name for name in cls.__abstractmethods__ if f"**`{name}" not in section] == []
    assert "Checks of `nncompare.testing` that cannot hold" in page
    assert "- Raises `DivergedError`: A loss is NaN, infinite or beyond 1e30." in page


def test_docs_contract_shows_what_is_a_class_method_and_the_types_of_properties_and_fields():
    page = (DOCS / "reference" / "plugins.md").read_text(encoding="utf-8")
    shown = {name: page.partition(f"### {name}\n")[2].partition("\n### ")[0] for name in CONTRACT_LINES}
    assert {
        name: [line for line in lines if line not in shown[name]] for name, lines in CONTRACT_LINES.items()
    } == {name: [] for name in CONTRACT_LINES}


def _begins(text: str, line: str) -> bool:
    return text.startswith(line.replace("``", "`"))


def run_blocks(given: Sequence[Block], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run blocks in their order, as a reader would who works through it in one folder."""
    steps = ["import subprocess", "space = {'__name__': '__main__'}"]
    for block in given:
        for need in block.note.split() if block.marker == "needs" else ():
            bring(need, folder)
        if block.title:
            (folder / block.title).write_text(block.code, encoding="utf-8")
        elif block.language == "python":
            steps.append(f"exec(compile({block.code!r}, {str(block)!r}, 'exec'), space)")
        else:
            steps.append(f"print({block.code!r}, flush=True)")
            steps.append(f"subprocess.run(['bash', '-euo', 'pipefail', '-c', {block.code!r}], check=True)")
    script = folder / "page.py"
    script.write_text("\n".join(steps), encoding="utf-8")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "HOME": str(folder)}
    return subprocess.run(
        [sys.executable, str(script)], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def bring(need: str, folder: Path) -> None:
    """Put what a page takes for granted into the reader's folder."""
    if need == "measurements.csv":
        rows = [f"{k}.5,{2 * k},{k % 3}" for k in range(600)]
        (folder / need).write_text("\n".join(["width,height,class", *rows]), encoding="utf-8")
    elif need == "visits.csv":
        rows = [
            f"{k // 8},2024-01-01 {k // 60:02}:{k % 60:02},{k % 7}.5,{'yes' if k % 3 else 'no'}"
            for k in range(240)
        ]
        (folder / need).write_text("\n".join(["patient,day,dose,healthy", *rows]), encoding="utf-8")
    elif need == "reviews.tsv":
        (folder / need).write_text("\n".join(["0\tA dull film", "1\ta fine FILM"] * 300), encoding="utf-8")
    elif need == "run" and not (folder / "reports").exists():
        program = Path(sys.executable).with_name("nncompare")
        command = ["run", "-m", "mlp", "-d", "digits", "--preset", "quick", "--trials", "1", "--quiet"]
        subprocess.run([program, *command], cwd=folder, check=True, capture_output=True)


def runnable(page: Path) -> list[Block]:
    """Return the blocks of a page that a reader runs; the shell blocks of the README install, or run for long."""
    languages = {"python"} if page == README else {"python", "sh"}
    shown = {"not run", "fragment"}
    return [b for b in BLOCKS if b.page == page and b.language in languages and b.marker not in shown]


RUN = {page: found for page in TEXTS if (found := runnable(page))}


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", RUN, ids=lambda page: page.name)
def test_docs_page_runs_from_top_to_bottom(page: Path, tmp_path: Path):
    done = run_blocks(RUN[page], tmp_path)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
