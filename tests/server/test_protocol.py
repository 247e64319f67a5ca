"""The server over its real protocol: a process, its standard input and output."""

import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.client import Editor, Refusal
from tests.server.texts import ROOT


COMMON = "## The data.\ndata mind { source = Demo }\n\ntrain base { epochs = 1 }\n"
OWN = """use "common.lego" (mind, base)  # Größe 模型 🙂

model naml =
  content CNN(hidden=64)
  -> behavior Additive  # over the clicks
  -> predict Dot

run naml on mind with base
"""
WHOLE = {"start": {"line": 0, "character": 0}, "end": {"line": 999, "character": 0}}
OPTIONS = {"tabSize": 4, "insertSpaces": True}


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    started = Editor(tmp_path_factory.mktemp("project"))
    yield started
    started.kill()


@pytest.fixture
def files(editor: Editor) -> Iterator[Editor]:
    """The editor with both files on disk and the second open."""
    (editor.root / "common.lego").write_text(COMMON, encoding="utf-8")
    (editor.root / "own.lego").write_text(OWN, encoding="utf-8")
    editor.open("own.lego")
    yield editor
    for name in ("own.lego", "common.lego"):
        editor.close(name)


def part(line: int, start: int, end: int, text: str) -> dict[str, Any]:
    """A change within one line."""
    return {
        "range": {
            "start": {"line": line, "character": start},
            "end": {"line": line, "character": end},
        },
        "text": text,
    }


def codes(found: list[dict[str, Any]]) -> list[str]:
    return [each["code"] for each in found]


def apply(text: str, edits: list[dict[str, Any]]) -> str:
    """Edits of ASCII lines, applied from the last."""
    lines = text.splitlines(keepends=True)
    starts = [sum(map(len, lines[:n])) for n in range(len(lines) + 1)]

    def at(position: dict[str, int]) -> int:
        return starts[position["line"]] + position["character"]

    for edit in sorted(edits, key=lambda e: -at(e["range"]["start"])):
        start, end = at(edit["range"]["start"]), at(edit["range"]["end"])
        text = text[:start] + edit["newText"] + text[end:]
    return text


def test_it_says_what_it_can(editor: Editor) -> None:
    offered = editor.capabilities
    assert offered["positionEncoding"] == "utf-16"
    assert offered["textDocumentSync"]["change"] == 2
    for name in (
        "completionProvider", "hoverProvider", "signatureHelpProvider", "definitionProvider",
        "referencesProvider", "documentSymbolProvider", "codeActionProvider",
        "documentFormattingProvider", "renameProvider", "foldingRangeProvider",
        "inlayHintProvider",
    ):  # fmt: skip
        assert offered[name], name


def test_mistakes_are_shown_while_typing(files: Editor) -> None:
    assert files.diagnostics("own.lego", 1) == []
    # Two mistakes far apart, typed in two steps of one message; columns count from the smiley on.
    files.change("own.lego", 2, part(3, 14, 20, "hiden"), part(7, 22, 26, "bass"))
    found = files.diagnostics("own.lego", 2)
    assert sorted(codes(found)) == ["E0202", "E0302"]
    hiden = next(each for each in found if each["code"] == "E0302")
    assert hiden["range"] == part(3, 14, 19, "")["range"]
    assert "did you mean `hidden`?" in hiden["message"]
    files.change("own.lego", 3, part(3, 14, 19, "hidden"), part(7, 22, 26, "base"))
    assert files.diagnostics("own.lego", 3) == []


def test_all_errors_of_a_broken_file_are_shown(files: Editor) -> None:
    text = "model a = content CNN behavior Null -> predict DIN\ntrain t { epochs = = 3 }\n"
    text += "data d { source = Demo histroy = 3 }\n"
    files.change("own.lego", 2, {"text": text})
    assert codes(files.diagnostics("own.lego", 2)) == ["E0102", "E0102", "E0302"]


def test_a_used_file_counts_as_it_is_open(files: Editor) -> None:
    assert files.diagnostics("own.lego", 1) == []
    files.open("common.lego", COMMON.replace("base", "basic"))
    (found,) = files.diagnostics("own.lego", 1)
    assert found["code"] == "E0202"
    assert "declares no `base`" in found["message"]
    files.change("common.lego", 2, {"text": COMMON})
    assert files.diagnostics("own.lego", 1) == []
    files.change("common.lego", 3, {"text": COMMON.replace("epochs = 1", "epohcs = 1")})
    (found,) = files.diagnostics("own.lego", 1)
    assert found["range"]["start"] == {"line": 0, "character": 4}
    (related,) = found["relatedInformation"]
    assert related["location"]["uri"] == files.uri("common.lego")


