"""Items that a language model made up for users with few clicks, on logs written here."""

import json

import numpy as np
import pytest

from legoc.data import prepare
from legoc.data.augmenting.generated import find_object, read_generated
from legoc.data.augmenting.joins import augment
from legoc.data.indexing.index import mark_training
from legoc.language.checking import check as check_file
from legoc.language.diagnosing.diagnostics import LegoError
from tests.data.test_augment import mind
from tests.data.test_prepare import make_spec


assert mind  # a fixture


def item(**written):
    return json.dumps(written)


@pytest.fixture
def log(tmp_path):
    """Writes a generator's log beside the ids of its users."""

    def write(*lines, name="generator_v1.log", users=("U9", "U7", "U07", "U404", "U5"), key="news"):
        (tmp_path / "user").mkdir(exist_ok=True)
        (tmp_path / "user" / "tok.uid.dat").write_text("".join(f"{u}\n" for u in users), "utf-8")
        path = tmp_path / name
        text = "".join(
            (line if isinstance(line, str) else json.dumps({"uid": line[0], key: line[1]})) + "\n"
            for line in lines
        )
        path.write_text(text, "utf-8")
        return path

    return write


def join(tables, tmp_path, *paths):
    return augment(tables, [str(path) for path in paths], tmp_path / "cache")


def found(tables):
    drops = [drop for drop in tables.report.drops if drop.examples]
    return {drop.reason: (drop.count, drop.examples[0]) for drop in drops}


def clicks(tables):
    return {row.user_id: list(row.clicks) for row in tables.histories().itertuples()}


def test_items_follow_the_clicks_of_short_histories(mind, log, tmp_path):
    path = log(
        (1, item(title="Nero sings", abstract="and\nplays", category="nonsense")),
        (2, item(title="for an empty history")),
        (3, item(title="for nobody")),
        (0, "Here it is: {\"title\": \"Tv\n tonight\", \"category\": \"\"} Enjoy!"),
        (4, "I cannot answer."),
        (4, item(title=" ", abstract="no title")),
        (7, item(title="beyond")),
        "{",
        (1, item(title="again")),
    )  # fmt: skip
    tables = join(mind, tmp_path, path)
    assert clicks(tables) == {
        "U7": ["N1", "N20", "generator_v1/U7"], "U07": [],
        "U9": ["N7", "generator_v1/U9"], "U5": ["N3"],
    }  # fmt: skip
    items = tables.items()
    assert list(items["item_id"]) == [
        *mind.items()["item_id"], "generator_v1/U7", "generator_v1/U9",
    ]  # fmt: skip
    assert list(items["title"])[-2:] == ["Nero sings", "Tv tonight"]
    drops = found(tables)
    assert drops["generated text that cannot be read"] == (
        3, "generator_v1.log:5: " + '{"uid": 4, "news": "I cannot answer."}'[:40],
    )  # fmt: skip
    assert drops["user beyond `tok.uid.dat`"] == (1, "generator_v1.log:7: 7")
    again = "key of an augmenting table again with another text"
    assert drops[again] == (1, "generator_v1.log:9: U7")
    assert drops["record of an unknown user"] == (1, "generator_v1.log: U404")
    (ruled,) = [d for d in tables.report.drops if "without a history" in d.reason]
    assert (ruled.count, ruled.examples) == (1, ())
    assert tables.report.generated == 2
    assert "2 generated items of generator_v1.log" in tables.report.notes[-1]
    # They are candidates nowhere, and nothing is drawn from them.
    assert tables.interactions().equals(mind.interactions())
    known = mark_training(tables, len(items) + 1)
    assert not known[-2:].any()
    assert (known[:-2] == mark_training(mind, len(items) - 1)).all()


def test_several_logs_add_an_item_each(mind, log, tmp_path):
    one = log((1, item(title="one")))
    two = log((1, {"title": "two", "description": "a book"}), name="chain_v5.log", key="book")
    tables = join(mind, tmp_path, one, two)
    assert clicks(tables)["U7"] == ["N1", "N20", "generator_v1/U7", "chain_v5/U7"]
    assert tables.report.generated == 2


