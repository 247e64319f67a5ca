"""Operators of an installed package: found by the front end, refused in conflict, and built."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from legoc.language.checking import check
from legoc.language.declaring import catalog as catalogs
from legoc.language.declaring.catalog import catalog, whole_schema
from legoc.language.declaring.packages import Package, packages, read_entries
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.diagnosing.document import Document
from tests.third_party.wheels import install, write_wheel


HERE = Path(__file__).resolve().parents[1] / "third_party"
ROOT = HERE.parents[1]
FILES = {
    f"legoc_recent/{path.name}": path.read_text(encoding="utf-8")
    for path in sorted((HERE / "legoc_recent").iterdir())
    if path.is_file()
}
TEXT = """\
data d {
  source = Demo(items=200, users=50, impressions=150)
  content = [title(8), subcategory]
  history = 10
}
train t { epochs = 1  samples = 64 }
model m = content Pooling(hidden=16) -> behavior Recent(decay=0.5) -> predict Dot
run m on d with t
"""
SCHEMA = FILES["legoc_recent/lego.schema.json"]


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pip has installed the example package."""
    folder = tmp_path_factory.mktemp("wheel")
    entry = {"recent": "legoc_recent:lego.schema.json"}
    wheel = write_wheel(folder, "legoc-recent", FILES, entry)
    install(wheel, folder / "target")
    return folder / "target"


def legoc(target: Path, *arguments: str, at: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(target), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-m", "legoc", *arguments],
        capture_output=True, text=True, cwd=at, env=environment, check=False,
    )  # fmt: skip


@pytest.fixture
def fresh() -> object:
    """The catalog is read once per process; these tests change what is installed."""
    catalogs.catalog.cache_clear()
    yield
    catalogs.catalog.cache_clear()


