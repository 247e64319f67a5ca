#!/usr/bin/env bash
# numpy 2.4.6, Python 3.11.
# Expected: Philox(key=[a, b]) with whole numbers below 2^64 uses them as they are, so neighbouring keys
#   give other streams.
# Seen: a list that holds a number of 2^63 or more passes through float64 before it becomes a key (a
#   RuntimeWarning or nothing is said), so neighbouring keys give the same stream; below 2^63 they differ.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q numpy==2.4.6
"$folder/venv/bin/python" - <<'PY'
import warnings

import numpy as np

warnings.simplefilter("ignore")


def stream(first):
    return np.random.Generator(np.random.Philox(key=[first, 1])).integers(0, 2**62, 4).tolist()


low = stream(2**62) == stream(2**62 + 1)
high = stream(2**63) == stream(2**63 + 1)
exact = np.random.Generator(np.random.Philox(key=np.array([2**63 + 1, 1], np.uint64)))
print("numpy", np.__version__)
print("keys 2^62 and 2^62 + 1 give one stream:", low)
print("keys 2^63 and 2^63 + 1 give one stream:", high)
print("the same number as uint64 gives another:", exact.integers(0, 2**62, 4).tolist() != stream(2**63 + 1))
raise SystemExit(0 if (low, high) == (False, True) else "no longer as seen")
PY
