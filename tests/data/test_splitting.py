"""Words are cut alike in Python and JavaScript, and as before where words have blanks."""

import json
import os
import re
import shutil
import subprocess
import unicodedata
from pathlib import Path

import pytest
from tokenizers import Tokenizer, normalizers, pre_tokenizers

from legoc.data import prepare
from legoc.data.reading.splitting import PATTERN, SCRIPTS, lower_pieces, lower_words, split_words
from legoc.data.reading.vocabulary import CHOICES, Subwords, Words
from legoc_runtime.words import Words as Reader
from tests.data.hard_texts import HARD, UNSPACED
from tests.data.test_prepare import make_spec


NODE = shutil.which("node")
PLACES = os.environ.get("NODE_PATH", "").split(os.pathsep)
LIBRARY = any((Path(p) / "@huggingface" / "tokenizers").is_dir() for p in PLACES if p)
CHARACTERS = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]


def serving(path: Path) -> Reader:
    return Reader(path.name, path.read_bytes())


def cut(text: str) -> list[str]:
    return [word for word, _ in split_words().pre_tokenize_str(lower_words().normalize_str(text))]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Red, red wine...", "red|,|red|wine|..."),
        ("it's Blåbærgrød_1", "it|'|s|blåbærgrød_1"),
        ("ΟΔΟΣ οδός ΣΟΦΟΣ", "οδοσ|οδόσ|σοφοσ"),
        ("cafe\u0301 CAFÉ", "café|café"),
        ("北京2024年AI大会，开幕！", "北|京|2024|年|ai|大|会|，|开|幕|！"),
        ("コーヒーか\u3099", "コ|ー|ヒ|ー|が"),
        ("กี่คน", "กี่|ค|น"),
        ("한국어 뉴스", "한국어|뉴스"),
        ("", ""),
        ("\u3000\u2009\n", ""),
    ],
)
def test_words(text, words):
    assert cut(text) == [word for word in words.split("|") if word]


def test_every_character_outside_those_scripts_is_cut_as_before():
    """What a bundle of an earlier version calls a word is one still."""
    before, now = pre_tokenizers.Whitespace(), split_words()
    alone = re.compile("|".join(SCRIPT_NAMES))
    named = (c for c in CHARACTERS if unicodedata.category(c) != "Cn")
    spaced = [c for c in named if not alone.search(unicodedata.name(c, ""))]
    assert len(spaced) > 150_000
    for start in range(0, len(spaced), 5000):
        text = "".join(f"a{c}b {c}{c}1é{c} " for c in spaced[start : start + 5000])
        assert now.pre_tokenize_str(text) == before.pre_tokenize_str(text)


SCRIPT_NAMES = [
    "CJK", "IDEOGRAPH", "KANGXI", "HIRAGANA", "KATAKANA", "BOPOMOFO", "^YI ", "THAI", "LAO ",
    "KHMER", "MYANMAR", "HANGZHOU", "KANA ", "DEPARTING TONE MARK", "^SQUARE ", "^HENTAIGANA",
    "^OLD CHINESE", "^VIETNAMESE ALTERNATE",
]  # fmt: skip


def test_every_character_of_a_script_without_blanks_stands_alone():
    alone = re.compile("|".join(SCRIPT_NAMES))
    for text in UNSPACED:
        for word in cut(text):
            real = [c for c in word if not unicodedata.category(c).startswith("M")]
            assert len(real) == 1 or not any(alone.search(unicodedata.name(c)) for c in real), word


def test_subwords_are_lowered_as_before():
    before, now = normalizers.Lowercase(), lower_pieces()
    same = [c for c in CHARACTERS if c not in "\u0085\ufeff"]
    for start in range(0, len(same), 20_000):
        text = "".join(f"A{c} {c}{c}Σ " for c in same[start : start + 20_000])
        assert now.normalize_str(text) == before.normalize_str(text)


def test_new_titles_of_known_characters_have_no_unknown_word(tmp_path):
    path = tmp_path / "tokenizer.json"
    Words().write(["北京大学的学生", "今日の天気", "ภาษาไทย"], path)
    for text in ("学生的北京", "天の今日", "ไทยภาษา"):
        ids = serving(path).encode([text])[0]
        assert len(ids) > 1
        assert 1 not in ids


def test_letters_with_accents_are_one_word_however_they_are_stored(tmp_path):
    path = tmp_path / "tokenizer.json"
    Words().write(["café résumé blåbær"], path)
    for form in ("NFC", "NFD"):
        text = unicodedata.normalize(form, "Café Résumé BLÅBÆR")
        assert 1 not in serving(path).encode([text])[0]


def test_a_bundle_of_an_earlier_version_reads_as_it_did(tmp_path):
    """Its tokenizer.json says how it cuts, and nothing else does."""
    path = tmp_path / "tokenizer.json"
    old = Tokenizer.from_str(json.dumps({
        "version": "1.0", "added_tokens": [], "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {"type": "Whitespace"}, "post_processor": None, "decoder": None,
        "truncation": None, "padding": None,
        "model": {"type": "WordLevel", "unk_token": "[UNK]",
                  "vocab": {"[PAD]": 0, "[UNK]": 1, "[SEP]": 2, "中文": 3, "οδοσ": 4}},
    }))  # fmt: skip
    old.save(str(path))
    assert serving(path).encode(["中文 ΟΔΟΣ"])[0] == [3, 4]


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


def javascript(script: str, given: object) -> object:
    assert NODE is not None
    done = subprocess.run(
        [NODE, "-e", script], input=json.dumps(given), capture_output=True, text=True, check=True,
        encoding="utf-8",
    )  # fmt: skip
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def titles(demo_cache):
    """Every title of the embedded data."""
    prepared = prepare(make_spec(history=10), cache=demo_cache)
    rows = list(range(1, len(prepared.items)))
    return [record["title"] or "" for record in prepared.item_records(rows)]


@pytest.mark.skipif(NODE is None, reason="needs Node")
def test_javascript_cuts_the_same_words(titles):
    """By the language alone: what it calls scripts has another prefix, and nothing else differs."""
    pattern = re.sub(rf"\\p\{{({'|'.join(SCRIPTS)})\}}", r"\\p{Script=\1}", PATTERN)
    texts = [*HARD, *titles]
    assert javascript(PLAIN_JAVASCRIPT, [pattern, texts]) == [cut(text) for text in texts]


@pytest.mark.skipif(NODE is None or not LIBRARY, reason="needs Node and @huggingface/tokenizers")
@pytest.mark.parametrize("kind", ["words", "subwords"])
def test_javascript_reads_the_same_ids(kind, titles, tmp_path):
    """With `npm install --ignore-scripts @huggingface/tokenizers@0.2` in a folder whose
    `node_modules` is in NODE_PATH. The library has to be told the unknown token of whole words."""
    path = tmp_path / "tokenizer.json"
    made = Words() if kind == "words" else Subwords(Subwords.Config(size=2000))
    assert CHOICES[kind] is type(made)
    half = [text for place, text in enumerate((*HARD, *titles)) if place % 2]
    made.write(half, path)
    texts = [*HARD, *titles]
    ids = serving(path).encode(texts)
    assert javascript(WITH_LIBRARY, [json.loads(path.read_text("utf-8")), texts]) == ids
    assert len({place for row in ids for place in row}) > 500
