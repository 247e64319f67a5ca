"""What may stand at a place: said by hand for some, and by the shipped specs for every word."""

import re
from pathlib import Path

import pytest

from legoc.language.checking import check
from legoc.language.declaring.catalog import catalog
from legoc.language.diagnosing.document import Document
from legoc.language.editing.buffers import Buffers
from legoc.language.editing.completion import complete
from legoc.language.syntax.scan import pieces
from tests.server.texts import KNOWN, SPECS, labels, marked, proposals


# What is said of a predictor that cannot stand behind the stages before it.
UNFIT = {"E0403", "E0208"}
NAML = "model naml = content CNN(hidden=64) -> behavior GRU -> predict Dot\n"
SOME = [
    # what is not given yet, before and behind the place
    ("model m = content CNN(hidden=64, |)", "kernel dropout fuse", "hidden Dot content"),
    ("model m = content CNN(|, hidden=64)", "kernel", "hidden"),
    # operators by role
    ("model m = content |", "CNN Null in", "Dot DCN MIND content data"),
    ("model m = content CNN -> behavior Add|", "Additive Null", "CNN Dot"),
    ("content in [CNN, |", "GRU Attention", "Dot"),
    # what a search chooses from
    ("content in {CNN, |", "GRU Attention", "Dot"),
    ("model m = content CNN(fuse in {|})", "additive concat", "hidden"),
    ("train t { optimizer in {adam, | } }", "adamw sgd", "lr"),
    ("train t { optimizer in {adam, sgd} | }", "lr epochs", "adamw"),
    ("train t { lr in 1e-5..1e-2 | }", "log epochs", "lr adam"),
    # stages that may follow
    ("model m = content CNN |", "->", "content behavior run model"),
    ("model m = content CNN -> |", "behavior flatten", "content predict"),
    ("model m = flatten Transformer -> |", "predict", "behavior"),
    ("|", "model use run data content", "behavior with"),
    (NAML + "|", "model run", "content"),
    # values of parameters
    ("model m = content CNN(fuse=|)", "additive concat", "CNN hidden"),
    ("model m = content Attention(project=|)", "true false", "none"),
    ("train t { task = | }", "matching ranking", "CNN"),
    ("train t { task = matching(pool=|) }", "impression uniform", "matching"),
    ("train t { optimizer = | }", "adam adamw sgd", ""),
    ("train t { clip = | }", "none", ""),
    ("train t { metrics = [GAUC, |] }", "AUC NDCG", "adam"),
    ("train t { lr = 1 | }", "epochs batch metrics", "lr CNN"),
    # data
    ("data d { | }", "source content history", "epochs"),
    ("data d { source = | }", "Demo MIND Tables", "CNN"),
    ("data d { source = Demo content = [title(30), |] }", "category title", "CNN"),
    ("data d { content = [|] source = Demo }", "category title", ""),
    ("data d { source = MIND(|) }", "path", "source"),
    ("data a { source = Demo }\ndata b = a(content=[|])", "title", "CNN"),
    ("data a { source = Demo }\ndata b = a(|)", "content history", "epochs"),
    # copies of models
    (NAML + "model b = |", "naml content", "b"),
    (NAML + "model b = naml(|)", "content behavior predict", "flatten hidden"),
    (NAML + "model b = naml(content=|)", "CNN", "Additive2 Dot"),
    (NAML + "model b = naml(content.|)", "content.kernel", "content.heads kernel"),
    ("data a { source = MIND(\"x\") }\ndata b = a(source.|)", "source.path", ""),
    # names
    (NAML + "run |", "naml", "Dot CNN"),
    (NAML + "data d { source = Demo }\ntrain t { }\nrun naml on |", "d", "naml t"),
    (NAML + "data d { source = Demo }\ntrain t { }\nrun naml on d |", "with where as", "content"),
    (NAML + "data d { source = Demo }\ntrain t { }\nrun naml on d with |", "t", "d naml"),
    (NAML + "export e { }\nrun naml on d as |", "e", "naml"),
    (NAML + "run naml on d except (|)", "content predict data", "kernel"),
    (NAML + "run naml on d except (predict=|)", "Dot DIN", "CNN"),
    ("param wide = 3\nmodel m = content CNN(hidden=$|)", "$wide", "CNN"),
    ("param wide = 3\nmodel m = content CNN(hidden=|)", "$wide", "wide"),
    # what a param may be is what fits where it is used
    ("param head = |\nmodel m = content CNN -> behavior GRU -> predict $head", "Dot DIN", "CNN"),
    ("param how = |\nmodel m = content CNN(fuse=$how)", "additive concat", "CNN hidden"),
    ("param how in [concat, |]\nmodel m = content CNN(fuse=$how)", "additive", "CNN"),
    ("model m = content CNN(kernel=$k)\nparam k = |", "3", "none"),
    ("param best = |\ntrain t { monitor = $best }", "GAUC NDCG", "adam"),
    ("param all = [|]\ntrain t { metrics = $all }", "GAUC", "adam"),
    ("param a = |\nparam b = $a\ntrain t { optimizer = $b }", "", "adam GAUC"),
    ("param unused = |", "", "Dot adam"),
    ("param how = |\ndata d { source = Demo }\nrun m on d with base(optimizer=$how)", "sgd", ""),
    # defaults
    ("train t { weight_decay = | }", "0.0", "none"),
    ("train t { epochs = | }", "50", ""),
    ("model m = content CNN(dropout=|)", "0.1", ""),
    # behind mistakes
    ("x = 3\nmodel m = content CNN(kernal=3 hiden=4, |", "kernel dropout", "Dot"),
    ("model m = content CNN behavior |", "GRU Additive", "CNN"),
    ("model m = content ! CNN(|", "hidden", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "there", "absent"), SOME, ids=[text for text, _, _ in SOME])