def test_columns_are_utf_16(files: Editor) -> None:
    text = 'data d { source = Demo content = ["🙂é模", titel] }  # 🙂\n'
    files.change("own.lego", 2, {"text": text})
    found = next(d for d in files.diagnostics("own.lego", 2) if d["code"] == "E0601")
    start = len('data d { source = Demo content = ["🙂é模", '.encode("utf-16-le")) // 2
    assert found["range"] == part(0, start, start + 5, "")["range"]
    # The same columns come back in a change.
    files.change("own.lego", 3, part(0, start, start + 5, "title"))
    shown = files.on("hover", "own.lego", 0, start + 2)
    assert "text attribute" in shown["contents"]["value"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-32"])
def test_other_encodings_are_agreed_upon(tmp_path: Path, encoding: str) -> None:
    editor = Editor(tmp_path, (encoding,))
    try:
        assert editor.capabilities["positionEncoding"] == encoding
        editor.open("t.lego", "# 🙂é\ndata d { source = Demo content = [title] }  # 🙂\n")
        head = 'data d { source = Demo content = ["🙂", '
        editor.change("t.lego", 2, part(1, 34, 34, '"🙂", '))
        column = {"utf-8": len(head.encode()), "utf-32": len(head)}[encoding]
        shown = editor.on("hover", "t.lego", 1, column + 1)
        assert shown["range"]["start"] == {"line": 1, "character": column}
        assert editor.leave() == 0
    finally:
        editor.kill()


def test_lines_end_as_the_protocol_says(files: Editor) -> None:
    """Not at the separators that Python knows besides."""
    files.change("own.lego", 2, {"text": "# \u2028 \x0c \x85 \x0b\r\nparam x = 1\r\n"})
    files.change("own.lego", 3, part(1, 6, 7, "wide"))
    (found,) = files.of("documentSymbol", "own.lego")
    assert found["name"] == "wide"
    assert found["selectionRange"]["start"] == {"line": 1, "character": 6}


def test_many_small_changes_arrive_whole(files: Editor) -> None:
    """The server's text against the editor's, after a hundred edits."""
    draw = random.Random(3)
    text = OWN.splitlines()
    for version in range(2, 102):
        line = draw.randrange(1, len(text))
        start = draw.randrange(len(text[line]) + 1)
        end = draw.randrange(start, len(text[line]) + 1)
        new = draw.choice(["", "x", " ", "=", "(", "🙂"[:0] + "a1"])
        text[line] = text[line][:start] + new + text[line][end:]
        files.change("own.lego", version, part(line, start, end, new))
    files.change("own.lego", 102, part(0, 0, 0, "# first\n"))
    now = "# first\n" + "\n".join(text) + "\n"
    (files.root / "copy.lego").write_text(now, encoding="utf-8")
    files.open("copy.lego")
    theirs = codes(files.diagnostics("copy.lego", 1))
    assert codes(files.diagnostics("own.lego", 102)) == theirs
    files.close("copy.lego")
    (files.root / "copy.lego").unlink()


def test_completion(files: Editor) -> None:
    found = files.on("completion", "own.lego", 3, 24)
    labels = [item["label"] for item in found["items"]]
    assert "hidden" not in labels
    files.change("own.lego", 2, part(3, 23, 23, ", k"))
    found = files.on("completion", "own.lego", 3, 26)
    (kernel,) = [item for item in found["items"] if item["label"] == "kernel"]
    assert kernel["textEdit"] == {"range": part(3, 25, 26, "")["range"], "newText": "kernel="}
    assert "kernel" in kernel["documentation"]["value"]


def test_completion_in_a_file_nobody_opened_is_refused(files: Editor) -> None:
    with pytest.raises(Refusal):
        files.on("completion", "nowhere.lego", 0, 0)
    assert files.on("hover", "own.lego", 3, 11) is not None


def test_hover_and_signature(files: Editor) -> None:
    shown = files.on("hover", "own.lego", 3, 11)
    assert shown["range"] == part(3, 10, 13, "")["range"]
    assert "content operator" in shown["contents"]["value"]
    assert "The data." in files.on("hover", "own.lego", 7, 14)["contents"]["value"]
    assert "Vec[64]" in files.on("hover", "own.lego", 4, 2)["contents"]["value"]
    assert files.on("hover", "own.lego", 1, 0) is None
    (call,) = files.on("signatureHelp", "own.lego", 3, 21)["signatures"]
    active = call["parameters"][call["activeParameter"]]["label"]
    assert call["label"][slice(*active)].startswith("hidden=")


def test_definition_and_references(files: Editor) -> None:
    there = files.on("definition", "own.lego", 7, 13)
    assert there == {"uri": files.uri("common.lego"), "range": part(1, 5, 9, "")["range"]}
    there = files.on("definition", "own.lego", 0, 8)
    assert there["uri"] == files.uri("common.lego")
    assert files.on("definition", "own.lego", 3, 12) is None
    found = files.on("references", "own.lego", 7, 13, context={"includeDeclaration": True})
    assert {(each["uri"], each["range"]["start"]["line"]) for each in found} == {
        (files.uri("own.lego"), 0), (files.uri("own.lego"), 7), (files.uri("common.lego"), 1),
    }  # fmt: skip
    without = files.on("references", "own.lego", 7, 13, context={"includeDeclaration": False})
    assert len(without) == len(found) - 1
    assert len(files.on("documentHighlight", "own.lego", 7, 13)) == 2


def test_rename_across_files(files: Editor) -> None:
    # A file that nobody opened uses the name too.
    third = 'use "common.lego" (mind)\ndata twin = mind(history=3)\n'
    (files.root / "third.lego").write_text(third)
    place = files.on("prepareRename", "own.lego", 7, 13)
    assert place["placeholder"] == "mind"
    changes = files.on("rename", "own.lego", 7, 13, newName="news")["changes"]
    assert set(changes) == {files.uri(n) for n in ("own.lego", "common.lego", "third.lego")}
    new = apply(third, changes[files.uri("third.lego")])
    assert new == third.replace("mind", "news")
    assert apply(COMMON, changes[files.uri("common.lego")]) == COMMON.replace("mind", "news")
    (files.root / "third.lego").unlink()
    assert files.on("prepareRename", "own.lego", 3, 12) is None


@pytest.mark.parametrize(
    ("name", "said"),
    [("model", "word of the language"), ("base", "already has the name"), ("1", "is no name")],
)
def test_refused_renames_say_why(files: Editor, name: str, said: str) -> None:
    with pytest.raises(Refusal, match=said) as refused:
        files.on("rename", "own.lego", 7, 13, newName=name)
    assert refused.value.code == -32803
    assert not any("Traceback" in line for line in files.log)


def test_formatting(files: Editor) -> None:
    assert files.of("formatting", "own.lego", options=OPTIONS) == []
    messy = "param x=1\ndata d{source=Demo}\n"
    files.change("own.lego", 2, {"text": messy})
    edits = files.of("formatting", "own.lego", options=OPTIONS)
    assert apply(messy, edits) == "param x = 1\ndata d {\n  source = Demo\n}\n"
    files.change("own.lego", 3, {"text": "param x=\n"})
    assert files.of("formatting", "own.lego", options=OPTIONS) is None


def test_fixes(files: Editor) -> None:
    text = "model m = content CNN(hiden=64, kernel=3.0) behavior Null -> predict DIN\n"
    files.change("own.lego", 2, {"text": text})
    context = {"diagnostics": []}
    (insert,) = files.of("codeAction", "own.lego", range=WHOLE, context=context)
    assert insert["kind"] == "quickfix"
    assert insert["isPreferred"] is True
    text = apply(text, insert["edit"]["changes"][files.uri("own.lego")])
    assert ") -> behavior" in text
    files.change("own.lego", 3, {"text": text})
    both = files.of("codeAction", "own.lego", range=WHOLE, context=context)
    assert [each["title"] for each in both] == ["write `hidden`", "write `3`"]
    nowhere = part(0, 0, 2, "")["range"]
    assert files.of("codeAction", "own.lego", range=nowhere, context=context) == []
    only = {"diagnostics": [], "only": ["source.fixAll"]}
    (every,) = files.of("codeAction", "own.lego", range=WHOLE, context=only)
    text = apply(text, every["edit"]["changes"][files.uri("own.lego")])
    assert "CNN(hidden=64, kernel=3)" in text
    files.change("own.lego", 4, {"text": text})
    assert files.diagnostics("own.lego", 4) == []
    assert files.of("codeAction", "own.lego", range=WHOLE, context=only) == []


def test_types_on_arrows(files: Editor) -> None:
    hints = files.of("inlayHint", "own.lego", range=WHOLE)
    assert [(h["position"], h["label"]) for h in hints] == [
        ({"line": 4, "character": 4}, "Vec[64]"), ({"line": 5, "character": 4}, "Vec[64]"),
    ]  # fmt: skip
    above = {"start": {"line": 0, "character": 0}, "end": {"line": 4, "character": 9}}
    assert len(files.of("inlayHint", "own.lego", range=above)) == 1
    files.change("own.lego", 2, part(3, 21, 23, "32"))
    hints = files.of("inlayHint", "own.lego", range=WHOLE)
    assert [h["label"] for h in hints] == ["Vec[32]", "Vec[32]"]


def test_symbols_and_folding(files: Editor) -> None:
    found = files.of("documentSymbol", "own.lego")
    assert [each["name"] for each in found] == ["common.lego", "naml", "naml"]
    assert [each["name"] for each in found[1]["children"]] == ["content", "behavior", "predict"]
    (fold,) = files.of("foldingRange", "own.lego")
    assert (fold["startLine"], fold["endLine"]) == (2, 5)


def test_cancelled_requests_are_answered_and_nothing_else_is_lost(files: Editor) -> None:
    files.change("own.lego", 2, {"text": (ROOT / "specs/zoo.lego").read_text("utf-8")})
    numbers = [
        files.begin("textDocument/inlayHint", textDocument={"uri": files.uri("own.lego")},
                    range=WHOLE)
        for _ in range(3)
    ]  # fmt: skip
    for number in numbers:
        files.tell("$/cancelRequest", id=number)
    for number in numbers:
        with pytest.raises(Refusal) as cancelled:
            files.end(number)
        assert cancelled.value.code == -32800
    files.tell("$/cancelRequest", id=12345)
    files.change("own.lego", 3, {"text": OWN})
    assert len(files.of("inlayHint", "own.lego", range=WHOLE)) == 2


def test_no_text_ends_the_server(files: Editor) -> None:
    """Damaged texts, each asked everything at a place; then a sound one."""
    draw = random.Random(11)
    letters = [*'(){}[],=->."$#é🙂 \n', "model ", "data ", "in ", "content ", "1e", "use "]
    for version in range(2, 42):
        at = draw.randrange(len(OWN))
        text = OWN[:at] + "".join(draw.choices(letters, k=6)) + OWN[at + draw.randrange(20) :]
        files.change("own.lego", version, {"text": text})
        line, column = draw.randrange(9), draw.randrange(30)
        for method in ("completion", "hover", "signatureHelp", "definition", "prepareRename"):
            files.on(method, "own.lego", line, column)
        for method in ("documentSymbol", "foldingRange"):
            files.of(method, "own.lego")
        files.of("formatting", "own.lego", options=OPTIONS)
        files.of("inlayHint", "own.lego", range=WHOLE)
        files.of("codeAction", "own.lego", range=WHOLE, context={"diagnostics": []})
    files.change("own.lego", 42, {"text": OWN})
    assert files.diagnostics("own.lego", 42) == []
    assert not any("Traceback" in line for line in files.log)


def test_unknown_messages_are_refused_and_forgotten(files: Editor) -> None:
    with pytest.raises(Refusal):
        files.ask("legoc/unheardOf")
    files.tell("legoc/unheardOf")
    assert files.of("foldingRange", "own.lego")


def test_a_text_that_was_never_saved(files: Editor) -> None:
    item = {"uri": "untitled:Untitled-1", "languageId": "lego", "version": 1, "text": "content C"}
    files.tell("textDocument/didOpen", textDocument=item)
    found = files.ask(
        "textDocument/completion", textDocument={"uri": "untitled:Untitled-1"},
        position={"line": 0, "character": 9},
    )  # fmt: skip
    assert "CNN" in [each["label"] for each in found["items"]]
    files.tell("textDocument/didClose", textDocument={"uri": "untitled:Untitled-1"})


def test_changes_on_the_disk_are_seen_when_told(files: Editor) -> None:
    assert files.diagnostics("own.lego", 1) == []
    (files.root / "common.lego").write_text(COMMON.replace("base", "basis"))
    event = {"uri": files.uri("common.lego"), "type": 2}
    files.tell("workspace/didChangeWatchedFiles", changes=[event])
    assert codes(files.diagnostics("own.lego", 1)) == ["E0202"]
    # A file that was missing leaves nothing behind that could tell of its coming.
    files.change("own.lego", 2, {"text": 'use "late.lego" (x)\n'})
    assert codes(files.diagnostics("own.lego", 2)) == ["E0201"]
    (files.root / "late.lego").write_text("param x = 1\n")
    files.tell("workspace/didChangeWatchedFiles", changes=[event])
    assert files.diagnostics("own.lego", 2) == []


def test_it_leaves_when_asked_and_when_the_editor_is_gone(tmp_path: Path) -> None:
    asked = Editor(tmp_path)
    assert asked.leave() == 0
    asked.kill()
    left = Editor(tmp_path)
    assert left.process.stdin is not None
    left.process.stdin.close()
    assert left.process.wait(60) is not None
    left.kill()


def test_without_pygls_it_says_what_to_install() -> None:
    code = (
        "import sys\n"
        "sys.modules['pygls'] = None\n"
        "from legoc.commands.cli import main\n"
        "sys.exit(main(['lsp']))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "error[E0291]" in done.stderr
    assert "legoc[lsp]" in done.stderr
    assert "Traceback" not in done.stderr
