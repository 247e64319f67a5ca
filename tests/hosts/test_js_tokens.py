"""What JavaScript makes of the tokenizers that legoc writes."""

import json
import re
import subprocess

import pytest

from legoc.data import prepare
from legoc.data.reading.splitting import PATTERN, SCRIPTS
from legoc.data.reading.vocabulary import CHOICES, Subwords, Words
from legoc_runtime.words import Words as Reader
from tests.data.hard_texts import HARD
from tests.data.test_prepare import make_spec
from tests.data.test_splitting import cut
from tests.hosts.conftest import HOME


PLAIN_JAVASCRIPT = """
const [pattern, texts] = JSON.parse(require("fs").readFileSync(0, "utf8"));
const cut = new RegExp(pattern, "gu");
const low = t => t.normalize("NFC").replaceAll("Σ", "σ").replaceAll("ς", "σ").toLowerCase();
console.log(JSON.stringify(texts.map(t => low(t).match(cut) ?? [])));
"""
WITH_LIBRARY = """
const { Tokenizer } = require("@huggingface/tokenizers");
const [content, texts] = JSON.parse(require("fs").readFileSync(0, "utf8"));
const tokenizer = new Tokenizer(content, { unk_token: "[UNK]" });
const options = { add_special_tokens: false };
console.log(JSON.stringify(texts.map(t => tokenizer.encode(t, options).ids.map(Number))));
"""


def javascript(node: str, script: str, given: object) -> object:
    done = subprocess.run(
        [node, "-e", script], input=json.dumps(given), capture_output=True, text=True, check=True,
        encoding="utf-8", cwd=HOME,
    )  # fmt: skip
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def titles(cache):
    """Every title of the embedded data."""
    prepared = prepare(make_spec(history=10), cache=cache)
    rows = list(range(1, len(prepared.items)))
    return [record["title"] or "" for record in prepared.item_records(rows)]


def test_javascript_cuts_the_same_words(node, titles):
    """By the language alone: what it calls scripts has another prefix, and nothing else differs."""
    pattern = re.sub(rf"\\p\{{({'|'.join(SCRIPTS)})\}}", r"\\p{Script=\1}", PATTERN)
    texts = [*HARD, *titles]
    assert javascript(node, PLAIN_JAVASCRIPT, [pattern, texts]) == [cut(text) for text in texts]


@pytest.mark.parametrize("kind", ["words", "subwords"])
def test_javascript_reads_the_same_ids(node, kind, titles, tmp_path):
    """The library has to be told the unknown token of whole words."""
    path = tmp_path / "tokenizer.json"
    made = Words() if kind == "words" else Subwords(Subwords.Config(size=2000))
    assert CHOICES[kind] is type(made)
    half = [text for place, text in enumerate((*HARD, *titles)) if place % 2]
    made.write(half, path)
    texts = [*HARD, *titles]
    ids = Reader(path.name, path.read_bytes()).encode(texts)
    assert javascript(node, WITH_LIBRARY, [json.loads(path.read_text("utf-8")), texts]) == ids
    assert len({place for row in ids for place in row}) > 500
