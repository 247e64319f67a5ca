"""`python -m benchmarks [NAME ...]` runs all benchmarks, or those named."""

import os
import platform
import sys
from importlib import import_module, metadata


NAMES = (
    "front_end", "completion", "naml", "operators", "padding", "language_models", "precision",
    "data", "comparison", "learning", "sweeps", "full_ranking", "catalogue", "speed", "serving",
    "yes_no", "generation", "kills", "spread",
)  # fmt: skip


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    versions = ", ".join(f"{p} {metadata.version(p)}" for p in ("torch", "onnxruntime", "numpy"))
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{versions}; one thread")
    for name in names or NAMES:
        import_module(f"benchmarks.{name}").run()
    return 0


if __name__ == "__main__":
    # One thread in every library, whatever the machine offers: figures are per CPU second.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main(sys.argv[1:]))
