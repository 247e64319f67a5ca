"""What a language model's operator makes of last states, in NumPy from the equations.

Letters: I items, L tokens, W width of the states, D of the result, K layers.
"""

import numpy as np


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def pool_attention(states_ILW, mask_IL, w):
    """Linear, then α = softmax(v·tanh(W x + b)) over the real tokens and Σ α x."""
    found = np.zeros((len(states_ILW), len(w["project.bias"])))
    for i, real in enumerate(mask_IL):
        if real.any():
            x = states_ILW[i][real] @ w["project.weight"].T + w["project.bias"]
            inner = np.tanh(x @ w["attend.inner.weight"].T + w["attend.inner.bias"])
            found[i] = softmax(inner @ w["attend.weigh.weight"][0]) @ x
    return found


def pool_plain(how, states_ILW, mask_IL, w):
    """The first state, the mean or the last one, then a Linear where there is one."""
    found = []
    for state, real in zip(states_ILW, mask_IL, strict=True):
        real_states = state[real]
        if not len(real_states):
            width = len(w["project.bias"]) if "project.bias" in w else states_ILW.shape[-1]
            found.append(np.zeros(width))
            continue
        x = {"cls": real_states[0], "mean": real_states.mean(0), "last": real_states[-1]}[how]
        if "project.weight" in w:
            x = x @ w["project.weight"].T + w["project.bias"]
        found.append(x)
    return np.stack(found)


def iisan(layers, mask_IL, w, *, step):
    """Gates over the masked means of layers, every `step`-th back from the last."""
    count = len(layers)
    chosen = [k for k in range(count) if (count - 1 - k) % step == 0]
    found = []
    for i, real in enumerate(mask_IL):
        if not real.any():
            found.append(np.zeros(len(w["side.end.bias"])))
            continue
        states = [layers[k][i][real].mean(0) for k in chosen]
        bring = [name for name in w if name.startswith("side.bring.")]
        if bring:
            one = len(bring) == 1
            states = [w[f"side.bring.{0 if one else k}.weight"] @ s for k, s in enumerate(states)]
        z = states[0]
        for k, state in enumerate(states[1:]):
            gate = 1 / (1 + np.exp(-w["side.gate"][k]))
            f = gate * z + (1 - gate) * state
            inner = np.maximum(w[f"side.widen.{k}.weight"] @ f + w[f"side.widen.{k}.bias"], 0)
            y = f + w[f"side.narrow.{k}.weight"] @ inner + w[f"side.narrow.{k}.bias"]
            y = (y - y.mean()) / np.sqrt(y.var() + 1e-5)
            z = y * w[f"side.norm.{k}.weight"] + w[f"side.norm.{k}.bias"]
        found.append(w["side.end.weight"] @ z + w["side.end.bias"])
    return np.stack(found)
