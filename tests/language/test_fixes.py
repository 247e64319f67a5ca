"""`legoc check --fix`: safe fixes in place, the others never."""

from pathlib import Path

import pytest

from legoc.commands.cli import main
from legoc.language.checking import check
from legoc.language.diagnosing.diagnostics import Diagnostic, Fix, Label
from legoc.language.diagnosing.document import Document, Span
from legoc.language.editing.fixes import apart, fix_file, mend
from tests.language.declared import CATALOG
from tests.language.test_bad import BAD, PROGRAMS


def mended(text: str) -> str:
    return mend(Document("m.lego", text), known=CATALOG).text


MENDED = {
    "content CNN behavior Aditive -> predict Dot":
        "content CNN -> behavior Additive -> predict Dot",
    "content CNN(hiden=64.0) -> behavior Additive -> predict Dot":
        "content CNN(hidden=64) -> behavior Additive -> predict Dot",
    "content CNN(dropout=10%) → behavior GRU → predict DNN(units=8)":
        "content CNN(dropout=0.1) -> behavior GRU -> predict DNN(units=[8])",
    "// a comment\ncontent CNN -> behavior GRU -> predict Dot":
        "# a comment\ncontent CNN -> behavior GRU -> predict Dot",
    "data d {\n  source: 'Demo',\n}": 'data d {\n  source= "Demo"\n}',
    "content CNN(kernal=.5) -> behavior GRU(hidden=“8”) -> predict Dot":
        "content CNN(kernel=0.5) -> behavior GRU(hidden=8) -> predict Dot",
    "data d { source = Demo  id [1] }": "data d { source = Demo  id = [1] }",
    "content im [CNN, GRU] -> behaviour Additive -> predict Dot":
        "content in [CNN, GRU] -> behavior Additive -> predict Dot",
    "data d { sorce = Demo }\nmodel a = content CNN -> behavior GRU -> predict Dot\n"
    "model m = a(behaviour=Additive)\n"
    "run m no d wiht base were vaild excpet (modle=a)\ntrain base { }":
        "data d { source = Demo }\nmodel a = content CNN -> behavior GRU -> predict Dot\n"
        "model m = a(behavior=Additive)\n"
        "run m on d with base where valid except (model=a)\ntrain base { }",
}  # fmt: skip


@pytest.mark.parametrize("text", MENDED)
def test_safe_fixes_are_applied_in_rounds_until_none_is_left(text: str) -> None:
    assert mended(text) == MENDED[text]


ASKED = (
    "export e { budget = 64MB }",
    "content CNN(kernel=4) -> behavior GRU -> predict Dot",
    "content CNN(hidden=256) -> behavior GRU(hidden=128) -> predict Dot",
    "train t { learning_rate = 1e-3 }",
    # Other digits are another thing.
    "export e { precision = int16 }",
    "content CNN -> behavior GRU -> predict DCN2",
    "param width1 = 8\nmodel m = content CNN(hidden=$width2) -> behavior GRU -> predict Dot",
    # An operator, and a field, that are no `in`.
    "content DIN [1] -> behavior GRU -> predict Dot",
    # The usual word of another language.
    "dataset d { source = Demo }",
    "data d { source = Demo  augment = True }",
)


@pytest.mark.parametrize("text", ASKED)
def test_what_changes_a_model_is_left_to_its_author(text: str) -> None:
    assert check(Document("m.lego", text), known=CATALOG).errors
    assert mended(text) == text


