"""A user's mistake gives one located message that says what to do, exit code 1, no traceback, and
leaves nothing half-written."""

import json
import shutil
from pathlib import Path

import pytest

import legoc_runtime
from legoc.commands.cli import main


NEWS = (
    "N1\tnews\tlocal\tA bridge is built\tLong text.\thttps://x\t[]\t[]\n"
    "N2\tsports\tgolf\tThe final hole\t\thttps://x\t[]\t[]\n"
    "N3\tnews\tlocal\tA bridge falls\tText.\thttps://x\t[]\t[]\n"
)
GOOD = "{}\tU{}\t11/1{}/2019 9:{:02d}:58 AM\tN1\tN2-1 N3-0\n"
MODEL = "model m = content Pooling(hidden=8) -> behavior Pooling -> predict Dot\n"


def write_mind(folder: Path, behaviors: str | None = None) -> Path:
    for part, day in (("train", 1), ("dev", 5)):
        (folder / part).mkdir(parents=True)
        (folder / part / "news.tsv").write_text(NEWS, encoding="utf-8")
        rows = "".join(GOOD.format(n + 1, n + 1, day, n) for n in range(20))
        text = behaviors if behaviors is not None and part == "train" else rows
        (folder / part / "behaviors.tsv").write_text(text, encoding="utf-8")
    return folder


def write_spec(folder: Path, raw: Path, model: str = MODEL) -> Path:
    file = folder / "m.lego"
    file.write_text(
        f'data d {{ source = MIND("{raw}") content = [title(8), category] }}\n{model}run m on d\n',
        encoding="utf-8",
    )
    return file


def refused(
    capsys: pytest.CaptureFixture[str], arguments: list[str], *says: str, tmp_path: Path
) -> None:
    """The command ends with 1, says all of this, and has written no run."""
    capsys.readouterr()
    assert main(arguments) == 1
    shown = capsys.readouterr()
    text = shown.out + shown.err
    for part in says:
        assert part in text, text
    assert "Traceback" not in text
    assert "= help: " in text or '"help"' in text, text
    assert not list((tmp_path / "runs").glob("*/best.safetensors"))
    assert not list((tmp_path / "runs").glob("*/bundle"))


def training(file: Path, tmp_path: Path, *more: str) -> list[str]:
    place = ["--cache", str(tmp_path / "cache"), "--runs", str(tmp_path / "runs"), "-q"]
    return ["train", str(file), *place, *more]


