"""Definition, references and rename; the judge of a rename is the check, before and after."""

import re
from pathlib import Path

import pytest

from legoc.language.checking import check
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.diagnosing.document import Span
from legoc.language.editing.buffers import Buffers
from legoc.language.editing.names import declared_at, occurrence_at, occurrences, used_file
from legoc.language.editing.renaming import renamed, usages
from tests.server.texts import SPECS, marked


COMMON = """data mind { source = Demo }
param wide in [32, 64]
train base { epochs = 1 }
model naml = content CNN(hidden=$wide) -> behavior Additive -> predict Dot
"""
OWN = """use "common.lego" (mind, base, naml)
use "common.lego" as c

data twin = mind(history=5)
model wider = naml(content.kernel=5)
train fast = c.base(epochs=2)
export edge { opset = 20 }
run naml, wider on mind, twin, c.mind with base, fast as edge
  where valid
  except (data=twin, model=wider, train=fast)
run other = c.naml on mind
"""


def project(folder: Path) -> tuple[Buffers, Path, Path]:
    common, own = folder / "common.lego", folder / "own.lego"
    common.write_text(COMMON)
    own.write_text(OWN)
    return Buffers(), common, own


def apply(spans: tuple[Span, ...], name: str) -> dict[str, str]:
    """The texts after a rename, by path."""
    texts = {span.path: span.document.text for span in spans}
    for span in sorted(spans, key=lambda span: -span.start):
        text = texts[span.path]
        texts[span.path] = text[: span.start] + name + text[span.end :]
    return texts


def test_every_occurrence_is_the_name_it_stands_for(tmp_path: Path) -> None:
    buffers, common, own = project(tmp_path)
    for path in (common, own):
        scope = buffers.scope(buffers.read(str(path)))
        for found in occurrences(scope):
            home = declared_at(found.subject)
            assert home.text == found.span.text


def test_all_uses_are_found(tmp_path: Path) -> None:
    """Against a plain search for the word, of which none stands for anything else here."""
    buffers, common, own = project(tmp_path)
    for name, count in (("mind", 6), ("base", 4), ("naml", 5), ("wide", 2)):
        place = COMMON.index(name)
        found = usages(buffers.read(str(common)), place, buffers, [str(own)])
        spans = [each.span for usage in found for each in usage.found]
        words = [
            (path.name, match.start())
            for path in (common, own)
            for match in re.finditer(rf"\b{name}\b", path.read_text())
        ]
        assert sorted((Path(s.path).name, s.start) for s in spans) == sorted(words)
        assert len(spans) == count


@pytest.mark.parametrize("name", ["mind", "base", "naml", "wide", "twin", "fast", "edge", "wider"])
def test_a_rename_changes_no_meaning(tmp_path: Path, name: str) -> None:
    buffers, common, own = project(tmp_path)
    before = check(str(own))
    assert not before.errors
    path = common if name in COMMON else own
    place = path.read_text().index(name, 0 if path == common else OWN.index(f" {name}") + 1)
    others = [str(common), str(own)]
    spans = renamed(usages(buffers.read(str(path)), place, buffers, others), "renamed")
    for changed, text in apply(spans, "renamed").items():
        assert not re.search(rf"\b{name}\b", text)
        Path(changed).write_text(text)
    after = check(str(own))
    assert not after.errors
    assert [spec.keys for spec in after.specs] == [spec.keys for spec in before.specs]
    shown = [re.sub(rf"\b{name}\b", "renamed", spec.name) for spec in before.specs]
    assert [spec.name for spec in after.specs] == shown


def test_a_prefix_is_renamed_in_its_own_file(tmp_path: Path) -> None:
    buffers, common, own = project(tmp_path)
    found = usages(buffers.read(str(own)), OWN.index("as c") + 3, buffers, [str(common)])
    spans = renamed(found, "shared")
    texts = apply(spans, "shared")
    assert list(texts) == [str(own)]
    assert "shared.mind" in texts[str(own)]
    assert "shared.naml" in texts[str(own)]
    assert " c." not in texts[str(own)]


