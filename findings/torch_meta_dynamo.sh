#!/usr/bin/env bash
# torch 2.13.0 (CPU build), Python 3.11.
# Expected: drawing numbers into a tensor of the meta device, which has no numbers, costs nothing; nothing
#   is compiled, so torch's compiler is not loaded.
# Seen: the first normal_ on the meta device imports torch._dynamo (about a second); zero_ on the meta
#   device and normal_ on the CPU do not. Initialisers of layers under `with torch.device("meta")` meet it.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q numpy "torch==2.13.0+cpu" ||
  "$folder/venv/bin/pip" install -q --index-url https://download.pytorch.org/whl/cpu "torch==2.13.0+cpu"
"$folder/venv/bin/python" - <<'PY'
import sys
import time

import torch


def loads(device, draw):
    began = time.perf_counter()
    getattr(torch.empty(2, device=device), draw)()
    return "torch._dynamo" in sys.modules, time.perf_counter() - began


print("torch", torch.__version__)
seen = []
for device, draw in (("cpu", "normal_"), ("meta", "zero_"), ("meta", "normal_")):
    loaded, seconds = loads(device, draw)
    seen.append(loaded)
    print(f"{draw} on {device}: torch._dynamo is loaded: {loaded} ({seconds:.3f} s)")
raise SystemExit(0 if seen == [False, False, True] else "no longer as seen")
PY
