"""The predictors a second time, in NumPy and double precision, one pair at a time.

Written from the equations of the reference, field by field and expert by expert where the operators
stack and broadcast. `w` maps parameter names to arrays.
"""

import itertools
from collections.abc import Callable

import numpy as np

from tests.operators.counted_oracles import COUNTED
from tests.operators.oracles import (
    Weights,
    gelu,
    linear,
    norm,
    relu,
    self_attention,
    sigmoid,
    softmax,
    within,
)


# Predict: (weights, settings, user, item [D]) -> number; the user is [D], or real clicks [S, D]


def layers(w: Weights, x: np.ndarray, *, act=relu, more=0.0) -> np.ndarray:
    """A perceptron without its end; `more` is added to what the first layer weighs."""
    depth = 0
    while f"linears.{depth}.weight" in w:
        x = act(normalised(w, f"norms.{depth}", linear(w, f"linears.{depth}", x) + more))
        depth, more = depth + 1, 0.0
    return x


def normalised(w: Weights, name: str, x: np.ndarray) -> np.ndarray:
    """By the running statistics of a batch normalisation, where there is one."""
    if f"{name}.running_mean" not in w:
        return x
    scaled = (x - w[f"{name}.running_mean"]) / np.sqrt(w[f"{name}.running_var"] + 1e-5)
    return scaled * w[f"{name}.weight"] + w[f"{name}.bias"]


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


def predict_cosine(w, settings, user, item):
    cosine = user @ item / max(np.linalg.norm(user) * np.linalg.norm(item), 1e-8)
    return float(cosine / (settings["temperature"] or 1.0))


def joined(w: Weights, first: np.ndarray, crossed: np.ndarray, structure: str) -> float:
    """The three structures of DCNv2 over x_0 and x_L."""
    above, beside = within(w, "above."), within(w, "beside.")
    parts = {
        "stacked": lambda: [layers(above, crossed)],
        "parallel": lambda: [crossed, layers(beside, first)],
        "stacked_parallel": lambda: [layers(above, crossed), layers(beside, first)],
    }[structure]()
    return float(linear(w, "output", np.concatenate(parts))[0])


def predict_dcnv2(w, settings, user, item):
    w = within(w, "join.")
    first = np.concatenate([user, item])
    x = first
    for layer in range(settings["cross"]):
        x = first * linear(w, f"cross.crosses.{layer}", x) + x
    return joined(w, first, x, settings["structure"])


def predict_dcnmix(w, settings, user, item):
    w = within(w, "join.")
    first = np.concatenate([user, item])
    x, experts = first, settings["experts"]
    for layer in range(settings["cross"]):
        own = within(w, f"cross.layers.{layer}.")
        gates = softmax(linear(w, "cross.gate", x)) if experts > 1 else [1.0]
        total = x.copy()
        for k in range(experts):
            narrow, inner, widen = (own[name][k].T for name in ("narrow", "inner", "widen"))
            made = widen @ np.tanh(inner @ np.tanh(narrow @ x)) + own["bias"]
            total += gates[k] * first * made
        x = total
    return joined(w, first, x, settings["structure"])


def predict_gdcn(w, settings, user, item):
    w = within(w, "join.")
    first = np.concatenate([user, item])
    x = first
    for layer in range(settings["cross"]):
        gate = sigmoid(w[f"cross.gates.{layer}.weight"] @ x)
        x = first * linear(w, f"cross.crosses.{layer}", x) * gate + x
    return joined(w, first, x, settings["structure"])


def predict_deepfm(w, settings, user, item):
    x = np.concatenate([user, item])
    return float(linear(w, "linear", x)[0]) + float(user @ item) + mlp(within(w, "mlp."), x)


def predict_xdeepfm(w, settings, user, item):
    x = np.concatenate([user, item])
    score = float(linear(w, "linear", x)[0]) + mlp(within(w, "mlp."), x)
    if settings["cin"]:
        score += float(linear(w, "weigh", cin(within(w, "cin."), np.array([user, item])))[0])
    return score


def cin(w: Weights, fields: np.ndarray) -> np.ndarray:
    """Fields [F, D] -> the sums over D of every map of every layer."""
    maps, sums, depth = fields, [], 0
    while f"layers.{depth}.weight" in w:
        weight, bias = w[f"layers.{depth}.weight"], w[f"layers.{depth}.bias"]
        made = np.zeros((len(weight), fields.shape[1]))
        for h in range(len(weight)):
            made[h] = bias[h]
            for i, j in itertools.product(range(len(maps)), range(len(fields))):
                made[h] += weight[h, j * len(maps) + i] * maps[i] * fields[j]
        maps = made
        sums.append(maps.sum(1))
        depth += 1
    return np.concatenate(sums)


def predict_pnn(w, settings, user, item):
    x = np.concatenate([user, item])
    if settings["form"] != "inner":
        end = (w["mlp.output.weight"], w["mlp.output.bias"])
        if settings["form"] == "factorised":
            more = np.array([
                sum(a * b * float(e @ f) for a, e in zip(theta, (user, item), strict=True)
                    for b, f in zip(theta, (user, item), strict=True))
                for theta in w["products.theta"]
            ])  # fmt: skip
        else:
            whole = user + item
            matrices = w["products.weigh.weight"].reshape(-1, len(user), len(user))
            more = np.array([whole @ matrix @ whole for matrix in matrices])
        if not settings["units"]:
            return float((end[0] @ x + end[1] + more)[0])
        return float((end[0] @ layers(within(w, "mlp.layers."), x, more=more) + end[1])[0])
    return mlp(within(w, "mlp."), np.concatenate([user, item, [user @ item]]))


