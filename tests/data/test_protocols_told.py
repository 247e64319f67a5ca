"""The protocols of RecBench and Legommenders on impressions, against a reader that goes row by
row."""

import random
from collections import defaultdict
from hashlib import md5

import pytest

from legoc.data.indexing.tables import convert
from legoc.data.sources.mind import MIND
from legoc.data.sources.movielens import MovieLens
from legoc.data.sources.pens import PENS
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.spec import Call
from tests.data.conftest import behaviors_text, news_text


NEWS = [(f"N{n}", "news", "us", f"Title {n}" if n % 4 else "", "") for n in range(30)]
SETTINGS = {"test": 12, "train": 1000, "valid": 0.3, "rows": 3, "seed": 5}


@pytest.fixture(scope="module")
def log():
    """part -> rows (user, history, [(item, label)]); some histories are empty, some hold N99."""
    rng = random.Random(11)

    def row(user):
        history = [f"N{rng.randrange(30)}" for _ in range(rng.choice((0, 2, 60)))]
        if history:
            history[rng.randrange(len(history))] = "N99"
        shown = [(f"N{rng.randrange(30)}", rng.randrange(2)) for _ in range(rng.randrange(1, 9))]
        return user, history, shown

    return {
        "train": [row(f"U{rng.randrange(14)}") for _ in range(40)],
        "dev": [row(f"U{rng.randrange(20)}") for _ in range(25)],
    }


def write(folder, log):
    for part, rows in log.items():
        (folder / part).mkdir(parents=True)
        (folder / part / "news.tsv").write_text(news_text(NEWS))
        lines = [
            (str(n), user, f"11/{9 + n % 5}/2019 9:05:58 AM", " ".join(history),
             " ".join(f"{item}-{label}" for item, label in shown))
            for n, (user, history, shown) in enumerate(rows)
        ]  # fmt: skip
        (folder / part / "behaviors.tsv").write_text(behaviors_text(lines))
    return folder


def shuffled(users, key):
    return sorted(users, key=lambda user: (md5(key.format(user).encode()).hexdigest(), user))


def slow(rows, settings, *, history, train_negatives):
    """{(split, user): (history, clicks, non-clicks, most of each)} of RecBench's rules."""
    told, given = {}, defaultdict(lambda: ([], []))
    for user, clicks, shown in rows:
        known = [item for item in clicks if item != "N99"]
        if known:
            told.setdefault(user, known)
        for item, label in shown:
            given[user][label].append(item)
    order = shuffled(set(told) & set(given), f"{settings['seed']}/{{}}")
    found, tuned, used, limit = {}, [], 0, settings["rows"]
    for user in order:
        low, high = given[user]
        amount = min(len(low), limit) + min(len(high), limit)
        if used < settings["test"]:
            found["test", user] = (told[user][-history:], high, low, limit, limit)
        else:
            tuned.append(user)
        used += amount
    held = shuffled(tuned, f"valid/{settings['seed']}/{{}}")
    held = held[: round(settings["valid"] * len(tuned))]
    for user in tuned:
        low, high = given[user]
        split = "valid" if user in held else "train"
        most = train_negatives if split == "train" else limit
        found[split, user] = (told[user][-history:], high, low, limit, most)
    return found


def read(folder, tmp_path, op, source=MIND, **args):
    made = source(source.Config(path=str(folder)))
    return convert(made, Call(op=op, args=args), tmp_path / "cache")


def units(tables):
    """{(split, user): (history, clicks, non-clicks)}."""
    told = tables.histories().set_index("history_id")
    found = {}
    for row in tables.interactions().itertuples():
        user, clicks = told.loc[row.history_id, ["user_id", "clicks"]]
        unit = found.setdefault((row.split, user), (list(clicks), [], []))
        unit[1 if row.label else 2].append(row.item_id)
    return found


@pytest.mark.parametrize(
    ("op", "history", "low"), [("recbench", 10**6, 3), ("legommenders", 50, 100)]
)
def test_users_give_rows_as_a_slow_reader_says(log, tmp_path, op, history, low):
    tables = read(write(tmp_path / "mind", log), tmp_path, op, **SETTINGS)
    expected = slow(log["train"], SETTINGS, history=history, train_negatives=low)
    found = units(tables)
    assert found.keys() == expected.keys()
    assert {split for split, _ in found} == {"train", "valid", "test"}
    for key, (told, high, least, most, most_low) in expected.items():
        clicks, liked, left = found[key]
        assert clicks == told
        for drawn, from_, bound in ((liked, high, most), (left, least, most_low)):
            assert len(drawn) == min(len(from_), bound)
            assert all(drawn.count(item) <= from_.count(item) for item in drawn)
    assert (tables.items()["title"] == "[empty]").any() == (op == "legommenders")
    assert tables.interactions()["impression_id"].nunique() == len(found)


def test_sets_without_a_test_part(log, tmp_path):
    tables = read(write(tmp_path / "mind", log), tmp_path, "recbench", **{**SETTINGS, "test": 0})
    expected = slow(log["train"], {**SETTINGS, "test": 0}, history=10**6, train_negatives=3)
    assert units(tables).keys() == expected.keys()
    assert {split for split, _ in expected} == {"train", "valid"}


