"""Every operator a second time, in NumPy and double precision, one row at a time.

Written from the equations of the reference, with loops where the operators have broadcasts, so that
the two share no trick. `w` maps parameter names to arrays. A row's padding is cut off at once:
`x[mask]`.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np


Weights = Mapping[str, np.ndarray]


def within(w: Weights, prefix: str) -> Weights:
    return {name.removeprefix(prefix): v for name, v in w.items() if name.startswith(prefix)}


def linear(w: Weights, name: str, x: np.ndarray) -> np.ndarray:
    y = x @ w[f"{name}.weight"].T
    return y + w[f"{name}.bias"] if f"{name}.bias" in w else y


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def additive(w: Weights, x: np.ndarray) -> np.ndarray:
    """Real rows [L, D] -> [D]."""
    if not len(x):
        return np.zeros(x.shape[-1])
    return softmax(linear(w, "weigh", np.tanh(linear(w, "inner", x)))[:, 0]) @ x


def self_attention(w: Weights, x: np.ndarray, heads: int) -> np.ndarray:
    """Real rows [L, D] -> [L, D]."""
    query, key, value = (linear(w, name, x) for name in ("query", "key", "value"))
    size = x.shape[1] // heads
    mixed = np.zeros_like(query)
    for h in range(heads):
        part = slice(h * size, (h + 1) * size)
        for i in range(len(x)):
            weights = softmax(key[:, part] @ query[i, part] / np.sqrt(size))
            mixed[i, part] = weights @ value[:, part]
    return linear(w, "output", mixed) if "output.weight" in w else mixed


def attention_pooling(w: Weights, x: np.ndarray, heads: int) -> np.ndarray:
    attended = self_attention(within(w, "attend."), x, heads)
    projected = linear(w, "project", attended) if "project.weight" in w else attended
    return additive(within(w, "pool."), projected)


def norm(w: Weights, name: str, x: np.ndarray, eps: float = 1e-5) -> np.ndarray:
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + eps)
    return scaled * w[f"{name}.weight"] + w[f"{name}.bias"]


def gelu(x: np.ndarray) -> np.ndarray:
    return x * 0.5 * (1 + np.vectorize(math.erf)(x / np.sqrt(2)))


def feed_forward(w: Weights, x: np.ndarray) -> np.ndarray:
    return norm(w, "norm", x + linear(w, "outer", gelu(linear(w, "inner", x))))


def placed(w: Weights, x: np.ndarray) -> np.ndarray:
    """Values with the vectors of their places, normalised."""
    return norm(w, "norm", x + w["positions.table.weight"][: len(x)])


def encoder_pooling(w: Weights, x: np.ndarray, layers: int, heads: int) -> np.ndarray:
    own = within(w, "encode.")
    x = placed(own, x)
    for layer in range(layers):
        block = within(own, f"blocks.{layer}.")
        x = norm(block, "norm", x + self_attention(within(block, "attend."), x, heads))
        x = feed_forward(within(block, "feed."), x)
    return additive(within(w, "pool."), linear(own, "project", x))


def global_vector(w: Weights, x: np.ndarray, heads: int) -> np.ndarray:
    size = x.shape[1] // heads
    scores = x @ w["weigh.weight"].T / np.sqrt(size)
    return np.concatenate(
        [softmax(scores[:, h]) @ x[:, h * size : (h + 1) * size] for h in range(heads)]
    )


def fastformer_pooling(w: Weights, x: np.ndarray, layers: int, heads: int) -> np.ndarray:
    x = placed(w, x)
    for layer in range(layers):
        own = within(w, f"layers.{layer}.")
        query, key = linear(own, "query", x), linear(own, "key", x)
        q = global_vector(within(own, "queries."), query, heads)
        k = global_vector(within(own, "keys."), key * q, heads)
        u = linear(own, "transform", k * query) + query
        x = norm(own, "norm", x + linear(own, "output", u))
        x = feed_forward(within(own, "feed."), x)
    return linear(w, "project", additive(within(w, "pool."), x))


def reduce_rows(x: np.ndarray, kind: str) -> np.ndarray:
    if not len(x):
        return np.zeros(x.shape[-1])
    return x.mean(0) if kind == "mean" else x.max(0)


# Content: (weights, settings, attribute kinds, real tokens of each attribute [L_a, D]) -> [hidden]


def content_pooling(w, settings, kinds, texts):
    vectors = [reduce_rows(x, settings["kind"]) for x in texts if len(x)]
    return reduce_rows(np.array(vectors).reshape(-1, texts[0].shape[1]), settings["kind"])


def content_cnn(w, settings, kinds, texts):
    kernel, hidden = settings["kernel"], texts[0].shape[1]
    shared = settings["fuse"] == "tokens"
    vectors, positions = [], []
    for a, (kind, x) in enumerate(zip(kinds, texts, strict=True)):
        own = within(w, "readers." if shared else f"readers.{a}.")
        if shared and kind != "text":
            positions += list(linear(own, "linear", x))
            continue
        if kind != "text":
            features = relu(linear(own, "linear", x))
            vectors.append(features.mean(0) if len(x) else np.zeros(hidden))
            continue
        filters = own["convolve.linear.weight"].reshape(hidden, kernel, hidden)
        features = np.zeros((len(x), hidden))
        for place in range(len(x)):
            total = own["convolve.linear.bias"].copy()
            for j in range(kernel):
                at = place + j - kernel // 2
                if 0 <= at < len(x):
                    total += filters[:, j] @ x[at]
            features[place] = relu(total)
        if shared:
            positions += list(features)
            continue
        vectors.append(additive(within(own, "pool."), features))
    if shared:
        return additive(within(w, "join."), np.array(positions).reshape(-1, hidden))
    if not any(len(x) for x in texts):
        return np.zeros(hidden)
    if settings["fuse"] == "concat":
        return linear(w, "join", np.concatenate(vectors))
    seen = [v for v, x in zip(vectors, texts, strict=True) if len(x)]
    return additive(within(w, "join."), np.array(seen))


# Sequence-reading content and behavior: (weights, settings, real rows [S, D]) -> [hidden]


def attention(w, settings, x):
    if not len(x):
        return np.zeros(settings["hidden"])
    return attention_pooling(within(w, "encode."), x, settings["heads"])


# Id-reading content: (weights, settings, item) -> [hidden]


def semantic_id(w, settings, item):
    places, total = w["places"][int(item)].astype(int), 0.0
    for place in places:
        total = total + (w["table.weight"][place] if place else 0.0)
    made = total + np.zeros(w["table.weight"].shape[1])
    return linear(w, "project", made) if "project.weight" in w else made


def item_table(w, settings, item):
    row = w["table.weight"][int(item)]
    if "project.weight" not in w:
        return row
    return linear(w, "project", row) if item else np.zeros(settings["hidden"])


# Flatten: (weights, settings, tokens [L, D] of each click, oldest first) -> [hidden]


def flat(w, clicks, width):
    """The real tokens of a history in order, with the separator after each click that has any."""
    rows = []
    for tokens in clicks:
        rows += list(tokens)
        if len(tokens) and "separate.vector" in w:
            rows.append(w["separate.vector"])
    return np.array(rows).reshape(-1, width)


def flat_transformer(w, settings, clicks):
    return transformer(w, settings, flat(w, clicks, w["encode.encode.norm.weight"].shape[0]))


def flat_fastformer(w, settings, clicks):
    return fastformer(w, settings, flat(w, clicks, w["encode.norm.weight"].shape[0]))


def longformer(w, settings, clicks):
    """Row by row: the start sees all by its own projections, words their window and the start."""
    heads, half = settings["heads"], settings["window"] // 2
    rows = [w["start"] + w["kinds.weight"][0] + w["positions.table.weight"][0]
            + w["items.table.weight"][0]]  # fmt: skip
    item = 0
    for tokens in reversed(clicks):
        item += bool(len(tokens))
        mark = [w["separate.vector"]] if settings["item_sep"] and len(tokens) else []
        for token in [*tokens, *mark]:
            place = w["positions.table.weight"][len(rows)] + w["items.table.weight"][item]
            rows.append(token + w["kinds.weight"][1] + place)
    if len(rows) == 1:
        return np.zeros(len(rows[0]))
    x = norm(w, "norm", np.array(rows))
    size = x.shape[1] // heads
    for layer in range(settings["layers"]):
        own = within(w, f"layers.{layer}.")
        made = np.zeros_like(x)
        for i in range(len(x)):
            part = within(own, "local." if i else "whole.")
            if not part:
                continue  # the last layer has no use for words
            seen = [j for j in range(len(x)) if not i or not j or abs(i - j) <= half]
            query = linear(part, "query", x[i])
            key, value = linear(part, "key", x[seen]), linear(part, "value", x[seen])
            for h in range(heads):
                cut = slice(h * size, (h + 1) * size)
                made[i, cut] = softmax(key[:, cut] @ query[cut] / np.sqrt(size)) @ value[:, cut]
        x = norm(own, "norm", x + linear(own, "output", made))
        x = feed_forward(within(own, "feed."), x)
    return x[0]


def behavior_pooling(w, settings, x):
    return reduce_rows(x, settings["kind"])


def additive_rows(w, settings, x):
    return additive(within(w, "pool."), x)


def transformer(w, settings, x):
    if not len(x):
        return np.zeros(settings["hidden"])
    return encoder_pooling(within(w, "encode."), x, settings["layers"], settings["heads"])


def fastformer(w, settings, x):
    if not len(x):
        return np.zeros(settings["hidden"])
    return fastformer_pooling(within(w, "encode."), x, settings["layers"], settings["heads"])


# The authors pad on the left to a fixed length; here to the history's and two more.
LEFT = 2
FORBIDDEN = -(2.0**32) + 1


def sasrec(w, settings, x):
    """The arithmetic of the authors' public code, padding and its masks included."""
    if not len(x):
        return np.zeros(settings["hidden"])
    length, width = LEFT + len(x), x.shape[1]
    # Their table of places ends with that of the newest click, ours begins with it.
    places = w["positions.table.weight"][:length][::-1]
    clicks = np.concatenate([np.zeros((LEFT, width)), x])
    real = (np.arange(length) >= LEFT)[:, None]
    state = (clicks * np.sqrt(width) + places) * real
    for layer in range(settings["layers"]):
        own = within(w, f"blocks.{layer}.")
        asked = norm(own, "asking", state, eps=1e-8)
        state = masked_heads(within(own, "attend."), asked, state, settings["heads"]) + asked
        fed = norm(own, "norm", state, eps=1e-8)
        state = (linear(own, "outer", relu(linear(own, "inner", fed))) + fed) * real
    last = norm(w, "norm", state, eps=1e-8)[-1]
    return linear(w, "project", last) if "project.weight" in w else last


