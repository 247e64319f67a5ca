"""Wheels written by hand, so that pip can really install a package without a network or a build
backend."""

import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path


def write_wheel(
    folder: Path, name: str, files: Mapping[str, str], entry_points: Mapping[str, str]
) -> Path:
    """A pure wheel of these files, with entry points of the group `legoc.operators`."""
    module = name.replace("-", "_")
    info = f"{module}-0.1.0.dist-info"
    lines = "".join(f"{key} = {value}\n" for key, value in entry_points.items())
    whole = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n\n[legoc.operators]\n{lines}",
    }
    record = "".join(f"{path},,\n" for path in (*whole, f"{info}/RECORD"))
    wheel = folder / f"{module}-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in {**whole, f"{info}/RECORD": record}.items():
            archive.writestr(path, text)
    return wheel


def install(wheel: Path, target: Path) -> None:
    """What a user does, into a folder of its own."""
    command = [
        sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--quiet",
        "--disable-pip-version-check", "--target", str(target), str(wheel),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
