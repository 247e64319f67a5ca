"""The MIND source against a slow reader of its own, on lines with every oddity."""

import gzip
from datetime import datetime

import numpy as np
import pytest

from legoc.data.sources.mind import MIND, PAGE
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.spec import Call


def slow_read(root, parts):
    """Items, impressions and rows by plain loops: the policies of DATASETS section 1, once more."""
    items = {}
    for part in parts:
        for line in (root / part / "news.tsv").read_text("utf-8").split("\n")[:-1]:
            name, category, subcategory, title, abstract, *_ = line.split("\t")
            items.setdefault(name, (title, abstract, category, subcategory))
    rows, seen = [], {}
    for part in parts:
        for line in (root / part / "behaviors.tsv").read_text("utf-8").split("\n")[:-1]:
            impression, user, time, history, candidates = line.split("\t")
            key = (part, impression)
            seen[key] = seen.get(key, 0) + 1
            try:
                moment = datetime.strptime(time, "%m/%d/%Y %I:%M:%S %p")
            except ValueError:
                continue
            name = f"{part}/{impression}" + (f"+{seen[key]}" if seen[key] > 1 else "")
            clicks = [c for c in history.split(" ") if c in items]
            for candidate in candidates.split(" "):
                item, _, label = candidate.rpartition("-")
                if part == "test":
                    item, label = candidate, ""
                if item in items and (label in ("0", "1") or part == "test"):
                    rows.append((name, user, clicks, item, label, moment))
    return items, rows


@pytest.mark.parametrize("test", [False, True])
def test_tables_agree_with_a_slow_reader(write_mind, read_mind, test):
    root = write_mind(test=test)
    items, rows = slow_read(root, ("train", "dev", "test") if test else ("train", "dev"))
    tables = read_mind(root)
    frame = tables.items()
    assert list(frame["item_id"]) == list(items)
    columns = ["title", "abstract", "category", "subcategory"]
    assert [tuple(row) for row in frame[columns].itertuples(index=False)] == list(items.values())
    histories = {
        h: (u, list(c)) for h, u, c in tables.histories().itertuples(index=False, name=None)
    }
    found = [
        (i, *histories[h], item, "" if np.isnan(label) else str(int(label)), time.to_pydatetime())
        for _, i, h, item, label, time, _ in tables.interactions().itertuples(
            index=False, name=None
        )
    ]
    assert found == rows
    # The reader kept text that pandas would have turned into a missing value.
    assert {"NA", "null"} <= set(frame["title"])
    assert {"nan", "null", ""} <= set(frame["abstract"])


def test_every_loss_is_counted_with_its_place(write_mind, read_mind):
    report = read_mind(write_mind(test=True)).report
    found = {(d.reason, d.part): (d.count, d.examples) for d in report.drops}
    assert found == {
        ("candidate again in its impression", "test"): (1, ()),
        ("candidate with a click and without one in one impression", "train"): (
            1,
            ("train/behaviors.tsv:3: N4",),
        ),
        ("item id again with another text", "train"): (1, ("train/news.tsv:6: N4",)),
        ("item id again with another text", "dev"): (1, ("dev/news.tsv:2: N3",)),
        ("item id again with another text", "test"): (1, ("test/news.tsv:2: N3",)),
        ("impression whose time cannot be read", "train"): (1, ("train/behaviors.tsv:6: train/6",)),
        ("impression id again in the same part", "train"): (
            1,
            ("train/behaviors.tsv:5: train/4+2",),
        ),
        ("unknown item in a history", "train"): (1, ("train/behaviors.tsv:3: N888",)),
        ("candidate without a label", "train"): (1, ("train/behaviors.tsv:7: N4",)),
        ("unknown item as a candidate", "train"): (
            3,
            (
                "train/behaviors.tsv:2: N999",
                "train/behaviors.tsv:8: N777",
                "train/behaviors.tsv:8: N999",
            ),
        ),
    }
    assert report.parts["predict"].rows == 3
    assert report.parts["predict"].one_class == 0
    assert report.parts["test"].cold == 1


def test_nothing_is_counted_of_a_line_that_is_dropped(write_mind, read_mind, tmp_path):
    plain = write_mind(tmp_path / "plain")
    text = (plain / "train" / "behaviors.tsv").read_text("utf-8")
    more = write_mind(
        tmp_path / "more",
        train_behaviors=text + "9\tU1\t13/32/2019 9:05:58 AM\tN555 N1\tN444-1 N3 N1-1\n",
    )
    first, second = (
        {(d.reason, d.part): d.count for d in read_mind(root).report.drops}
        for root in (plain, more)
    )
    first["impression whose time cannot be read", "train"] += 1
    assert second == first


def test_archive_layouts_and_gzip(write_mind, read_mind, tmp_path):
    plain = read_mind(write_mind(tmp_path / "plain"))
    flat = read_mind(write_mind(tmp_path / "flat", name="MINDsmall_{}"))
    write_mind(tmp_path / "stem", name="MINDlarge_{}")
    stem = read_mind(tmp_path / "stem" / "MINDlarge")
    packed = write_mind(tmp_path / "packed")
    for path in list(packed.rglob("*.tsv")):
        with gzip.open(f"{path}.gz", "wb") as file:
            file.write(path.read_bytes())
        path.unlink()
    zipped = read_mind(packed)
    for other in (flat, stem, zipped):
        assert other.interactions().equals(plain.interactions())
        assert other.items().equals(plain.items())


