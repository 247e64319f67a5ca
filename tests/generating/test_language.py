"""`generate` in the language: read, judged, formatted, copied, and what is said of mistakes."""

import json
from pathlib import Path

import pytest

from legoc.language.checking import Checked, check
from legoc.language.codes import all_codes
from legoc.language.diagnosing.document import Document
from legoc.language.resolving.resolve import resolve
from legoc.language.syntax.fmt import format
from tests.generating.scripted import DEMO, MODEL


TITLES = (
    f"generate titles {{ of = news\n  task = Summarise(from=[title], to=newtitle)\n{MODEL} }}\n"
)
RUN = "model m = content Pooling -> behavior Additive -> predict Dot\nrun m on more\n"


def checked(text: str, folder: object = "/nowhere") -> Checked:
    return check(Document(f"{folder}/spec.lego", text))


def codes(text: str, folder: object = "/nowhere") -> set[str]:
    return {each.code for each in checked(text, folder).diagnostics}


def test_what_is_declared_is_known_before_it_is_written() -> None:
    found = checked(
        f"{DEMO}{TITLES}data more = news(augment=[titles], content=[newtitle(30)])\n{RUN}"
    )
    assert [each.code for each in found.diagnostics] == ["W104"]
    (spec,) = found.specs
    assert [(part.name, part.kind, part.length) for part in spec.data.content] == [
        ("newtitle", "text", 30)
    ]
    (made,) = found.generations
    assert spec.data.augment == (made.path,)
    assert made.path.startswith("/nowhere/generated/titles-")
    assert spec.keys.spec == ""


def test_topics_are_a_category_of_so_many_values() -> None:
    text = (
        f"{DEMO}generate topics {{ of = news\n  task = Profile(from=[title], to=topics, most=4)\n"
        f"{MODEL} }}\ndata more = news(augment=topics, user=[topics])\n{RUN}"
    )
    (spec,) = checked(text).specs
    assert [(part.name, part.kind, part.length) for part in spec.data.user] == [
        ("topics", "category", 4)
    ]


def test_a_title_without_a_length_is_asked_about() -> None:
    assert "E0610" in codes(
        f"{DEMO}{TITLES}data more = news(augment=[titles], content=[newtitle])\n{RUN}"
    )


def test_a_copy_changes_a_field() -> None:
    text = f"{DEMO}{TITLES}generate other = titles(task=Summarise(from=[abstract], to=short))\n"
    first, second = checked(text).generations
    assert (second.name, second.task["to"]) == ("other", "short")
    assert first.path != second.path
    set_ = check(
        Document("/nowhere/spec.lego", DEMO + TITLES), overrides=["titles.task.to=plain"]
    ).generations  # fmt: skip
    assert set_[0].task["to"] == "plain"


def test_what_tells_files_apart(tmp_path: Path) -> None:
    """What is asked of whom about what; how it is sent is not part of it."""
    (tmp_path / "p.txt").write_text("{title}", "utf-8")

    def path(old: str = "", new: str = "") -> str:
        (made,) = checked((DEMO + TITLES).replace(old, new), tmp_path).generations
        return made.path

    assert path() == path(f"{MODEL} ", f"{MODEL[:-1]}, timeout=5s, concurrency=9) ")
    others = {
        path(), path("[title],", "[abstract],"), path("to=newtitle", 'to=newtitle, prompt="p.txt"'),
        path('"none"', '"other"'), path("items=200", "items=300"),
        path("/v1\")", '/v1", max=9)'), path("/v1\")", '/v1", seed=9)'),
    }  # fmt: skip
    assert len(others) == 7
    (tmp_path / "p.txt").write_text("{title}!", "utf-8")
    assert path("to=newtitle", 'to=newtitle, prompt="p.txt"') not in others


def test_names_of_other_files_and_prefixes(tmp_path: Path) -> None:
    (tmp_path / "texts.lego").write_text(DEMO + TITLES, "utf-8")
    for use, name in (("(news, titles)", ""), ("as t", "t.")):
        text = (
            f'use "texts.lego" {use}\ndata more = {name}news(augment=[{name}titles], '
            f"content=[newtitle(9)])\n{RUN}"
        )
        found = checked(text, tmp_path)
        assert not found.errors
        assert found.specs[0].data.augment[0].startswith(str(tmp_path / "generated" / "titles-"))
        # The file that declares one asks the model.
        assert not found.generations


def test_it_is_formatted_as_the_others() -> None:
    text = 'generate   g {of=news task=Summarise( from=[title],to = short)\nmodel=LM("m")}'
    once = format(Document("a.lego", text))
    assert once.startswith("generate g {\n  of = news\n")
    assert format(Document("a.lego", once)) == once


def test_a_name_like_the_word_is_none() -> None:
    assert not checked(f"{DEMO}model generated = content Pooling -> behavior Additive -> "
                       "predict Dot\nrun generated on news").errors  # fmt: skip
    assert "E0209" in codes("model generate = content Pooling -> behavior Additive -> predict Dot")


