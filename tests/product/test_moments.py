"""A model that reads the moment, by its commands: data, train, inspect, recommend, score."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

import legoc_runtime
from tests.product.conftest import QUICK, ROOT, SMALL, run


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped spec with its first run alone."""
    return shipped(tmp_path_factory.mktemp("spec") / "context.lego", "run naml on now with base")


def shipped(file: Path, run: str) -> Path:
    """The shipped spec with one of its runs."""
    lines = (ROOT / "specs/context.lego").read_text("utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("run ") or line.strip() == run]
    assert len(kept) == len(lines) - 2
    file.write_text("".join(kept), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def timed(spec: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its bundle."""
    place = tmp_path_factory.mktemp("timed")
    sets = [part for value in (SMALL, *QUICK) for part in ("--set", value)]
    assert run("train", spec, *sets, "--cache", cache, "--runs", place, "-q") == 0
    return next(place.glob("naml-*")) / "bundle"


def answers(
    bundle: Path, capsys: pytest.CaptureFixture[str], place: Path, records: object, *flags: str,
    command: str = "recommend",
) -> list[dict[str, object]]:  # fmt: skip
    """What a command answers to records, given as a list or a file."""
    asked = place / "asked.jsonl"
    if isinstance(records, list):
        asked.write_text("".join(json.dumps(record) + "\n" for record in records))
    else:
        asked = Path(str(records))
    capsys.readouterr()
    assert run(command, bundle, asked, *flags) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_data_and_inspect_print_the_numbers(
    spec: Path, timed: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("data", spec, "--set", SMALL, "--cache", cache, "-q")
    capsys.readouterr()
    assert run(*asked) == 0
    shown = capsys.readouterr().out
    assert "context: what is known of an item at the moment" in shown
    assert "the counters hold" in shown
    assert run(*asked, "--json") == 0
    (told,) = json.loads(capsys.readouterr().out)
    names = [number["name"] for number in told["portrait"]["context"]["train"]]
    assert names == ["popularity(hours=24)", "popularity(days=7)", "popularity", "age"]
    assert run("inspect", timed) == 0
    shown = capsys.readouterr().out
    assert "context: popularity(hours=24), popularity(days=7), popularity, age" in shown
    assert "clicks of" in shown
    assert "context  float32[pair, 4]" in shown
    assert "items.clicked" in (timed / "README.md").read_text("utf-8")


def test_a_share_by_its_commands(
    cache: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Checked, counted, trained, exported, inspected and served; showings move the scores."""
    spec = shipped(tmp_path / "context.lego", "run shares = naml on rates with base")
    capsys.readouterr()
    assert run("data", spec, "--set", SMALL, "--cache", cache, "-q", "--json") == 0
    (told,) = json.loads(capsys.readouterr().out)
    numbers = told["portrait"]["context"]
    assert list(numbers) == ["train", "valid", "test"]
    for part in numbers.values():
        names = [number["name"] for number in part]
        assert names == ["popularity(hours=24)", "share(hours=24)", "share", "age"]
        assert all(0 < number["mean"] < 1 for number in part[1:3])
        assert [number["zero"] for number in part[1:3]] == [0, 0]
    assert not [w for w in told["portrait"]["warnings"] if "share" in w]
    sets = [part for value in (SMALL, *QUICK) for part in ("--set", value)]
    assert run("train", spec, *sets, "--cache", cache, "--runs", tmp_path / "runs", "-q") == 0
    bundle = next((tmp_path / "runs").glob("shares-*")) / "bundle"
    assert run("verify", bundle) == 0
    capsys.readouterr()
    assert run("inspect", bundle) == 0
    shown = capsys.readouterr().out
    assert "context: popularity(hours=24), share(hours=24), share, age" in shown
    assert "clicks and showings of" in shown
    card = (bundle / "README.md").read_text("utf-8")
    assert "`items.shown` and `items.clicked` go on" in card
    assert "model.items.shown(ids, when=now)" in card
    model = legoc_runtime.load(bundle)
    counters = model.items.counters
    assert counters is not None
    ids = model.items.ids[:200]
    user, when = model.encode_user([]), counters.last // 10**6 + 60
    before = model.score(user, ids, when=when)
    model.items.shown(ids[:1] * 200, when - 1)
    after = model.score(user, ids, when=when)
    assert abs(after[0] - before[0]) > 1e-5
    assert after[1:] == pytest.approx(before[1:], abs=1e-6)


def shop(folder: Path, interactions: list[str], context: str) -> Path:
    """A spec on tables of nine items and these lines of clicks."""
    place = folder / "shop"
    place.mkdir()
    items = ["item_id,title", *(f"i{n},t{n}" for n in range(9))]
    (place / "items.csv").write_text("\n".join(items) + "\n")
    (place / "interactions.csv").write_text("\n".join(interactions) + "\n")
    spec = folder / "shop.lego"
    spec.write_text(
        f'data d {{ source = Tables("shop") content = [title(3)] context = {context} }}\n'
        "model m = content CNN(hidden=8) -> behavior Additive -> predict Dot\nrun m on d\n"
    )
    return spec


def test_shares_of_a_log_of_clicks_are_refused_with_what_to_type(
    cache: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    rows = [f"u{n % 20},i{n % 9},2024-03-01 {n // 5:02d}:00:00" for n in range(120)]
    spec = shop(tmp_path, ["user_id,item_id,time", *rows], "[share(hours=2), age]")
    for command in (("data",), ("train", "--runs", tmp_path / "runs")):
        assert run(command[0], spec, *command[1:], "--cache", cache, "-q") == 1
        shown = capsys.readouterr().err
        assert "error[E0632]: `share(hours=2)` needs what was shown and not clicked" in shown
        assert "every row of Tables is a click" in shown
        assert "write `popularity(hours=2)`, which counts clicks alone" in shown


def test_a_moment_in_a_record_by_a_flag_or_the_last_one_known(
    timed: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    model = legoc_runtime.load(timed)
    assert model.items.counters is not None
    last = model.items.counters.last // 10**6
    later = last + 40 * 86_400
    user = model.encode_user([])

    def best(when: object) -> list[float]:
        return model.recommend(user, k=5, when=when)[1].tolist()

    assert best(None) == best(last)
    assert best(later) != best(None)
    given = [
        {"history": []}, {"history": [], "when": later}, {"history": [], "time": later},
        {"history": [], "when": later, "time": last}, {"history": [], "when": None},
    ]  # fmt: skip
    found = [answer["scores"] for answer in answers(timed, capsys, tmp_path, given, "-k", "5")]
    assert found == [best(last), best(later), best(later), best(later), best(last)]
    flag = ("-k", "5", "--when", str(later))
    found = [answer["scores"] for answer in answers(timed, capsys, tmp_path, given, *flag)]
    assert found == [best(later)] * 5
    ids = model.recommend(user, k=3)[0]
    asked = [{"history": [], "candidates": ids, "when": when} for when in (last, later)]
    scored = answers(timed, capsys, tmp_path, asked, command="score")
    for answer, when in zip(scored, (last, later), strict=True):
        assert answer["scores"] == pytest.approx(model.score(user, ids, when=when), abs=1e-6)


def test_moments_in_tables(timed: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    csv = tmp_path / "asked.csv"
    csv.write_text("history,time\n,2031-02-03 10:00:00\n,\n", encoding="utf-8")
    table = tmp_path / "asked.parquet"
    from datetime import datetime

    when = pa.array([datetime(2031, 2, 3, 10), None], pa.timestamp("us"))
    parquet.write_table(pa.table({"history": pa.array(["", ""]), "when": when}), table)
    one, two = (answers(timed, capsys, tmp_path, path) for path in (csv, table))
    assert one == two
    assert one[0] != one[1]


def test_what_is_no_moment_is_a_located_message(
    timed: Path, bundle: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    asked = tmp_path / "asked.jsonl"
    asked.write_text('{"history": []}\n{"history": [], "when": "soon"}\n', encoding="utf-8")
    assert run("recommend", timed, asked) == 1
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == 1
    assert f"error[E0866]: {asked}:2: `when` is 'soon', which is no time" in shown.err
    assert run("recommend", timed, asked, "--keep-going") == 1
    assert json.loads(capsys.readouterr().out.splitlines()[1])["code"] == "E0866"
    assert run("recommend", timed, asked, "--when", "soon") == 1
    assert "error[E0867]: `--when`: `when` is 'soon'" in capsys.readouterr().err
    # A model that reads no moment leaves the field alone, and refuses the flag.
    assert run("recommend", bundle, asked) == 0
    assert run("recommend", bundle, asked, "--when", "2024-01-01") == 1
    shown = capsys.readouterr()
    assert "error[E0867]" in shown.err
    assert "does not read what was clicked when" in shown.err


def test_a_log_without_times_is_refused_with_its_name(
    cache: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    rows = [f"u{n % 5},i{n % 9}" for n in range(60)]
    spec = shop(tmp_path, ["user_id,item_id", *rows], "[age]")
    assert run("train", spec, "--cache", cache, "--runs", tmp_path / "runs", "-q") == 1
    shown = capsys.readouterr().err
    assert "E0631" in shown
    assert "`age` needs times, and these files of Tables have the order of the rows" in shown


def portrait_warnings(spec: Path, cache: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert run("data", spec, "--cache", cache, "-q", "--json") == 0
    (told,) = json.loads(capsys.readouterr().out)
    return [w for w in told["portrait"]["warnings"] if "rows without" not in w]


def test_a_log_of_one_moment_has_nothing_to_count(
    cache: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    rows = [f"u{n % 20},i{n % 9},2024-03-01" for n in range(120)]
    spec = shop(tmp_path, ["user_id,item_id,time", *rows], "[popularity(hours=2), age]")
    assert run("data", spec, "--cache", cache, "-q") == 1
    shown = capsys.readouterr().err
    assert "all rows to divide have the time 2024-03-01 00:00:00" in shown
    assert "`split = user`" in shown
    spec.write_text(spec.read_text().replace("context =", "split = user context ="))
    (warned,) = [w for w in portrait_warnings(spec, cache, capsys) if "one time" in w]
    assert "what `context` counts is the same for every item" in warned


def test_numbers_that_grow_tell_the_place_of_a_click(
    cache: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The last click of a user is compared with what the user disliked before."""
    rows = [f"u{n % 20},i{n * 7 % 23},{1 + 4 * (n % 3 > 0)},{10**9 + n}" for n in range(400)]
    header = "user_id,item_id,rating,time"
    spec = shop(tmp_path, [header, *rows], "[popularity(hours=2), popularity, share, age]")
    split = spec.read_text()
    for text, said in (
        (split, False),
        (split.replace("context =", "split = leave_one_out context ="), True),
        (split.replace("context = [popularity(hours=2), popularity, share, age]",
                       "split = leave_one_out context = [popularity(hours=2), share]"), False),
    ):  # fmt: skip
        spec.write_text(text)
        warned = [w for w in portrait_warnings(spec, cache, capsys) if "leave_one_out` comp" in w]
        assert len(warned) == said
        assert not said or "`popularity`, `age` grow with time" in warned[0]


def test_spans_beyond_the_log_are_warned_of(
    cache: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A log of one day, and counts over a week of it."""
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "items.csv").write_text("item_id,title\n" + "".join(f"i{n},t{n}\n" for n in range(9)))
    rows = "".join(f"u{n % 20},i{n % 9},2024-03-01 {n // 5:02d}:00:00\n" for n in range(120))
    (shop / "interactions.csv").write_text("user_id,item_id,time\n" + rows)
    spec = tmp_path / "shop.lego"
    spec.write_text(
        'data d { source = Tables("shop") content = [title(3)]\n'
        "context = [popularity(hours=2), popularity(days=7), popularity] }\n"
        "model m = content CNN(hidden=8) -> behavior Additive -> predict Dot\nrun m on d\n"
    )
    assert run("data", spec, "--cache", cache, "-q", "--json") == 0
    (told,) = json.loads(capsys.readouterr().out)
    warned = [w for w in told["portrait"]["warnings"] if "popularity" in w]
    assert len(warned) == 1
    assert "clicks of 23.0 hours, and `popularity(days=7)` looks back further" in warned[0]
    sets = ("--set", "train.epochs=1")
    assert run("train", spec, *sets, "--cache", cache, "--runs", tmp_path / "runs", "-q") == 0
