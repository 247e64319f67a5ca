"""Words are cut alike in Python and JavaScript, and as before where words have blanks."""

import json
import re
import unicodedata
from pathlib import Path

import pytest
from tokenizers import Tokenizer, normalizers, pre_tokenizers

from legoc.data.reading.splitting import lower_pieces, lower_words, split_words
from legoc.data.reading.vocabulary import Words
from legoc_runtime.words import Words as Reader
from tests.data.hard_texts import UNSPACED


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
