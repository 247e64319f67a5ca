"""docs/architecture.md names modules and functions that are there, and every package."""

import re
from importlib import import_module
from pathlib import Path

import pytest


ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/architecture.md").read_text("utf-8")
NAMES = sorted(set(re.findall(r"`(legoc(?:_runtime)?(?:\.\w+)+)`", PAGE)))
PATHS = sorted(set(re.findall(r"`((?:legoc|runtime|tests|grammar|docs)/[\w./]+)`", PAGE)))


def found(name: str) -> bool:
    """Whether a dotted name is a module, or leads from one to a value."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            value = import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            value = getattr(value, part, None)
        return value is not None
    return False


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_there(name: str) -> None:
    assert found(name), name


@pytest.mark.parametrize("path", PATHS)
def test_a_path_is_there(path: str) -> None:
    assert (ROOT / path).exists(), path


def test_the_page_has_names_and_paths() -> None:
    assert len(NAMES) > 20
    assert len(PATHS) > 10


@pytest.mark.parametrize("package", ["language", "data"])
def test_every_room_is_named(package: str) -> None:
    rooms = {path.parent.name for path in (ROOT / "legoc" / package).glob("*/__init__.py")}
    missing = [room for room in rooms if f"`{room}`" not in PAGE]
    assert not missing
