"""Imports point one way (DESIGN section 3), and what is light stays light."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest


ROOT = Path(__file__).resolve().parents[2]
LOWEST = {"progress", "writing", "tensor_files"}
# What a package may import of legoc, itself always included.
BELOW: dict[str, set[str]] = {
    "progress": set(),
    "writing": set(),
    "tensor_files": set(),
    "language": {"writing"},
    "server": {"language"},
    "operators": {"language"},
    "data": {"language", *LOWEST},
    "generating": {"language", "data", *LOWEST},
    "model": {"language", "operators", "data", *LOWEST},
    "evaluation": {"language", "data", "generating", "model", *LOWEST},
    "exporting": {"language", "data", "model", "evaluation", *LOWEST},
    "training": {"language", "data", "model", "evaluation", "exporting", *LOWEST},
    "experiments": {"language", "data", "model", "evaluation", "exporting", "training", *LOWEST},
    "proving": {"language", "data", "model", "evaluation", "exporting", "training", *LOWEST},
}
BELOW["commands"] = set(BELOW)
# The floors inside a package, from the lowest: a room uses rooms of lower floors only.
FLOORS: dict[str, tuple[tuple[str, ...], ...]] = {
    "language": (
        ("diagnosing", "codes"), ("declaring",), ("syntax",), ("ir",), ("resolving",), ("typing",),
        ("checking", "starter"), ("importing", "editing", "debug"),
    ),
    "data": (
        ("cache", "staging"), ("formats", "splitting"), ("indexing",),
        ("sources", "augmenting", "reading"), ("prepare",), ("batching", "survey"),
    ),
}  # fmt: skip
# `__main__`, which starts a command, and the declarations' export stand above all packages.
FRONT = {
    "lark", "legoc",
    # The modules of it that say what a value means; they are held to the standard library below.
    "legoc_runtime",
    # the standard library, as far as Python itself knows it
    *sys.stdlib_module_names,
}  # fmt: skip


def imported(path: Path) -> set[str]:
    """The modules a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("package", sorted(BELOW))
def test_arrows_point_one_way(package: str) -> None:
    allowed = BELOW[package] | {package}
    wrong: list[str] = []
    paths = [
        p
        for p in files("legoc")
        if p.relative_to(ROOT / "legoc").parts[0].removesuffix(".py") == package
    ]
    assert paths, f"legoc/{package} has no modules"
    known = {path.name.removesuffix(".py") for path in (ROOT / "legoc").iterdir()}
    for path in paths:
        for name in imported(path):
            home, _, rest = name.partition(".")
            above = rest.partition(".")[0]
            if home == "legoc" and above in known - allowed:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong, "\n".join(wrong)


@cache
def known_modules() -> dict[str, Path]:
    """Every module of legoc by its dotted name."""
    found: dict[str, Path] = {}
    for path in files("legoc"):
        parts = list(path.relative_to(ROOT).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def arrows() -> dict[str, set[str]]:
    """The modules of legoc that each module imports, at its top or inside a function. What a
    package itself offers counts as the package, a module behind it as the module."""
    known = known_modules()
    found: dict[str, set[str]] = {}
    for name, path in known.items():
        named = imported(path)
        behind = {each.rpartition(".")[0] for each in named if each in known}
        found[name] = {each for each in named - behind if each in known} - {name}
    return found


@pytest.mark.parametrize("package", sorted(FLOORS))
def test_rooms_use_lower_floors_only(package: str) -> None:
    floor = {room: height for height, rooms in enumerate(FLOORS[package]) for room in rooms}
    there = {
        path.name.removesuffix(".py")
        for path in (ROOT / "legoc" / package).iterdir()
        if path.name != "__init__.py" and (path.suffix == ".py" or list(path.glob("*.py")))
    }
    assert there == set(floor)
    wrong: list[str] = []
    for name, others in arrows().items():
        room = name.split(".")[2:3]
        if not name.startswith(f"legoc.{package}.") or not room:
            continue
        for other in others:
            target = other.split(".")[2:3]
            inside = other.startswith(f"legoc.{package}.") and target != room
            if inside and floor[target[0]] >= floor[room[0]]:
                wrong.append(f"{name} imports {other}")
    assert not wrong, "\n".join(wrong)


def test_a_room_names_the_modules_that_others_use() -> None:
    wrong: list[str] = []
    known = known_modules()
    for package in FLOORS:
        for path in sorted((ROOT / "legoc" / package).glob("*/__init__.py")):
            room = f"legoc.{package}.{path.parent.name}"
            used = {
                other.removeprefix(f"{room}.").partition(".")[0]
                for name, others in arrows().items()
                if name != room and not name.startswith(f"{room}.")
                for other in others
                if other.startswith(f"{room}.")
            }
            doc = ast.get_docstring(ast.parse(known[room].read_text(encoding="utf-8"))) or ""
            named = set(re.findall(r"`(\w+)`", doc.partition("For others:")[2]))
            if named != used:
                wrong.append(f"{room} names {sorted(named - used)}, lacks {sorted(used - named)}")
    assert not wrong, "\n".join(wrong)


def test_no_imports_in_a_circle() -> None:
    remaining = arrows()
    while True:
        free = {name for name, others in remaining.items() if not others & set(remaining)}
        if not free:
            break
        remaining = {name: others for name, others in remaining.items() if name not in free}
    used = set().union(*remaining.values()) if remaining else set()
    assert not remaining, f"circles among: {', '.join(sorted(set(remaining) & used))}"


def test_the_runtime_knows_nothing_of_legoc() -> None:
    """Its server alone knows of HTTP, and one module of an index."""
    known = {"numpy", "onnxruntime", "tokenizers", "legoc_runtime", *sys.stdlib_module_names}
    own = {"serving": {"fastapi", "uvicorn"}, "nearest.py": {"faiss"}}
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files("runtime/legoc_runtime")
        for name in imported(path)
        if name.split(".")[0]
        not in known.union(*(more for part, more in own.items() if part in path.parts))
    ]
    assert not wrong, "\n".join(wrong)


