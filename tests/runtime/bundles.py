"""A bundle small enough to compute by hand: graphs written as ONNX text, and the same in NumPy.

Items are the sum of the masked means of their words and of their category, users the masked mean of
their clicks, to which a table adds a vector of the user where the encoder reads users, or the
masked means of what is known of the user where it reads that.
"""

import hashlib
import json
from dataclasses import dataclass, field

import numpy as np
import onnx
from onnx import numpy_helper, parser
from safetensors.numpy import save_file


WORDS = ["[PAD]", "[UNK]", "[SEP]", "storm", "over", "the", "coast", "late", "goal", "wins"]
CATEGORIES = {"news": 10, "sport": 11}
ROWS, WIDTH, CODES = 12, 5, 2

ITEMS = [
    {"id": "N1", "title": "storm over the coast", "category": "news"},
    {"id": "N2", "title": "late goal wins", "category": "sport"},
    {"id": "N3", "title": "Late storm", "category": "news"},
    {"id": "Ü4", "title": "", "category": None},
    {"id": "N5", "title": "goal goal goal", "category": "sport"},
]
USERS = ["", "U1", "U2"]
REGIONS, AGES, FIRST = {"north": 7, "south": 8}, [30, 50], 9
KNOWN = [{}, {"region": ["north", "south"], "age": 40}, {"age": 61}]

HEAD = '<ir_version: 10, opset_import: ["": 20]>\n'
ENCODER = """item_encoder (int64[item, title_tokens] title, bool[item, title_tokens] title_mask,
    int64[item, category_tokens] category, bool[item, category_tokens] category_mask)
    => (float[item, 5] vectors) {
  middle = Constant<value = int64[1] {1}>()
  last = Constant<value = int64[1] {2}>()
  one = Constant<value = float {1.0}>()
  %s
  vectors = Add(title_mean, category_mean)
}"""
MEAN = """
  {0}_words = Gather(table, {0})
  {0}_real = Cast<to = 1>({0}_mask)
  {0}_wide = Unsqueeze({0}_real, last)
  {0}_kept = Mul({0}_words, {0}_wide)
  {0}_sum = ReduceSum<keepdims = 0>({0}_kept, middle)
  {0}_count = ReduceSum<keepdims = 1>({0}_real, middle)
  {0}_atleast = Max({0}_count, one)
  {0}_mean = Div({0}_sum, {0}_atleast)"""
USER = """user_encoder (float[user, clicks, 5] clicks, bool[user, clicks] clicks_mask%s)
    => (float[user, %s] users) {
  middle = Constant<value = int64[1] {1}>()
  last = Constant<value = int64[1] {2}>()
  one = Constant<value = float {1.0}>()
  real = Cast<to = 1>(clicks_mask)
  wide = Unsqueeze(real, last)
  kept = Mul(clicks, wide)
  sum = ReduceSum<keepdims = 0>(kept, middle)
  count = ReduceSum<keepdims = 1>(real, middle)
  atleast = Max(count, one)
  mean = Div(sum, atleast)
  %s
}"""
VECTOR = "users = Identity(mean)"
READS = "own = Gather(names, user)\n  users = Add(mean, own)"
PROFILED = """%s
  known = Add(profile_region_mean, profile_age_mean)
  users = Add(mean, known)"""
PROFILE_PORTS = """, int64[user, 2] profile_region, bool[user, 2] profile_region_mask,
    int64[user, 1] profile_age, bool[user, 1] profile_age_mask"""
MANY = "single = Unsqueeze(mean, middle)\n  users = Mul(single, codes)"
PREDICTOR = """predictor (float[user, %s] users, %sfloat[pair, 5] items, int64[pair] owner%s)
    => (float[pair] scores) {
  middle = Constant<value = int64[1] {1}>()
  last = Constant<value = int64[1] {2}>()
  rows = Gather<axis = 0>(users, owner)
  %s
}"""
DOT = "both = Mul(rows, items)\n  scores = ReduceSum<keepdims = 0>(both, middle)"
DNN = """both = Mul(rows, items)
  bent = Tanh(both)
  scores = ReduceSum<keepdims = 0>(bent, middle)"""
MINER = """wide = Unsqueeze(items, middle)
  both = Mul(rows, wide)
  each = ReduceSum<keepdims = 0>(both, last)
  scores = ReduceMax<keepdims = 0>(each, middle)"""