def test_a_misspelt_operator(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = write_mind(tmp_path / "raw")
    file = write_spec(tmp_path, raw, MODEL.replace("Pooling(hidden", "Poolng(hidden"))
    wanted = ("E0206", "`Poolng`", "Pooling", "m.lego:2:19")
    refused(capsys, training(file, tmp_path), *wanted, tmp_path=tmp_path)


def test_widths_that_do_not_fit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = "model m = content Pooling(hidden=64) -> behavior GRU(hidden=32) -> predict Dot\n"
    file = write_spec(tmp_path, write_mind(tmp_path / "raw"), model)
    wanted = ("E0404", "Vec[64]", "Vec[32]")
    refused(capsys, training(file, tmp_path), *wanted, tmp_path=tmp_path)


def test_a_missing_raw_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = write_mind(tmp_path / "raw")
    (raw / "train" / "behaviors.tsv").unlink()
    file = write_spec(tmp_path, raw)
    wanted = ("E0620", "behaviors.tsv")
    refused(capsys, training(file, tmp_path), *wanted, tmp_path=tmp_path)


def test_a_row_of_four_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = GOOD.format(1, 1, 1, 1) + "2\tU2\t11/11/2019 9:05:58 AM\tN1\n" + GOOD.format(3, 3, 1, 3)
    file = write_spec(tmp_path, write_mind(tmp_path / "raw", rows))
    wanted = ("E0621", "behaviors.tsv", "2", "4 columns")
    refused(capsys, training(file, tmp_path), *wanted, tmp_path=tmp_path)


def test_a_candidate_that_no_item_has(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "".join(GOOD.format(n, n, 1, n) for n in range(1, 20)).replace("N3-0", "N3-0 N99-0", 1)
    file = write_spec(tmp_path, write_mind(tmp_path / "raw", rows))
    wanted = ("E0629", "N99", "behaviors.tsv:1")
    refused(capsys, training(file, tmp_path, "--strict"), *wanted, tmp_path=tmp_path)
    # Without --strict the row is dropped, as the public logs need, and said so.
    place = ["--cache", str(tmp_path / "cache")]
    assert main(["data", str(file), *place]) == 0
    shown = capsys.readouterr().out
    assert "N99" in shown
    assert "dropped" in shown


def test_a_bundle_with_one_flipped_byte(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("onnx/predictor.onnx", "cache/items.safetensors", "golden.safetensors"):
        broken = tmp_path / "broken"
        shutil.copytree(bundle, broken)
        content = bytearray((broken / name).read_bytes())
        content[len(content) // 2] ^= 1
        (broken / name).write_bytes(content)
        for command in ("inspect", "verify", "recommend", "eval"):
            refused(capsys, [command, str(broken)], name, tmp_path=tmp_path)
        shutil.rmtree(broken)


def test_an_item_to_score_that_no_item_is(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = tmp_path / "asked.jsonl"
    item = legoc_runtime.load(bundle).items.ids[0]
    asked.write_text(json.dumps({"history": [], "candidates": [item]}) + "\n", encoding="utf-8")
    assert main(["score", str(bundle), str(asked)]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert isinstance(answer["scores"][0], float)
    with asked.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"history": [], "candidates": [item, "nobody"]}) + "\n")
    out = tmp_path / "scores.jsonl"
    command = ["score", str(bundle), str(asked), "-o", str(out)]
    refused(capsys, command, "asked.jsonl:2", "`nobody`", tmp_path=tmp_path)
    assert not out.exists()


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"clicks": ["N1"]}', "`history`"),
        ("not json", "not JSON"),
        ('["N1"]', "not a record"),
    ],
)
def test_a_record_that_cannot_be_read(
    line: str, says: str, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = tmp_path / "asked.jsonl"
    asked.write_text(line + "\n", encoding="utf-8")
    command = ["recommend", str(bundle), str(asked)]
    refused(capsys, command, says, "asked.jsonl:1", tmp_path=tmp_path)


@pytest.mark.parametrize(
    "command",
    [
        ["check", "nowhere.lego"],
        ["compile", "nowhere.lego"],
        ["eval", "nowhere"],
        ["export", "nowhere"],
        ["inspect", "nowhere"],
        ["verify", "nowhere"],
        ["recommend", "nowhere"],
        ["explain", "E9999"],
        ["operators", "content", "CNM"],
        ["operators", "contnt"],
    ],
    ids=" ".join,
)
def test_what_does_not_exist(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(capsys, command, command[-1].split(".")[0], tmp_path=tmp_path)


def test_a_file_without_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "pieces.lego"
    file.write_text(f"data d {{ source = Demo }}\n{MODEL}", encoding="utf-8")
    refused(capsys, ["train", str(file)], "E0702", "run m on d", tmp_path=tmp_path)


def test_what_is_wrong_with_several_runs_is_said_at_once(tmp_path, capsys):
    """`data` and `compile` go on with the other runs, and say once what these share."""
    raw = write_mind(tmp_path / "raw")
    (tmp_path / "empty.txt").write_text("", "utf-8")
    file = tmp_path / "m.lego"
    data = 'data {} {{ source = MIND("{}")  content = [title(8)]  {} }}\n'
    file.write_text(
        data.format("gone", tmp_path / "nowhere", "")
        + data.format("again", tmp_path / "nowhere", "history = 9")
        + data.format("right", raw, "")
        + data.format("mute", raw, f'vectors = "{tmp_path}/empty.txt"')
        + data.format("deaf", raw, f'vectors = "{tmp_path}/missing.txt"')
        + MODEL
        + "run m on gone, again, right, mute, deaf\n",
        encoding="utf-8",
    )
    assert main(["data", str(file), "--cache", str(tmp_path / "cache"), "-q"]) == 1
    shown = capsys.readouterr()
    assert "3 items" in shown.out
    assert shown.err.count("error[E0620]") == 1
    assert shown.err.count("error[E0641]") == 2
    assert main(["compile", str(file), "-q"]) == 1
    shown = capsys.readouterr()
    assert shown.err.count("error[E0641]") == 2
    assert "caches" in shown.out
