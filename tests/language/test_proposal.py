"""`legoc new --from FOLDER`: a spec for the tables that lie there, which checks as it stands."""

import json
import random

import pytest

from legoc.commands.cli import main
from legoc.data.indexing.context import name_of
from legoc.language.checking import check
from legoc.language.diagnosing.document import Document
from legoc.language.syntax.fmt import format
from legoc.language.typing.proposal import propose
from tests.data.table_forms import write_rows


RNG = random.Random(4)
ITEMS = [
    {
        "sku": f"p{n:03d}", "Product Title": f"A fine thing, number {n}", "kind": f"k{n % 5}",
        "price": None if n % 7 == 0 else n / 4, "tags": RNG.sample(["a", "b", "c"], n % 4),
        "标题": f"东西 {n} 好", "url": f"x{n}", "empty": None, "note": "seen" if n == 3 else None,
        "weight": "heavy" if n == 9 else n,
    }
    for n in range(60)
]  # fmt: skip
LOG = [
    {"customer": f"u{RNG.randrange(12)}", "sku": f"p{RNG.randrange(60):03d}",
     "ts": 1_700_000_000 + n * 3600, "stars": RNG.choice([1, 2, 4, 5])}
    for n in range(400)
]  # fmt: skip


def checked(place, text):
    """The one spec of a proposal beside its folder."""
    found = check(Document(str(place / "own.lego"), text))
    assert not found.diagnostics, found.diagnostics
    (spec,) = found.specs
    return spec


def test_a_folder_of_the_convention(tmp_path):
    items = [{"item_id" if n == "sku" else n: v for n, v in row.items()} for row in ITEMS]
    log = [{"user_id": r["customer"], "item_id": r["sku"], "time": r["ts"]} for r in LOG]
    write_rows(tmp_path / "shop" / "items", items, "jsonl")
    write_rows(tmp_path / "shop" / "interactions", log, "csv")
    text = propose(tmp_path / "shop")
    spec = checked(tmp_path, text)
    assert [(a.name, a.kind, a.length) for a in spec.data.attributes] == [
        ("Product Title", "text", 6), ("kind", "category", 1), ("price", "number", 10),
        ("tags", "category", 3), ("标题", "text", 4), ("weight", "number", 10),
    ]  # fmt: skip
    assert 'numbers=["weight"]' in text
    assert "# numbers, in ten bins; left empty: heavy" in text
    assert "# numbers, in ten bins, missing in 15%" in text
    assert "`url` is left out: another word in nearly every record" in text
    assert "`empty` is left out: nothing in any record" in text
    assert "`note` is left out: missing in 98%" in text
    assert "# times read as seconds since 1970" in text
    assert spec.data.split.op == "time"
    assert format(Document("x.lego", text)) == text


def test_files_and_columns_of_other_names(tmp_path):
    write_rows(tmp_path / "shop" / "products", ITEMS, "json")
    write_rows(tmp_path / "shop" / "reviews-2024", LOG, "tsv")
    text = propose(tmp_path / "shop")
    args = checked(tmp_path, text).data.source.args
    told = {
        name: args[name] for name in ("items", "interactions", "item", "user", "time", "rating")
    }
    assert told == {
        "items": ("products.json",), "interactions": ("reviews-2024.tsv",), "item": "sku",
        "user": "customer", "time": "ts", "rating": "stars",
    }  # fmt: skip
    assert "`stars` above 3 is a click" in text


def test_delimiters_encodings_and_bars(tmp_path):
    root = tmp_path / "shop"
    root.mkdir()
    lines = "".join(f"{n};Müll und {n} Öl;Drama|War\n" for n in range(40))
    (root / "items.csv").write_bytes(f"item_id;title;genres\n{lines}".encode("cp1252"))
    days = "".join(f"u{n % 4};{n};0{n % 9 + 1}/0{n % 8 + 1}/2024\n" for n in range(40))
    (root / "interactions.csv").write_text("user_id;item_id;time\n" + days)
    text = propose(root)
    args = checked(tmp_path, text).data.source.args
    assert (args["delimiter"], args["encoding"], args["separator"]) == (";", "cp1252", "|")
    assert "genres(2)" in text
    # What must be asked stands above everything else.
    assert "# Look at this first: the dates of `time` may have the month or the day first" in text


def write_log(root, titles, times, **more):
    """A folder of items with titles and of a click at each time."""
    items = [{"item_id": f"{n}", **({"title": t} if t else {})} for n, t in enumerate(titles)]
    log = [{"user_id": f"u{n % 5}", "item_id": f"{n % len(items)}", "time": t, **more}
           for n, t in enumerate(times)]  # fmt: skip
    write_rows(root / "items", items, "csv")
    write_rows(root / "interactions", log, "csv")
    return root


def test_titles_in_a_script_without_blanks_are_read(tmp_path):
    titles = [f"今天北京发布第{n}号重要消息" for n in range(40)]
    spec = checked(
        tmp_path, propose(write_log(tmp_path / "shop", titles, range(10**9, 10**9 + 99)))
    )
    assert [(a.name, a.kind, a.length) for a in spec.data.attributes] == [("title", "text", 13)]
    assert spec.model["content"].op == "CNN"


def test_the_recipe_is_the_default(tmp_path):
    found = checked(
        tmp_path, propose(write_log(tmp_path / "shop", ["a b"] * 9, range(10**9, 10**9 + 99)))
    )
    plain = check(Document("plain.lego", "content CNN -> behavior Additive -> predict Dot"))
    assert found.train == plain.specs[0].train


