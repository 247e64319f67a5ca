"""Golden digests of the shipped specs: their keys name the runs and caches of users.

`pytest tests/language/test_golden.py --promote` records new ones; a change of old ones has to be
explained in the commit that makes it.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from legoc.language.checking import check
from legoc.language.declaring.shipped import shipped
from legoc.language.diagnosing.document import Document
from legoc.language.ir.spec import Spec


GOLDEN = Path(__file__).parents[1] / "golden" / "digests.json"
KEYS = ("item", "user", "prefix", "spec")
# The points of a larger sweep are recorded together.
MOST = 8
LENGTH = 16


def keys_of(spec: Spec) -> dict[str, str]:
    return {key: getattr(spec.keys, key)[:LENGTH] for key in KEYS}


def digests() -> dict[str, Any]:
    """The keys of every point of every shipped spec."""
    found: dict[str, Any] = {}
    for path in sorted(shipped("specs").glob("*.lego")):
        specs = check(str(path)).specs
        if len(specs) > MOST:
            text = "\n".join(f"{spec.name} {spec.keys.spec}" for spec in specs)
            found[path.name] = {
                "points": len(specs),
                "all": hashlib.sha256(text.encode()).hexdigest()[:LENGTH],
            }
        elif specs:
            found[path.name] = {spec.name: keys_of(spec) for spec in specs}
    return found


def test_the_digests_of_shipped_specs_are_golden(request: pytest.FixtureRequest) -> None:
    found = digests()
    if request.config.getoption("--promote"):
        GOLDEN.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    recorded = json.loads(GOLDEN.read_text("utf-8"))
    moved = sorted(name for name in recorded if found.get(name) != recorded[name])
    assert not moved, "the identity of shipped specs has changed: explain it, then --promote"
    assert not sorted(found.keys() - recorded.keys()), "new specs: record them with --promote"


SPECS = shipped("specs")
NAML = "content CNN(hidden=256, kernel=3) -> behavior Additive -> predict Dot"
HEAD = 'use "common.lego" (mind, base)\n'


def naml(text: str) -> dict[str, str]:
    (spec,) = check(Document(str(SPECS / "mine.lego"), HEAD + text)).specs
    return keys_of(spec)


SPELLINGS = {
    "reordered": ("model naml = content CNN(kernel=3, hidden=256) -> behavior Additive",
                  "-> predict Dot", "run naml on mind with base"),
    "defaults": (f"model naml = {NAML.replace('kernel=3', 'kernel=3, fuse=additive')}",
                 "run naml on mind with base(optimizer=adam, warmup=0%)"),
    "param": (f"model naml = {NAML.replace('256', '$width')}", "param width = 256",
              "run naml on mind with base"),
    "override": (f"model small = {NAML.replace('256', '64')}",
                 "model naml = small(content.hidden=256)", "run naml on mind with base"),
    "comments": ("## Mine.", f"model other =  # a name\n  {NAML}",
                 "run mine = other on mind with base  # runs"),
}  # fmt: skip


@pytest.mark.parametrize("name", SPELLINGS)
def test_five_spellings_of_a_shipped_model_have_its_digests(name: str) -> None:
    recorded = json.loads(GOLDEN.read_text("utf-8"))["naml.lego"]["naml"]
    assert naml("\n".join(SPELLINGS[name])) == recorded


RUN = f"model naml = {NAML}\nrun naml on mind with base"
EDGE = "export edge { precision = fp16 }\n"
MOVES = (
    ("behavior Additive", "behavior GRU", {"user", "spec"}),
    ("predict Dot", "predict DNN", {"spec"}),
    ("hidden=256", "hidden=64", {"item", "user", "spec"}),
    ("on mind", "on mind(history=20)", {"user", "spec"}),
    ("on mind", "on mind(content=[title(20), category])", {"item", "user", "spec"}),
    ("on mind", 'on mind(source.path="elsewhere")', set[str]()),
    ("with base", "with base(seed=1)", {"spec"}),
    ("with base", "with base(metrics=[GAUC, AUC])", set[str]()),
    ("with base", "with base(monitor=MRR)", {"spec"}),
    ("with base", "with base(limit=1h)", set[str]()),
    ("on mind", "on mind(tokenizer=words)", set[str]()),
    ("with base", "with base as edge", set[str]()),
)


@pytest.mark.parametrize(("old", "new", "moved"), MOVES)
def test_a_change_moves_these_keys_and_no_other(old: str, new: str, moved: set[str]) -> None:
    before, after = naml(EDGE + RUN), naml(EDGE + RUN.replace(old, new))
    assert {key for key in KEYS if before[key] != after[key]} == moved
