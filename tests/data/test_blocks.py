"""Blocks of lines against the reader of single lines, whatever the lines and the blocks are."""

import gzip
import random

import pytest

from legoc.data.formats import blocks
from legoc.data.formats.lines import read_rows
from legoc.data.formats.truncation import keep_whole
from legoc.language.diagnosing.diagnostics import LegoError


COLUMNS = ("one", "two", "three")
PLAIN = ("a\tb\tc\n", "é\t\t\n", '"x\t"y"\tz"\n', "NA\tnull\tnan\n", "\\\t,\t'\n", "1\t 2\t3 \n")
# What the short way must leave to the long one without losing count of the lines.
ODD = (
    "\n", "  \n", "\t\t\n", " \t\v\t\n", "a\tb\tc\r\n", "a\rb\tc\td\n", "a\tb\tc\r\r\n", "\r\n",
    "\ufeffa\tb\tc\n", "a\x00\tb\t\x85\u2028\n", "a\tb\tc\x1c\x0b\n",
)  # fmt: skip
# The last holds as many columns as two lines, for one that takes a carriage return for an end.
WRONG = ("a\tb\n", "a\tb\tc\td\n", b"a\tb\t\xe9\n", b"\xff\tb\tc\n", "a\tb\tc\ra\tb\tc\n")


def read_both(path, monkeypatch, size):
    """Rows or messages of both readers."""

    def slowly():
        return [(n, f[1], f[0]) for n, f in read_rows(path, COLUMNS, "log.tsv")]

    def quickly():
        found = []
        for numbers, (two, one) in blocks.read_texts(path, COLUMNS, ("two", "one"), "log.tsv"):
            found += zip(numbers.tolist(), two.to_pylist(), one.to_pylist(), strict=True)
        return found

    monkeypatch.setattr(blocks, "BLOCK", size)
    results = []
    for read in (slowly, quickly):
        try:
            results.append(read())
        except LegoError as error:
            results.append([(d.code, d.message, d.help) for d in error.diagnostics])
    return results


@pytest.mark.parametrize("seed", range(80))
def test_any_lines_are_read_as_single_lines_are(tmp_path, monkeypatch, seed):
    rng = random.Random(seed)
    pieces = rng.choices(PLAIN, k=rng.randrange(40))
    for odd in rng.choices(ODD, k=seed % 3) + rng.choices(WRONG, k=seed % 4 == 3):
        pieces.insert(rng.randrange(len(pieces) + 1), odd)
    content = b"".join(p if isinstance(p, bytes) else p.encode() for p in pieces)
    if seed % 5 == 0:
        content = content.rstrip(b"\n")
    path = tmp_path / "log.tsv"
    path.write_bytes(content)
    for size in (1, 7, 64, 1 << 20):
        slow, quick = read_both(path, monkeypatch, size)
        assert quick == slow


def test_plain_lines_take_the_short_way():
    plain = "".join(PLAIN).encode()
    assert blocks.split_block(plain, COLUMNS, COLUMNS).num_rows == len(PLAIN)
    crlf = plain.replace(b"\n", b"\r\n")
    found = blocks.split_block(crlf, COLUMNS, COLUMNS)
    assert found.equals(blocks.split_block(plain, COLUMNS, COLUMNS))


def test_a_gzip_file_that_breaks_off_is_refused_where_single_lines_refuse_it(tmp_path, monkeypatch):
    rng = random.Random(1)
    lines = "".join(f"{rng.random()}\t{rng.random()}\t{n}\n" for n in range(3000))
    packed = gzip.compress(lines.encode())
    path = tmp_path / "log.tsv.gz"
    for damaged in (packed, packed[: len(packed) // 2], packed[:5000] + b"?" * 40 + packed[5040:]):
        path.write_bytes(damaged)
        for size in (4096, 1 << 20):
            slow, quick = read_both(path, monkeypatch, size)
            assert quick == slow


def test_what_is_whole_of_it_is_read_once_where_that_is_asked_for(tmp_path, monkeypatch):
    rng = random.Random(2)
    lines = "".join(f"{rng.random()}\t{rng.random()}\t{n}\n" for n in range(3000))
    packed = gzip.compress(lines.encode())
    path = tmp_path / "log.tsv.gz"
    path.write_bytes(packed[: len(packed) // 2])
    with keep_whole(True):
        for size in (4096, 1 << 20):
            slow, quick = read_both(path, monkeypatch, size)
            assert quick == slow
            assert 1000 < len(slow) < 2000


def test_columns_that_are_not_kept_are_checked_as_well(tmp_path, monkeypatch):
    path = tmp_path / "log.tsv"
    path.write_bytes(b"a\tb\tc\na\tb\tCaf\xe9\n")
    slow, quick = read_both(path, monkeypatch, 1 << 20)
    assert quick == slow
    assert "line 2, column 3 (three)" in quick[0][1]
