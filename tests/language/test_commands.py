"""`legoc diff`, `new`, `debug` and the pages of `operators`, as the shell calls them."""

import json
from pathlib import Path

import pytest

from legoc.commands.cli import main
from legoc.commands.pages import example_file
from legoc.language import check
from legoc.language.checking import check as check_document
from legoc.language.declaring.catalog import catalog
from legoc.language.declaring.kinds import STAGES
from legoc.language.declaring.shipped import shipped
from legoc.language.diagnosing.document import Document
from legoc.language.starter import starter, starters
from legoc.language.syntax.fmt import format


SPECS = sorted(shipped("specs").glob("*.lego"))
DATA = "data d { source = Demo }\ntrain t { epochs = 3 }\n"
MODEL = "model m = content CNN(hidden=64) -> behavior Additive -> predict Dot\nrun m on d with t\n"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    one, other = tmp_path / "a.lego", tmp_path / "b.lego"
    one.write_text(DATA + MODEL, encoding="utf-8")
    return one, other


def diff(files: tuple[Path, Path], text: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    files[1].write_text(text, encoding="utf-8")
    code = main(["diff", *map(str, files)])
    lines = capsys.readouterr().out.splitlines()
    assert code == (1 if lines else 0)
    return lines


def test_what_means_the_same_does_not_differ(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    spelled = (
        "param size = 64\n## The same, spelled otherwise.\ntrain t { epochs = 3  batch = 64 }\n"
        "data d { history = 50 source = Demo(seed=1) }\n"
        "model base = content CNN -> behavior Additive -> predict Dot\n"
        "model m = base(content.hidden=$size, behavior=Additive(dim=256))\nrun m on d with t\n"
    )
    assert diff(files, spelled, capsys) == []
    assert diff(files, (DATA + MODEL).replace("run m", "run other = m"), capsys) == []
    ir = main(["check", "--ir", str(files[0])])
    assert ir == 0
    other = files[0].with_suffix(".json")
    other.write_text(capsys.readouterr().out, encoding="utf-8")
    assert main(["diff", str(files[0]), str(other)]) == 0


def test_each_place_that_differs_is_told_once(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    text = (DATA + MODEL).replace("epochs = 3", "epochs = 3 lr = 1e-2 metrics = [AUC, NDCG(5)]")
    text = text.replace("hidden=64", "hidden=64, kernel=5").replace("Additive", "Pooling")
    assert diff(files, text, capsys) == [
        "m",
        "  - model.content.kernel: 3",
        "  + model.content.kernel: 5",
        "  - model.behavior: Additive(dim=256, cold=learned)",
        "  + model.behavior: Pooling(kind=mean, cold=learned)",
        "  - train.lr: 0.003",
        "  + train.lr: 0.01",
        "  - train.metrics: [GAUC, MRR, NDCG(k=5), NDCG(k=10)]",
        "  + train.metrics: [AUC, NDCG(k=5)]",
        "  - train.monitor: GAUC",
        "  + train.monitor: AUC",
    ]


def test_points_are_paired_by_name(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    files[0].write_text((DATA + MODEL).replace("=64", " in [64, 32]"), encoding="utf-8")
    lines = diff(files, (DATA + MODEL).replace("=64", " in [16, 32, 8]"), capsys)
    a, b = files
    assert lines == [
        f"only in {a}: m[hidden=64]", f"only in {b}: m[hidden=16]", f"only in {b}: m[hidden=8]",
    ]  # fmt: skip


def test_a_file_that_does_not_check_is_not_compared(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    files[1].write_text((DATA + MODEL).replace("Dot", "Dott"), encoding="utf-8")
    assert main(["diff", *map(str, files)]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "E0206" in shown.err


@pytest.mark.parametrize("name", list(starters()))
def test_a_starter_means_what_its_spec_means(name: str) -> None:
    text = starter(name)
    assert "use " not in [line[:4] for line in text.splitlines()]
    assert format(Document(f"{name}.lego", text)) == text
    if name == "zoo":
        return
    # Beside the shipped one, so that relative paths lead to the same place.
    place = str(starters()[name])
    made = check_document(Document(place, text))
    shipped_one = check(place)
    assert not [d for d in made.diagnostics if d.code != "W104"]
    assert made.specs == shipped_one.specs
    comments = [line.strip() for line in Path(place).read_text("utf-8").splitlines()]
    for comment in (line for line in comments if line.startswith("#")):
        assert comment in text


def test_new_writes_a_file_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.lego"
    assert main(["new", "naml", "-o", str(path)]) == 0
    assert path.read_text("utf-8") == starter("naml")
    capsys.readouterr()
    path.write_text("mine", encoding="utf-8")
    assert main(["new", "nrms", "-o", str(path)]) == 1
    assert "E0905" in capsys.readouterr().err
    assert path.read_text("utf-8") == "mine"
    assert main(["new", "nrms", "-o", str(tmp_path / "gone" / "x.lego")]) == 1
    assert "E0905" in capsys.readouterr().err
    assert main(["new"]) == 0
    listed = capsys.readouterr().out
    assert all(f"\n{name} " in f"\n{listed}" for name in starters())
    assert main(["new", "nrsm"]) == 1
    assert "did you mean `nrms`?" in capsys.readouterr().err


def test_a_starter_follows_prefixes_params_and_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "base.lego").write_text(
        "param size = 32\n## The data.\ndata d { source = Demo }\ntrain a { epochs = 2 }\n"
        "train b = a(lr=0.5)\ntrain unused { epochs = 9 }\n",
        encoding="utf-8",
    )
    (tmp_path / "mid.lego").write_text(
        'use "base.lego" (size)\nmodel m = content CNN(hidden=$size) -> behavior Additive -> '
        "predict Dot\n",
        encoding="utf-8",
    )
    (tmp_path / "top.lego").write_text(
        '# Top.\n\nuse "base.lego" as base\nuse "mid.lego" (m)\n'
        "run x = m(behavior=GRU) on base.d with base.b(epochs=4)\n",
        encoding="utf-8",
    )
    monkeypatch.setattr("legoc.language.starter.shipped", lambda name: tmp_path)
    text = starter("top")
    assert "unused" not in text
    assert "base." not in text
    assert "## The data." in text
    assert check_document(Document(str(tmp_path / "t.lego"), text)).specs == (
        check(tmp_path / "top.lego").specs
    )


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_phase_can_be_printed(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if path.stem == "zoo":
        pytest.skip("thousands of points say nothing that eight do not")
    text = path.read_text("utf-8")
    checked = check(path)
    shown: dict[str, str] = {}
    for phase in ("tokens", "tree", "points", "ir", "types", "plan"):
        assert main(["debug", str(path), f"--{phase}"]) == 0
        shown[phase] = capsys.readouterr().out
    words = [line.split("\t")[2] for line in shown["tokens"].splitlines()]
    code = "".join(line.partition("#")[0] for line in text.splitlines())
    assert "".join(words).replace(" ", "") == code.replace(" ", "")
    for line in shown["tokens"].splitlines():
        place, _, word = line.split("\t")
        row, column = map(int, place.split(":"))
        assert text.splitlines()[row - 1][column - 1 :].startswith(word)
    assert shown["tree"].startswith("Tree    1:1\n")
    for spec in checked.specs:
        for phase in ("points", "types", "plan"):
            assert spec.name in shown[phase].splitlines()
    if checked.specs:
        found = json.loads(shown["ir"])
        names = [each["name"] for each in (found if isinstance(found, list) else [found])]
        assert names == [spec.name for spec in checked.specs]


def test_a_phase_says_what_an_earlier_one_refuses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "m.lego"
    for text, code, phases in (
        ("content CNN behavior", "E0102", ("tree", "points", "plan")),
        ("content CNN -> behavior ?", "E0101", ("tokens", "tree", "ir")),
        ("content CMN -> behavior GRU -> predict Dot", "E0206", ("ir", "types", "plan")),
    ):
        path.write_text(text, encoding="utf-8")
        for phase in phases:
            assert main(["debug", str(path), f"--{phase}"]) == 1
            assert code in capsys.readouterr().err
    assert main(["debug", str(tmp_path / "gone.lego"), "--tree"]) == 1
    assert "E0201" in capsys.readouterr().err
    path.with_suffix(".yaml").write_text("model: {predict: {op: Dot}}", encoding="utf-8")
    assert main(["debug", str(path.with_suffix(".yaml")), "--tree"]) == 0
    assert 'key="op"' in capsys.readouterr().out


@pytest.mark.parametrize(
    "declaration", [d for d in catalog() if d.role in STAGES], ids=lambda d: f"{d.role}-{d.name}"
)
def test_every_page_has_a_whole_file_that_checks(
    declaration: object, capsys: pytest.CaptureFixture[str]
) -> None:
    role, name = declaration.role, declaration.name  # type: ignore[attr-defined]
    text = example_file(declaration)  # type: ignore[arg-type]
    found = check_document(Document("example.lego", text))
    assert found.specs
    assert not found.errors
    assert found.specs[0].model[role].op == name
    assert main(["operators", role, name]) == 0
    page = capsys.readouterr().out
    assert text in page
    for param in declaration.params:  # type: ignore[attr-defined]
        assert f"  {param.name}: " in page


def test_operators_as_json_are_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["operators", "--json"]) == 0
    found = {(d["role"], d["name"]): d for d in json.loads(capsys.readouterr().out)}
    assert set(found) == {(d.role, d.name) for d in catalog()}
    naml = found["content", "CNN"]
    assert "naml" in naml["used_by"]
    assert naml["params"][0]["default"] == 64
    assert found["behavior", "GRU"]["params"][0]["default"] is None


def test_fmt_says_what_it_formats(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.json"
    path.write_text("{}", encoding="utf-8")
    assert main(["fmt", str(path)]) == 1
    assert "only those are formatted" in capsys.readouterr().err


def test_fmt_goes_on_behind_a_file_that_it_cannot_format(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ugly, linked, broken, odd = (tmp_path / n for n in ("u.lego", "l.lego", "b.lego", "o.lego"))
    ugly.write_text("content CNN->behavior GRU -> predict Dot", "utf-8")
    ugly.chmod(0o640)
    linked.symlink_to(ugly)
    broken.write_text("content CNN behavior", "utf-8")
    odd.write_bytes(b"\xff\xfe")
    missing = tmp_path / "none.lego"
    given = [missing, odd, broken, tmp_path, tmp_path / "x.json", linked]
    assert main(["fmt", *map(str, given)]) == 1
    said = capsys.readouterr()
    assert said.out == f"{linked}: formatted\n"
    assert said.err.count("error[E0201]") == 4
    assert said.err.count("error[E0102]") == 1
    assert "Traceback" not in said.err
    assert linked.is_symlink()
    assert ugly.read_text("utf-8") == "content CNN -> behavior GRU -> predict Dot\n"
    assert ugly.stat().st_mode & 0o777 == 0o640
    assert broken.read_text("utf-8") == "content CNN behavior"


def test_fmt_says_where_it_may_not_write(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.lego"
    path.write_text("content CNN->behavior GRU -> predict Dot", "utf-8")

    def refuse(path: str, text: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("legoc.language.editing.fixes.replace_text", refuse)
    assert main(["fmt", str(path)]) == 1
    assert "error[E0211]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "meant"),
    [("behaviour", "behavior"), ("Bert", "BERT"), ("metrics", "metric"), ("xDeepFm", "xDeepFM")],
)
def test_a_role_or_operator_misspelt(
    given: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["operators", given]) == 1
    assert f"did you mean `{meant}`?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "given", "help"),
    [
        ("content CNN -> behavior GRU -> predict Dot", "content.hidden=32",
         "`--set model.content.hidden=...`"),
        ("model m = content CNN -> behavior GRU -> predict Dot\nrun m on demo", None,
         "`data demo { source = Demo }`"),
        ("model m = content CNN -> behavior GRU -> predict Dot\nrun m on mind", None,
         "`data mind { source = ... }`"),
    ],
)  # fmt: skip
def test_a_newcomer_is_told_what_to_type(text: str, given: str | None, help: str) -> None:
    overrides = () if given is None else (given,)
    (found,) = check_document(Document("m.lego", text), overrides=overrides).errors
    assert help in " ".join(found.help)
