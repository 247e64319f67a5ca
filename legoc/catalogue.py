"""Collects every declaration of the package and writes `grammar/lego.schema.json`.

`python -m legoc.catalogue` (or `make schema`) after a change of a declaration. The front end reads
the file and never imports what it describes; a test compares the file with a fresh export.
"""

import json
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

from legoc.language.declare import ROLES, Declaration
from legoc.language.schema import emit
from legoc.language.shipped import shipped


PACKAGES = ("legoc.operators", "legoc.data", "legoc.model", "legoc.training", "legoc.evaluation")


def modules() -> Iterator[str]:
    """The names of all modules that may declare something, in a fixed order."""
    for package in PACKAGES:
        found = import_module(package)
        for info in pkgutil.walk_packages(found.__path__, prefix=f"{package}."):
            yield info.name


def declarations() -> list[Declaration]:
    """Every declaration, by role and name. Two of one role and name are refused."""
    found: dict[tuple[str, str], Declaration] = {}
    for name in modules():
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
    return json.dumps(emit(declarations()), indent=1, ensure_ascii=False, sort_keys=False) + "\n"


def main(arguments: Sequence[str]) -> int:
    target = Path(arguments[0]) if arguments else shipped("grammar") / "lego.schema.json"
    target.write_text(fresh(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