DIN = """wide = Unsqueeze(items, middle)
  both = Mul(rows, wide)
  each = ReduceSum<keepdims = 0>(both, last)
  bent = Sigmoid(each)
  mask = Gather<axis = 0>(users_mask, owner)
  real = Cast<to = 1>(mask)
  kept = Mul(bent, real)
  scores = ReduceSum<keepdims = 0>(kept, middle)"""


PRIOR = """
  single = Constant<value = float {1.0}>()
  more = Add(context, single)
  raised = Log(more)
  weighed = Mul(raised, moment)
  prior = ReduceSum<keepdims = 0>(weighed, middle)
  scores = Add(matched, prior)"""

NUMBERS = [
    {"name": "popularity(hours=1)", "kind": "popularity", "seconds": 3600, "neutral": 0.5},
    {"name": "popularity", "kind": "popularity", "seconds": None, "neutral": 2.0},
    {"name": "age", "kind": "age", "neutral": 10.0},
]
MOMENT = np.array([[0.7, -0.3, 0.1]], dtype=np.float32)
END, NEVER = 1_700_000_000 * 10**6, 2**63 - 1
# What is known of the items of a bundle at the end of its data: the last two were
# never clicked, and one of them never seen.
KEPT = {
    "values": np.array([[0, 0, 0], [2.5, 4, 0], [1, 1, 0], [1.2, 9, 0], [0, 0, 0], [0, 0, 0.0]]),
    "moments": np.array([2**63 - 1, END - 10**9, END, END - 10**10, 2**63 - 1, 2**63 - 1]),
    "first": np.array(
        [2**63 - 1, END - 10**11, END - 10**10, END - 10**11, 2**63 - 1, END - 10**9]
    ),
    "last": np.array([END]),
}


