"""Highlighting against the parser: every shipped file, token by token, in both forms."""

import json
import re
from pathlib import Path

import pytest
from pygments.token import Comment, Error, Keyword, Name, Number, Operator, Punctuation, String

from legoc.highlighting import LegoLexer
from legoc.language.checking import check
from legoc.language.document import Document
from legoc.language.grammar import parser
from legoc.language.highlight import CONSTANTS, VERBS, textmate
from legoc.language.scan import DECLARATIONS, RESERVED, STAGES


ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"```(?:lego)?\n(.*?)```", re.DOTALL)
EXTRA = """\
## Everything at once.
use "a.lego" (b, c)  # both
use "d.lego" as e
param f in [1, -2.5e-3, 10%, 2h, 64MiB, 500k]
data g { source = Demo content = ["x \\" # -> \\u00e9", title(30)] history in [1, 2] }
train h = e.base(task=ranking(loss=bce), content.hidden=$f, model=none, content=[])
export i { precision = int8 }
model j = content in [CNN(hidden=$f), Null] -> behavior Additive -> predict Dot
model k = j(content=Null, behavior.dim=3)
run l = j, k on g, e.m with h as i where valid except (content=Null, hidden=1)
"""
TEXTS = [EXTRA, *(p.read_text("utf-8") for p in sorted((ROOT / "specs").glob("*.lego")))]
GROUPS = {
    "STRING": String, "NUMBER": Number, "QUANTITY": Number, "DOLLAR": Name.Variable,
    "ARROW": Operator, "EQUAL": Operator,
}  # fmt: skip
GRAMMAR = json.loads(textmate())


def lexed(text: str) -> list[tuple[int, str, object]]:
    return [(at, value, kind) for at, kind, value in LegoLexer().get_tokens_unprocessed(text)]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_pygments_sees_the_tokens_of_the_parser(text: str) -> None:
    found = lexed(text)
    assert "".join(value for _, value, _ in found) == text
    assert not [value for _, value, kind in found if kind in Error]
    kinds: dict[int, object] = {}
    for at, value, kind in found:
        kinds.update(dict.fromkeys(range(at, at + len(value)), kind))
    for token in parser().lex(text):
        start = token.start_pos or 0
        places = {kinds[at] for at in range(start, start + len(token))}
        # A dotted key is one token here; every other token lies in one.
        assert len(places) == 1, token
        (kind,) = places
        if token.type in GROUPS:
            assert kind in GROUPS[token.type], token
        elif token.type == "NAME" and str(token) not in CONSTANTS:
            assert kind in Name, token
        elif token.type == "NAME":
            assert kind in Keyword.Constant
        elif token.type in ("DOT", "COMMA") or token.type[1:] in ("PAR", "SQB", "BRACE"):
            assert kind in Punctuation or kind is Name.Attribute, token
        else:
            assert kind in Keyword or kind is Name.Attribute, token


def scopes(text: str) -> list[tuple[int, int, str]]:
    """What a TextMate engine does: line by line, the earliest match, of those the first rule."""
    found: list[tuple[int, int, str]] = []
    offset = 0
    patterns = [(rule, re.compile(rule["match"])) for rule in GRAMMAR["patterns"]]
    for line in text.splitlines(keepends=True):
        at = 0
        while at < len(line):
            matches = [(p.search(line, at), rule) for rule, p in patterns]
            best = min(
                ((m.start(), place, m, rule) for place, (m, rule) in enumerate(matches) if m),
                key=lambda each: each[:2], default=None,
            )  # fmt: skip
            if best is None or best[2].end() == at:
                break
            start, _, match, rule = best
            captures = rule.get("captures", {})
            if rule["name"].startswith("meta."):
                for number, given in captures.items():
                    first, last = match.span(int(number))
                    found.append((offset + first, offset + last, given["name"]))
            else:
                found.append((offset + start, offset + match.end(), rule["name"]))
            at = match.end()
        offset += len(line)
    return found


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_a_textmate_engine_sees_what_pygments_sees(text: str) -> None:
    from legoc.highlighting import TOKENS

    by_place = {at: TOKENS[scope] for at, _, scope in scopes(text)}
    for at, value, kind in lexed(text):
        if value.strip():
            assert by_place.get(at) == kind, (value, kind, by_place.get(at))


def test_words_are_told_from_names() -> None:
    found = {value: kind for _, value, kind in lexed(EXTRA)}
    assert found["param"] == found["model"] == found["run"] == Keyword.Declaration
    assert found["behavior"] == found["predict"] == Keyword.Namespace
    assert found["where"] == found["valid"] == found["on"] == Keyword
    assert found["j"] == Name.Class or found["l"] == Name.Class
    assert found["CNN"] == Name.Function
    assert found["none"] == Keyword.Constant
    assert found["content.hidden"] == Name.Attribute
    assert found["## Everything at once."] == Comment.Special
    stages = [kind for _, value, kind in lexed(EXTRA) if value == "content"]
    key, stage = Name.Attribute, Keyword.Namespace
    assert stages == [key, key, stage, key, key]


def test_every_word_of_the_language_is_in_a_list() -> None:
    keywords = {
        terminal.name.lower()
        for terminal in parser().terminals
        if terminal.pattern.to_regexp().startswith(terminal.name.lower() + "(?!")
    }
    assert keywords == {*DECLARATIONS, *STAGES, *VERBS}
    assert {*RESERVED, "valid"} == keywords | set(CONSTANTS)


def test_the_generated_grammars_are_fresh() -> None:
    for path in ("grammar", "editors/vscode/syntaxes"):
        file = ROOT / path / "lego.tmLanguage.json"
        assert file.read_text("utf-8") == textmate(), "run `make schema`"


def test_the_extension_is_whole() -> None:
    folder = ROOT / "editors/vscode"
    package = json.loads((folder / "package.json").read_text("utf-8"))
    (language,) = package["contributes"]["languages"]
    named = [package["main"], language["configuration"]]
    named += [grammar["path"] for grammar in package["contributes"]["grammars"]]
    for name in named:
        assert (folder / name).is_file(), name
    for grammar in package["contributes"]["grammars"]:
        content = json.loads((folder / grammar["path"]).read_text("utf-8"))
        assert content["scopeName"] == grammar["scopeName"]
    configuration = json.loads((folder / language["configuration"]).read_text("utf-8"))
    assert re.fullmatch(configuration["wordPattern"], "$hidden_2")
    # The command the extension starts is one that legoc has.
    from legoc.cli import build_parser

    program, *command = package["contributes"]["configuration"]["properties"]["lego.command"][
        "default"
    ]
    assert program == "legoc"
    build_parser().parse_args(command)


def test_the_entry_point_names_the_lexer() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    entry = project["entry-points"]["pygments.lexers"]["lego"]
    assert entry == f"{LegoLexer.__module__}:{LegoLexer.__name__}"
    assert "*.lego" in LegoLexer.filenames


def test_the_extra_text_parses() -> None:
    found = check(Document("m.lego", EXTRA)).diagnostics
    assert not [d for d in found if d.code.startswith("E01")]