def test_some_places(text: str, there: str, absent: str) -> None:
    found = labels(text)
    assert set(there.split()) <= set(found)
    assert not set(absent.split()) & set(found)


@pytest.mark.parametrize(
    "quiet", ["# content |", 'data d { content = ["|"] }', "param x = 12|", 'param x = "|"']
)
def test_nothing_in_comments_strings_and_numbers(quiet: str) -> None:
    assert labels(quiet) == []


def test_operators_that_can_read_come_first() -> None:
    found = proposals("model m = content CNN -> behavior PolyAttention(codes=4) -> predict |")
    operators = [each for each in found if each.sort == "operator"]
    able = [each.label for each in operators if each.fits]
    assert able
    assert [each.label for each in operators[: len(able)]] == able
    # Every operator is told apart as the checker does it.
    for each in operators:
        text = f"content CNN -> behavior PolyAttention(codes=4) -> predict {each.label}"
        codes = {d.code for d in check(Document("t.lego", text)).diagnostics}
        assert each.fits == (not codes & UNFIT), each.label


@pytest.mark.parametrize("behavior", ["Null", "GRU", "LSTUR", "Pooling"])
def test_behind_every_behavior_too(behavior: str) -> None:
    for each in proposals(f"content CNN -> behavior {behavior} -> predict |"):
        if each.sort == "operator":
            text = f"content CNN -> behavior {behavior} -> predict {each.label}"
            codes = {d.code for d in check(Document("t.lego", text)).diagnostics}
            assert each.fits == (not codes & UNFIT), each.label


def test_keys_come_with_their_sign() -> None:
    (block,) = [each for each in proposals("train t { epo| }") if each.label == "epochs"]
    assert block.text == "epochs = "
    (call,) = [each for each in proposals("content CNN(ker|)") if each.label == "kernel"]
    assert call.text == "kernel="
    (bound,) = [each for each in proposals("content CNN(ker|=3)") if each.label == "kernel"]
    assert bound.text == "kernel"
    assert bound.span.text == "ker"


def test_a_proposal_replaces_the_whole_word() -> None:
    (found,) = [each for each in proposals("content C|N -> behavior Null") if each.label == "CNN"]
    assert found.span.text == "CN"
    assert "CNN(hidden=64" in found.page


def test_a_list_may_be_begun_by_its_first_value() -> None:
    found = {each.label: each.text for each in proposals("train t { metrics = | }")}
    assert found["AUC"] == "[AUC]"


def test_files_and_what_they_declare(tmp_path: Path) -> None:
    (tmp_path / "common.lego").write_text("data mind { source = Demo }\ntrain base { }\n")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/other.lego").write_text("param x = 1\n")
    own = str(tmp_path / "own.lego")
    assert labels('use "|"', own) == ["common.lego", "deep/"]
    assert labels('use "deep/|"', own) == ["other.lego"]
    assert labels('use "common.lego" (mind, |)', own) == ["base"]
    assert labels('use "nowhere.lego" (|)', own) == []
    assert "mind" in labels('use "common.lego" (mind)\nrun a on |', own)
    found = labels('use "common.lego" as c\nrun a on c.|', own)
    assert found == ["c.mind"]
    assert "as" in labels('use "common.lego" |', own)


def test_columns_of_joined_tables(tmp_path: Path) -> None:
    (tmp_path / "more.csv").write_text("item_id,summary\n")
    text = 'data d { source = Demo augment = "more.csv" content = [|] }'
    assert "summary" in labels(text, str(tmp_path / "t.lego"))


