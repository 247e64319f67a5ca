"""Texts that tokenizers in several languages are likely to cut in different ways, and what a bundle
says of them: a host that reads one otherwise than training did must not serve the bundle."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from legoc_runtime.tokens import Reader


TEXTS = "probes/texts.json"

HARD = (
    "Plain words, and a comma.",
    "  blanks\tof\u00a0many\u3000kinds\n",
    "it's 'quoted' \u2018so\u2019 \u201cand so\u201d",
    "under_score dash-ed slash/ed 1,234.5 10% C++ #tag @name",
    "Smørrebrød på Ærø",
    "Große Straße, GROẞ",
    "İzmir ILIK ılık",
    "ΠΟΛΕΜΟΣ ΚΑΙ ΕΙΡΗΝΗ σοφός",
    "Ёлка, мир и Труд",
    "שָׁלוֹם לך",
    "مَرحبًا ٢٠٢٦",
    "समाचार क्षण",
    "செய்திகள்",
    "오늘의 뉴스",
    "Tiếng nói",
    "cafe\u0301 café",
    "今天的新闻2026年",
    "ニュースとｶﾞｽ",
    "ข่าววันนี้",
    "ព័ត៌មាន",
    "𠮷野家 𝒜𝓫",
    "½ ² Ⅷ ① ﬁ ﷺ",
    "a\u200db\u200cc\u00ad\ufeffd",
    "x\u0007y\u0085z",
    "🙂 👩\u200d🚀 🇩🇰",
    "",
)


def write_texts(folder: Path, reading: Mapping[str, Any]) -> Mapping[str, str] | None:
    """Write what a reading whose files lie in `folder` makes of hard texts; what the manifest says
    of it, None where it reads no text."""
    parts = [
        part for part in reading["parts"] if "tokenizer" in part and part.get("kind") == "text"
    ]
    if not parts:
        return None
    reader = Reader.load(folder, reading)
    probes: list[dict[str, Any]] = []
    for part in parts:
        for text in HARD:
            record = {part["name"]: text}
            found = {
                name: ids[0, : int(lengths[0])].tolist()
                for name, (ids, lengths) in reader.read([record]).items()
                if lengths[0] or name in record
            }
            probes.append({"record": record, "ids": found})
    path = folder / TEXTS
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"probes": probes}, ensure_ascii=False), encoding="utf-8")
    return {"texts": TEXTS}
