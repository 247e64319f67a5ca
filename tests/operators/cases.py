"""Operators built small, and the inputs they are tried on.

An input is a ragged list of real rows; `padded` lays it out as an operator reads it, with any
amount of padding that holds anything.
"""

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import legoc.operators
from legoc.language.declaring.declare import Attribute, Declaration
from legoc.language.ir.counted import is_asked
from legoc.operators.sizes import Sizes
from tests.operators import predict_cases


ATTRIBUTES = (
    Attribute(name="title", kind="text", length=9),
    Attribute(name="topics", kind="category", length=3),
    Attribute(name="price", kind="number", length=1),
)
# Settings beside the defaults, where an operator has more than one form.
FORMS: dict[tuple[str, str], tuple[dict[str, Any], ...]] = {
    ("content", "Null"): (
        {"file": "v.npy", "frozen": True},
        {"file": "v.npy", "hidden": 12},
    ),
    ("content", "SemanticID"): ({"dim": 5, "size": 4},),
    ("content", "Pooling"): ({"kind": "max"},),
    ("content", "CNN"): (
        {"fuse": "concat"},
        {"fuse": "tokens"},
        {"kernel": 5},
        {"kernel": 1, "dim": 7},
    ),
    ("content", "Attention"): ({"heads": 2, "dim": 5}, {"project": False}),
    ("content", "Transformer"): ({"layers": 1, "heads": 2},),
    ("content", "Fastformer"): ({"layers": 2, "heads": 4},),
    ("behavior", "Pooling"): ({"kind": "max"},),
    ("behavior", "Attention"): (
        {"heads": 4, "hidden": 12, "dim": 6},
        {"project": False},
        {"project": False, "hidden": 12},
    ),
    ("behavior", "GRU"): ({"hidden": 12},),
    ("behavior", "LSTUR"): ({"form": "con"}, {"form": "con", "hidden": 13}, {"hidden": 12}),
    ("behavior", "Transformer"): ({"layers": 1, "heads": 2, "hidden": 12},),
    ("behavior", "Fastformer"): ({"layers": 2, "heads": 4, "hidden": 12},),
    ("behavior", "SASRec"): ({"layers": 1, "heads": 1, "hidden": 12},),
    ("behavior", "PolyAttention"): ({"codes": 3, "dim": 5},),
    ("flatten", "Transformer"): ({"item_sep": False},),
    ("flatten", "Longformer"): ({"item_sep": True},),
    **predict_cases.FORMS,
}
# Kept small here: the published sizes compute the same. Heads divide both widths.
SMALL = {"units": (20, 10), "layers": 2, "codes": 4, "dim": 20, "window": 6}
# What no other case of a role has: SemanticID has no width of its own for codes, and reads a file.
OWN = {("content", "SemanticID"): {"dim": None, "file": "codes.npy", "size": 7}}
# Columns of the file an item table is read from: semantic codes, or the width of vectors.
COLUMNS = {("content", "SemanticID"): 3, ("content", "Null"): 8}
HEADS = {"Fastformer": 8}
WIDTHS = (8, 24)
SMALL_WEIGHTS = ("Transformer", "Fastformer", "Longformer")
USERS = 5


def operators() -> Iterator[type[nn.Module]]:
    """Every declared operator of a stage, found by walking the package; language models read ids
    and a folder, and have tests of their own, and so has what goes on from their states and what
    is asked over HTTP."""
    prefix = f"{legoc.operators.__name__}."
    for info in pkgutil.walk_packages(legoc.operators.__path__, prefix):
        module = importlib.import_module(info.name)
        for value in vars(module).values():
            own = isinstance(value, type) and value.__module__ == info.name
            declaration = vars(value).get("declaration") if own else None
            if declaration is None or not declaration.signature or declaration.pretrained:
                continue
            if "Prefix" not in declaration.signature and not is_asked(declaration):
                yield value


def cases() -> list[tuple[type[nn.Module], int, dict[str, Any]]]:
    """Every operator at two widths in each of its forms."""
    return [
        (operator, width, form)
        for operator in operators()
        for width in WIDTHS
        for form in ({}, *FORMS.get(key(operator), ()))
    ]