def weights():
    random = np.random.default_rng(3)
    return {
        "table": random.normal(size=(ROWS, WIDTH)).astype(np.float32),
        "names": np.concatenate([np.zeros((1, WIDTH)), random.normal(size=(2, WIDTH))]).astype(
            "f4"
        ),
        "codes": random.normal(size=(1, CODES, WIDTH)).astype(np.float32),
        "moment": MOMENT,
    }


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One of the forms of a model."""

    predict: str = "Dot"
    user: str = "vector"
    reads_user: bool = False
    profile: bool = False
    table: bool = False
    history: int = 3
    context: bool = False
    arrays: dict = field(default_factory=weights)

    def item(self, record):
        """[D] of a record, by NumPy."""
        ids = [WORDS.index(w) if w in WORDS else 1 for w in (record["title"] or "").lower().split()]
        vector = np.zeros(WIDTH, dtype=np.float32)
        if ids:
            vector += self.arrays["table"][ids[:4]].mean(axis=0)
        if record.get("category"):
            vector += self.arrays["table"][CATEGORIES.get(record["category"], 1)]
        return vector

    def own(self, user):
        """[D] of a user, by NumPy: given by row, or what is known."""
        if not self.profile:
            return self.arrays["names"][user]
        record = user if isinstance(user, dict) else KNOWN[user]
        regions = [REGIONS.get(one, 1) for one in record.get("region") or []][:2]
        age = record.get("age")
        ages = [] if age is None else [FIRST + sum(edge <= age for edge in AGES)]
        vector = np.zeros(WIDTH, dtype=np.float32)
        for ids in filter(None, (regions, ages)):
            vector += self.arrays["table"][ids].mean(axis=0)
        return vector

    def score(self, clicks, candidate, user=0):
        """The logit of click vectors [S, D] (oldest first) and a candidate [D], by NumPy."""
        clicks = np.array(clicks, dtype=np.float32).reshape(-1, WIDTH)[-self.history :]
        if self.user == "clicks":
            return float((1 / (1 + np.exp(-clicks @ candidate))).sum())
        mean = clicks.mean(axis=0) if len(clicks) else np.zeros(WIDTH, dtype=np.float32)
        if self.reads_user:
            mean = mean + self.own(user)
        if self.user == "many":
            return float((self.arrays["codes"][0] * mean @ candidate).max())
        return float(
            (np.tanh(mean * candidate) if self.predict == "DNN" else mean * candidate).sum()
        )


KINDS = {
    "dot": Kind(),
    "dnn": Kind(predict="DNN"),
    "users": Kind(reads_user=True),
    "profile": Kind(reads_user=True, profile=True),
    "many": Kind(predict="MINER", user="many"),
    "din": Kind(predict="DIN", user="clicks"),
    "table": Kind(predict="DNN", table=True),
}


def graphs(kind):
    """name -> ONNX model of a kind."""
    texts = {}
    if not kind.table:
        texts["item_encoder"] = ENCODER % (MEAN.format("title") + MEAN.format("category"))
    dims = {"vector": "5", "many": "2, 5", "clicks": "clicks, 5"}[kind.user]
    if kind.user != "clicks":
        body = READS if kind.reads_user else MANY if kind.user == "many" else VECTOR
        ports = ", int64[user] user" if kind.reads_user else ""
        if kind.profile:
            body = PROFILED % (MEAN.format("profile_region") + MEAN.format("profile_age"))
            ports = PROFILE_PORTS
        texts["user_encoder"] = USER % (ports, dims, body)
    body = {"Dot": DOT, "DNN": DNN, "MINER": MINER, "DIN": DIN}[kind.predict]
    mask = "bool[user, clicks] users_mask, " if kind.user == "clicks" else ""
    moment = ", float[pair, 3] context" if kind.context else ""
    if kind.context:
        body = body.replace("scores =", "matched =") + PRIOR
    texts["predictor"] = PREDICTOR % (dims, mask, moment, body)
    return {name: build(text, kind.arrays) for name, text in texts.items()}


def build(text, arrays):
    model = parser.parse_model(HEAD + text)
    read = {name for node in model.graph.node for name in node.input}
    for name in read & arrays.keys():
        model.graph.initializer.append(numpy_helper.from_array(arrays[name], name))
    onnx.checker.check_model(model, full_check=True)
    return model


def describe(values):
    types = {onnx.TensorProto.INT64: "int64", onnx.TensorProto.BOOL: "bool", 1: "float32"}
    return [
        {"name": v.name, "dtype": types[v.type.tensor_type.elem_type],
         "dims": [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim]}
        for v in values
    ]  # fmt: skip


def write_bundle(folder, kind):
    """Write the bundle of a kind; returns the folder."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    for part in ("onnx", "tokenizers/words", "vocabularies", "cache"):
        (folder / part).mkdir(parents=True)
    words = Tokenizer(models.WordLevel({w: i for i, w in enumerate(WORDS)}, unk_token="[UNK]"))
    words.normalizer = normalizers.Lowercase()
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.save(str(folder / "tokenizers/words/tokenizer.json"))
    write_json(folder / "vocabularies/category.json", {"values": CATEGORIES})
    write_json(folder / "vocabularies/users.json", {"values": {"U1": 1, "U2": 2}})
    if kind.profile:
        write_json(folder / "vocabularies/region.json", {"values": REGIONS})
        write_json(folder / "vocabularies/age.json", {"edges": AGES, "first": FIRST})
        save_file(
            {"0/ids": np.array([[0, 0], [7, 8], [0, 0]], np.int32),
             "0/lengths": np.array([0, 2, 0], np.int32),
             "1/ids": np.array([[0], [10], [11]], np.int32),
             "1/lengths": np.array([0, 1, 1], np.int32)},
            folder / "cache/users.safetensors",
        )  # fmt: skip
    made = graphs(kind)
    for name, model in made.items():
        (folder / f"onnx/{name}.onnx").write_bytes(model.SerializeToString())
    vectors = np.stack([np.zeros(WIDTH, dtype=np.float32), *map(kind.item, ITEMS)])
    names = ["", *(item["id"] for item in ITEMS)]
    text = [name.encode() for name in names]
    save_file(
        {"vectors": vectors, "ids": np.frombuffer(b"".join(text), dtype=np.uint8),
         "offsets": np.cumsum([0, *map(len, text)]).astype(np.int64)},
        folder / "cache/items.safetensors",
    )  # fmt: skip
    if kind.context:
        save_file(KEPT, folder / "cache/counters.safetensors")
    write_golden(folder, kind, made, vectors)
    write_manifest(folder, manifest(kind, made))
    return folder


