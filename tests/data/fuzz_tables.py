"""Random tables of one's own against a reading in plain Python.

A shop is made up as plain values; they are written in a random format, with random forms of ids,
lists, numbers and times; and what `Tables` makes of the files must be what was made up. Run
`python -m tests.data.fuzz_tables 5000` for a long search, `... 1 --seed 17` for one table again.
"""

import argparse
import random
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

from legoc.data.indexing.tables import open_connection
from legoc.data.sources.tables import Tables
from legoc.data.splitting.feedback import arrange
from legoc.language.ir.spec import Call
from legoc.progress import SILENT
from tests.data.table_forms import TIMES, write_rows, written_list, written_time


ALL = Call(op="time", args={"valid": 0.0, "test": 0.0})
WORDS = ["storm", "it's", 'say "x"', "über", "coast,", "a|b", "late\ngoal", "東京", "NA", "null"]
TAGS = ["red", "big one", "it's", "Sci-Fi (old)", 'so-called "new"', "Crème", "5", "007"]
KINDS = ["mug", "garden hose", "None of these", "[REC]", "1.5 l", "lamp"]
FORMATS = ("csv", "tsv", "jsonl", "json", "parquet")
STYLES = ("plain", "zeros", "whole", "big", "words", "gaps", "bytes")
BIG = 2**60 + 12345


def make_id(number, style, format="csv"):
    """An id as a table of a format holds it; that of CSV is the id as text."""
    typed = format in ("jsonl", "json", "parquet")
    match style:
        case "gaps":
            # A gap among whole numbers has made floats of them all.
            return float(number) if typed else number
        case "bytes":
            return f"b{number}".encode() if format == "parquet" else f"b{number}"
        case "zeros":
            return f"{number:03d}"
        case "whole":
            return number
        case "big":
            return BIG + number
        case "words":
            return f"Ünit {number}"
        case _:
            return f"i{number}"


