"""Highlighting against the parser: every shipped file, token by token, in both forms."""

import json
import re
from pathlib import Path

import pytest
import regex
from pygments.token import Comment, Error, Keyword, Name, Number, Operator, Punctuation, String

from legoc.language.checking import check
from legoc.language.diagnosing.document import Document
from legoc.language.syntax.grammar import parser
from legoc.language.syntax.scan import DECLARATIONS, RESERVED, STAGES
from legoc.language.syntax.textmate import CONSTANTS, VERBS, textmate
from legoc.pygments_lexer import LegoLexer


ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"```(?:lego)?\n(.*?)```", re.DOTALL)
EXTRA = """\
## Everything at once.
use "a.lego" (b, c)  # both
use "d.lego" as e
param f in [1, -2.5e-3, 10%, 2h, 64MiB, 500k]
data g { source = Demo content = ["x \\" # -> \\u00e9", title(30)] history in [1, 2] }
data g2 { content = [标题(20), größe, "Product Title"(16)] }
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
# Its second version reads classes as Oniguruma does, the engine of VS Code: a bare `[` within one
# opens another, `&&` cuts two.
PATTERNS = {
    rule["match"]: regex.compile(rule["match"], regex.VERSION1) for rule in GRAMMAR["patterns"]
}
# What VS Code knows of the points at which an extension adds something, for those in use.
KNOWN = {
    "": {
        "name", "displayName", "description", "version", "publisher", "private", "engines",
        "categories", "main", "activationEvents", "capabilities", "contributes", "dependencies",
    },
    "languages": {"id", "aliases", "extensions", "configuration"},
    "grammars": {"language", "scopeName", "path", "injectTo", "embeddedLanguages"},
    "property": {"type", "items", "default", "description", "scope"},
    "configuration file": {
        "comments", "brackets", "autoClosingPairs", "surroundingPairs", "wordPattern",
        "indentationRules",
    },
}  # fmt: skip


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
        elif token.type == "LETTERS" or (token.type == "NAME" and str(token) not in CONSTANTS):
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
    patterns = [(rule, PATTERNS[rule["match"]]) for rule in GRAMMAR["patterns"]]
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
    from legoc.pygments_lexer import TOKENS

    by_place = {at: TOKENS[scope] for at, _, scope in scopes(text)}
    for at, value, kind in lexed(text):
        if value.strip():
            assert by_place.get(at) == kind, (value, kind, by_place.get(at))


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_every_keyword_is_highlighted(text: str) -> None:
    """Whatever the parser reads as a word of the language, and nothing that it reads as a name."""
    keywords = {at for at, _, scope in scopes(text) if scope.startswith("keyword.")}
    keys = {at for at, _, scope in scopes(text) if scope == "variable.parameter.lego"}
    words = 0
    for token in parser().lex(text):
        if not token.isalpha():
            continue
        start = token.start_pos or 0
        # A word of the language before `=` is the name of a field; one's own may be called `name`.
        word = token.type == token.upper() and token.type != "NAME" and start not in keys
        assert (start in keywords) == word, token
        words += word
    assert words > 3


def test_words_are_told_from_names() -> None:
    found = {value: kind for _, value, kind in lexed(EXTRA)}
    assert found["param"] == found["model"] == found["run"] == Keyword.Declaration
    assert found["behavior"] == found["predict"] == Keyword.Namespace
    assert found["where"] == found["valid"] == found["on"] == Keyword
    assert found["j"] == Name.Class or found["l"] == Name.Class
    assert found["CNN"] == Name.Function
    assert found["none"] == Keyword.Constant
    assert found["标题"] == Name.Function
    assert found["größe"] == Name
    assert found['"Product Title"'] == String.Double
    assert found["content.hidden"] == Name.Attribute
    assert found["## Everything at once."] == Comment.Special
    stages = [kind for _, value, kind in lexed(EXTRA) if value == "content"]
    key, stage = Name.Attribute, Keyword.Namespace
    assert stages == [key, key, key, stage, key, key]


def test_every_word_of_the_language_is_in_a_list() -> None:
    keywords = {
        terminal.name.lower()
        for terminal in parser().terminals
        if terminal.pattern.to_regexp().startswith(terminal.name.lower() + "(?!")
    }
    assert keywords == {*DECLARATIONS, *STAGES, *VERBS}
    assert {*RESERVED, "valid", "log"} == keywords | set(CONSTANTS)


def test_the_generated_grammars_are_fresh() -> None:
    for path in ("grammar", "editors/vscode/syntaxes"):
        file = ROOT / path / "lego.tmLanguage.json"
        assert file.read_text("utf-8") == textmate(), "run `make schema`"


def test_a_fence_of_markdown_is_found_by_its_language() -> None:
    path = ROOT / "editors/vscode/syntaxes/markdown.tmLanguage.json"
    fence = json.loads(path.read_text("utf-8"))["repository"]["lego"]
    begins = regex.compile(fence["begin"], regex.VERSION1)
    for line in ("```lego", "~~~~ lego", "  ```Lego title=x"):
        assert begins.match(line), line
    for line in ("```legos", "``lego", "```", "```python lego"):
        assert not begins.match(line), line
    (inner,) = fence["patterns"]
    goes_on = regex.compile(inner["while"], regex.VERSION1)
    assert goes_on.match("model m = content CNN")
    assert not goes_on.match("```")
    assert inner["patterns"] == [{"include": GRAMMAR["scopeName"]}]
    # The end repeats the indentation and the fence of the beginning.
    sign = regex.escape("```")
    ends = regex.compile(fence["end"].replace("\\2", "").replace("\\3", sign), regex.VERSION1)
    assert ends.match("```")
    assert not ends.match("~~~")


def test_the_manifest_says_nothing_that_vs_code_does_not_know() -> None:
    folder = ROOT / "editors/vscode"
    package = json.loads((folder / "package.json").read_text("utf-8"))
    assert package.keys() <= KNOWN[""]
    assert re.fullmatch(r"\^\d+\.\d+\.\d+", package["engines"]["vscode"])
    contributes = package["contributes"]
    assert contributes.keys() == {"languages", "grammars", "configuration"}
    ids = {language["id"] for language in contributes["languages"]}
    assert package["activationEvents"] == [f"onLanguage:{name}" for name in ids]
    for language in contributes["languages"]:
        assert language.keys() <= KNOWN["languages"]
        assert all(ending.startswith(".") for ending in language["extensions"])
    for grammar in contributes["grammars"]:
        assert grammar.keys() <= KNOWN["grammars"]
        assert grammar.get("language", "lego") in ids
        assert set(grammar.get("embeddedLanguages", {}).values()) <= ids
    settings = contributes["configuration"]["properties"]
    for setting in settings.values():
        assert setting.keys() <= KNOWN["property"]
    script = (folder / package["main"]).read_text("utf-8")
    section, key = re.findall(r'getConfiguration\("(\w+)"\)\.get\("(\w+)"\)', script)[0]
    assert list(settings) == [f"{section}.{key}"]
    assert f'language: "{ids.pop()}"' in script
    # It names a program to start: a folder that is not trusted must not.
    untrusted = package["capabilities"]["untrustedWorkspaces"]
    assert untrusted["restrictedConfigurations"] == list(settings)
    assert settings["lego.command"]["scope"] == "machine-overridable"
    configuration = json.loads((folder / "language-configuration.json").read_text("utf-8"))
    assert configuration.keys() <= KNOWN["configuration file"]
    for pattern in configuration["indentationRules"].values():
        re.compile(pattern)


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
    for word in ("$hidden_2", "标题", "größe"):
        assert re.fullmatch(configuration["wordPattern"], word)
    # The command the extension starts is one that legoc has.
    from legoc.commands.cli import parser_of

    program, name, *flags = package["contributes"]["configuration"]["properties"]["lego.command"][
        "default"
    ]
    assert program == "legoc"
    parser_of(name).parse_args(flags)


def test_the_entry_point_names_the_lexer() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    entry = project["entry-points"]["pygments.lexers"]["lego"]
    assert entry == f"{LegoLexer.__module__}:{LegoLexer.__name__}"
    assert "*.lego" in LegoLexer.filenames


def test_the_extra_text_parses() -> None:
    found = check(Document("m.lego", EXTRA)).diagnostics
    assert not [d for d in found if d.code.startswith("E01")]
