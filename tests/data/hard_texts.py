"""Texts that libraries of tokenizers are known to cut in different ways."""

import unicodedata


PLAIN = (
    "",
    " ",
    "Red, red wine",
    "it's O'Neill's \u2019tis can\u2019t",
    "a_b-c/d\\e 1.5e3 C++ #tag @me",
    "3.14 1,000,000 \u00bd \u00b2 x\u00b3 \u2162 \u2460",
    "e-mail: a.b@example.org; http://x.example/?q=1&r=2",
)
LETTERS = (
    "Blåbærgrød på Ærø, øl & æbler",
    "Straße GROẞ ﬁne ﬂag",
    "İstanbul ISPARTA ığdır",
    "Ελληνικά: ΟΔΟΣ ΣΟΦΟΣ Σ ΑΣ. σοφός ΌΣΟΣ",
    "Привет, МИР! Ёжик",
    "שלום עולם, מה שלומך",
    "السَّلامُ عليكم ١٢٣",
    "हिन्दी में समाचार क्षत्रिय",
    "தமிழ் செய்தி",
    "한국어 뉴스 속보입니다",
    "Tiếng Việt có dấu",
    "naïve café résumé",
    "ﷺ ǆ ǅ Ǆ ŉ ΐ",
)
UNSPACED = (
    "中文新闻标题测试",
    "北京2024年AI大会，开幕！",
    "今日はとても良い天気です。",
    "コーヒーとケーキ ｶﾞｷﾞ 々〆",
    "が か\u3099 ゔ",
    "ภาษาไทยไม่มีช่องว่าง กี่คน",
    "ພາສາລາວ",
    "ភាសាខ្មែរ",
    "မြန်မာစာ ၁၂",
    "ㄅㄆㄇ ꀀꀁ",
    "混合 mixed 文字 text ไทย",
    "𠀀𠮷野家",
)
SIGNS = (
    "emoji 👩\u200d👩\u200d👧 👍🏽 🇩🇰 ❤\ufe0f",
    "… — “quoted” «guillemets» ¿qué? ¡no!",
    "€5 £6 ¥7 ₿8 100 % ± ∞ ≠",
    "tab\tnew\nline\r\nfeed\x0c vertical\x0b",
    "nul\x00 bell\x07 escape\x1b delete\x7f next\x85line",
    "no\u00a0break\u2007space thin\u2009space \u3000wide zero\u200bwidth \ufeffmark",
    "soft\u00adhyphen \u2060joiner",
    "rtl \u202emark\u202c \u200fmark",
    "\ue000private \ufffd \uffff",
    "[UNK] [PAD] [SEP] [CLS] <s> </s>",
    "__proto__ constructor toString",
    "a" * 5000,
    "word " * 2000,
    "中" * 3000,
    "x\u0301" * 500,
)

HARD = tuple(
    form(text)
    for text in (*PLAIN, *LETTERS, *UNSPACED, *SIGNS)
    for form in (
        str,
        lambda t: unicodedata.normalize("NFC", t),
        lambda t: unicodedata.normalize("NFD", t),
    )
)