def test_windows_line_ends_and_a_byte_order_mark(write_mind, read_mind, tmp_path):
    plain = write_mind(tmp_path / "plain")
    news = (plain / "train" / "news.tsv").read_bytes()
    behaviors = (plain / "train" / "behaviors.tsv").read_bytes()
    odd = write_mind(
        tmp_path / "odd",
        train_news=b"\xef\xbb\xbf" + news.replace(b"\n", b"\r\n"),
        train_behaviors=behaviors.replace(b"\n", b"\r\n") + b"\r\n",
    )
    assert read_mind(odd).interactions().equals(read_mind(plain).interactions())


def only(error):
    (diagnostic,) = error.value.diagnostics
    return diagnostic


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("1\tU1\t11/9/2019 9:05:58 AM\tN1\n", 1, "column 5 (`candidates`) is missing"),
        (
            "1\tU1\t11/9/2019 9:05:58 AM\tN1\tN3-1\n2\tU1\t11/9/2019 9:05:58 AM\tN1\tN3-1\tmore\n",
            2,
            "column 6 is one too many",
        ),
        ("version https://git-lfs.github.com/spec/v1\n", 1, "1 column, not 5"),
    ],
)
def test_another_layout_stops_with_file_line_and_column(
    write_mind, read_mind, tmp_path, text, line, said
):
    root = write_mind(train_behaviors=text)
    with pytest.raises(LegoError) as error:
        read_mind(root)
    diagnostic = only(error)
    assert diagnostic.code == "E0621"
    assert f"`train/behaviors.tsv` line {line}" in diagnostic.message
    assert said in diagnostic.message
    assert diagnostic.help
    assert not list((tmp_path / "cache").glob("tables/*"))


def test_bytes_that_are_no_text_and_a_broken_gzip_stop(write_mind, read_mind, tmp_path):
    root = write_mind(tmp_path / "a", train_news=b"N1\tnews\tworld\tCaf\xe9\t\t\t[]\t[]\n")
    with pytest.raises(LegoError) as error:
        read_mind(root)
    assert only(error).code == "E0622"
    assert "`train/news.tsv` line 1, column 4 (title)" in only(error).message
    root = write_mind(tmp_path / "b")
    path = root / "train" / "behaviors.tsv"
    packed = gzip.compress(path.read_bytes() * 50)
    path.unlink()
    path.with_name("behaviors.tsv.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(LegoError) as error:
        read_mind(root)
    assert only(error).code == "E0622"
    assert "breaks off" in only(error).message


def test_a_missing_file_names_it_and_the_publisher(write_mind, read_mind, tmp_path):
    with pytest.raises(LegoError) as error:
        read_mind(tmp_path / "nowhere")
    assert only(error).code == "E0620"
    assert str(tmp_path / "nowhere" / "train" / "news.tsv") in only(error).message
    assert PAGE in only(error).help[0]
    root = write_mind()
    (root / "dev" / "behaviors.tsv").unlink()
    with pytest.raises(LegoError) as error:
        read_mind(root)
    assert str(root / "dev" / "behaviors.tsv") in only(error).message


def test_two_sizes_in_one_folder_are_refused(write_mind, read_mind, tmp_path):
    write_mind(tmp_path / "both", name="MINDsmall_{}")
    write_mind(tmp_path / "both", name="MINDlarge_{}")
    with pytest.raises(LegoError) as error:
        read_mind(tmp_path / "both")
    assert only(error).code == "E0620"
    assert "`MINDsmall_train`" in only(error).message
    assert read_mind(tmp_path / "both" / "MINDlarge").report.items == 8


def test_files_without_a_common_item_are_refused(write_mind, read_mind):
    lines = "1\tU1\t11/9/2019 9:05:58 AM\tN1\tX1-1 X2-0\n"
    root = write_mind(train_behaviors=lines, dev_behaviors=lines)
    with pytest.raises(LegoError) as error:
        read_mind(root)
    assert only(error).code == "E0625"
    assert any("unknown item as a candidate" in note for note in only(error).notes)


def test_the_digest_is_of_content_and_not_of_names(write_mind, read_mind, tmp_path):
    one = read_mind(write_mind(tmp_path / "one"))
    two = read_mind(write_mind(tmp_path / "two"))
    assert one.digest == two.digest
    assert one.folder == two.folder
    changed = write_mind(tmp_path / "three", dev_behaviors="1\tU7\t11/15/2019 9:05:58 AM\t\tN8-1\n")
    assert read_mind(changed).digest != one.digest
    assert read_mind(
        tmp_path / "one", Call(op="user", args={"valid": 0.2, "test": 0.2})
    ).digest != (one.digest)


def test_the_declaration_names_what_the_reader_gives(write_mind, read_mind):
    declared = [a.name for a in MIND.declaration.attributes]
    assert sorted(declared) == sorted(read_mind(write_mind()).report.coverage)