def masked_heads(w: Weights, asked: np.ndarray, keys: np.ndarray, heads: int) -> np.ndarray:
    """Attention with a lower triangle over all positions [L, L]; a row of zeros is no key."""
    query, key, value = linear(w, "query", asked), linear(w, "key", keys), linear(w, "value", keys)
    mixed = []
    for q, k, v in zip(*(np.split(each, heads, 1) for each in (query, key, value)), strict=True):
        scores = q @ k.T / np.sqrt(k.shape[1])
        scores = np.where(np.abs(keys).sum(1) == 0, FORBIDDEN, scores)
        scores = np.where(np.tri(len(keys)) == 0, FORBIDDEN, scores)
        mixed.append(softmax(scores) @ v)
    return np.concatenate(mixed, 1)


def poly_attention(w, settings, x):
    if not len(x):
        return np.zeros((settings["codes"], x.shape[1]))
    return np.array(
        [
            softmax(np.array([code @ np.tanh(w["inner.weight"] @ row) for row in x])) @ x
            for code in w["codes"]
        ]
    )


def lstur(w, settings, x, user):
    known = w["users.weight"][user] if user else np.zeros(w["users.weight"].shape[1])
    if settings["form"] == "ini":
        return recur(w, x, known)
    short = settings["hidden"] - len(known)
    return np.concatenate([recur(w, x, np.zeros(short)), known])