def test_legommenders_reads_mind_raw(log, tmp_path):
    folder = write(tmp_path / "mind", log)
    tables = read(folder, tmp_path, "legommenders", raw=True, valid=0.25, seed=5)
    told = {}
    for user, history, _ in [*log["train"], *log["dev"]]:
        told.setdefault(user, [item for item in history if item != "N99"])
    told = {user: clicks[:50] for user, clicks in told.items() if clicks}
    expected = {}
    for part, rows in log.items():
        for user, _, shown in rows:
            if user in told:
                unit = expected.setdefault((part, user), (told[user], [], []))
                for item, label in shown:
                    unit[2 - label].append(item)
    trained = shuffled({user for part, user in expected if part == "train"}, "5/{}")
    held = trained[: int(0.25 * len(trained))]
    names = {"dev": "test"}
    expected = {
        ("valid" if part == "train" and user in held else names.get(part, part), user): unit
        for (part, user), unit in expected.items()
    }
    assert len(held) > 1
    assert units(tables) == expected
    assert len({len(clicks) for clicks, _, _ in expected.values()}) > 1


def test_what_raw_does_not_go_with(log, tmp_path):
    folder = write(tmp_path / "mind", log)

    def message(source=MIND, root=folder, **args):
        with pytest.raises(LegoError) as caught:
            read(root, tmp_path, "legommenders", source, raw=True, **args)
        (found,) = caught.value.diagnostics
        assert found.code == "E0623"
        return found.message

    assert "`rows` is of parts that are drawn" in message(rows=3)
    (folder / "dev").rename(tmp_path / "away")
    assert "two parts" in message()
    films = tmp_path / "ml"
    films.mkdir()
    (films / "movies.csv").write_text("movieId,title,genres\n1,A,B\n")
    (films / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,1,4,9\n")
    assert "has none" in message(MovieLens, films)


def test_a_test_part_that_takes_all_is_refused(log, tmp_path):
    with pytest.raises(LegoError) as caught:
        read(write(tmp_path / "mind", log), tmp_path, "recbench")
    (found,) = caught.value.diagnostics
    assert (found.code, "takes all" in found.message) == ("E0623", True)


def test_pens_leaves_out_impressions_of_one_label(tmp_path):
    news = "".join(f"N{n}\tc\tt\tTitle {n}\tbody\t{{}}\t{{}}\n" for n in range(9))
    header = "UserID\tClicknewsID\tdwelltime\texposure_time\tpos\tneg\tstart\tend\tdwelltime_pos\n"

    def line(user, pos, neg):
        return f"{user}\tN1 N2\t1 2\tx\t{pos}\t{neg}\t7/3/2019 6:43:49 AM\tx\t1\n"

    root = tmp_path / "PENS"
    root.mkdir()
    (root / "news.tsv").write_text("News ID\tCategory\tTopic\tHeadline\tNews body\tE\tC\n" + news)
    users = [f"U{n}" for n in range(8)]
    train = "".join(line(user, "N3 N99", "N4 N5") + line(user, "N6", "N99") for user in users)
    (root / "train.tsv").write_text(header + train)
    (root / "valid.tsv").write_text(header + line("U8", "N7", "N8") + line("U9", "", "N8"))
    found = units(read(root, tmp_path, "recbench", PENS, test=4, train=100, valid=0.2))
    expected = {**dict.fromkeys(users, (["N3"], ["N4", "N5"])), "U8": (["N7"], ["N8"])}
    assert {
        user: (liked, sorted(left)) for (_, user), (_, liked, left) in found.items()
    } == expected


def test_once_halves_the_dev_part_by_its_list(log, tmp_path):
    folder, path = write(tmp_path / "mind", log), tmp_path / "mind_imp_list.json"
    order = list(range(len(log["dev"])))
    random.Random(2).shuffle(order)
    path.write_text(str(order), "utf-8")
    tables = read(folder, tmp_path, "legommenders", raw=True, halves=str(path))
    told = {}
    for user, history, _ in [*log["train"], *log["dev"]]:
        told.setdefault(user, [item for item in history if item != "N99"])
    expected = {}
    for part, rows in log.items():
        for number, (user, _, shown) in enumerate(rows):
            half = "valid" if number in order[: len(order) // 2] else "test"
            if told[user]:
                name = f"{part}/{number}"
                split = "train" if part == "train" else half
                expected[split, name] = (told[user][:50], [(i, float(y)) for i, y in shown])
    histories = tables.histories().set_index("history_id")["clicks"]
    found = {}
    for row in tables.interactions().itertuples():
        unit = found.setdefault(
            (row.split, row.impression_id), (list(histories[row.history_id]), [])
        )
        unit[1].append((row.item_id, row.label))
    assert found == expected
    # Another list makes other tables.
    path.write_text(str(order[::-1]), "utf-8")
    other = read(folder, tmp_path, "legommenders", raw=True, halves=str(path))
    assert other.digest != tables.digest
    path.write_text("{}", "utf-8")
    for args, code in (({"raw": True}, "E0620"), ({}, "E0623")):
        with pytest.raises(LegoError) as caught:
            read(folder, tmp_path, "legommenders", halves=str(path), **args)
        assert caught.value.diagnostics[0].code == code
