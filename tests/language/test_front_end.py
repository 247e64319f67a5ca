"""The front end as a whole: what it imports, and that no text makes it raise."""

import random
import re
import subprocess
import sys

from legoc.language.checking import check
from legoc.language.diagnosing.document import Document
from tests.language.declared import CATALOG
from tests.language.test_zoo import COMMON, EXCEPT, ZOO


HEAVY = ("torch", "numpy", "pandas", "pyarrow", "transformers", "onnxruntime", "jsonschema", "rich")
PIECES = re.compile(r'"[^"\n]*"|[A-Za-z_]\w*|->|[\d.]+\w*|\S|\s+')
TEXTS = (
    "content BERT(lora=32, split=-2) -> behavior Attention(heads=8) -> predict Dot",
    COMMON + "model m = content CNN(kernel=3) -> behavior GRU -> predict DCN(units=[8, 8])\n"
    'export e { budget = 64MiB }\nrun m on mind with base(warmup=10%, metrics=[AUC]) as e\n',
    COMMON + ZOO.split("\n", 2)[2].replace("    Transformer,\n", "") + EXCEPT,
)  # fmt: skip


def test_a_check_imports_nothing_heavy() -> None:
    program = (
        "import sys\n"
        f"blocked = {HEAVY!r}\n"
        "class Refuse:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in blocked: raise ImportError(name)\n"
        "sys.meta_path.insert(0, Refuse())\n"
        "from legoc.language import check\n"
        "from legoc.language.diagnosing.document import Document\n"
        "from legoc.language.diagnosing.render import render\n"
        "found = check(Document('x.lego', 'content CNN -> behavior Additive -> predict Dot'))\n"
        "assert len(found.specs) == 1, render(found.diagnostics)\n"
        "bad = check(Document('x.lego', 'content CNN(kernal=3) -> behavior Null -> predict Dot'))\n"
        "assert 'kernel' in render(bad.diagnostics)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def mutants(text: str, count: int, seed: int) -> list[str]:
    """Texts with one token deleted, doubled, swapped with the next, or misspelt."""
    pieces = PIECES.findall(text)
    draw = random.Random(seed)
    found: list[str] = []
    for _ in range(count):
        at = draw.randrange(len(pieces) - 1)
        changed = list(pieces)
        match draw.randrange(4):
            case 0:
                del changed[at]
            case 1:
                changed.insert(at, changed[at])
            case 2:
                changed[at], changed[at + 1] = changed[at + 1], changed[at]
            case _:
                changed[at] = changed[draw.randrange(len(pieces))]
        found.append("".join(changed))
    return found


def test_no_mutant_makes_the_check_raise() -> None:
    for index, text in enumerate(TEXTS):
        for mutant in mutants(text, 100 if index < 2 else 6, seed=index):
            checked = check(Document("m.lego", mutant), known=CATALOG)
            for diagnostic in checked.diagnostics:
                assert diagnostic.labels or diagnostic.help, (mutant, diagnostic)
            declares_run = mutant.lstrip().startswith("content") or "run " in mutant
            assert checked.diagnostics or checked.specs or not declares_run, mutant