def test_columns_of_tables_of_ones_own(tmp_path: Path) -> None:
    """As they stand in the headers, for a record, for its copy, and before the value is whole."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/items.csv").write_text("item_id,headline,price\n1,a,2\n")
    (tmp_path / "mine/interactions.csv").write_text("user_id,item_id,time\n1,1,1\n")
    own = str(tmp_path / "t.lego")
    tables = 'Tables("mine", numbers=["price"])'
    assert labels(f"data d {{ source = {tables} content = [|] }}", own) == ["headline", "price"]
    assert labels(f"data d {{ content = [|] source = {tables} }}", own) == ["headline", "price"]
    copied = f"data d {{ source = {tables} content = [headline] }}\ndata e = d(content=[|])"
    assert labels(copied, own) == ["headline", "price"]
    for call in ("$where", '"nowhere"', "path in [], path=3", '"mine", path.x=3'):
        assert labels(f"data d {{ source = Tables({call}) content = [|] }}", own) == []


def test_open_files_count_as_they_are_open(tmp_path: Path) -> None:
    (tmp_path / "common.lego").write_text("data old { source = Demo }\n")
    text = 'use "common.lego" (|)'
    document, place, buffers = marked(text, str(tmp_path / "t.lego"))
    buffers.open(str(tmp_path / "common.lego"), "data new { source = Demo }\n")
    found = complete(document, place, buffers.scope(document), KNOWN, buffers.files())
    assert [each.label for each in found] == ["new"]


def test_every_word_of_the_shipped_specs_is_proposed_where_it_stands() -> None:
    """Whole and cut off behind the place. Left out are numbers, texts, names where they are
    declared, a column of a table that does not ship, and what stands in a param in a text that is
    cut off before anything reads the param."""
    asked = 0
    for path in SPECS:
        text = path.read_text("utf-8")
        buffers = Buffers()
        before = ""
        for piece in pieces(text):
            declares = before in ("use", "param", "data", "train", "export", "model", "run")
            declares = declares and text[piece.end :].lstrip()[:1] in ("=", "{", "i")
            name, before = piece.text, piece.text
            if not piece.is_word or declares or text[piece.start - 1] in "$.":
                continue
            if name == "gen_title":
                continue
            cut = (
                () if re.search(r"param \w+ = .*$", text[: piece.start]) else (text[: piece.start],)
            )
            for given in (text, *cut):
                document = buffers.open(str(path), given)
                scope = buffers.scope(document)
                found = complete(document, piece.start, scope, catalog(), buffers.files())
                assert name in [each.label for each in found], (path.name, piece, given == text)
                asked += 1
    assert asked > 300


def test_no_place_of_a_spec_raises() -> None:
    for path in SPECS[:3]:
        text = path.read_text("utf-8")
        buffers = Buffers()
        for place in range(0, len(text), 5):
            document = buffers.open(str(path), text[:place])
            complete(document, place, buffers.scope(document), KNOWN, buffers.files())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of raw data and vectors beside `t.lego`."""
    for name in ("raw/MIND/dev", ".hidden"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("t.lego", "other.lego", "glove.txt", "raw/news.tsv", 'odd"name.txt', ".env"):
        (tmp_path / name).write_text("", "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('data d { source = MIND("|") }', "raw/"),
        ('data d { source = MIND(path="raw/|") }', "MIND/"),
        ('data d { source = MIND("raw/M|") }', "MIND/"),
        ('data d { source = MIND("nowhere/|") }', ""),
        ('data a { source = MIND("x") }\ndata b = a(source.path="|")', "raw/"),
        ('data d { vectors = "|" }', "glove.txt other.lego raw/"),
        ('data d { vectors = "raw/|" }', "MIND/ news.tsv"),
        ('data d { augment = ["|"] }', "glove.txt other.lego raw/"),
        ('data d { augment = "|" }', "glove.txt other.lego raw/"),
        ('model m = content Null(file="|', "glove.txt other.lego raw/"),
        ('param place = "|"\ndata d { source = MIND($place) }', "raw/"),
        ('use "|"', "other.lego raw/"),
        ('data d { tokenizer = file("|") }', "glove.txt other.lego raw/"),
        ('data d { source = Demo  content = ["|"] }', ""),
    ],
)
def test_paths_in_strings(folder: Path, text: str, found: str) -> None:
    given = proposals(text, str(folder / "t.lego"))
    assert [each.label for each in given] == found.split()
    assert {each.sort for each in given} <= {"file"}


def test_a_path_goes_on_behind_its_last_slash(folder: Path) -> None:
    (found,) = proposals('data d { source = MIND("raw/M|IN") }', str(folder / "t.lego"))
    text = found.span.document.text
    assert text[: found.span.start] + found.text + text[found.span.end :] == (
        'data d { source = MIND("raw/MIND/IN") }'
    )


def test_a_folder_of_many_files_is_not_read_to_its_end(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("legoc.language.editing.paths.MOST_FILES", 2)
    assert len(proposals('data d { vectors = "|" }', str(folder / "t.lego"))) <= 2


def test_attributes_whose_names_are_no_words_are_written_so(tmp_path: Path) -> None:
    (tmp_path / "more.jsonl").write_text(
        '{"item_id": "i1", "Product Title": "a", "标题": "b"}\n', "utf-8"
    )
    path = str(tmp_path / "m.lego")
    head = 'data d { source = Demo augment = "more.jsonl" content = ['
    found = {each.label: each.text for each in proposals(f"{head}|] }}", path)}
    assert found["Product Title"] == '"Product Title"()'
    assert found["标题"] == "标题"
    assert found["title"] == "title"
    for begun, text in (('"Pro|"', '"Product Title"()'), ('"|"(16)', '"Product Title"')):
        (one,) = [each for each in proposals(f"{head}{begun}] }}", path) if each.sort != "file"]
        assert (one.label, one.text) == ("Product Title", text)
        assert one.span.text == begun.replace("|", "").removesuffix("(16)")
    # Elsewhere a text is a text.
    assert not proposals('data d { source = MIND("Pro|") }', path)
