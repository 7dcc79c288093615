"""Small distributions, built and installed for real, in an environment that sees what this one has."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Mapping
from pathlib import Path

MODELS = "nncompare.models"


def environment(folder: Path) -> Path:
    """Make a virtual environment with all that this one has, nncompare included; return its interpreter."""
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    asked = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    purelib = Path(subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip())
    here = sysconfig.get_path("purelib")
    # Not the bare path: where nncompare is installed in editable mode, its own .pth file has to be read.
    (purelib / "libraries.pth").write_text(f"import site; site.addsitedir({here!r})\n", encoding="utf-8")
    script = folder / "bin" / "nncompare"
    script.write_text(f"#!{python}\nfrom nncompare.cli import main\nmain()\n", encoding="utf-8")
    script.chmod(0o755)
    return python


def wheel(folder: Path, name: str, modules: Mapping[str, str], models: Mapping[str, str]) -> Path:
    """Write a wheel and return its path.

    Parameters
    ----------
    folder : Path
    name : str
        Of the distribution; its version is 1.0.
    modules : mapping of str
        Source code by file.
    models : mapping of str
        Entry points of models by name.
    """
    info = f"{name.replace('-', '_')}-1.0.dist-info"
    points = "\n".join([f"[{MODELS}]", *(f"{point} = {value}" for point, value in models.items()), ""])
    files = {
        **modules,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": points,
    }
    rows = [f"{path},sha256={_digest(text)},{len(text.encode())}" for path, text in files.items()]
    path = folder / f"{name.replace('-', '_')}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in files.items():
            archive.writestr(file, text)
        archive.writestr(f"{info}/RECORD", "\n".join([*rows, f"{info}/RECORD,,", ""]))
    return path


def pip(python: Path, *arguments: object) -> None:
    """Call this environment's pip for another one, without a network."""
    run(Path(sys.executable), "-m", "pip", "--quiet", "--python", python, *arguments, check=True)


def install(python: Path, *what: object) -> None:
    """Install distributions that lie here, with the build backend and the libraries that are here."""
    pip(python, "install", "--no-deps", "--no-build-isolation", "--no-index", *what)


def run(
    program: Path, *arguments: object, cwd: Path | None = None, check: bool = False, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run a program and return what it printed; with ``check``, show that where it failed."""
    left_out = {"PYTHONHOME", "PYTHONSAFEPATH", "PYTHONPATH"}
    variables = {name: value for name, value in os.environ.items() if name not in left_out}
    done = subprocess.run(
        [str(program), *map(str, arguments)],
        cwd=cwd,
        env={**variables, "PATH": f"{program.parent}:{os.environ['PATH']}", **env},
        capture_output=True,
        text=True,
        check=False,
    )
    if check:
        assert done.returncode == 0, f"{arguments}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
