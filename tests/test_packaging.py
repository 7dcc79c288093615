"""What is installed is what is in the repository: the wheel, the sdist and the editable install."""

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = {"nncompare": "nncompare", "templates": "nncompare.templates", "plugins": "nncompare_plugins"}
EXAMPLES = ROOT / "plugins" / "examples"  # packages of their own
SETUPTOOLS = (77, 0)


def configuration():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def files_of(folder, pattern):
    """Return the files of a folder that belong to nncompare."""
    return [file for file in (ROOT / folder).rglob(pattern) if EXAMPLES not in file.parents]


def packages_on_disk():
    """Return the import name of each folder that holds an ``__init__.py``."""
    found = set()
    for folder, package in FOLDERS.items():
        for file in files_of(folder, "__init__.py"):
            below = file.parent.relative_to(ROOT / folder).parts
            found.add(".".join([package, *below]))
    return found


def test_packaging_list_equals_the_folders():
    listed = configuration()["tool"]["setuptools"]["packages"]
    assert set(listed) == packages_on_disk()
    assert len(listed) == len(set(listed))


def test_packaging_every_folder_of_modules_is_a_package():
    folders = {file.parent for folder in FOLDERS for file in files_of(folder, "*.py")}
    assert [folder for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


def test_packaging_package_folders_exist():
    for package, folder in configuration()["tool"]["setuptools"]["package-dir"].items():
        assert FOLDERS[folder] == package


def test_packaging_entry_points_name_classes_in_the_repository():
    groups = configuration()["project"]["entry-points"]
    for value in [value for group in groups.values() for value in group.values()]:
        module, _, name = value.partition(":")
        path = ROOT.joinpath("plugins", *module.split(".")[1:]).with_suffix(".py")
        assert f"class {name}(" in path.read_text(encoding="utf-8"), value


@pytest.mark.skipif(
    "NNCOMPARE_TEST_INSTALLED" not in os.environ, reason="asserted where an installed wheel is tested"
)
def test_packaging_tests_run_against_the_installed_package():
    spec = importlib.util.find_spec("nncompare")
    assert spec is not None
    assert Path(spec.origin).is_relative_to(sysconfig.get_path("purelib"))


def run(*command, **options):
    """Run a command; on failure show what it said."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def builder():
    """Skip where the build backend is not there, because fetching it needs a network."""
    try:
        version = metadata.version("setuptools")
    except metadata.PackageNotFoundError:
        pytest.skip("setuptools is not installed, and building must not fetch it")
    if tuple(int(part) for part in version.split(".")[:2]) < SETUPTOOLS:
        pytest.skip(f"setuptools {version} is older than 77, which the build needs")


@pytest.fixture
def source(builder, tmp_path):
    """A copy of the repository, because building leaves files behind."""
    ignored = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__", "reports")
    return shutil.copytree(ROOT, tmp_path / "source", ignore=ignored)


@pytest.fixture
def environment(tmp_path):
    """A virtual environment that sees the libraries of this one but not its nncompare; returns its interpreter."""
    folder = tmp_path / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    purelib = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    libraries = tmp_path / "libraries"
    libraries.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if "nncompare" not in entry.name:
            (libraries / entry.name).symlink_to(entry)
    (purelib / "libraries.pth").write_text(f"{libraries}\n")
    return python


def isolated():
    """Return the environment variables without those that would lead an interpreter elsewhere."""
    return {key: value for key, value in os.environ.items() if key not in {"PYTHONHOME", "PYTHONSAFEPATH"}}


def pip_install(python, *what):
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--ignore-installed", "--quiet"]
    run(sys.executable, "-m", "pip", "--python", python, "install", *options, *what, env=isolated())


def list_plugins(python, folder):
    """Return what ``nncompare list`` says outside the checkout."""
    return run(python.parent / "nncompare", "list", cwd=folder, env=isolated())


def assert_works(python, folder):
    listed = list_plugins(python, folder)
    names = {line.split()[0] for line in listed.splitlines() if line}
    assert {"cnn", "lstm", "mlp", "digits", "mnist1d"} <= names
    code = "import importlib.resources as r; print((r.files('nncompare.templates') / 'report.html.j2').is_file())"
    assert run(python, "-c", code, cwd=folder, env=isolated()).strip() == "True"


@pytest.mark.slow
def test_packaging_wheel_holds_the_packages_and_no_tests(source, tmp_path):
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q", "-w", tmp_path, source)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {
        "/".join([*package.split("."), file.name])
        for folder, root in FOLDERS.items()
        for file in files_of(folder, "*")
        if file.suffix in {".py", ".j2", ".css", ".js"} or file.name == "py.typed"
        for package in [".".join([root, *file.parent.relative_to(ROOT / folder).parts])]
    }
    assert modules - names == set()
    assert [name for name in names if "examples" in name] == []
    assert {"nncompare/templates/report.html.j2", "nncompare/py.typed", "nncompare_plugins/py.typed"} <= names
    assert {
        name for name in names if not name.startswith(("nncompare/", "nncompare_plugins/", "nncompare-"))
    } == set()


@pytest.mark.slow
def test_packaging_sdist_builds_the_same_wheel(source, tmp_path):
    run(sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", tmp_path / "dist", source)
    (sdist,) = (tmp_path / "dist").glob("*.tar.gz")
    (tmp_path / "unpacked").mkdir()
    run("tar", "-xf", sdist, "-C", tmp_path / "unpacked")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    for origin, folder in ((source, "direct"), (unpacked, "through-sdist")):
        command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q"]
        run(*command, "-w", tmp_path / folder, origin)
    (direct,), (through,) = tmp_path.glob("direct/*.whl"), tmp_path.glob("through-sdist/*.whl")
    assert set(zipfile.ZipFile(direct).namelist()) == set(zipfile.ZipFile(through).namelist())
    assert (unpacked / "LICENSE").is_file()


@pytest.mark.slow
def test_packaging_wheel_works_outside_the_checkout(source, environment, tmp_path):
    pip_install(environment, source)
    assert_works(environment, tmp_path)


@pytest.mark.slow
def test_packaging_editable_install_works_outside_the_checkout(source, environment, tmp_path):
    pip_install(environment, "--editable", source)
    assert_works(environment, tmp_path)
    marker = source / "nncompare" / "registry.py"
    marker.write_text(marker.read_text() + "\nEDITED = True\n")
    assert run(environment, "-c", "from nncompare.registry import EDITED", cwd=tmp_path, env=isolated()) == ""
