"""An index for approximate search, put into a bundle: `legoc index`.

It is measured as it is used: the best ten of real histories, beside those of all items. How many
candidates a search keeps is raised until the share that is found is what was asked for.
"""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from legoc.data.indexing.log import F32
from legoc.exporting import contents
from legoc.exporting.staging import MANIFEST, staged
from legoc.language.diagnosing.diagnostics import fail
from legoc.progress import SILENT, Progress
from legoc_runtime.errors import RequestError
from legoc_runtime.model import Model, load
from legoc_runtime.nearest import KIND, need_faiss, searching
from legoc_runtime.ranking import top


INDEX = "cache/nearest.faiss"
# Of the graph of neighbours: how many each row has, and candidates when it is built.
NEIGHBOURS, BUILT_WITH = 32, 128
EFFORTS = (64, 128, 256, 512, 1024)
BEST = 10
HISTORIES = 1000

# A history, and who has it.
Asked = tuple[Sequence[str], str | None]


@dataclass(frozen=True, kw_only=True)
class Indexed:
    """An index that was written. recall: of the best ten, by so many users; bytes of its file."""

    effort: int
    recall: float
    users: int
    items: int
    bytes: int


def write_index(
    folder: Path, asked: Sequence[Asked], *, recall: float = 0.95, progress: Progress = SILENT
) -> Indexed:
    """Put an index into a bundle, which is replaced as a whole.

    asked: histories that it is measured on; so many of them are taken, spread evenly. recall: the
    least share of the best ten that it must find. Errors: E0870 where scores are no products of
    vectors, E0871 where the package is missing, E0872 where no history has a known click, E0873
    where no effort finds enough.
    """
    model = load(folder)
    parts = model.bundle.parts
    if not model.scorer.inner_product or parts.context is not None:
        raise fail(
            "E0870",
            f"the scores of `predict {parts.predict}` are not products of two vectors",
            "recommend from all items, or train with `predict Dot` and without `context`",
        )
    try:
        faiss = need_faiss()
    except RequestError as error:
        raise fail("E0871", error.message, 'install it with `pip install "legoc[ann]"`') from None
    users = encode(model, asked)
    table = model.items.table
    vectors = table.vectors.whole()
    index = build(faiss, vectors, progress)
    shown = table.shown_rows()
    wanted = exact(vectors, users, shown)
    found: dict[int, float] = {}
    for effort in EFFORTS:
        found[effort] = measure(faiss, index, vectors, users, shown, wanted, effort)
        progress.say(f"effort {effort}: {found[effort]:.1%} of the best {BEST}")
        if found[effort] >= recall:
            break
    else:
        raise fail(
            "E0873",
            f"the index finds {found[EFFORTS[-1]]:.1%} of the best {BEST}, and {recall:.1%} is "
            "asked for",
            "ask for less with `--recall`, or recommend from all items",
        )
    content = faiss.serialize_index(index).tobytes()
    entry = {
        "file": INDEX, "kind": KIND, "items": parts.files[parts.items].sha256, "effort": effort,
        "recall": round(found[effort], 4), "users": len(users),
    }  # fmt: skip
    put(folder, content, entry)
    return Indexed(
        effort=effort, recall=found[effort], users=len(users), items=len(shown), bytes=len(content)
    )


def encode(model: Model, asked: Sequence[Asked]) -> F32:
    """Vectors [U, D] of users with a click that the bundle knows."""
    if len(asked) > HISTORIES:
        chosen = np.linspace(0, len(asked) - 1, HISTORIES).astype(np.int64)
        asked = [asked[place] for place in chosen]
    known = [(ids, user) for ids, user in asked if any(name in model.items for name in ids)]
    if not known:
        raise fail(
            "E0872", "no history has a click on an item of the bundle, so nothing can be measured",
            "give histories with `--histories FILE`, such as `legoc recommend` takes",
        )  # fmt: skip
    made = model.encode_users([ids for ids, _ in known], [user for _, user in known])
    return np.stack([user.vectors for user in made])


def build(faiss: Any, vectors: F32, progress: Progress) -> Any:
    """The index of all rows; row numbers are its ids."""
    index = faiss.IndexHNSWSQ(
        vectors.shape[1], faiss.ScalarQuantizer.QT_fp16, NEIGHBOURS, faiss.METRIC_INNER_PRODUCT
    )
    index.hnsw.efConstruction = BUILT_WITH
    with progress.task("index", len(vectors), "items") as task:
        index.train(vectors)
        for start in range(0, len(vectors), 1 << 14):
            part = vectors[start : start + (1 << 14)]
            index.add(part)
            task.advance(len(part))
    return index


def exact(vectors: F32, users: F32, shown: Any) -> list[Any]:
    """The best rows of each user among those that are shown, by looking at all."""
    those = vectors[shown]
    return [shown[top(those @ user, BEST)] for user in users]


def measure(
    faiss: Any, index: Any, vectors: F32, users: F32, shown: Any, wanted: Sequence[Any], effort: int
) -> float:
    """The share of the best that a search finds, as the runtime asks: for twice as many, of which
    the exact scores choose."""
    _, found = index.search(users, 2 * BEST, params=searching(faiss)(effort))
    hits = of = 0
    for user, rows, right in zip(users, found, wanted, strict=True):
        rows = np.sort(rows[np.isin(rows, shown)])
        chosen = rows[top(vectors[rows] @ user, BEST)]
        hits, of = hits + len(np.intersect1d(chosen, right)), of + len(right)
    return hits / of


def put(folder: Path, content: bytes, entry: dict[str, Any]) -> None:
    """The bundle with this index."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    with staged(folder) as place:
        # Links share the content of what stays; what changes is removed first.
        shutil.copytree(folder, place, copy_function=os.link, dirs_exist_ok=True)
        for name in (INDEX, MANIFEST):
            (place / name).unlink(missing_ok=True)
        (place / INDEX).write_bytes(content)
        manifest["index"] = entry
        manifest["files"][INDEX] = {
            "sha256": contents.digest(place / INDEX), "bytes": len(content),
        }  # fmt: skip
        contents.write_json(place / MANIFEST, manifest)