@pytest.mark.parametrize("code", [f"E09{n}" for n in range(20, 26)])
def test_the_examples_of_the_pages(code: str, tmp_path: Path) -> None:
    page = all_codes()[code]
    if code == "E0924":
        spec = TITLES.replace("to=newtitle", 'to=newtitle, prompt="p.txt"')
        for text, expected in ((page.bad, {code}), (page.good, set())):
            (tmp_path / "p.txt").write_text(text, "utf-8")
            assert codes(DEMO + spec, tmp_path) == expected
        return
    assert codes(page.bad) - {"W104"} == {code}
    assert codes(page.good) <= {"W104"}


BASE = 'base="http://127.0.0.1:1/v1"'


@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        ("of = news\n", "\n", "E0304", "`generate` needs `of`"),
        ("of = news\n", "of = 3\n", "E0303", "`of` must be the name of a declared data set"),
        ("of = news\n", "of = new\n", "E0202", "unknown name `new`"),
        ("of = news\n", "of = titles\n", "E0202", "`titles` is a generation, not a data set"),
        ("[title],", "[],", "E0921", "reads no attribute"),
        ("[title],", "[title, age],", "E0921", "have no attribute `age`"),
        ("to=newtitle", "to=item_id", "E0922", "have `item_id` already"),
        ("Summarise", "Summarize", "E0206", "Summarize"),
        ("Summarise(from=[title], to=newtitle)", "Invent(from=[title], write=[title, price])",
         "E0923", "writes no `price`"),
        ("Summarise(from=[title], to=newtitle)", "Invent(from=[title], profile=[mood])",
         "E0921", "the users have no attribute `mood`"),
        ("Summarise(from=[title], to=newtitle)", 'Profile(from=[title], to=topics, topics=[" "])',
         "E0923", "a topic is a text"),
        (BASE, 'base="127.0.0.1:80"', "E0925", "no address of a server"),
        (BASE, 'base="ftp://127.0.0.1"', "E0925", "no address of a server"),
        (BASE, 'base="http://me:pw@host/v1"', "E0925", "with a name or a key in it"),
        (BASE, 'base="http://host/v1?key=abc"', "E0925", "with a name or a key in it"),
        (BASE, f'{BASE}, key="sk-0123456789"', "E0925", "is not the key itself"),
        (MODEL, "  model in [LM(\"a\"), LM(\"b\")]", "E0920", "`model` of a generation has one"),
    ],
)  # fmt: skip
def test_one_mistake_one_message(old: str, new: str, code: str, said: str) -> None:
    assert old in DEMO + TITLES
    found = [e for e in checked((DEMO + TITLES).replace(old, new)).diagnostics if e.code != "W104"]
    assert [each.code for each in found] == [code]
    assert said in found[0].message
    assert found[0].primary is not None
    assert "sk-0123456789" not in found[0].message + " ".join(found[0].help)


def test_data_with_an_axis_are_several(tmp_path: Path) -> None:
    text = f"data news {{ source = Demo  history in [5, 9] }}\n{TITLES}"
    assert codes(text) == {"E0920"}


def test_a_generation_of_what_it_writes_goes_in_a_circle() -> None:
    text = f"data news {{ source = Demo  augment = [titles] }}\n{TITLES}"
    assert codes(text) == {"E0203"}


def test_a_prompt_that_cannot_be_filled(tmp_path: Path) -> None:
    spec = DEMO + TITLES.replace("to=newtitle", 'to=newtitle, prompt="p.txt"')
    for text, found in (
        ("{title} {item}", set()),
        ('write {"a": "{title}"}', set()),
        ("{titel}", {"E0924"}),
        ("{history}", {"E0924"}),
        ("nothing to fill", {"E0924"}),
    ):
        (tmp_path / "p.txt").write_text(text, "utf-8")
        assert codes(spec, tmp_path) == found


def test_the_key_is_in_nothing_that_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEGOC_API_KEY", "sk-0123456789")
    (made,) = checked(DEMO + TITLES).generations
    assert "sk-0123456789" not in json.dumps([made.path, made.digest, str(made)])
    assert resolve(Document("/nowhere/spec.lego", DEMO + TITLES)).generations


def test_editors_rename_and_find_what_fields_name() -> None:
    from legoc.language.editing.names import occurrences
    from legoc.language.resolving.scope import Files, enter

    text = f"{DEMO}{TITLES}data more = news(augment=[titles], content=[newtitle(30)])\n{RUN}"
    scope = enter(Document("/nowhere/spec.lego", text), Files())
    found = [each for each in occurrences(scope) if each.span.text in ("news", "titles")]
    assert [(each.span.text, each.act) for each in found] == [
        ("news", "declares"), ("titles", "declares"), ("news", "refers"), ("news", "refers"),
        ("titles", "refers"),
    ]  # fmt: skip