def test_an_ask_fix_is_never_applied() -> None:
    found = check(Document("m.lego", ASKED[0]), known=CATALOG).diagnostics
    assert [d.fix.grade for d in found if d.fix] == ["ask"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_corpus_is_mended_as_far_as_its_fixes_say(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(BAD)
    text = Path(f"{name}.lego").read_text("utf-8")
    document = Document(f"{name}.lego", text)
    before = check(document, known=CATALOG).diagnostics
    safe = [
        d for d in before if d.fix and d.fix.grade == "safe" and d.fix.span.path == f"{name}.lego"
    ]
    result = mend(document, known=CATALOG)
    assert (result.text != text) == bool(safe)
    after = check(Document(f"{name}.lego", result.text), known=CATALOG).diagnostics
    assert not [d for d in after if d.fix and d.fix.grade == "safe" and d.fix.span.path != "--set"]
    if len(safe) == len(before) > 0 and not name.startswith("several"):
        assert not [d for d in after if d.code == before[0].code and d.message == before[0].message]


def test_a_file_is_fixed_in_place_and_checked_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "m.lego"
    file.write_bytes(
        b"\xef\xbb\xbf# one\r\nmodel m = content CNN(hiden=8) behavior GRU -> predict Dot\r\n"
    )
    file.chmod(0o640)
    assert main(["check", "--fix", str(file)]) == 0
    assert file.read_bytes() == (
        b"\xef\xbb\xbf# one\r\nmodel m = content CNN(hidden=8) -> behavior GRU -> predict Dot\r\n"
    )
    assert file.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["m.lego"]
    shown = capsys.readouterr()
    assert f"{file}:2:32: fixed[E0102]: insert `-> `" in shown.err
    assert "fixed[E0302]: write `hidden`" in shown.err
    assert "checked" in shown.out


def test_what_is_left_is_told_and_decides_the_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "m.lego"
    file.write_text("content CNN(kernel=4, hiden=8) -> behavior GRU -> predict Dot\n")
    assert main(["check", "--fix", str(file)]) == 1
    assert file.read_text() == "content CNN(kernel=4, hidden=8) -> behavior GRU -> predict Dot\n"
    assert "E0305" in capsys.readouterr().err


def test_used_files_and_overrides_are_left_alone(tmp_path: Path) -> None:
    common = tmp_path / "common.lego"
    common.write_text("train base { epoch = 3 }\n")
    file = tmp_path / "m.lego"
    text = 'use "common.lego" (base)\nparam hidden = 8\n'
    file.write_text(text)
    assert fix_file(str(file), overrides=["hiden=8"]) == ()
    assert (file.read_text(), common.read_text()) == (text, "train base { epoch = 3 }\n")


def test_a_link_is_followed_and_an_unreadable_file_left_to_the_check(tmp_path: Path) -> None:
    real = tmp_path / "real.lego"
    real.write_text("content CNN -> behaviour GRU -> predict Dot\n")
    link = tmp_path / "m.lego"
    link.symlink_to(real)
    assert len(fix_file(str(link))) == 1
    assert link.is_symlink()
    assert "behavior" in real.read_text()
    binary = tmp_path / "b.lego"
    binary.write_bytes(b"\xff")
    assert fix_file(str(binary)) == fix_file(str(tmp_path / "gone.lego")) == ()


def test_a_folder_that_cannot_be_written_is_a_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "m.lego"
    file.write_text("content CNN -> behaviour GRU -> predict Dot\n")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("legoc.writing.os.mkdir", refuse)
    assert main(["check", "--fix", str(file)]) == 1
    assert "E0211" in capsys.readouterr().err
    assert "behaviour" in file.read_text()


def test_a_write_that_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "m.lego"
    file.write_text("content CNN -> behaviour GRU -> predict Dot\n")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("legoc.writing.os.replace", refuse)
    with pytest.raises(OSError, match="No space"):
        fix_file(str(file))
    assert [path.name for path in tmp_path.iterdir()] == ["m.lego"]


def test_fixes_of_one_place_wait_for_the_next_round() -> None:
    document = Document("m.lego", "abcdef")

    def change(start: int, end: int) -> Diagnostic:
        span = Span(document, start, end)
        return Diagnostic(
            code="E0102", message="", labels=(Label(span=span, text="", primary=True),),
            fix=Fix(grade="safe", title="", span=span, replacement="x"),
        )  # fmt: skip

    found = apart([change(4, 5), change(0, 2), change(1, 3), change(2, 2)])
    assert [d.fix.span.start for d in found if d.fix] == [0, 4]
