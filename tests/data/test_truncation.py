"""Gzip files that break off: refused, or read as far as they are whole where that is asked for."""

import gzip
import zlib

import pytest

from legoc.data import prepare
from legoc.data.formats.delimited import read_table
from legoc.data.formats.truncation import keep_whole
from legoc.data.indexing.tables import convert
from legoc.data.sources.mind import MIND
from legoc.data.staging.losses import Losses
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.spec import Call
from tests.data.conftest import TRAIN_BEHAVIORS, behaviors_text
from tests.data.test_prepare import make_spec


def cut(path, keep):
    """Compress a file in blocks that end with its lines, and leave out what follows `keep` lines
    and a half."""
    lines = path.read_bytes().splitlines(keepends=True)
    packer = zlib.compressobj(wbits=31)
    data = packer.compress(b"".join(lines[:keep]) + lines[keep][: len(lines[keep]) // 2])
    data += packer.flush(zlib.Z_SYNC_FLUSH)
    path.with_name(path.name + ".gz").write_bytes(data)
    path.unlink()


def mind(root):
    return Call(op="MIND", args={"path": str(root)})


@pytest.fixture
def broken(write_mind):
    root = write_mind()
    cut(root / "train" / "behaviors.tsv", 5)
    return root


def digest_free(tables):
    return [(d.reason, d.part, d.count) for d in tables.report.drops if d.part != "files"]


def test_a_file_that_breaks_off_is_refused(broken, tmp_path):
    with pytest.raises(LegoError) as caught:
        prepare(make_spec(source=mind(broken)), cache=tmp_path / "cache")
    (found,) = caught.value.diagnostics
    assert found.code == "E0622"
    assert found.message == ("`train/behaviors.tsv.gz` is a gzip file that breaks off after line 5")
    assert "--keep-truncated" in found.help[1]
    assert not list((tmp_path / "cache").glob("tables/*"))


def test_what_is_whole_is_read_counted_and_refused_by_strict(broken, write_mind, tmp_path):
    cache, said = tmp_path / "cache", []

    class Said:
        def say(self, text):
            said.append(text)

        def __getattr__(self, name):
            from legoc.progress import SILENT

            return getattr(SILENT, name)

    prepared = prepare(make_spec(source=mind(broken)), cache=cache, truncated=True, progress=Said())
    # The same as a file that ends after its fifth line.
    whole = write_mind(tmp_path / "whole", train_behaviors=behaviors_text(TRAIN_BEHAVIORS[:5]))
    expected = convert(MIND(MIND.Config(path=str(whole))), Call(op="publisher"), cache)
    for name in ("items", "histories", "interactions"):
        assert prepared.tables.frame(name).equals(expected.frame(name))
    assert digest_free(prepared.tables) == digest_free(expected)
    drop = prepared.report.drops[0]
    assert (drop.count, drop.examples) == (1, ("train/behaviors.tsv.gz:5",))
    assert any("gzip file that breaks off (files): 1" in text for text in said)
    # What lies in the cache is refused again unless it is asked for again.
    with pytest.raises(LegoError) as caught:
        prepare(make_spec(source=mind(broken)), cache=cache)
    assert caught.value.diagnostics[0].code == "E0622"
    assert "after line 5" in caught.value.diagnostics[0].message
    with pytest.raises(LegoError) as caught:
        prepare(make_spec(source=mind(broken)), cache=cache, truncated=True, strict=True)
    assert caught.value.diagnostics[0].code == "E0629"


def test_a_damaged_file_is_never_read_on(write_mind, tmp_path):
    root = write_mind()
    path = root / "train" / "news.tsv"
    packed = bytearray(gzip.compress(path.read_bytes()))
    packed[-6] ^= 0xFF  # the checksum
    (root / "train" / "news.tsv.gz").write_bytes(packed)
    path.unlink()
    with pytest.raises(LegoError) as caught:
        prepare(make_spec(source=mind(root)), cache=tmp_path / "cache", truncated=True)
    assert caught.value.diagnostics[0].code == "E0622"
    assert "damaged" in caught.value.diagnostics[0].message


def test_a_row_that_breaks_off_within_its_quotes_is_left_out(tmp_path):
    path = tmp_path / "items.csv"
    path.write_text('item_id,title\nA,"one"\nB,"two and\nmore"\nC,"three, and a lot more"\n')
    cut(path, 3)
    packed, losses = tmp_path / "items.csv.gz", Losses()
    with pytest.raises(LegoError) as caught:
        list(read_table(packed, packed.name, ("item_id", "title"), losses, "items"))
    assert caught.value.diagnostics[0].code == "E0622"
    with keep_whole(True) as kept:
        rows = list(read_table(packed, packed.name, ("item_id", "title"), losses, "items"))
    assert rows == [(2, ("A", "one"))]
    assert kept.losses.drops()[0].examples == ("items.csv.gz:3",)


def test_an_empty_file_is_blamed_where_nothing_comes_of_the_data(write_mind, tmp_path):
    root = write_mind(train_behaviors="")
    with pytest.raises(LegoError) as caught:
        convert(MIND(MIND.Config(path=str(root))), Call(op="publisher"), tmp_path / "cache")
    (found,) = caught.value.diagnostics
    assert (found.code, found.message) == ("E0625", "`train/behaviors.tsv` is empty")
    # Where the rest is enough it is counted, and `--strict` finds it.
    tables = convert(MIND(MIND.Config(path=str(root))), Call(op="time"), tmp_path / "cache")
    drop = tables.report.drops[0]
    assert (drop.reason, drop.examples) == ("empty file", ("train/behaviors.tsv",))
