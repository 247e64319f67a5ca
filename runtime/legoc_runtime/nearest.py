"""Approximate search: an index over the vectors of a bundle, which finds most of the best items
without looking at all.

The index is a graph of neighbours (HNSW) over half-precision copies of the vectors, by inner
product. It proposes; what it proposes is scored exactly. It is bound to the vectors it was made of:
rows whose vectors have changed since, and new rows, are scored exactly besides.

Letters: N rows, D width.
"""

from collections.abc import Callable
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from legoc_runtime.blocks import ROWS, Array, Blocks
from legoc_runtime.bundle import Bundle, Content
from legoc_runtime.errors import BundleError, RequestError


Rows = NDArray[np.int64]
Keep = Callable[[Rows], NDArray[np.bool_]]

KIND = "hnsw"
# How many rows the index may be asked for before it is cheaper to look at all of them.
SHARE = 8
HELP = 'install it with `pip install "legoc-runtime[ann]"`'


class Nearest:
    """The index of a bundle, and what has changed since it was made.

    origin: the vectors [N, D] it was made of. effort: how many candidates a search keeps, at least.
    """

    def __init__(self, index: Any, parameters: Callable[[int], Any], origin: Blocks, effort: int):
        self.index = index
        self.parameters = parameters
        self.origin = origin
        self.effort = effort
        self.known: dict[int, tuple[Array, Rows]] = {}

    def find(self, vector: NDArray[np.float32], k: int, keep: Keep) -> Rows | None:
        """At least k rows near to a vector [D] that are to be kept, ascending; None where it would
        take too many to find them."""
        count = 2 * k
        most = max(len(self.origin) // SHARE, 1)
        while count <= most:
            parameters = self.parameters(max(self.effort, count))
            _, found = self.index.search(vector[None], count, params=parameters)
            rows = np.sort(found[0][found[0] >= 0])
            rows = rows[keep(rows)]
            if len(rows) >= k:
                return rows
            count *= 4
        return None

    def changed(self, vectors: Blocks) -> Rows:
        """The rows of a table's vectors that are not those of the index, ascending: others, and
        such as came behind."""
        found: list[Rows] = []
        for number, (own, part) in enumerate(zip(self.origin.parts, vectors.parts, strict=False)):
            if own is part:
                continue
            known = self.known.get(number)
            if known is None or known[0] is not part:
                size = min(ROWS, len(self.origin) - number * ROWS, len(vectors) - number * ROWS)
                other = np.flatnonzero((own[:size] != part[:size]).any(axis=1))
                known = (part, other + number * ROWS)
                self.known[number] = known
            found.append(known[1])
        behind = np.arange(len(self.origin), len(vectors), dtype=np.int64)
        return np.concatenate([*found, behind])


class Proposals:
    """Opens the index of a bundle when it is first asked for. Safe to share between threads."""

    def __init__(self, bundle: Bundle, origin: Blocks, *, inner_product: bool) -> None:
        self.parts = bundle.parts
        self.inner_product = inner_product
        self.origin = origin
        said = bundle.parts.index
        self.content: Content | None = None if said is None else bundle.contents[said.file]
        self.opened: Nearest | None = None
        self.lock = Lock()

    def open(self) -> Nearest:
        """The index. Raises RequestError where there is none, or the extra is missing; BundleError
        for one that is damaged."""
        if not self.inner_product or self.parts.context is not None:
            raise RequestError(
                f"approximate search needs scores that are products of vectors, and those of "
                f"`{self.parts.predict}` are not",
                "leave `approximate` out: every item is scored",
            )
        with self.lock:
            if self.opened is None:
                self.opened = self.load()
            return self.opened

    def load(self) -> Nearest:
        said = self.parts.index
        if said is None or self.content is None:
            raise RequestError(
                "the bundle has no index", "make one with `legoc index`, or leave `approximate` out"
            )
        faiss = need_faiss()
        content = np.frombuffer(self.content, dtype=np.uint8)
        try:
            index = faiss.deserialize_index(content)
            sound = index.ntotal == len(self.origin) and index.d == self.origin.shape[1]
        except RuntimeError:
            sound, index = False, None
        if not sound:
            raise BundleError(f"`{said.file}` is no index of these items", "make it anew")
        return Nearest(index, searching(faiss), self.origin, said.effort)


def need_faiss() -> Any:
    """The library; RequestError where it is not installed."""
    try:
        import faiss
    except ImportError as error:
        raise RequestError("approximate search needs the package faiss-cpu", HELP) from error
    return faiss


def searching(faiss: Any) -> Callable[[int], Any]:
    """Parameters of a search by its effort."""

    def parameters(effort: int) -> Any:
        found = faiss.SearchParametersHNSW()
        found.efSearch = effort
        return found

    return parameters
