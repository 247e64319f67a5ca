"""Operators of installed packages: the entry-point group `legoc.operators` (LANGUAGE section 5).

    [project.entry-points."legoc.operators"]
    mixers = "legoc_mixers:lego.schema.json"

names a package and the schema file inside it. The file is read here; the package is imported when a
model is built and never before. The folders of `sys.path` are looked through by hand: importing
`importlib.metadata` alone costs a tenth of a check, and most people have no such package.
"""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from legoc.language.diagnosing.diagnostics import LegoError, fail


GROUP = "legoc.operators"
ENDINGS = (".dist-info", ".egg-info")


@dataclass(frozen=True, kw_only=True)
class Package:
    """An installed package of operators: the distribution that brings it, the module its entry
    point names, and the schema file below that."""

    distribution: str
    module: str
    file: str


def packages() -> tuple[Package, ...]:
    """The installed packages of operators, by name. Only entry points are read."""
    found: dict[str, tuple[Package, ...]] = {}
    for folder in dict.fromkeys(sys.path):
        for distribution, text in entry_points(folder or "."):
            # As in Python itself, the first of one name on the path is the one that counts.
            found.setdefault(distribution, tuple(read_entries(distribution, text)))
    return tuple(package for name in sorted(found) for package in found[name])


def entry_points(folder: str) -> Iterator[tuple[str, str]]:
    """The distributions of a folder that name the group, each with its entry points."""
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        if not name.endswith(ENDINGS):
            continue
        try:
            with open(os.path.join(folder, name, "entry_points.txt"), encoding="utf-8") as file:
                text = file.read()
        except (OSError, UnicodeDecodeError):
            continue
        if GROUP in text:
            distribution = name.rsplit(".", 1)[0].partition("-")[0]
            yield distribution.replace("_", "-").lower(), text


def read_entries(distribution: str, text: str) -> Iterator[Package]:
    """The entries of the group, in the form of `entry_points.txt`."""
    group = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            group = line[1:].rstrip("]").strip()
        elif group == GROUP and "=" in line and not line.startswith(("#", ";")):
            module, _, file = line.partition("=")[2].strip().partition(":")
            yield Package(distribution=distribution, module=module.strip(), file=file.strip())


def read_schema(package: Package) -> dict[str, Any]:
    """The schema file of a package. Raises LegoError (E0911) where there is none to read."""
    from importlib.util import find_spec

    top, *below = package.module.split(".")
    # Finding a top-level module does not import it; finding one below it would.
    spec = find_spec(top) if top else None
    if spec is None or not spec.submodule_search_locations:
        raise unreadable(package, f"there is no package `{top}`")
    if not package.file:
        raise unreadable(package, "its entry point names no schema file")
    path = os.path.join(next(iter(spec.submodule_search_locations)), *below, package.file)
    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
    except OSError as error:
        raise unreadable(package, f"{path}: {(error.strerror or str(error)).lower()}") from None
    except ValueError:
        raise unreadable(package, f"{path} is not JSON") from None
    if not isinstance(document, dict) or not isinstance(document.get("$defs"), dict):
        raise unreadable(package, f"{path} is not a schema of operators")
    return document


def unreadable(package: Package, reason: str) -> LegoError:
    return fail(
        "E0911",
        f"the operators of `{package.distribution}` cannot be read",
        "write the file with `python -m legoc.catalogue --package "
        f"{package.module or 'NAME'} FILE`, or uninstall the package",
        notes=(reason,),
    )


def declared_twice(role: str, name: str, first: str, second: str) -> LegoError:
    """E0910: what a spec means must not hang on the order of installation."""
    other = second if first == "legoc" else first
    return fail(
        "E0910",
        f"`{first}` and `{second}` both declare `{role} {name}`",
        f"uninstall one of them: `pip uninstall {other}`",
    )
