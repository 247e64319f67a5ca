"""Collects every declaration of the package and writes `grammar/lego.schema.json`; beside it the
TextMate grammar and the parser's tables.

`python -m legoc.catalogue` (or `make schema`) after a change of a declaration. The front end reads
the file and never imports what it describes; a test compares the file with a fresh export.

`python -m legoc.catalogue --package NAME OUT.json` writes the declarations of another package, for
the entry-point group `legoc.operators`.
"""

import argparse
import json
import pkgutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from legoc.language.declaring.declare import Declaration
from legoc.language.declaring.kinds import ROLES
from legoc.language.declaring.schema import emit
from legoc.language.declaring.shipped import shipped
from legoc.language.syntax.grammar import build_parser
from legoc.language.syntax.tables import write_tables
from legoc.language.syntax.textmate import textmate
from legoc.writing import write_text


PACKAGES = (
    "legoc.operators", "legoc.data", "legoc.generating", "legoc.model", "legoc.training",
    "legoc.evaluation",
)  # fmt: skip


def modules(packages: Sequence[str]) -> Iterator[str]:
    """The names of all modules that may declare something, in a fixed order."""
    for package in packages:
        found = import_module(package)
        yield package
        for info in pkgutil.walk_packages(getattr(found, "__path__", ()), prefix=f"{package}."):
            yield info.name


def declarations(packages: Sequence[str] = PACKAGES) -> list[Declaration]:
    """Every declaration, by role and name. Two of one role and name are refused."""
    found: dict[tuple[str, str], Declaration] = {}
    for name in modules(packages):
        module = import_module(name)
        for value in vars(module).values():
            declaration = vars(value).get("declaration") if isinstance(value, type) else None
            if not isinstance(declaration, Declaration) or value.__module__ != name:
                continue
            key = (declaration.role, declaration.name)
            if key in found:
                other = found[key].module
                raise ValueError(
                    f"{key[0]} {key[1]} is declared twice: {other}, {declaration.module}"
                )
            found[key] = declaration
    return sorted(found.values(), key=lambda d: (ROLES.index(d.role), d.name))


def fresh() -> str:
    """The text of `grammar/lego.schema.json` as the declarations stand now."""
    return write(emit(declarations()))


def derived() -> dict[Path, str]:
    """The generated files of a checkout with their texts: the schema, the parser's tables, and the
    TextMate grammar of the repository and of the VS Code extension."""
    grammar = shipped("grammar")
    extension = grammar.parent / "editors/vscode/syntaxes"
    text = (grammar / "lego.lark").read_text("utf-8")
    found = {
        grammar / "lego.schema.json": fresh(),
        grammar / "lego.tables.json": write_tables(build_parser(text), text),
        grammar / "lego.tmLanguage.json": textmate(),
    }
    if extension.is_dir():
        found[extension / "lego.tmLanguage.json"] = textmate()
    return found


def package_file(package: str) -> str:
    """The text of the schema file of another package: its declarations, without the IR around them.

    Raises ValueError where it declares nothing.
    """
    document = emit(declarations((package,)))
    roles = {r: document["$defs"][r] for r in ROLES if document["$defs"][r]["allOf"]}
    if not roles:
        raise ValueError(f"the package {package} declares no operator")
    return write({"$schema": document["$schema"], "title": f"{package} operators", "$defs": roles})


def write(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=False) + "\n"


def put(path: Path, text: str) -> None:
    """Write a file in one step: who reads it meanwhile reads the old one or the new one. What it
    holds already is left as it is."""
    if not path.is_file() or path.read_bytes() != text.encode():
        write_text(path, text)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m legoc.catalogue", description="Write a schema file of declared operators."
    )
    parser.add_argument("--package", metavar="NAME", help="another package than legoc")
    parser.add_argument("target", nargs="?", metavar="OUT.json", help="the file to write")
    given = parser.parse_args(arguments)
    if given.package is None and given.target is None:
        for path, text in derived().items():
            put(path, text)
        return 0
    if given.package is None:
        put(Path(given.target), fresh())
        return 0
    if given.target is None:
        parser.error("--package needs the file to write: OUT.json")
    try:
        text = package_file(given.package)
    except (ValueError, ImportError) as error:
        parser.error(str(error))
    put(Path(given.target), text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
