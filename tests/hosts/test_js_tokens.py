"""What JavaScript makes of the tokenizers that legoc writes."""

import json
import re
import subprocess

import pytest
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

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


READER = """
import { Reader } from %s;
import { readFileSync } from "node:fs";
const { content, texts } = JSON.parse(readFileSync(0, "utf8"));
const part = { name: "title", kind: "text", length: 100000, tokenizer: "tokenizer.json" };
const reading = { layout: "fields", rows: 1e6, padding: 0, unknown: 1, parts: [part] };
const reader = new Reader(reading, () => new TextEncoder().encode(content));
const records = texts.map((title) => ({ title }));
console.log(JSON.stringify(reader.read(records).get("title")));
"""


def make_bert():
    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[UNK]", "[CLS]", "[SEP]"]
    return made, trainers.WordPieceTrainer(vocab_size=900, special_tokens=special)


def make_unigram():
    made = Tokenizer(models.Unigram())
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    return made, trainers.UnigramTrainer(
        vocab_size=900, unk_token="<unk>", special_tokens=["<pad>", "<unk>"]
    )


def make_bytes():
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    letters = pre_tokenizers.ByteLevel.alphabet()
    return made, trainers.BpeTrainer(vocab_size=900, initial_alphabet=letters)


def make_fallback():
    """As Llama 2: no pre-tokenizer, and bytes for what has no piece."""
    made = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    made.normalizer = normalizers.Sequence(
        [normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")]
    )
    special = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256))]
    return made, trainers.BpeTrainer(vocab_size=900, special_tokens=special)


FAMILIES = {
    "WordPiece as BERT": make_bert, "Unigram": make_unigram, "byte-level BPE": make_bytes,
    "BPE with bytes": make_fallback,
}  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
def test_tokenizers_of_language_models_give_the_same_ids(node, family):
    """Of each family, taught on the hard texts."""
    made, trainer = FAMILIES[family]()
    made.train_from_iterator(HARD, trainer)
    assert not differing(node, made)


STEPS = {
    "Lowercase": normalizers.Lowercase(),
    "Strip": normalizers.Strip(),
    "StripAccents": normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents()]),
    "NFC": normalizers.NFC(), "NFD": normalizers.NFD(),
    "NFKC": normalizers.NFKC(), "NFKD": normalizers.NFKD(),
    "BertNormalizer": normalizers.BertNormalizer(),
    "BertNormalizer, cased": normalizers.BertNormalizer(lowercase=False),
    "BertNormalizer, accents": normalizers.BertNormalizer(strip_accents=False),
    "Whitespace": pre_tokenizers.Whitespace(),
    "WhitespaceSplit": pre_tokenizers.WhitespaceSplit(),
    "BertPreTokenizer": pre_tokenizers.BertPreTokenizer(),
    "Punctuation": pre_tokenizers.Punctuation(),
    "Punctuation, contiguous": pre_tokenizers.Punctuation("contiguous"),
    "Digits": pre_tokenizers.Digits(), "Digits, single": pre_tokenizers.Digits(True),
    "ByteLevel": pre_tokenizers.ByteLevel(add_prefix_space=False),
    "ByteLevel, prefix": pre_tokenizers.ByteLevel(add_prefix_space=True),
    "Metaspace": pre_tokenizers.Metaspace(),
    "Metaspace, whole": pre_tokenizers.Metaspace(split=False),
    "Split of a text": pre_tokenizers.Split("-", "isolated"),
    "Split, inverted": pre_tokenizers.Split(Regex(r"\p{L}+"), "isolated", invert=True),
    "Split, contiguous": pre_tokenizers.Split(".", "contiguous"),
    "Split, removed": pre_tokenizers.Split(Regex(r"\s+"), "removed"),
    "Split of Llama 3": pre_tokenizers.Split(
        Regex(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
            r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
        ),
        "isolated",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STEPS)
def test_each_step_cuts_alike(node, name):
    """Whole pieces have ids, so a cut elsewhere is another id."""
    step = STEPS[name]
    made = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    if isinstance(step, normalizers.Normalizer):
        made.normalizer = step
    else:
        made.pre_tokenizer = step
    made.train_from_iterator(HARD, trainers.WordLevelTrainer(special_tokens=["[UNK]"]))
    assert not differing(node, made)


def differing(node, made):
    """The texts of which JavaScript makes other ids, with both."""
    texts = [*HARD, "plain words, and more of them", " two  blanks ", "don't", "MiXeD 12,5 %"]
    content = made.to_str()
    expected = Reader("tokenizer.json", content.encode()).encode(texts)
    script = READER % json.dumps((HOME / "src/tokens.js").as_uri())
    done = subprocess.run(
        [node, "--input-type=module", "-e", script], capture_output=True, text=True,
        input=json.dumps({"content": content, "texts": texts}), encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    pairs = [each for each in zip(texts, expected, found, strict=True) if each[1] != each[2]]
    return [(text[:60], one[:9], other[:9]) for text, one, other in pairs]
