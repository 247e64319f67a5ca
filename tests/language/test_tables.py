"""The parser's tables are data, fresh, and mean what the grammar means; nothing is unpickled."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import lark
import pytest

from legoc.language.declaring.shipped import shipped
from legoc.language.syntax import grammar
from legoc.language.syntax.grammar import build_parser
from legoc.language.syntax.tables import read_tables, write_tables
from tests.language.mutants import mutants
from tests.language.texts import EXAMPLES


ROOT = Path(__file__).resolve().parents[2]
GRAMMAR = shipped("grammar/lego.lark").read_text("utf-8")
TABLES = shipped("grammar/lego.tables.json").read_text("utf-8")
FRESH = "`python -m legoc.catalogue` writes it anew"


def test_the_tables_are_those_of_the_grammar() -> None:
    assert write_tables(build_parser(GRAMMAR), GRAMMAR) == TABLES, FRESH


def test_no_order_of_hashes_changes_a_letter() -> None:
    program = (
        "import sys\n"
        "from legoc.language.syntax.grammar import build_parser\n"
        "from legoc.language.syntax.tables import write_tables\n"
        "sys.stdout.write(write_tables(build_parser(sys.argv[1]), sys.argv[1]))\n"
    )
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", program, GRAMMAR], check=True, capture_output=True, text=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONUTF8": "1"},
        )  # fmt: skip
        assert done.stdout == TABLES


def outcome(parser: lark.Lark, text: str) -> object:
    """The tree of a text; else where it stopped and what would have fitted."""
    try:
        return parser.parse(text, start="start")
    except lark.exceptions.UnexpectedInput as error:
        accepted = error.interactive_parser.accepts()  # type: ignore[attr-defined]
        return type(error).__name__, error.pos_in_stream, sorted(accepted)


def test_they_read_every_text_as_the_grammar_does() -> None:
    kept, built = read_tables(TABLES, GRAMMAR), build_parser(GRAMMAR)
    assert kept is not None
    texts = [path.read_text("utf-8") for path in sorted((ROOT / "specs").glob("*.lego"))]
    for name in ("02_nrms.lego", "06_plmnr.lego", "07_dire.lego"):
        texts += [EXAMPLES[name], *mutants(EXAMPLES[name])]
    assert len(texts) > 500
    for text in texts:
        assert outcome(kept, text) == outcome(built, text), text
    for start in ("value", "args"):
        text = "(a=[1, $b], c)" if start == "args" else "[f(a in [1]), 10%]"
        assert kept.parse(text, start=start) == built.parse(text, start=start)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", TABLES[: len(TABLES) // 2], TABLES.replace(lark.__version__, "0.1", 1),
     TABLES.replace('"parts": [', '"parts": [[0, "data", 99999999],')],
    ids=["empty", "list", "mapping", "null", "half", "another Lark", "no such part"],
)  # fmt: skip
def test_other_tables_are_not_read_and_the_grammar_is(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_tables(text, GRAMMAR) is None
    (tmp_path / "lego.lark").write_text(GRAMMAR, "utf-8")
    if text:
        (tmp_path / "lego.tables.json").write_text(text, "utf-8")
    monkeypatch.setattr(grammar, "shipped", lambda _: tmp_path / "lego.lark")
    assert grammar.parser.__wrapped__().parse("content A -> predict B", start="start")


def test_the_tables_of_another_grammar_are_not_read() -> None:
    assert read_tables(TABLES, GRAMMAR + "\n") is None


# Prints when it is unpickled.
TRAP = b"cbuiltins\nprint\n(S'unpickled'\ntR."


def test_no_command_opens_a_pickle_or_leaves_one(tmp_path: Path) -> None:
    spec = ROOT / "specs" / "demo.lego"
    program = (
        "import pickle, sys\n"
        "def refuse(*_, **__): sys.exit('something is unpickled')\n"
        "pickle.load = pickle.loads = pickle.Unpickler = refuse\n"
        "from legoc.commands.cli import main\n"
        f"sys.exit(main(['check', {str(spec)!r}]))\n"
    )
    env = {**os.environ, "LEGOC_CACHE": str(tmp_path)}
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", program], env=env, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        for kept in tmp_path.rglob("*"):
            if kept.is_file():
                assert kept.suffix == ".json", kept
                kept.write_bytes(TRAP)


# What unpickles by its own name, and calls that do unless they are told not to.
MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
CALLS = {"torch.load", "torch.save", "pandas.read_pickle", "pd.read_pickle"}


def pickles(node: ast.AST) -> bool:
    """Whether a part of a program pickles or unpickles."""
    if isinstance(node, ast.Import):
        return any(alias.name in MODULES for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        return node.module in MODULES
    if not isinstance(node, ast.Call):
        return False
    called = ast.unparse(node.func)
    told = {key.arg: ast.unparse(key.value) for key in node.keywords}
    cached = called.endswith("Lark") and "cache" in told
    return called in CALLS or cached or told.get("allow_pickle", "False") != "False"


def test_nothing_in_the_package_pickles() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"  # type: ignore[attr-defined]
        for folder in ("legoc", "runtime/legoc_runtime")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if pickles(node)
    ]
    assert not wrong, "\n".join(wrong)