def placed(folder: Path, name: str, entry: str, files: dict[str, str]) -> None:
    """A package as it lies in a folder after installation."""
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "entry_points.txt").write_text(f"[legoc.operators]\nx = {entry}\n", encoding="utf-8")
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def test_the_schema_file_of_the_example_is_fresh(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "legoc.catalogue", "--package", "legoc_recent", "out.json"],
        capture_output=True, text=True, cwd=tmp_path, check=False,
        env={**os.environ, "PYTHONPATH": str(HERE)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.json").read_text(encoding="utf-8") == SCHEMA


def test_the_front_end_finds_it_and_imports_nothing(target: Path, tmp_path: Path) -> None:
    (tmp_path / "m.lego").write_text(TEXT, encoding="utf-8")
    code = (
        "import sys\nfrom legoc.language import check\n"
        "found = check('m.lego')\n"
        "assert len(found.specs) == 1 and not found.diagnostics, found.diagnostics\n"
        "assert not {'legoc_recent', 'torch', 'importlib.metadata'} & set(sys.modules)\n"
        "from legoc.language.ir.form import to_json, validate\nvalidate(to_json(found.specs[0]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False,
        env={**os.environ, "PYTHONPATH": str(target)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    page = legoc(target, "operators", "behavior", "Recent", at=tmp_path)
    assert page.returncode == 0
    assert "decay: number from 0 to 1 = 0.9" in page.stdout
    assert "legoc_recent" in page.stdout
    assert "Recent" in legoc(target, "operators", "behavior", at=tmp_path).stdout


def test_without_it_the_operator_is_unknown() -> None:
    (found,) = check(Document("m.lego", TEXT)).diagnostics
    assert found.code == "E0206"


def test_a_model_that_uses_it_is_trained_exported_and_verified(
    target: Path, tmp_path: Path
) -> None:
    (tmp_path / "m.lego").write_text(TEXT, encoding="utf-8")
    done = legoc(target, "train", "m.lego", "--until", "export", "--cache", "cache", at=tmp_path)
    assert done.returncode == 0, done.stderr
    (bundle,) = (tmp_path / "runs").glob("m-*/bundle")
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["spec"]["model"]["behavior"] == {"op": "Recent", "args": {"decay": 0.5}}
    assert manifest["certificate"]["difference"] < 1e-5
    # The bundle needs neither the package nor torch any more.
    code = f"import legoc_runtime as lr\nlr.load({str(bundle)!r}).self_test()\n"
    alone = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert alone.returncode == 0, alone.stderr


def test_its_equation() -> None:
    import importlib.util

    import torch

    path = HERE / "legoc_recent/recent.py"
    spec = importlib.util.spec_from_file_location("recent_alone", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    recent = module.Recent(module.Recent.Config(decay=0.5), None)
    clicks = torch.tensor([[[1.0], [2.0], [4.0], [float("nan")]], [[3.0]] * 4])
    mask = torch.tensor([[True, True, True, False], [False] * 4])
    expected = (0.25 * 1 + 0.5 * 2 + 4) / 1.75
    assert recent(clicks, mask).flatten().tolist() == pytest.approx([expected, 0.0])


def test_entries_are_read_as_packaging_reads_them(target: Path) -> None:
    from importlib.metadata import distributions

    (found,) = [d for d in distributions(path=[str(target)]) if d.name == "legoc-recent"]
    text = found.read_text("entry_points.txt")
    assert text is not None
    (expected,) = found.entry_points.select(group="legoc.operators")
    (package,) = read_entries("legoc-recent", text)
    assert package == Package(
        distribution="legoc-recent", module=expected.module, file=expected.attr
    )


def test_the_first_on_the_path_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh: object
) -> None:
    for place in ("one", "two"):
        files = {f"legoc_{place}/__init__.py": "", f"legoc_{place}/lego.schema.json": SCHEMA}
        placed(tmp_path / place, "same-name", f"legoc_{place}:lego.schema.json", files)
        monkeypatch.syspath_prepend(tmp_path / place)
    assert [package.module for package in packages()] == ["legoc_two"]
    assert catalog().get("behavior", "Recent") is not None
    assert "Recent" in whole_schema()["$defs"]["behavior"]["properties"]["op"]["enum"]


@pytest.mark.parametrize("other", ["legoc", "second"])
def test_two_of_one_name_are_refused(
    other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh: object
) -> None:
    schema = SCHEMA.replace('"Recent"', '"Additive"') if other == "legoc" else SCHEMA
    for name in ("first", "second") if other == "second" else ("first",):
        files = {f"{name}_operators/__init__.py": "", f"{name}_operators/s.json": schema}
        placed(tmp_path, name, f"{name}_operators:s.json", files)
    monkeypatch.syspath_prepend(tmp_path)
    (found,) = check(Document("m.lego", TEXT)).diagnostics
    assert found.code == "E0910"
    operator = "Additive" if other == "legoc" else "Recent"
    pair = "`legoc` and `first`" if other == "legoc" else "`first` and `second`"
    assert found.message == f"{pair} both declare `behavior {operator}`"
    assert found.help


@pytest.mark.parametrize(
    ("entry", "text", "reason"),
    [
        ("gone_operators:s.json", None, "there is no package"),
        ("odd_operators", SCHEMA, "names no schema file"),
        ("odd_operators:other.json", SCHEMA, "no such file"),
        ("odd_operators:s.json", "{", "is not JSON"),
        ("odd_operators:s.json", "[]", "is not a schema"),
        ("odd_operators:s.json", '{"$defs": {"behavior": {"allOf": [{}]}}}', "another form"),
    ],
)
def test_a_package_that_cannot_be_read_is_named(
    entry: str, text: str | None, reason: str,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh: object,
) -> None:  # fmt: skip
    files = {} if text is None else {"odd_operators/__init__.py": "", "odd_operators/s.json": text}
    placed(tmp_path, "odd", entry, files)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(LegoError) as raised:
        catalog()
    (found,) = raised.value.diagnostics
    assert found.code == "E0911"
    assert "`odd`" in found.message
    assert reason in found.notes[0]


def test_a_package_without_operators_has_no_file_to_write(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "legoc.catalogue", "--package", "json", str(tmp_path / "o.json")],
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "declares no operator" in done.stderr
    assert not (tmp_path / "o.json").exists()
