"""Every operator a second time, in NumPy and double precision, one row at a time.

Written from the equations of the reference, with loops where the operators have broadcasts, so that
the two share no trick. `w` maps parameter names to arrays. A row's padding is cut off at once:
`x[mask]`.
"""

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
    mixed = []
    for h in range(heads):
        part = slice(h * size, (h + 1) * size)
        weights = softmax(query[:, part] @ key[:, part].T / np.sqrt(size))
        mixed.append(weights @ value[:, part])
    return linear(w, "output", np.concatenate(mixed, 1))


def attention_pooling(w: Weights, x: np.ndarray, heads: int) -> np.ndarray:
    attended = self_attention(within(w, "attend."), x, heads)
    return additive(within(w, "pool."), linear(w, "project", attended))


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
    vectors = []
    for a, (kind, x) in enumerate(zip(kinds, texts, strict=True)):
        own = within(w, f"readers.{a}.")
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
        vectors.append(additive(within(own, "pool."), features))
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


def behavior_pooling(w, settings, x):
    return reduce_rows(x, settings["kind"])


def behavior_additive(w, settings, x):
    return additive(within(w, "pool."), x)


def behavior_gru(w, settings, x):
    hidden = settings["hidden"]
    into, back = w["run.weight_ih_l0"], w["run.weight_hh_l0"]
    into_bias, back_bias = w["run.bias_ih_l0"], w["run.bias_hh_l0"]
    h = np.zeros(hidden)
    for row in x:
        given, kept = into @ row + into_bias, back @ h + back_bias
        r = sigmoid(given[:hidden] + kept[:hidden])
        z = sigmoid(given[hidden : 2 * hidden] + kept[hidden : 2 * hidden])
        n = np.tanh(given[2 * hidden :] + r * kept[2 * hidden :])
        h = (1 - z) * n + z * h
    return h


# Predict: (weights, settings, user, item [D]) -> number; the user is [D], or real clicks [S, D]


def layers(w: Weights, x: np.ndarray) -> np.ndarray:
    depth = 0
    while f"linears.{depth}.weight" in w:
        x = relu(linear(w, f"linears.{depth}", x))
        depth += 1
    return x


def mlp(w: Weights, x: np.ndarray) -> float:
    return float(linear(w, "output", layers(within(w, "layers."), x))[0])


def predict_dot(w, settings, user, item):
    return float(user @ item)


def predict_dnn(w, settings, user, item):
    return mlp(within(w, "mlp."), np.concatenate([user, item]))


def predict_dcn(w, settings, user, item):
    first = np.concatenate([user, item])
    x = first
    for layer in range(settings["cross"]):
        x = first * float(w[f"crosses.{layer}.weight"][0] @ x) + w[f"biases.{layer}"] + x
    deep = layers(within(w, "layers."), first)
    return float(linear(w, "output", np.concatenate([x, deep]))[0])


def dice(w: Weights, x: np.ndarray) -> np.ndarray:
    p = sigmoid((x - w["running_mean"]) / np.sqrt(w["running_var"] + 1e-9))
    return p * x + (1 - p) * w["alpha"] * x


def predict_din(w, settings, user, item):
    weights = []
    for click in user:
        x = np.concatenate([item, click, item - click, item * click])
        for layer in range(len(settings["attention"])):
            x = dice(within(w, f"activations.{layer}."), linear(w, f"linears.{layer}", x))
        weights.append(linear(w, "weigh", x)[0])
    weights = np.array(weights)
    if settings["softmax"] and len(weights):
        weights = softmax(weights)
    interest = weights @ user if len(user) else np.zeros(user.shape[1])
    return mlp(within(w, "mlp."), np.concatenate([interest, item]))


ORACLES: dict[tuple[str, str], Callable[..., np.ndarray | float]] = {
    ("content", "Pooling"): content_pooling,
    ("content", "CNN"): content_cnn,
    ("content", "Attention"): attention,
    ("behavior", "Pooling"): behavior_pooling,
    ("behavior", "Additive"): behavior_additive,
    ("behavior", "Attention"): attention,
    ("behavior", "GRU"): behavior_gru,
    ("predict", "Dot"): predict_dot,
    ("predict", "DNN"): predict_dnn,
    ("predict", "DCN"): predict_dcn,
    ("predict", "DIN"): predict_din,
}