class Shop:
    """A made-up shop: what its tables hold, as plain values, and how they are written."""

    def __init__(self, seed):
        self.random = rng = random.Random(seed)
        self.styles = {n: rng.choice(STYLES) for n in "iu"}
        self.form = rng.choice(TIMES)
        self.lists = rng.choice(("json", "python", "numpy", "tuple", "|"))
        self.formats = {name: rng.choice(FORMATS) for name in ("items", "interactions")}
        self.grades = rng.choice(("none", "digits", "words", "ratings"))
        self.shown = rng.random() < 0.6
        self.nothing = rng.choice((None, None, "N/A", "-"))
        self.comma = rng.random() < 0.3
        self.items = self.make_items(rng.randrange(2, 40))
        self.log = self.make_log(rng.randrange(1, 60))

    def make_items(self, count):
        rng = self.random
        late = rng.randrange(count) if rng.random() < 0.5 else 0
        whole = rng.random() < 0.5
        items = []
        for n in range(count):
            price = rng.randrange(-3, 90) if whole else rng.randrange(1, 900) / 8
            empty = n < late or rng.random() < 0.1
            items.append(
                {
                    "item_id": str(make_id(n, self.styles["i"])),
                    "title": " ".join(rng.choices(WORDS, k=rng.randrange(5))).strip(),
                    "kind": None if rng.random() < 0.2 else rng.choice(KINDS),
                    "price": None if empty else price,
                    "tags": None if n < late else rng.sample(TAGS, rng.randrange(5)),
                    "code": f"{rng.randrange(100):03d}",
                    "flag": rng.random() < 0.5,
                }
            )
        return items

    def make_log(self, count):
        rng, log = self.random, []
        day = 86_400_000_000
        for _ in range(count):
            whole = rng.randrange(300) * day + rng.choice((0, 1, 2)) * 1_000_000
            label = rng.choice((None, 0, 1)) if rng.random() < 0.1 else rng.randrange(2)
            log.append(
                {
                    "user": rng.randrange(6), "item": rng.randrange(len(self.items) + 1),
                    "time": whole, "label": label, "shown": rng.randrange(1 + count // 4),
                }
            )  # fmt: skip
        # A day beyond the twelfth says which of two figures is the month.
        log[0]["time"] = 24 * day
        return log

    def write(self, folder):
        """The files, and the settings that the spec would give."""
        rng = self.random
        items = [dict(row) for row in self.items]
        format = self.formats["items"]
        settings = {"negatives": 0, "categories": ("tags",)}
        for number, row in enumerate(items):
            row["item_id"] = make_id(number, self.styles["i"], format)
        if self.nothing is not None and format != "parquet":
            settings["missing"] = (self.nothing,)
            for row in items:
                row["price"] = self.nothing if row["price"] is None else row["price"]
                row["kind"] = self.nothing if row["kind"] is None else row["kind"]
        if self.comma:
            settings["decimal"] = ","
        if self.comma and format in ("csv", "tsv"):
            for row in items:
                if isinstance(row["price"], float):
                    row["price"] = str(row["price"]).replace(".", ",")
        for row in items:
            # The empty list says as little as a missing one, but a list must be told from words.
            if self.lists == "|" and row["tags"] is not None and format in ("csv", "tsv"):
                row["tags"] = written_list(row["tags"], "|")
        if format in ("jsonl", "json", "parquet") and rng.random() < 0.3:
            for row in items:
                tags = row["tags"]
                row["tags"] = None if tags is None else written_list(tags, self.lists)
        if format == "parquet" and rng.random() < 0.3:
            for row in items:
                row["title"] = row["title"].encode()
        if format in ("jsonl", "json") and rng.random() < 0.3:
            # A record may lack the keys that it has no value for.
            items = [{n: v for n, v in row.items() if v is not None} for row in items]
        write_rows(folder / "items", items, format, self.lists)
        write_rows(folder / "interactions", self.log_rows(), self.formats["interactions"])
        if self.lists == "|":
            settings |= {"separator": "|", "texts": ("title",)}
        if self.form == "from 0: milliseconds":
            settings["time_unit"] = "milliseconds"
        return settings

    def log_rows(self):
        words = {1: "yes", 0: "no", None: None}
        format = self.formats["interactions"]
        rows = []
        for row in self.log:
            one = {
                "user_id": make_id(row["user"], self.styles["u"], format),
                "item_id": make_id(row["item"], self.styles["i"], format),
                "time": written_time(row["time"], self.form),
            }
            if self.shown:
                one["impression_id"] = f"p{row['shown']}"
            match self.grades:
                case "digits":
                    one["label"] = row["label"]
                case "words":
                    one["label"] = words[row["label"]]
                case "ratings":
                    one["rating"] = {1: 4.5, 0: 1, None: 3}[row["label"]]
                    if self.comma and format in ("csv", "tsv"):
                        one["rating"] = str(one["rating"]).replace(".", ",")
            rows.append(one)
        return rows

    def expected_items(self):
        """Attribute values as lists of what they say, by id."""
        found = {}
        for row in self.items:
            tags = [tag.strip() for tag in row["tags"] or () if tag]
            found[str(row["item_id"])] = {
                "title": row["title"].strip(),
                "kind": [] if row["kind"] is None else [row["kind"]],
                "price": None if row["price"] is None else float(row["price"]),
                "tags": tags, "code": [row["code"]], "flag": [str(row["flag"]).lower()],
            }  # fmt: skip
        return found

    def expected_log(self):
        """How often each (user, history, candidates) occurs: the history of an impression is the
        clicks strictly before its own moment, which is that of its first row."""
        known = {str(row["item_id"]) for row in self.items}
        rows = []
        for place, row in enumerate(self.log):
            item = str(make_id(row["item"], self.styles["i"]))
            label = 1 if self.grades == "none" else row["label"]
            if item in known and label is not None:
                unit = row["shown"] if self.shown else row["time"]
                rows.append((row["user"], unit, row["time"], place, item, label))
        clicked = {(u, unit, item) for u, unit, _, _, item, label in rows if label}
        rows = [r for r in rows if r[5] or (r[0], r[1], r[4]) not in clicked]
        groups = defaultdict(list)
        for row in rows:
            groups[row[:2]].append(row)
        found = Counter()
        for (user, _), group in groups.items():
            moment = min(row[2] for row in group)
            before = sorted(r[2:5] for r in rows if r[0] == user and r[5] and r[2] < moment)
            history = tuple(item for _, _, item in before)[-100:]
            offered = tuple((item, label) for *_, item, label in group)
            found[str(make_id(user, self.styles["u"])), history, offered] += 1
        return found


def read_shop(folder, settings, scratch):
    """Items and impressions as `Tables` extracts and arranges them."""
    source = Tables(Tables.Config(path=str(folder), **settings))
    with open_connection(None) as connection:
        extracted = source.extract(connection, scratch, SILENT)
        arrange(connection, ALL, extracted, 100)
        items = connection.sql("SELECT * FROM items ORDER BY position").to_arrow_table()
        shown = connection.execute(
            """
            SELECT user_id, clicks, list((item_id, label) ORDER BY place) AS offered
            FROM rows JOIN impressions USING (position) JOIN histories USING (history)
            GROUP BY position, user_id, clicks
            """
        ).fetchall()
    log = Counter(
        (user, tuple(clicks), tuple((item, int(label)) for item, label in offered))
        for user, clicks, offered in shown
    )
    return items.to_pylist(), log


def said(name, value):
    """What a stored value says, whether it was stored as a word or as a list."""
    if name in ("price", "title"):
        return value.strip() if name == "title" else value
    if isinstance(value, str):
        value = [value] if value else []
    return [one.lower() if name == "flag" else one for one in value or ()]


def compare(seed):
    """The first difference of one shop, None where there is none."""
    shop = Shop(seed)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "shop"
        settings = shop.write(folder)
        (Path(place) / "scratch").mkdir()
        items, log = read_shop(folder, settings, Path(place) / "scratch")
    expected = shop.expected_items()
    if [row["item_id"] for row in items] != list(expected):
        return f"ids {[row['item_id'] for row in items]}, not {list(expected)}"
    for row in items:
        for name, value in expected[row["item_id"]].items():
            # A column that says nothing in any record has no kind, and need not be there.
            found = said(name, row[name]) if name in row else said(name, [])
            empty = found in ("", None, []) and value in ("", None, [])
            if found != value and not empty:
                return f"{name} of {row['item_id']}: {found!r}, not {value!r}"
    if log != shop.expected_log():
        return f"log {log - shop.expected_log()}, not {shop.expected_log() - log}"
    return None


def describe(seed):
    shop = Shop(seed)
    return f"{shop.formats} {shop.styles} lists {shop.lists} times {shop.form} {shop.grades}"


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(argv)
    wrong = 0
    for seed in range(arguments.seed, arguments.seed + arguments.count):
        try:
            difference = compare(seed)
        except Exception as error:
            difference = f"{type(error).__name__}: {error}"
        if difference is not None:
            wrong += 1
            print(f"table {seed}: {difference}\n    {describe(seed)}")
    print(f"{arguments.count} tables, {wrong} differ")
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
