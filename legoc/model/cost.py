"""What a model costs, measured: parameters, floating-point operations, memory of caches.

The model is built on torch's meta device, where tensors have shapes and no values, and run under
torch's own counter. That counts multiplications of matrices and convolutions, two operations per
multiply-add; elementwise work (activations, softmax, the product of `Dot`) is not counted.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from legoc.data.indexing.rows import Rows
from legoc.language.ir.plan import Plan, token_ports
from legoc.language.ir.spec import Spec
from legoc.model.build import build, most_tokens
from legoc.model.recommender import Recommender


FLOAT = 4  # bytes
PROBE = Rows(items=2, users=2, tokens=4)


@dataclass(frozen=True, kw_only=True)
class Table:
    """Parameters that grow with a table. `rows` is None until the data is prepared."""

    name: str
    per_row: int
    trainable_per_row: int
    rows: int | None = None

    @property
    def parameters(self) -> int | None:
        return None if self.rows is None else self.per_row * self.rows


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Figures of one model. What depends on the rows of a table is given per row in `tables`.

    parameters, trainable: without the tables. item, user, pair: floating-point operations of
    encoding one item with all its tokens, one user with a full history, and scoring one pair.
    item_bytes, user_bytes: memory of one row of the item and the user cache (0: there is none).
    """

    parameters: int
    trainable: int
    tables: tuple[Table, ...]
    item: int
    user: int
    pair: int
    item_bytes: int
    user_bytes: int

    def sized(self, rows: Rows) -> "Cost":
        """The same with the rows of the tables filled in."""
        known = {"items": rows.items, "users": rows.users, "tokens": rows.tokens}
        return replace(self, tables=tuple(replace(t, rows=known[t.name]) for t in self.tables))

    @property
    def total(self) -> int | None:
        """All parameters, or None while the rows of a table are unknown."""
        return add(self.parameters, *(t.parameters for t in self.tables))

    @property
    def total_trainable(self) -> int | None:
        """All trainable parameters, or None while the rows of a table are unknown."""
        rows = (None if t.rows is None else t.trainable_per_row * t.rows for t in self.tables)
        return add(self.trainable, *rows)

    def saving(self, *, items: int, users: int, pairs: int, clicks: int) -> float:
        """How many times fewer operations a cached evaluation needs on this many distinct items,
        distinct histories and pairs, of `clicks` clicks per history on average, than one that
        encodes the candidate and the whole history for every pair."""
        cached = items * self.item + users * self.user + pairs * self.pair
        uncached = pairs * ((1 + clicks) * self.item + self.user + self.pair)
        return uncached / cached if cached else 1.0

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "total": self.total, "total_trainable": self.total_trainable}


def add(*counts: int | None) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def measure(spec: Spec, plan: Plan, rows: Rows | None = None) -> Cost:
    """The cost of a spec; `rows` sizes the tables when the data is known."""
    model = ghost(spec, plan, PROBE)
    parameters, trainable = count(model)
    tables: list[Table] = []
    for name in ("items", "users", "tokens"):
        size = getattr(PROBE, name)
        more, more_trainable = count(ghost(spec, plan, replace(PROBE, **{name: size + 1})))
        per_row, trainable_per_row = more - count(model)[0], more_trainable - count(model)[1]
        if per_row:
            tables.append(Table(name=name, per_row=per_row, trainable_per_row=trainable_per_row))
        parameters -= per_row * size
        trainable -= trainable_per_row * size
    item, user, pair = operations(model, spec, plan)
    user_graph = plan.graph("user_encoder")
    cost = Cost(
        parameters=parameters, trainable=trainable, tables=tuple(tables),
        item=item, user=user, pair=pair,
        item_bytes=FLOAT * plan.width,
        user_bytes=FLOAT * volume(user_graph.outputs[0].dims[1:]) if user_graph else 0,
    )  # fmt: skip
    return cost.sized(rows) if rows is not None else cost


def ghost(spec: Spec, plan: Plan, rows: Rows) -> Recommender:
    """The model without values, in evaluation mode."""
    with torch.device("meta"):
        return build(spec, plan, rows).eval()


def count(model: nn.Module) -> tuple[int, int]:
    """Parameters, all and trainable."""
    every = [(p.numel(), p.requires_grad) for p in model.parameters()]
    return sum(n for n, _ in every), sum(n for n, trainable in every if trainable)


def operations(model: Recommender, spec: Spec, plan: Plan) -> tuple[int, int, int]:
    """Operations of one item with all its tokens, one user with a full history, one pair."""
    clicks, mask, user = user_inputs(spec, plan)
    items, owner = blank(1, plan.width), blank(1, dtype=torch.int64)
    context = blank(1, plan.context) if plan.context else None
    with torch.no_grad():
        users = model.encode_users(clicks, mask, user)
        return (
            counted(lambda: model.encode_items(longest(spec, plan))),
            counted(lambda: model.encode_users(clicks, mask, user)),
            counted(lambda: model.score(users, items, owner, mask, context)),
        )


def user_inputs(spec: Spec, plan: Plan) -> tuple[Tensor, Tensor, Tensor | None]:
    """The inputs of one user with a full history: clicks, their mask, and the user, where one is
    read."""
    history = spec.data.history
    clicks, mask = blank(1, history, plan.width), blank(1, history, dtype=torch.bool)
    if plan.flattens:
        each = history, most_tokens(spec)
        clicks, mask = blank(1, *each, dtype=torch.int64), blank(1, *each, dtype=torch.bool)
    return clicks, mask, blank(1, dtype=torch.int64) if plan.reads_user else None


def longest(spec: Spec, plan: Plan) -> Mapping[str, Tensor]:
    """The inputs of one item whose attributes are as long as the spec allows."""
    if plan.layout == "id":
        return {"item": blank(1, dtype=torch.int64)}
    lengths = {attribute.name: tokens(attribute) for attribute in spec.data.attributes}
    whole = most_tokens(spec)
    kinds = {"int64": torch.int64, "bool": torch.bool}
    return {
        port.name: blank(
            1, lengths.get(port.name.removesuffix("_mask"), whole), dtype=kinds[port.dtype]
        )
        for port in token_ports(spec, plan.layout, "item")
    }


def tokens(attribute: Any) -> int:
    """The most tokens an attribute takes: a number is one bin, whatever its count of bins."""
    return 1 if attribute.kind == "number" else attribute.length


def counted(run: Callable[[], object]) -> int:
    counter = FlopCounterMode(display=False)
    with counter:
        run()
    return counter.get_total_flops()


def blank(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.empty(shape, dtype=dtype, device="meta")


def volume(dims: tuple[int | str, ...]) -> int:
    """How many numbers a row has; named dimensions do not occur in the caches."""
    found = 1
    for size in dims:
        found *= int(size)
    return found