def manifest(kind, made):
    reading = {
        "layout": "fields", "rows": ROWS, "padding": 0, "unknown": 1, "separator": 2,
        "parts": [
            {"name": "title", "kind": "text", "length": 4,
             "tokenizer": "tokenizers/words/tokenizer.json"},
            {"name": "category", "kind": "category", "length": 1,
             "vocabulary": "vocabularies/category.json"},
        ],
    }  # fmt: skip
    profile = {
        "file": "cache/users.safetensors",
        "reading": {
            "layout": "fields", "rows": ROWS, "padding": 0, "unknown": 1, "separator": None,
            "parts": [
                {"name": "region", "kind": "category", "length": 2,
                 "vocabulary": "vocabularies/region.json"},
                {"name": "age", "kind": "number", "length": 1,
                 "vocabulary": "vocabularies/age.json"},
            ],
        },
    }  # fmt: skip
    return {
        "format": "legoc-bundle/1",
        "spec": {"model": {"predict": {"op": kind.predict, "args": {}}}},
        "graphs": {
            name: {"file": f"onnx/{name}.onnx", "inputs": describe(model.graph.input),
                   "outputs": describe(model.graph.output)}
            for name, model in made.items()
        },
        "plan": {"layout": "id" if kind.table else "fields", "user": kind.user,
                 "reads_user": kind.reads_user, "width": WIDTH},
        "reading": None if kind.table else reading,
        "history": kind.history,
        "items": {"file": "cache/items.safetensors", "rows": 1 + len(ITEMS)},
        "users": {"file": "vocabularies/users.json"} if kind.reads_user else None,
        "profile": profile if kind.profile else None,
        "context": {"file": "cache/counters.safetensors", "numbers": NUMBERS}
        if kind.context else None,
        "certificate": {"tolerance": 1e-4, "difference": 0.0},
        "provenance": {},
    }  # fmt: skip


def write_manifest(folder, content):
    """Write the manifest with the hashes of what lies there now."""
    (folder / "manifest.json").unlink(missing_ok=True)
    files = {
        path.relative_to(folder).as_posix(): {
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "bytes": path.stat().st_size
        }
        for path in sorted(folder.rglob("*")) if path.is_file()
    }  # fmt: skip
    write_json(folder / "manifest.json", {**content, "files": files})


def rewrite(folder, change):
    """Change the manifest and write its hashes anew."""
    content = json.loads((folder / "manifest.json").read_text())
    change(content)
    write_manifest(folder, content)


def write_golden(folder, kind, made, vectors):
    """One probe per graph, its outputs by NumPy."""
    tensors = {}

    def probe(graph, **values):
        if graph in made:
            tensors.update({f"{graph}/probe/{name}": value for name, value in values.items()})

    ids = np.array([[3, 4, 5, 6], [7, 3, 0, 0], [0, 0, 0, 0]])
    first = np.array([[10], [10], [0]])
    probe("item_encoder", title=ids, title_mask=ids > 0, category=first, category_mask=first > 0,
          vectors=vectors[[1, 3, 4]])  # fmt: skip
    clicks, mask = vectors[[[1, 2], [3, 0]]], np.array([[True, True], [True, False]])
    mean = np.stack([clicks[0].mean(axis=0), clicks[1, 0]])
    users = mean + np.stack([kind.own(2), kind.own(1)]) if kind.reads_user else mean
    if kind.user == "many":
        users = mean[:, None] * kind.arrays["codes"]
    extra = {"user": np.array([2, 1])} if kind.reads_user else {}
    if kind.profile:
        extra = {
            "profile_region": np.array([[0, 0], [7, 8]]), "profile_age": np.array([[11], [10]]),
            "profile_region_mask": np.array([[False, False], [True, True]]),
            "profile_age_mask": np.array([[True], [True]]),
        }  # fmt: skip
    probe("user_encoder", clicks=clicks, clicks_mask=mask, users=users, **extra)
    owner, items = np.array([1, 0, 1]), vectors[[2, 3, 5]]
    histories = [vectors[[1, 2]], vectors[[3]]]
    scores = [
        kind.score(histories[o], c, user=[2, 1][o]) for o, c in zip(owner, items, strict=True)
    ]
    extra = {"users_mask": mask} if kind.user == "clicks" else {}
    if kind.context:
        extra["context"] = np.array([[0, 0, 0], [1, 5, 2], [0.5, 3, 100]], dtype=np.float32)
        scores = np.array(scores) + (np.log1p(extra["context"]) * MOMENT).sum(1)
    given = clicks if kind.user == "clicks" else users
    probe("predictor", users=given, items=items, owner=owner,
          scores=np.array(scores, dtype=np.float32), **extra)  # fmt: skip
    save_file(
        {n: np.ascontiguousarray(v) for n, v in tensors.items()}, folder / "golden.safetensors"
    )


def write_json(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