def test_every_name_of_every_shipped_spec_can_be_renamed(tmp_path: Path) -> None:
    texts = {path.name: path.read_text("utf-8") for path in SPECS if path.name != "zoo.lego"}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    paths = [str(tmp_path / name) for name in texts]
    keys = {path: [spec.keys for spec in check(path).specs] for path in paths}
    buffers = Buffers()
    done: set[tuple[str, str]] = set()
    for path in paths:
        for each in list(occurrences(buffers.scope(buffers.read(path)))):
            home = declared_at(each.subject)
            if (home.path, home.text) in done:
                continue
            done.add((home.path, home.text))
            found = usages(buffers.read(path), each.span.start, buffers, paths)
            changed = apply(renamed(found, "zzz"), "zzz")
            trial = Buffers()
            for other, text in changed.items():
                trial.open(other, text)
            from legoc.language.checking import check_resolved
            from legoc.language.declaring.catalog import catalog
            from legoc.language.resolving.resolve import resolve
            from legoc.language.typing.lower import Lowering

            for other in changed:
                resolved = resolve(trial.read(other), files=trial.files())
                after = check_resolved(resolved, Lowering(catalog()))
                assert not after.errors, (home.text, after.errors)
                assert [spec.keys for spec in after.specs] == keys[other], home.text
    assert len(done) > 20


@pytest.mark.parametrize(
    ("text", "name", "code"),
    [
        ("data d| { source = Demo }\nrun m on d", "data", "E0209"),
        ("data d| { source = Demo }", "true", "E0209"),
        ("data d| { source = Demo }", "2d", "E0290"),
        ("data d| { source = Demo }", "d-e", "E0290"),
        ("data d| { source = Demo }", "", "E0290"),
        ("data d| { source = Demo }", "é", "E0290"),
        ("data d| { source = Demo }\nparam e = 3", "e", "E0204"),
        ("data d| { source = Demo }\nmodel m = content CNN behavior", "e", "E0290"),
        ("data d { source = De|mo }", "e", "E0290"),
        ("da|ta d { source = Demo }", "e", "E0290"),
        ("model m = content C|NN -> behavior Additive -> predict Dot", "e", "E0290"),
    ],
)
def test_refused_renames(text: str, name: str, code: str) -> None:
    document, place, buffers = marked(text)
    with pytest.raises(LegoError) as refused:
        renamed(usages(document, place, buffers), name)
    (found,) = refused.value.diagnostics
    assert found.code == code
    assert found.help


def test_a_clash_in_a_file_that_uses_the_name_is_refused(tmp_path: Path) -> None:
    buffers, common, own = project(tmp_path)
    found = usages(buffers.read(str(common)), COMMON.index("mind"), buffers, [str(own)])
    with pytest.raises(LegoError, match="already has the name `twin`"):
        renamed(found, "twin")


def test_a_name_brought_in_through_two_files(tmp_path: Path) -> None:
    (tmp_path / "a.lego").write_text("data deep { source = Demo }\n")
    (tmp_path / "b.lego").write_text('use "a.lego" (deep)\ndata more = deep(history=3)\n')
    (tmp_path / "c.lego").write_text('use "b.lego" (deep)\ndata last = deep(history=4)\n')
    buffers = Buffers()
    paths = [str(tmp_path / name) for name in ("a.lego", "b.lego", "c.lego")]
    found = usages(buffers.read(paths[2]), 15, buffers, paths)
    assert sum(len(usage.found) for usage in found) == 5


def test_what_is_broken_names_nothing_wrong() -> None:
    document, place, buffers = marked("data d { source = Demo }\nrun nobody on d|\nmodel = = 3")
    found = occurrence_at(buffers.scope(document), place)
    assert found is not None
    assert declared_at(found.subject).start == 5
    document, place, buffers = marked("run nobo|dy on d")
    assert occurrence_at(buffers.scope(document), place) is None
    document, place, buffers = marked('use "nowh|ere.lego" (a)')
    assert used_file(buffers.scope(document), place) is not None


def test_a_name_of_the_wrong_kind_is_no_reference() -> None:
    document, place, buffers = marked("data d { source = Demo }\nrun d| on d")
    assert occurrence_at(buffers.scope(document), place) is None