def predict_autoint(w, settings, user, item):
    fields = np.array([user, item])
    x = fields * np.sqrt(len(user))
    for layer in range(settings["layers"]):
        own = within(w, f"layers.{layer}.")
        x = interacting(own, x, settings["heads"], scale=settings["scale"])
    score = float(linear(w, "output", x.flatten())[0])
    return score + (mlp(within(w, "mlp."), fields.flatten()) if settings["units"] else 0.0)


def interacting(w: Weights, x: np.ndarray, heads: int, *, scale: bool) -> np.ndarray:
    """Fields [F, D] -> [F, made]."""
    query, key, value = (x @ w[f"{name}.weight"].T for name in ("query", "key", "value"))
    size = query.shape[1] // heads
    made = []
    for h in range(heads):
        part = slice(h * size, (h + 1) * size)
        scores = query[:, part] @ key[:, part].T
        made.append(softmax(scores / np.sqrt(size) if scale else scores) @ value[:, part])
    return relu(np.concatenate(made, 1) + x @ w["keep.weight"].T)


def predict_fibinet(w, settings, user, item):
    fields = np.array([user, item])
    matrices = w["products.weight"]
    weighed = excitation(within(w, "weigh."), fields)
    products = [(e[0] @ matrices[0]) * e[1] for e in (fields, weighed)]
    x = fields.flatten()
    return mlp(within(w, "mlp."), np.concatenate(products)) + float(linear(w, "linear", x)[0])


def excitation(w: Weights, fields: np.ndarray) -> np.ndarray:
    """Fields [F, D] -> [F, D]."""
    weights = relu(w["excite.weight"] @ relu(w["squeeze.weight"] @ fields.mean(1)))
    return np.array([a * e for a, e in zip(weights, fields, strict=True)])


def predict_masknet(w, settings, user, item):
    raw = np.concatenate([user, item])
    start = np.concatenate([norm(w, "norms.0", user), norm(w, "norms.1", item)])
    count = 3 if settings["blocks"] is None else len(settings["blocks"])
    x, outputs = start, []
    for block in range(count):
        own = within(w, f"blocks.{block}.")
        mask = linear(own, "mask", relu(linear(own, "inner", raw)))
        given = x if settings["structure"] == "serial" else start
        x = relu(norm(own, "norm", own["linear.weight"] @ (mask * given)))
        outputs.append(x)
    if settings["structure"] == "parallel" and outputs:
        x = np.concatenate(outputs)
    return mlp(within(w, "mlp."), x)


def predict_finalmlp(w, settings, user, item):
    x = np.concatenate([user, item])
    outputs = []
    for stream, field in enumerate((user, item)):
        gate = within(w, f"gates.{stream}.")
        context = field if settings["context"] == "fields" else gate["context"][0]
        made = linear(gate, "output", layers(within(gate, "layers."), context))
        outputs.append(layers(within(w, f"streams.{stream}."), x * 2 * sigmoid(made)))
    w = within(w, "join.")
    score = linear(w, "one", outputs[0])[0] + linear(w, "other", outputs[1])[0]
    heads = [np.split(o, settings["heads"]) for o in outputs]
    for matrix, one, other in zip(w["weight"], *heads, strict=True):
        score += one @ matrix @ other
    return float(score)


def leaky(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, 0.01 * x)


def predict_bst(w, settings, user, item):
    item = item * np.sqrt(len(item))
    sequence = np.concatenate([user * np.sqrt(len(item)), item[None]])
    # Counted back from the candidate, which stands last.
    x = sequence + w["positions.table.weight"][: len(sequence)][::-1]
    for layer in range(settings["layers"]):
        own = within(w, f"blocks.{layer}.")
        attended = self_attention(within(own, "attend."), x, settings["heads"])
        x = norm(own, "norms.0", x + attended)
        x = norm(own, "norms.1", x + linear(own, "narrow", leaky(linear(own, "widen", x))))
    x = np.concatenate([x[-1] if settings["pool"] == "candidate" else x.mean(0), item])
    x = layers(within(w, "mlp.layers."), x, act=leaky)
    return float(linear(w, "mlp.output", x)[0])


def predict_miner(w, settings, user, item):
    scores = np.array([vector @ item for vector in user])
    if settings["score"] != "weighted":
        return float(scores.max() if settings["score"] == "max" else scores.mean())
    weights = softmax(np.array([gelu(w["turn.weight"] @ vector) @ item for vector in user]))
    return float(weights @ scores)


PREDICT: dict[tuple[str, str], Callable[..., float]] = {
    ("predict", "Dot"): predict_dot,
    ("predict", "Cosine"): predict_cosine,
    ("predict", "DNN"): predict_dnn,
    ("predict", "DCN"): predict_dcn,
    ("predict", "DCNv2"): predict_dcnv2,
    ("predict", "DCNMix"): predict_dcnmix,
    ("predict", "GDCN"): predict_gdcn,
    ("predict", "DeepFM"): predict_deepfm,
    ("predict", "xDeepFM"): predict_xdeepfm,
    ("predict", "PNN"): predict_pnn,
    ("predict", "AutoInt"): predict_autoint,
    ("predict", "FiBiNET"): predict_fibinet,
    ("predict", "MaskNet"): predict_masknet,
    ("predict", "FinalMLP"): predict_finalmlp,
    ("predict", "DIN"): predict_din,
    ("predict", "BST"): predict_bst,
    ("predict", "MINER"): predict_miner,
    **COUNTED,
}