@pytest.mark.parametrize(
    ("days", "more", "expected"),
    [
        (40, {}, ["popularity(hours=24)", "popularity(days=7)", "popularity", "age"]),
        (10, {}, ["popularity(hours=24)", "popularity", "age"]),
        (1, {"label": 1}, ["popularity", "share", "age"]),
        (0, {}, []),
    ],
)
def test_what_everybody_clicks_is_told_where_there_are_times(tmp_path, days, more, expected):
    times = [10**9 + n * days * 864 for n in range(100)]
    text = propose(write_log(tmp_path / "shop", ["a b"] * 9, times, **more))
    assert list(map(name_of, checked(tmp_path, text).data.context)) == expected
    # One moment has nothing before it, so times cannot divide it.
    assert (checked(tmp_path, text).data.split.op == "user") == (days == 0)
    assert ("# Look at this first: all rows have one time" in text) == (days == 0)


def test_items_of_which_nothing_is_told_are_a_table(tmp_path):
    text = propose(write_log(tmp_path / "shop", [None] * 9, range(10**9, 10**9 + 99)))
    spec = checked(tmp_path, text)
    assert (spec.data.content, spec.model["content"].op) == ((), "Null")
    (line,) = [line for line in text.splitlines() if line.strip() == "content = []"]
    found = check(Document(str(tmp_path / "own.lego"), text.replace(line, "")))
    assert [(d.code, "`content = []`" in d.help[0]) for d in found.diagnostics] == [("E0304", True)]


def test_parts_of_ones_own_and_logs_without_times(tmp_path):
    items = [{"item_id": f"{n}", "kind": f"k{n % 3}"} for n in range(30)]
    log = [{"user_id": f"u{n % 5}", "item_id": f"{n}", "label": n % 2} for n in range(30)]
    write_rows(tmp_path / "shop" / "items", items, "csv")
    write_rows(tmp_path / "shop" / "interactions", log, "csv")
    spec = checked(tmp_path, propose(tmp_path / "shop"))
    assert (spec.data.split.op, spec.data.context) == ("user", ())
    log = [{**row, "split": "test" if n > 25 else "train"} for n, row in enumerate(log)]
    write_rows(tmp_path / "shop" / "interactions", log, "csv")
    assert checked(tmp_path, propose(tmp_path / "shop")).data.split.op == "publisher"


def test_the_command_writes_it_as_seen_from_the_spec(tmp_path, capsys, monkeypatch):
    write_rows(tmp_path / "data" / "shop" / "products", ITEMS, "jsonl")
    write_rows(tmp_path / "data" / "shop" / "log", LOG, "csv")
    (tmp_path / "specs").mkdir()
    target = tmp_path / "specs" / "own.lego"
    folder = str(tmp_path / "data" / "shop")
    assert main(["new", "--from", folder, "-o", str(target)]) == 0
    assert '"../data/shop"' in target.read_text("utf-8")
    assert main(["check", str(target)]) == 0
    assert main(["data", str(target), "--cache", str(tmp_path / "cache"), "-q"]) == 0
    monkeypatch.chdir(tmp_path / "data")
    capsys.readouterr()
    assert main(["new", "--from", "shop"]) == 0
    assert '"shop"' in capsys.readouterr().out
    assert main(["new", "nrms", "--from", "shop"]) == 1
    assert "E0905" in capsys.readouterr().err


@pytest.mark.parametrize("there", [None, {}, {"notes.txt": "x"}, {"items.csv": "item_id,t\n1,a\n"}])
def test_a_folder_without_tables_is_said(tmp_path, capsys, there):
    root = tmp_path / "shop"
    if there is not None:
        root.mkdir()
        for name, text in there.items():
            (root / name).write_text(text)
    assert main(["new", "--from", str(root)]) == 1
    said = capsys.readouterr().err
    assert "E0620" in said
    assert "Traceback" not in said


def test_looking_stays_light(tmp_path):
    import subprocess
    import sys

    write_rows(tmp_path / "items", [{"item_id": "1", "kind": "a"}], "csv")
    write_rows(tmp_path / "interactions", [{"user_id": "u", "item_id": "1"}], "jsonl")
    code = (
        "import sys; from legoc.commands.cli import main; main(sys.argv[1:]);"
        "print([m for m in ('numpy', 'pyarrow', 'pandas', 'torch') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "new", "--from", str(tmp_path)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == json.dumps([])


def test_every_name_is_written_so_that_it_is_read_again(tmp_path):
    """A number in quotes without parentheses would be text, and `none` bare a value."""
    names = ("Price USD", "none", "use", "größe", "a:b", "Kind of")
    items = [
        {"item_id": f"i{n}", **{name: n / 4 for name in names[:1]},
         **{name: f"A fine {name} {n}" for name in names[1:5]}, "Kind of": f"k{n % 4}"}
        for n in range(60)
    ]  # fmt: skip
    log = [{"user_id": f"u{n % 9}", "item_id": f"i{n % 60}", "time": n * 3600} for n in range(300)]
    write_rows(tmp_path / "shop" / "items", items, "jsonl")
    write_rows(tmp_path / "shop" / "interactions", log, "jsonl")
    spec = checked(tmp_path, propose(tmp_path / "shop"))
    assert [(a.name, a.kind) for a in spec.data.attributes] == [
        ("Price USD", "number"), ("none", "text"), ("use", "text"), ("größe", "text"),
        ("a:b", "text"), ("Kind of", "category"),
    ]  # fmt: skip
