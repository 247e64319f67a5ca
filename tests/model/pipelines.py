"""Small specs written by hand, batches of made-up items, and what they are scored with."""

import numpy as np

from legoc.data.batching.batch import Batch
from legoc.data.indexing.rows import Rows
from legoc.language.declaring.catalog import catalog
from legoc.language.declaring.declare import Attribute
from legoc.language.ir.spec import Call, Data, Export, Keys, Spec, Types


TITLE = Attribute(name="title", kind="text", length=6)
TOPIC = Attribute(name="topic", kind="category", length=2)
PRICE = Attribute(name="price", kind="number", length=10)
ROWS = Rows(items=30, users=7, tokens=50)
WIDTH = 16

PIPELINES = {
    "naml": (("CNN", {}), ("Additive", {}), ("Dot", {})),
    "lstur": (("CNN", {"fuse": "concat", "kernel": 5}), ("GRU", {}), ("Dot", {})),
    "nrms": (("Attention", {"heads": 4}), ("Attention", {"heads": 4, "hidden": 12}), ("DNN", {})),
    "dcn_id": (("Null", {}), ("Pooling", {}), ("DCN", {"cross": 2})),
    "dcn_text": (("Pooling", {"kind": "max"}), ("Pooling", {"kind": "max"}), ("DCN", {})),
    "din_id": (("Null", {}), ("Null", {}), ("DIN", {})),
    "din_text": (("Pooling", {}), ("Null", {}), ("DIN", {"softmax": True})),
}


def spec(name: str, *, history: int = 5) -> Spec:
    """A spec as the front end gives it: every default present, inherited widths solved."""
    stages = dict(zip(("content", "behavior", "predict"), PIPELINES[name], strict=True))
    model: dict[str, Call] = {}
    user = f"Vec[{WIDTH}]"
    for role, (op, given) in stages.items():
        declaration = catalog().get(role, op)
        args = {p.name: WIDTH if p.name == "hidden" else p.default for p in declaration.params}
        if "units" in args:
            args["units"] = (12, 8)
        model[role] = Call(op=op, args={**args, **given})
        if role == "behavior":
            user = f"Vec[{model[role].args.get('hidden', WIDTH)}]"
    if model["behavior"].op == "Null":
        user = f"Seq[Vec[{WIDTH}]]"
    return Spec(
        name=name,
        model=model,
        data=Data(
            source=Call(op="Demo"), content=(TITLE, TOPIC, PRICE), history=history,
            split=Call(op="publisher"), group="impression",
        ),
        train=None,
        export=Export(),
        types=Types(item=f"Vec[{WIDTH}]", user=user),
        keys=Keys(item="", user="", prefix="", spec=""),
    )  # fmt: skip


class Items:
    """Made-up items of the table: row 0 is empty, row 1 says nothing, some say half."""

    def __init__(self, layout: str, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.layout = layout
        sizes = {"title": 6, "topic": 2, "price": 1, "tokens": 12}
        names = {"fields": ("title", "topic", "price"), "sequence": ("tokens",), "id": ()}[layout]
        self.ids = {n: rng.integers(1, ROWS.tokens, (ROWS.items, sizes[n])) for n in names}
        self.lengths = {n: rng.integers(0, sizes[n] + 1, ROWS.items) for n in names}
        for length in self.lengths.values():
            length[:2] = 0

    def rows(self, items: np.ndarray) -> dict[str, np.ndarray]:
        """The inputs of some items, cut to the longest of them."""
        if self.layout == "id":
            return {"item": items.astype(np.int32)}
        found: dict[str, np.ndarray] = {}
        for name, ids in self.ids.items():
            length = self.lengths[name][items]
            mask = np.arange(max(1, length.max(initial=0))) < length[:, None]
            found[name] = np.where(mask, ids[items][:, : mask.shape[1]], 0).astype(np.int32)
            found[f"{name}_mask"] = mask
        return found


HISTORIES = ([3, 4, 3, 9, 29], [], [1], [5, 6, 7])
CANDIDATES = ([8, 3, 1], [9, 10, 11], [3, 28, 12], [29, 13, 14])
USERS = (1, 0, 6, 3)


def batch(items: Items, *, buckets: int = 3) -> Batch:
    """The histories and candidates above, their distinct items in this many buckets."""
    distinct = sorted({i for row in (*HISTORIES, *CANDIDATES) for i in row})
    distinct = [distinct[i] for i in np.random.default_rng(1).permutation(len(distinct))]
    place = {item: 1 + at for at, item in enumerate(distinct)}
    width = max(len(history) for history in HISTORIES)
    clicks = [[place[i] for i in h] + [0] * (width - len(h)) for h in HISTORIES]
    return Batch(
        buckets=tuple(items.rows(part) for part in np.array_split(np.array(distinct), buckets)),
        items=np.array(distinct, dtype=np.int32),
        clicks=np.array(clicks, dtype=np.int32),
        candidates=np.array([[place[i] for i in c] for c in CANDIDATES], dtype=np.int32),
        users=np.array(USERS, dtype=np.int32),
        labels=np.tile(np.array([1, 0, 0], dtype=np.float32), (len(HISTORIES), 1)),
    )