def test_histories_of_more_than_five_clicks_stay(demo_tables, log, tmp_path):
    frame = demo_tables.histories()
    users = sorted(set(frame["user_id"]))
    path = log(*((n, item(title=f"for {u}", category="nowhere")) for n, u in enumerate(users)),
               users=users)  # fmt: skip
    tables = join(demo_tables, tmp_path, path)
    after = tables.histories()
    assert list(after["history_id"]) == list(frame["history_id"])
    short = 0
    for before, now in zip(frame["clicks"], after["clicks"], strict=True):
        if 1 <= len(before) <= 5:
            short += 1
            assert list(now)[:-1] == list(before)
            assert now[-1].startswith("generator_v1/")
        else:
            assert list(now) == list(before)
    assert short > 3
    items = tables.items()
    made = items[items["item_id"].str.startswith("generator_v1/")]
    assert set(made["category"]) == {"others"}
    assert set(made["subcategory"]) == {""}
    assert tables.report.parts == demo_tables.report.parts


def test_a_model_reads_them_and_draws_none(demo_cache, demo_tables, log):
    from legoc.data.batching.sampling import matching_batches

    users = sorted(set(demo_tables.histories()["user_id"]))
    path = log(*((n, item(title=f"title {n}")) for n in range(len(users))), users=users)
    spec = make_spec(augment=(str(path),))
    prepared = prepare(spec, cache=demo_cache)
    count = prepared.report.generated
    first = len(prepared.items) - count
    assert count > 3
    assert prepared.inputs.rows(np.array([first]))["title"].shape == (1, 2)
    assert (np.asarray(prepared.logs["train"].clicks) >= first).any()
    for pool in ("uniform", "popularity", "category"):
        sampler = matching_batches(prepared, batch=64, negatives=8, pool=pool, seed=3)
        for step in range(5):
            assert sampler.samples(0, step).candidates.max() < first


@pytest.mark.parametrize(
    "text",
    ["", "[]", "3", "{}", '{"uid": 1}', '{"uid": true, "news": {"title": "a"}}',
     '{"uid": 1, "news": "null"}', '{"uid": 1, "news": {"title": 3}}',
     '{"uid": 1, "news": "{\\"title\\": \\"a\\""}', '{"uid": 1, "news": {}, "more": 2}'],
)  # fmt: skip
def test_what_cannot_be_read(text):
    assert read_generated(text) is None


def test_an_answer_may_stand_in_prose():
    assert find_object('Sure {really}: {"title": "a {b}"} and {"title": "c"}') == {"title": "a {b}"}
    assert find_object("none { at all") is None


def test_a_misspelt_attribute_of_a_log_is_found_at_check_time(log, tmp_path):
    texts = tmp_path / "news_summarizer.log"
    texts.write_text("N1\tuntagged\nN2\t[newtitle] Two\n", "utf-8")
    people = tmp_path / "profiles.log"
    people.write_text('{"uid": 0, "interest": "[topics]\\n- a"}\n', "utf-8")
    made = log((0, item(title="x")), name="generator.log")

    def check(path, field):
        text = (
            f'data d {{ source = Demo\n augment = ["{path.name}"]\n {field} }}\n'
            "model m = content CNN(hidden=8) -> behavior Additive -> predict Dot\nrun m on d\n"
        )
        (tmp_path / "a.lego").write_text(text, "utf-8")
        return {found.code for found in check_file(tmp_path / "a.lego").diagnostics}

    assert check(texts, "content = [newtitle(8)]") == set()
    assert check(texts, "content = [newtitel(8)]") == {"E0601"}
    assert check(people, "content = [title(8)]\n user = [topics]") == set()
    assert check(people, "content = [title(8)]\n user = [topic]") == {"E0601"}
    # What a log says of users is nothing an item has.
    assert check(people, "content = [topics]") == {"E0601"}
    assert check(made, "content = [title(8)]") == set()
    assert check(made, "content = [abstrakt(8)]") == {"E0601"}
    # Whether a file that is no log has the attribute is for the preparation to say.
    texts.write_text("nothing of that kind\n", "utf-8")
    assert check(texts, "content = [newtitel(8)]") == set()


def test_items_without_titles_have_no_room(tmp_path):
    import duckdb

    from legoc.data.augmenting.generated import Generated, attach
    from legoc.data.staging.losses import Losses

    connection = duckdb.connect()
    connection.execute("CREATE TABLE items AS SELECT 'a' AS item_id, 'x' AS headline")
    made = Generated(path=tmp_path / "x", shown="generator.log")
    with pytest.raises(LegoError) as caught:
        attach(connection, made, "#place", Losses())
    assert caught.value.diagnostics[0].code == "E0640"