def gru(w, settings, x):
    return recur(w, x, np.zeros(settings["hidden"]))


def recur(w, x, h):
    hidden = len(h)
    into, back = w["run.weight_ih_l0"], w["run.weight_hh_l0"]
    into_bias, back_bias = w["run.bias_ih_l0"], w["run.bias_hh_l0"]
    for row in x:
        given, kept = into @ row + into_bias, back @ h + back_bias
        r = sigmoid(given[:hidden] + kept[:hidden])
        z = sigmoid(given[hidden : 2 * hidden] + kept[hidden : 2 * hidden])
        n = np.tanh(given[2 * hidden :] + r * kept[2 * hidden :])
        h = (1 - z) * n + z * h
    return h


ORACLES: dict[tuple[str, str], Callable[..., np.ndarray | float]] = {
    ("content", "Pooling"): content_pooling,
    ("content", "CNN"): content_cnn,
    ("content", "Null"): item_table,
    ("content", "SemanticID"): semantic_id,
    ("flatten", "Transformer"): flat_transformer,
    ("flatten", "Fastformer"): flat_fastformer,
    ("flatten", "Longformer"): longformer,
    ("content", "Additive"): additive_rows,
    ("content", "Attention"): attention,
    ("content", "GRU"): gru,
    ("content", "Transformer"): transformer,
    ("content", "Fastformer"): fastformer,
    ("behavior", "Pooling"): behavior_pooling,
    ("behavior", "Additive"): additive_rows,
    ("behavior", "Attention"): attention,
    ("behavior", "GRU"): gru,
    ("behavior", "LSTUR"): lstur,
    ("behavior", "Transformer"): transformer,
    ("behavior", "Fastformer"): fastformer,
    ("behavior", "SASRec"): sasrec,
    ("behavior", "PolyAttention"): poly_attention,
}
