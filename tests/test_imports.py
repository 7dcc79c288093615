"""What starts fast stays fast: the heavy libraries are imported where they are used, and no earlier."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import nncompare

HEAVY = [
    "numpy",
    "optuna",
    "tensorflow",
    "keras",
    "sklearn",
    "scipy",
    "pandas",
    "sqlalchemy",
    "requests",
    "filelock",
]

_SHOW = f"import sys; print(*[name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"


def heavy_after(code):
    """Return the heavy libraries that ``code`` imports in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", f"try:\n    {code}\nexcept SystemExit:\n    pass\n{_SHOW}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr.splitlines()[-1].split()


@pytest.mark.parametrize(
    "code",
    [
        "import nncompare",
        "import nncompare; nncompare.__version__; nncompare.RunConfig",
        "import nncompare.registry",
        "from nncompare.cli import main; main(['--help'])",
        "from nncompare.cli import main; main(['--version'])",
        "from nncompare.cli import main; main(['list'])",
        "from nncompare.cli import main; main(['list', '--json'])",
        "from nncompare.cli import main; main(['data', '--help'])",
        "from nncompare.cli import main; main(['data', 'fetch', '--help'])",
        "from nncompare.cli import main; main(['run', '--help'])",
        "from nncompare.cli import main; main(['predict', '--help'])",
        "from nncompare.cli import main; main(['run', '--trials', '0'])",
    ],
)
def test_imports_of_light_entry_are_light(code):
    assert heavy_after(code) == []


def test_imports_of_the_list_of_data_sets_are_numpy_alone():
    """NumPy is part of the stored form of a data set, which the list looks up in the cache."""
    assert heavy_after("from nncompare.cli import main; main(['data', 'list'])") == ["numpy"]


def test_imports_deny_list_can_see_a_heavy_library():
    assert heavy_after("import numpy") == ["numpy"]


def test_imports_help_reads_no_metadata():
    code = "from nncompare.cli import main; import sys; sys.exit('importlib.metadata' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_public_names_are_sorted_lazy_and_exist():
    assert nncompare.__all__ == sorted(nncompare.__all__)
    assert {name for name in nncompare.__all__ if getattr(nncompare, name) is None} == set()
    assert set(nncompare.__all__) <= set(dir(nncompare))


def test_public_names_unknown_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'nncompare' has no attribute 'nothing'"):
        _ = nncompare.nothing


def test_console_script_prints_the_version():
    script = Path(sysconfig.get_path("scripts"), "nncompare")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"nncompare {nncompare.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "modules"),
    [
        (["--help"], {"nncompare.cli.run", "nncompare.cli.options"}),
        (["list"], {"nncompare.cli.run", "nncompare.execution.launch", "psutil"}),
    ],
)
def test_imports_of_a_command_are_its_own(arguments, modules):
    code = f"try:\n    from nncompare.cli import main\n    main({arguments})\nexcept SystemExit:\n    pass\n"
    code += f"import sys; sys.exit(bool({modules} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], check=False, stdout=subprocess.DEVNULL).returncode == 0
