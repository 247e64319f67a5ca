"""One `generate` from its data to the file that training joins."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from legoc.data.prepare import build_source, make_tables
from legoc.generating.answering import Question
from legoc.generating.generate import Outcome, generate
from legoc.generating.published import write_published
from legoc.language.checking import load
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.generation import Generation
from tests.generating.scripted import DEMO, MODEL, Scripted, declared
from tests.generating.servers import Asked, serving


TITLES = "task = Summarise(from=[title, subcategory], to=newtitle)"
TOPICS = "task = Profile(from=[title], to=topics, most=3)"
MORE = "task = Invent(from=[title, category], write=[title, category])"


def of_task(task: str, folder: Path, data: str = DEMO) -> Generation:
    return declared(f"{data}generate made {{ of = news\n  {task}\n{MODEL} }}", folder)


def do(made: Generation, model: Scripted, cache: Path, **given: Any) -> Outcome:
    return generate(made, cache=cache, model=model, **given)


def upper(question: Question) -> str:
    title = question.messages[-1]["content"].split("title: ")[1].splitlines()[0]
    return f"Sure! Here it is:\n[newtitle] {title.upper()}\nAnything else?"


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def code_of(error: pytest.ExceptionInfo[LegoError]) -> str:
    return error.value.diagnostics[0].code


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def test_titles_are_written_and_read(tmp_path: Path, cache: Path) -> None:
    made, model = of_task(TITLES, tmp_path), Scripted(upper)
    outcome = do(made, model, cache)
    assert (outcome.subjects, outcome.asked, outcome.malformed, outcome.missing) == (200, 200, 0, 0)
    assert outcome.tokens.read == 1000
    source = build_source(made.data, cache)
    titles = make_tables(made.data, source, cache).items()
    told = dict(zip(titles.item_id, titles.title, strict=True))
    rows = lines(Path(made.path))
    assert {row["item_id"]: row["newtitle"] for row in rows} == {
        item: " ".join(title.upper().split()).strip(" .\"'`*#") for item, title in told.items()
    }
    joined = made.data.__class__(**{**vars(made.data), "augment": (made.path,)})
    items = make_tables(joined, source, cache).items()
    assert dict(zip(items.item_id, items.newtitle, strict=True)) == {
        row["item_id"]: row["newtitle"] for row in rows
    }


def test_nothing_is_asked_twice(tmp_path: Path, cache: Path) -> None:
    made, model = of_task(TITLES, tmp_path), Scripted(upper)
    first = do(made, model, cache, limit=30)
    assert (first.asked, first.missing, first.path) == (30, 170, None)
    assert not Path(made.path).exists()
    second = do(made, model, cache)
    assert (second.kept, second.asked, second.missing) == (30, 170, 0)
    third = do(made, model, cache)
    assert (third.kept, third.asked) == (200, 0)
    assert max(Counter(question.subject for question in model.asked).values()) == 1


def test_another_prompt_or_model_is_asked_anew(tmp_path: Path, cache: Path) -> None:
    model = Scripted(upper)
    made = of_task(TITLES, tmp_path)
    do(made, model, cache)
    (tmp_path / "ask.txt").write_text("Be brief.\n---\ntitle: {title}\n", "utf-8")
    other = of_task(TITLES.replace("to=newtitle", 'to=newtitle, prompt="ask.txt"'), tmp_path)
    assert other.path != made.path
    assert do(other, model, cache).asked == 200
    assert dict(model.asked[-1].messages[0]) == {"role": "system", "content": "Be brief."}
    text = f"{DEMO}generate made {{ of = news\n  {TITLES}\n{MODEL.replace('none', 'else')} }}"
    third = declared(text, tmp_path)
    assert do(third, model, cache).asked == 200
    # Each of them still has what it was answered, in one journal.
    assert do(made, model, cache).kept == 200
    assert do(other, model, cache).kept == 200
    assert len(model.asked) == 600


def test_answers_of_another_form_are_asked_for_once_more(tmp_path: Path, cache: Path) -> None:
    def say(question: Question) -> str:
        number = int(question.subject.removeprefix("N"))
        if number % 3 == 0 or (number % 3 == 1 and question.attempt == 1):
            return "  \n"
        return upper(question)

    made, model = of_task(TITLES, tmp_path), Scripted(say)
    outcome = do(made, model, cache)
    rest = Counter(int(q.subject[1:]) % 3 for q in model.asked if q.attempt == 1)
    assert outcome.malformed == 2 * rest[0] + rest[1]
    assert outcome.again == rest[0] + rest[1]
    assert outcome.left_out == rest[0]
    assert max(Counter((q.subject, q.attempt) for q in model.asked).values()) == 1
    assert max(q.attempt for q in model.asked) == 2
    again = next(q for q in model.asked if q.attempt == 2)
    assert "another form" in again.messages[-1]["content"]
    assert len(lines(Path(made.path))) == 200 - rest[0]
    before = len(model.asked)
    assert do(made, model, cache).left_out == rest[0]
    assert len(model.asked) == before


def test_a_model_that_says_nothing_useful_writes_nothing(tmp_path: Path, cache: Path) -> None:
    made = of_task(TITLES, tmp_path)
    with pytest.raises(LegoError) as error:
        do(made, Scripted(lambda _: ""), cache)
    assert code_of(error) == "E0930"
    assert not Path(made.path).exists()


def test_ten_thousand_tokens_are_another_form(tmp_path: Path, cache: Path) -> None:
    made = of_task(TITLES, tmp_path)
    outcome = do(
        made,
        Scripted(lambda q: upper(q) if q.attempt > 1 else "la " * 10_000),
        cache, limit=3,
    )  # fmt: skip
    assert (outcome.malformed, outcome.left_out) == (3, 0)
    assert max(len(row["reply"]) for row in lines(Path(made.journal))) <= 20_000


def test_a_prompt_that_does_not_fit_is_cut(tmp_path: Path, cache: Path) -> None:
    made = of_task(TOPICS, tmp_path)
    free, tight = Scripted(lambda _: "- news"), Scripted(lambda _: "- news", room=600)
    do(made, free, cache)
    (tmp_path / "tight").mkdir()
    do(of_task(TOPICS, tmp_path / "tight"), tight, cache)
    longest = [max(len(q.messages[-1]["content"]) for q in m.asked) for m in (free, tight)]
    assert longest[0] > 600 > longest[1]
    # The most recent click is the last to go.
    last = {q.subject: q.messages[-1]["content"].splitlines() for q in free.asked}
    for question in tight.asked:
        shown = [x for x in question.messages[-1]["content"].splitlines() if x[:1].isdigit()]
        newest = [x for x in last[question.subject] if x[:1].isdigit()][-1]
        assert newest.partition(". ")[2].startswith(shown[-1].partition(". ")[2])
    (tmp_path / "none").mkdir()
    with pytest.raises(LegoError) as error:
        do(of_task(TOPICS, tmp_path / "none"), Scripted(lambda _: "", room=50), cache)
    assert code_of(error) == "E0927"


def test_half_a_line_and_broken_lines_cost_only_themselves(tmp_path: Path, cache: Path) -> None:
    made, model = of_task(TITLES, tmp_path), Scripted(upper)
    do(made, model, cache)
    journal = Path(made.journal)
    kept = journal.read_text("utf-8").splitlines(keepends=True)
    broken = [*kept[:50], "no JSON\n", '{"prompt": 1}\n', *kept[50:150], kept[150][:40]]
    journal.write_text("".join(broken), "utf-8")
    outcome = do(made, model, cache)
    assert (outcome.kept, outcome.asked, outcome.broken) == (150, 50, 2)
    assert all(line.startswith("{") for line in journal.read_text("utf-8").splitlines()[52:])


def test_one_process_at_a_time(tmp_path: Path, cache: Path) -> None:
    made = of_task(TITLES, tmp_path)
    found: list[str] = []

    def say(question: Question) -> str:
        if not found:
            with pytest.raises(LegoError) as error:
                do(made, Scripted(upper), cache)
            found.append(code_of(error))
        return upper(question)

    do(made, Scripted(say), cache, limit=2)
    assert found == ["E0931"]


def test_a_killed_process_asks_for_the_rest_alone(tmp_path: Path, cache: Path) -> None:
    def script(asked: Asked) -> None:
        time.sleep(0.02)
        asked.say(f"[newtitle] {asked.question.split('title: ')[1].splitlines()[0].upper()}")

    with serving(script) as server:
        text = f'{DEMO}generate made {{ of = news\n  {TITLES}\n  model = API("m", base="URL") }}'
        spec = tmp_path / "spec.lego"
        spec.write_text(text.replace("URL", server.base), "utf-8")
        command = [sys.executable, "-m", "legoc", "generate", str(spec), "--cache", str(cache)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        journal = tmp_path / "generated" / "made.asked.jsonl"
        while not (journal.is_file() and journal.read_text("utf-8").count("\n") > 40):
            assert process.poll() is None
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        kept = {row["id"] for row in lines_whole(journal)}
        before = len(server.asked)
        assert 40 < len(kept) < 200
        done = subprocess.run([*command, "--json", "-q"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        (told,) = json.loads(done.stdout)
        assert (told["kept"], told["asked"]) == (len(kept), 200 - len(kept))
        assert len(server.asked) - before == 200 - len(kept)
    assert len(lines(Path(told["path"]))) == 200


def lines_whole(path: Path) -> list[dict[str, Any]]:
    return [json.loads(x) for x in path.read_text("utf-8").split("\n")[:-1]]


# What stood before, and nothing else.


SHOP = 'data news { source = Tables("shop")  content = [title(12)]  history = 50 }\n'


def make_shop(folder: Path) -> dict[str, list[tuple[int, str]]]:
    """Two users who see lists of items day by day. Every title is a word of its own."""
    (folder / "shop").mkdir(parents=True)
    titles = [f"i{n},secret{n}" for n in range(60)]
    (folder / "shop" / "items.csv").write_text("\n".join(["item_id,title", *titles]) + "\n")
    rows, clicks = [], {}
    for user in range(12):
        for day in range(1, 21):
            place = (user * 5 + day * 3) % 60
            shown = [(place + k) % 60 for k in range(3)]
            moment = f"2024-03-{day:02d} 09:{user:02d}:00"
            for item in shown:
                clicked = int(item == shown[day % 3])
                rows.append(f"{user}-{day},u{user},i{item},{clicked},{moment}")
                if clicked:
                    clicks.setdefault(f"u{user}", []).append((day, f"secret{item}"))
    head = "impression_id,user_id,item_id,label,time"
    (folder / "shop" / "interactions.csv").write_text("\n".join([head, *rows]) + "\n")
    return clicks


def test_no_click_is_read_that_any_row_of_the_user_comes_before(tmp_path: Path) -> None:
    make_shop(tmp_path)
    # Every click of this log is a row itself, so nothing may be read at all.
    made = of_task(TOPICS, tmp_path, SHOP)
    with pytest.raises(LegoError) as error:
        do(made, Scripted(lambda _: "- x"), tmp_path / "cache")
    assert code_of(error) == "E0932"
    assert "until=test" in str(error.value.diagnostics[0].help)


def test_no_click_of_the_later_parts_is_read(tmp_path: Path) -> None:
    clicks = make_shop(tmp_path)
    made = of_task(TOPICS.replace("most=3", "until=test"), tmp_path, SHOP)
    model = Scripted(lambda _: "- x")
    do(made, model, tmp_path / "cache")
    tables = make_tables(made.data, build_source(made.data, tmp_path), tmp_path / "cache")
    later = tables.interactions().merge(tables.histories(), on="history_id")
    later = later[later.split != "train"]
    assert len(model.asked) == 12
    for question in model.asked:
        own = later[later.user_id == question.subject]
        first = int(own.impression_id.str.split("-").str[-1].astype(int).min())
        shown = {
            line.partition(". ")[2] for line in question.messages[-1]["content"].splitlines()
            if line[:1].isdigit()
        }  # fmt: skip
        assert shown == {title for day, title in clicks[question.subject] if day < first}
        # What was shown in the later parts and not clicked before is nowhere.
        offered = {f"secret{item.removeprefix('i')}" for item in own.item_id} - shown
        assert offered
        assert not any(f" {title}\n" in f"{m['content']}\n" for title in offered
                       for m in question.messages)  # fmt: skip


def test_published_histories_are_those_before_the_first_row(tmp_path: Path, cache: Path) -> None:
    made, model = of_task(TOPICS, tmp_path), Scripted(lambda _: "- x")
    do(made, model, cache)
    tables = make_tables(made.data, build_source(made.data, cache), cache)
    items = dict(zip(tables.items().item_id, tables.items().title, strict=True))
    rows = tables.interactions().merge(tables.histories(), on="history_id")
    for question in model.asked:
        own = rows[rows.user_id == question.subject].sort_values(["time", "row"])
        expected = [items[click] for click in own.iloc[0].clicks][-30:]
        shown = [x for x in question.messages[-1]["content"].splitlines() if x[:1].isdigit()]
        assert [x.partition(". ")[2] for x in shown] == [" ".join(t.split()) for t in expected]


# Profiles, and items for users with few clicks.


def test_topics_of_a_closed_list(tmp_path: Path, cache: Path) -> None:
    closed = 'task = Profile(from=[title], to=topics, topics=["Sports", "Money"], most=2)'
    says = iter(["- sports\n- weather", '["MONEY", "sports"]', "Money, money", "- nothing of it"])
    made, model = of_task(closed, tmp_path), Scripted(lambda q: next(says, "- Sports"))
    outcome = do(made, model, cache)
    assert "The topics there are: Sports, Money" in model.asked[0].messages[-1]["content"]
    order = [question.subject for question in model.asked]
    found = {row["user_id"]: row["topics"] for row in lines(Path(made.path))}
    assert [found[user] for user in order[:3]] == [["Sports"], ["Money", "Sports"], ["Money"]]
    # Asked once more, it said so.
    assert found[order[3]] == ["Sports"]
    assert outcome.malformed == 1


def test_invented_items_stand_in_short_histories_alone(tmp_path: Path, cache: Path) -> None:
    made = of_task(MORE, tmp_path)
    answer = 'Gladly: {"title": "a new thing", "category": "unheard of"} What else?'
    model = Scripted(lambda _: answer)
    outcome = do(made, model, cache)
    assert 0 < outcome.subjects < 60
    for question in model.asked:
        shown = [x for x in question.messages[-1]["content"].splitlines() if x[:1].isdigit()]
        assert 1 <= len(shown) <= 5
        assert "The categories there are: " in question.messages[-1]["content"]
    joined = made.data.__class__(**{**vars(made.data), "augment": (made.path,)})
    tables = make_tables(joined, build_source(made.data, cache), cache)
    new = tables.items()[tables.items().item_id.str.startswith("made-")]
    assert list(new.title) == ["a new thing"] * outcome.subjects
    assert set(new.category) == {"others"}
    assert not set(new.item_id) & set(tables.interactions().item_id)
    ends = [clicks[-1] for clicks in tables.histories().clicks if len(clicks)]
    assert set(new.item_id) <= set(ends)
    # An invented item is not asked about again.
    text = (
        f"{DEMO}generate first {{ of = news\n  {MORE}\n{MODEL} }}\n"
        f"data more = news(augment=[first])\ngenerate made {{ of = more\n  {TITLES}\n{MODEL} }}"
    )
    do(declared(text, tmp_path, "first"), model, cache)
    titles = Scripted(upper)
    assert do(declared(text, tmp_path), titles, cache).subjects == 200


def test_the_chain_reads_the_topics_first(tmp_path: Path, cache: Path) -> None:
    text = (
        f"{DEMO}generate topics {{ of = news\n  {TOPICS}\n{MODEL} }}\n"
        "data profiled = news(augment=[topics])\n"
        f"generate made {{ of = profiled\n  task = Invent(from=[title], profile=[topics])\n"
        f"{MODEL} }}"
    )
    made = declared(text, tmp_path)
    model = Scripted(lambda q: '{"title": "t"}')
    with pytest.raises(LegoError) as error:
        do(made, model, cache)
    assert code_of(error) == "E0926"
    do(declared(text, tmp_path, "topics"), Scripted(lambda _: "- snow\n- ice"), cache)
    do(made, model, cache)
    asked = [question.messages[-1]["content"] for question in model.asked]
    assert asked
    assert all(text.startswith("The reader cares about: snow, ice\n") for text in asked)


# The published forms, written and read.


def test_published_logs_say_the_same_as_the_files(tmp_path: Path, cache: Path) -> None:
    logs = tmp_path / "logs"
    source = None
    for number, (task, say) in enumerate(
        [(TITLES, upper), (TOPICS, lambda _: "- sun, and rain\n- snow"),
         (MORE, lambda _: '{"title": "a \\"new\\" thing", "category": "news"}')]
    ):  # fmt: skip
        (tmp_path / str(number)).mkdir()
        made = of_task(task, tmp_path / str(number))
        do(made, Scripted(say), cache)
        log = write_published(made, logs)
        source = source or build_source(made.data, cache)
        both = [
            make_tables(made.data.__class__(**{**vars(made.data), "augment": (str(path),)}),
                        source, cache)
            for path in (made.path, log)
        ]  # fmt: skip
        if "Summarise" in task:
            assert both[0].items().equals(both[1].items())
        elif "Profile" in task:
            topics = [
                {user: list(found) for user, found in zip(t.users().user_id, t.users().topics,
                                                          strict=True) if hasattr(found, "__len__")}
                for t in both
            ]  # fmt: skip
            assert topics[0] == topics[1]
            assert topics[0]
        else:
            made_up = [t.items().tail(t.report.generated).title.tolist() for t in both]
            assert made_up[0] == made_up[1] != []


def test_an_id_that_the_published_form_has_no_place_for(tmp_path: Path) -> None:
    make_shop(tmp_path)
    items = tmp_path / "shop" / "items.csv"
    items.write_text(items.read_text("utf-8").replace("i7,", "i-7,"), "utf-8")
    made = of_task("task = Summarise(from=[title], to=newtitle)", tmp_path, SHOP)
    do(made, Scripted(upper), tmp_path / "cache")
    with pytest.raises(LegoError) as error:
        write_published(made, tmp_path / "logs")
    assert code_of(error) == "E0933"


def test_training_says_which_generation_is_missing(tmp_path: Path, cache: Path) -> None:
    from legoc.data import prepare

    text = (
        f"{DEMO}generate made {{ of = news\n  {TITLES}\n{MODEL} }}\n"
        "data more = news(augment=[made], content=[newtitle(20)])\n"
        "model m = content Pooling(hidden=8) -> behavior Additive -> predict Dot\nrun m on more\n"
    )
    spec = tmp_path / "spec.lego"
    spec.write_text(text, "utf-8")
    (missing,) = load(spec)
    with pytest.raises(LegoError) as error:
        prepare(missing, cache=cache)
    assert code_of(error) == "E0926"
    assert "`made` is not generated" in str(error.value.diagnostics[0].message)
    do(declared(text, tmp_path), Scripted(upper), cache)
    (there,) = load(spec)
    assert there.keys.spec != missing.keys.spec
    assert prepare(there, cache=cache).inputs
    # Another prompt, and the file is another one.
    spec.write_text(text.replace("to=newtitle", 'to=newtitle, prompt="p.txt"'), "utf-8")
    (tmp_path / "p.txt").write_text("title: {title}", "utf-8")
    with pytest.raises(LegoError) as error:
        prepare(load(spec)[0], cache=cache)
    assert "was written by another prompt, model or data" in str(error.value.diagnostics[0].notes)


def test_an_invented_item_has_its_title_where_titles_are_retold(
    tmp_path: Path, cache: Path
) -> None:
    text = (
        f"{DEMO}generate titles {{ of = news\n  {TITLES}\n{MODEL} }}\n"
        f"generate made {{ of = news\n  {MORE}\n{MODEL} }}"
    )
    titles, more = declared(text, tmp_path, "titles"), declared(text, tmp_path)
    do(titles, Scripted(upper), cache)
    do(more, Scripted(lambda _: '{"title": "a new thing"}'), cache)
    joined = more.data.__class__(**{**vars(more.data), "augment": (titles.path, more.path)})
    items = make_tables(joined, build_source(more.data, cache), cache).items()
    new = items[items.item_id.str.startswith("made-")]
    assert len(new)
    assert set(new.newtitle) == {"a new thing"}