def key(operator: type[nn.Module]) -> tuple[str, str]:
    declaration: Declaration = operator.declaration
    return declaration.role, declaration.name


def name(case: Any) -> str:
    if isinstance(case, type):
        return ".".join(key(case))
    if isinstance(case, dict):
        return ",".join(f"{k}={v}" for k, v in case.items()) or "default"
    return str(case)


def settings(operator: type[nn.Module], width: int, form: dict[str, Any]) -> dict[str, Any]:
    """All parameters of an operator whose input is `width` wide, inherited ones solved."""
    found: dict[str, Any] = {}
    for p in operator.declaration.params:
        if p.name == "hidden" or p.inherit is not None:
            found[p.name] = width
        elif (key(operator)[1], p.name) in predict_cases.SMALL:
            found[p.name] = predict_cases.SMALL[key(operator)[1], p.name]
        elif p.name == "heads" and key(operator)[1] in HEADS:
            found[p.name] = HEADS[key(operator)[1]]
        elif p.name in SMALL:
            found[p.name] = SMALL[p.name]
        else:
            found[p.name] = tuple(p.default) if isinstance(p.default, list) else p.default
    return {**found, **OWN.get(key(operator), {}), **form}


def build(operator: type[nn.Module], width: int, form: dict[str, Any]) -> nn.Module:
    """The operator in evaluation mode; learned constants that start at 0 or 1 are moved off."""
    torch.manual_seed(0)
    sizes = Sizes(
        width=width, item=item_width(operator, width), attributes=ATTRIBUTES, items=11, users=USERS,
        tokens=17, tokens_each=13, clicks=9, file=COLUMNS.get(key(operator), 0),
    )  # fmt: skip
    made = operator(operator.Config(**settings(operator, width, form)), sizes)
    with torch.no_grad():
        for path, value in [*made.named_parameters(), *made.named_buffers()]:
            if not value.is_floating_point():
                continue
            if path.endswith(("alpha", "running_mean")) or path.startswith("biases"):
                value.normal_()
            elif path.endswith("users.weight"):
                value[1:].normal_()
            elif path == "cold.vector":
                value.normal_()
            elif path.endswith("bias"):
                value.add_(0.3 * torch.randn_like(value))
            elif "norm" in path:
                value.mul_(torch.rand_like(value) + 0.5)
            elif key(operator)[1] in SMALL_WEIGHTS and value.dim() == 2:
                # Fresh weights are so small that an error in them would hide below the tolerance.
                value.mul_(4.0)
            if path.endswith("running_var"):
                value.uniform_(0.5, 2)
    if key(operator) == ("content", "SemanticID"):
        codes = torch.arange(33).reshape(11, 3) % made.size
        made.fill(codes, torch.arange(11) % 5 > 0)
    return made.eval()


def reads_id(operator: type[nn.Module]) -> bool:
    return operator.declaration.signature.startswith("Id ")


def item_width(operator: type[nn.Module], width: int) -> int:
    """Candidates are as wide as the users, unless the signature lets them differ."""
    free = operator.declaration.signature == "(Vec[u], Vec[i]) -> Score"
    return width + 3 if free else width


def reads_user(operator: type[nn.Module]) -> bool:
    return ", Id)" in operator.declaration.signature


def weights(module: nn.Module) -> dict[str, np.ndarray]:
    return {k: v.detach().double().numpy() for k, v in module.state_dict().items()}


def ragged(width: int, lengths: Sequence[int], seed: int = 0) -> list[np.ndarray]:
    """One array [length, width] per row."""
    rng = np.random.default_rng([seed, width, *lengths])
    return [rng.normal(size=(length, width)).astype(np.float32) for length in lengths]


