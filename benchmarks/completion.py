"""Answers of the language server: milliseconds from a key to its completion, for the longest specs.

Each answer is that of a new version of the text, so the parse of the whole file is in it. Memory is
kept as the server keeps it: garbage is collected in pauses, here one after every twenty keys.
"""

import statistics
import time
from pathlib import Path

from legoc.language.declaring.catalog import catalog
from legoc.language.diagnosing.document import Document
from legoc.language.editing.analysis import analyse
from legoc.language.editing.buffers import Buffers
from legoc.language.editing.completion import complete
from legoc.language.editing.explaining import explain
from legoc.language.syntax.fmt import format
from legoc.language.syntax.scan import pieces
from legoc.server.memory import keep_loaded, tidy


ROOT = Path(__file__).resolve().parents[1]
LIMIT = 30
KEYS = 20


def answers(path: Path, text: str) -> dict[str, list[float]]:
    """CPU milliseconds of each question at the beginning of every word of a text."""
    buffers, known = Buffers(), catalog()
    spent: dict[str, list[float]] = {"completion": [], "hover": [], "collection in a pause": []}
    for number, piece in enumerate(pieces(text)):
        if number % KEYS == 0:
            began = time.process_time()
            tidy()
            spent["collection in a pause"].append(1000 * (time.process_time() - began))
        began = time.process_time()
        document = buffers.open(str(path), text[: piece.start] + text[piece.end :])
        complete(document, piece.start, buffers.scope(document), known, buffers.files())
        spent["completion"].append(1000 * (time.process_time() - began))
        began = time.process_time()
        document = buffers.open(str(path), text)
        explain(document, piece.start, buffers.scope(document), known, ())
        spent["hover"].append(1000 * (time.process_time() - began))
    return spent


def whole(path: Path, text: str) -> dict[str, list[float]]:
    """CPU milliseconds of what is asked of a whole text, three times."""
    spent: dict[str, list[float]] = {"diagnostics and arrows": [], "formatting": []}
    for _ in range(3):
        buffers = Buffers()
        document = buffers.open(str(path), text)
        began = time.process_time()
        analyse(document, buffers, catalog())
        spent["diagnostics and arrows"].append(1000 * (time.process_time() - began))
        began = time.process_time()
        format(Document(str(path), text))
        spent["formatting"].append(1000 * (time.process_time() - began))
    return spent


def run() -> None:
    """Print the median and the worst of every question for the demo, the zoo, and a file of fifty
    models."""
    demo, zoo = ROOT / "specs/demo.lego", ROOT / "specs/zoo.lego"
    model = "model m{n} =\n  content CNN(hidden=64)\n  -> behavior Additive\n  -> predict Dot\n\n"
    fifty = demo.read_text("utf-8") + "\n" + "".join(model.format(n=n) for n in range(50))
    texts = {
        "demo": (demo, demo.read_text("utf-8")),
        "zoo": (zoo, zoo.read_text("utf-8")),
        "fifty models": (demo.with_name("fifty.lego"), fifty),
    }
    analyse(Document("", ""), Buffers(), catalog())
    keep_loaded()
    print(f"\nCPU milliseconds of an answer (completion has {LIMIT})")
    for name, (path, text) in texts.items():
        complete(Document(str(path), ""), 0, Buffers().scope(Document("", "")), catalog(),
                 Buffers().files())  # fmt: skip
        for question, spent in {**answers(path, text), **whole(path, text)}.items():
            print(
                f"  {name:<13} {question:<23} median {statistics.median(spent):7.1f}   "
                f"worst {max(spent):7.1f}   of {len(spent)}"
            )