def test_the_front_end_imports_lark_and_the_standard_library() -> None:
    late = {"jsonschema", "pyarrow", "yaml"}  # inside the functions that need them
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files("legoc/language")
        for name in imported(path)
        if name.split(".")[0] not in FRONT | late
    ]
    assert not wrong, "\n".join(wrong)


def test_the_front_end_knows_only_the_values_of_the_runtime() -> None:
    """What a value means is decided there, with the standard library alone."""
    light = {"values", "kinds", "lists", "dates", "moments", "errors"}
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files("legoc/language")
        for name in imported(path)
        if name.split(".")[0] == "legoc_runtime" and name.split(".")[1] not in light
    ]
    for path in (ROOT / "runtime/legoc_runtime" / f"{name}.py" for name in sorted(light)):
        wrong += [
            f"{path.relative_to(ROOT)} imports {name}"
            for name in imported(path)
            if name.split(".")[0] not in sys.stdlib_module_names
            and name.split(".")[:2] not in [["legoc_runtime", each] for each in light]
        ]
    assert not wrong, "\n".join(wrong)


def test_data_never_imports_torch() -> None:
    wrong = [p for p in files("legoc/data") if any(n.split(".")[0] == "torch" for n in imported(p))]
    assert not wrong


HEAVY = (
    "torch",
    "numpy",
    "pandas",
    "transformers",
    "onnxruntime",
    "onnx",
    "jsonschema",
    "typer",
    "rich",
    "pyarrow",
    "legoc_runtime",
)


@pytest.mark.parametrize(
    "command",
    [
        ["--help"],
        ["check", str(ROOT / "specs/naml.lego")],
        ["check", "--types", str(ROOT / "specs/din_text.lego")],
        ["fmt", "--check", str(ROOT / "specs/nrms.lego")],
        ["operators"],
        ["operators", "content", "CNN"],
        ["operators", "train"],
        ["explain", "E0403"],
        ["explain"],
        ["help", "sweep"],
    ],
    ids=" ".join,
)
def test_light_commands_stay_light(command: list[str]) -> None:
    code = (
        "import sys\n"
        "from legoc.commands.cli import main\n"
        "try:\n    status = main(sys.argv[1:])\n"
        "except SystemExit as stop:\n    status = stop.code or 0\n"
        f"loaded = [m for m in {HEAVY!r} if m in sys.modules]\n"
        "sys.exit(f'{status} {loaded}' if status or loaded else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *command], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stdout + done.stderr


def loaded_after(code: str) -> set[str]:
    """The modules that a fresh process has after some code."""
    whole = f"import sys\n{code}\nprint(*sys.modules, file=sys.stderr)\n"
    command = [sys.executable, "-c", whole]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    return set(done.stderr.split())


def test_a_command_imports_no_other() -> None:
    loaded = loaded_after(
        f"from legoc.commands.cli import main\nmain(['check', {str(ROOT / 'specs/naml.lego')!r}])"
    )
    shared = {"cli", "failure", "flags", "messages", "streams"}
    assert {m for m in loaded if m.startswith("legoc.commands.")} == {
        f"legoc.commands.{name}" for name in {*shared, "check"}
    }


def test_the_flags_of_every_command_are_light() -> None:
    loaded = loaded_after(
        "from legoc.commands.cli import COMMANDS, parser_of\n"
        "for name in COMMANDS: parser_of(name).format_help()"
    )
    # Of the runtime it takes the flags of the server.
    heavy = {*HEAVY} - {"legoc_runtime"}
    assert not [m for m in loaded if m in heavy or m.startswith("legoc.language")]


def test_the_exported_schema_is_fresh() -> None:
    from legoc.catalogue import fresh

    assert (ROOT / "grammar/lego.schema.json").read_text(encoding="utf-8") == fresh(), (
        "run `make schema`"
    )