def padded(
    rows: Sequence[np.ndarray], *, more: int = 0, hold: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Rows padded on the right: values [I, L, D] and mask [I, L], L the longest (at least 1) and
    `more`; `hold` is what padding holds."""
    longest = max(1, *(len(row) for row in rows)) + more
    x = np.full((len(rows), longest, rows[0].shape[1]), hold, dtype=np.float32)
    mask = np.zeros((len(rows), longest), dtype=bool)
    for place, row in enumerate(rows):
        x[place, : len(row)] = row
        mask[place, : len(row)] = True
    return torch.from_numpy(x), torch.from_numpy(mask)


def flat_rows(width: int, clicks: int, seed: int) -> list[np.ndarray]:
    """A history of so many clicks: their tokens [L, width], some of them without any."""
    return ragged(width, [(3, 1, 4, 0, 2)[(click + seed) % 5] for click in range(clicks)], seed)


def padded_clicks(
    rows: Sequence[list[np.ndarray]], width: int, *, more: int, hold: float
) -> tuple[Tensor, Tensor]:
    """Histories as [B, S, L, D] and Bool[B, S, L], padded along clicks and along tokens."""
    clicks = max(1, *(len(row) for row in rows)) + more
    longest = max([1, *(len(x) for row in rows for x in row)]) + more
    x = np.full((len(rows), clicks, longest, width), hold, dtype=np.float32)
    mask = np.zeros(x.shape[:3], dtype=bool)
    for b, row in enumerate(rows):
        for s, tokens in enumerate(row):
            x[b, s, : len(tokens)] = tokens
            mask[b, s, : len(tokens)] = True
    return torch.from_numpy(x), torch.from_numpy(mask)


# Full, single, empty and middling rows; then one row alone of each kind that can go wrong.
LENGTHS = ((9, 1, 0, 4), (1,), (0,), (5,), (0, 0))


def inputs(operator: type[nn.Module], width: int, lengths: Sequence[int], seed: int = 0) -> Any:
    """Ragged inputs of an operator: what `lay` takes and its oracle reads row by row."""
    given = draw(operator, width, lengths, seed)
    if is_counted(operator):
        # Numbers of items or of tokens, few enough that some are equal.
        users, items = given
        return [np.floor(np.abs(2 * x)) for x in users], np.floor(np.abs(2 * items))
    return given


def is_counted(operator: type[nn.Module]) -> bool:
    """Whether it is counted and stands alone."""
    return "counts" in operator.declaration.facts


def draw(operator: type[nn.Module], width: int, lengths: Sequence[int], seed: int) -> Any:
    """Such inputs from a normal distribution."""
    role = key(operator)[0]
    if reads_id(operator):
        return np.arange(len(lengths)) % 11
    if role == "flatten":
        rows = [flat_rows(width, length, seed + place) for place, length in enumerate(lengths)]
        return width, rows
    if operator.declaration.layout == "fields":
        # The second and third attribute are short, and empty at other rows than the first.
        short = [min(length, 3) for length in reversed(lengths)]
        single = [int(length != 1) * min(length, 1) for length in lengths]
        return [ragged(width, given, seed + a) for a, given in enumerate((lengths, short, single))]
    if reads_user(operator):
        # The last row's user is unknown.
        return ragged(width, lengths, seed), np.arange(len(lengths))[::-1].copy() % USERS
    if role in ("content", "behavior"):
        return ragged(width, lengths, seed)
    items = np.concatenate(ragged(item_width(operator, width), [1] * len(lengths), seed + 9))
    if operator.declaration.signature.startswith("(Seq"):
        return ragged(width, lengths, seed), items
    if operator.declaration.signature.startswith("(Many"):
        return np.stack(ragged(width, [4] * len(lengths), seed)), items
    return np.concatenate(ragged(width, [1] * len(lengths), seed)), items


def lay(operator: type[nn.Module], given: Any, *, more: int = 0, hold: float = 0.0) -> list[Any]:
    """The arguments of `forward` for ragged inputs."""
    role = key(operator)[0]
    if reads_id(operator):
        return [torch.from_numpy(given)]
    if role == "flatten":
        width, rows = given
        return list(padded_clicks(rows, width, more=more, hold=hold))
    if operator.declaration.layout == "fields":
        laid = [padded(rows, more=more + a, hold=hold) for a, rows in enumerate(given)]
        return [[x for x, _ in laid], [mask for _, mask in laid]]
    if reads_user(operator):
        return [*padded(given[0], more=more, hold=hold), torch.from_numpy(given[1])]
    if role in ("content", "behavior"):
        return list(padded(given, more=more, hold=hold))
    users, items = given
    if isinstance(users, list):
        return [*padded(users, more=more, hold=hold), torch.from_numpy(items)]
    return [torch.from_numpy(users), torch.from_numpy(items)]
