"""Every example and shipped spec with one piece deleted, doubled, replaced, misspelt or exchanged:
always a diagnostic that leads on, or specs; never a traceback, never without end.

The default run takes every twentieth mutant, `-m slow` all of them.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from legoc.language.checking import check
from legoc.language.declaring.catalog import Catalog, catalog, load_schema
from legoc.language.declaring.shipped import shipped
from legoc.language.diagnosing.document import Document
from legoc.language.diagnosing.render import FORMATS, render
from legoc.language.editing.fixes import mend
from legoc.language.ir import form
from legoc.language.syntax.fmt import format
from legoc.language.syntax.parse import parse
from tests.language.declared import CATALOG, SCHEMA
from tests.language.mutants import KINDS, mutants
from tests.language.texts import EXAMPLES, write_examples


EVERY = 20
LONGEST = 30
SPECS = {path.name: path for path in sorted(shipped("specs").glob("*.lego"))}
# A zoo has thousands of points: its mutants are parsed and formatted only, and those of one with
# two operators for each stage are checked.
SMALL_ZOO = """\
use "common.lego" (mind, mind_gpt, base, ranking)

param hidden in [64, 256]

model zoo =
  content in [CNN(hidden=$hidden, fuse=concat), BERT(hidden=$hidden, split=-2, lora=8)]
  -> behavior in [Null, Attention]
  -> predict in [Dot, DIN(units=[8, 8])]

run zoo on mind, mind_gpt with base(lr in [1e-3, 1e-4]), ranking
  where valid
  except (content=CNN, predict=Dot)
"""
EXPORT = """\
use "common.lego" (mind, base)

export edge {
  opset = 20
  precision = int8
  budget = 64MiB  # refuse to write a bigger predictor
  parity = 1e-4  # largest |torch - onnx| on the probe batch
}

model naml = content CNN(hidden=256, kernel=3) -> behavior Additive -> predict Dot

run naml on mind with base(warmup=10%, limit=2h, samples=500k) as edge
"""
ZOOS = {"example": EXAMPLES["zoo.lego"], "spec": SPECS.pop("zoo.lego").read_text("utf-8")}
CHECKED = {
    **{name: text for name, text in EXAMPLES.items() if name != "zoo.lego"},
    "small_zoo.lego": SMALL_ZOO,
    "export.lego": EXPORT,
}


@contextmanager
def ending(text: str) -> Iterator[None]:
    """Interrupt what does not end."""

    def stop(*_: object) -> None:
        raise AssertionError(f"no end in sight:\n{text}")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(LONGEST)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def answered(document: Document, known: Catalog, schema: object) -> None:
    """A text is answered by diagnostics that lead on, or by specs that the schema accepts too."""
    text = document.text
    with ending(text):
        checked = check(document, known=known)
    for diagnostic in checked.diagnostics:
        assert diagnostic.labels or diagnostic.help, (text, diagnostic)
        assert diagnostic.primary is not None, (text, diagnostic)
        assert "\n" not in diagnostic.message, (text, diagnostic)
    for name in FORMATS:
        assert render(checked.diagnostics, format=name) or not checked.diagnostics
    for spec in checked.specs[:2]:
        form.validate(form.to_json(spec), schema)  # type: ignore[arg-type]
    mended = mend(document, known=known)
    assert (mended.text != text) == bool(mended.applied)
    formats_or_not(document)


def formats_or_not(document: Document) -> None:
    """What parses is formatted, which verifies that it means the same and formats to itself."""
    if not parse(document).diagnostics:
        formatted = format(document)
        assert format(Document(document.path, formatted)) == formatted


def chosen(text: str, every: int) -> list[str]:
    """Every n-th mutant, counted from one that depends on the text alone."""
    return list(mutants(text, KINDS))[len(text) % every :: every]


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_examples(tmp_path_factory.mktemp("examples"))


@pytest.mark.parametrize("name", CHECKED)
def test_some_mutants_of_an_example(name: str, examples: Path) -> None:
    for text in chosen(CHECKED[name], EVERY):
        answered(Document(str(examples / name), text), CATALOG, SCHEMA)


@pytest.mark.parametrize("name", SPECS)
def test_some_mutants_of_a_shipped_spec(name: str) -> None:
    for text in chosen(SPECS[name].read_text("utf-8"), 3 * EVERY):
        answered(Document(str(SPECS[name]), text), catalog(), load_schema())


@pytest.mark.parametrize("name", ZOOS)
def test_some_mutants_of_a_zoo_are_formatted(name: str) -> None:
    for text in chosen(ZOOS[name], EVERY):
        formats_or_not(Document("zoo.lego", text))


@pytest.mark.slow
@pytest.mark.parametrize("name", CHECKED)
def test_every_mutant_of_an_example(name: str, examples: Path) -> None:
    for text in chosen(CHECKED[name], 1):
        answered(Document(str(examples / name), text), CATALOG, SCHEMA)


@pytest.mark.slow
@pytest.mark.parametrize("name", SPECS)
def test_every_mutant_of_a_shipped_spec(name: str) -> None:
    for text in chosen(SPECS[name].read_text("utf-8"), 1):
        answered(Document(str(SPECS[name]), text), catalog(), load_schema())


@pytest.mark.slow
@pytest.mark.parametrize("name", ZOOS)
def test_every_mutant_of_a_zoo_is_formatted(name: str) -> None:
    for text in chosen(ZOOS[name], 1):
        formats_or_not(Document("zoo.lego", text))


def test_there_are_thousands_of_mutants() -> None:
    texts = [
        *CHECKED.values(),
        EXAMPLES["zoo.lego"],
        *(p.read_text("utf-8") for p in SPECS.values()),
    ]
    assert sum(len(chosen(text, 1)) for text in texts) >= 5000
