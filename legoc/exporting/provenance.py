"""Where a bundle comes from: digests, seed, versions, revision. No time, no path, no name."""

import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from legoc.language.ir.spec import Spec


PACKAGES = ("legoc", "legoc-runtime", "torch", "onnx", "onnxscript", "onnxruntime", "numpy")


def describe_provenance(spec: Spec, data_digest: str) -> dict[str, Any]:
    return {
        "spec": spec.keys.spec,
        "data": data_digest,
        "seed": None if spec.train is None else spec.train.seed,
        "versions": versions(),
        "revision": revision(),
    }


def versions() -> dict[str, str]:
    """Of the packages that shape a bundle, as far as they are installed."""
    found: dict[str, str] = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def revision() -> str | None:
    """The git commit of the working directory, None where there is none."""
    git = shutil.which("git")
    if git is None:
        return None
    done = subprocess.run([git, "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None if done.returncode == 0 else None
