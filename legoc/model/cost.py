"""What a model costs, measured: parameters, floating-point operations, memory of caches.

The model is built without values and run under torch's own formulas: on the CPU, where nothing is
drawn or written to, or, a language model, on torch's meta device, where tensors have shapes alone.
The latter loads torch's compiler, which takes longer than all else here. What is counted are
multiplications of matrices and convolutions, two operations per multiply-add; elementwise work
(activations, softmax, the product of `Dot`) is not.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from legoc.data.indexing.rows import Rows
from legoc.language.ir.plan import Plan, token_ports
from legoc.language.ir.spec import Spec
from legoc.model.build import build, language_model, most_tokens
from legoc.model.recommender import Recommender
from legoc_runtime.prompting import Prompt


FLOAT = 4  # bytes
DRAWS = frozenset(
    {Tensor.normal_, Tensor.uniform_, nn.init.normal_, nn.init.uniform_, nn.init.kaiming_uniform_}
)
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
    user_tokens: of a user that is a prefix, the most tokens it has.
    """

    parameters: int
    trainable: int
    tables: tuple[Table, ...]
    item: int
    user: int
    pair: int
    item_bytes: int
    user_bytes: int
    user_tokens: int | None = None

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
    dims = user_graph.outputs[0].dims[1:] if user_graph else ()
    cost = Cost(
        parameters=parameters, trainable=trainable, tables=tuple(tables),
        item=item, user=user, pair=pair,
        item_bytes=FLOAT * plan.width,
        user_bytes=FLOAT * volume(dims) if user_graph and plan.user != "prefix" else 0,
    )  # fmt: skip
    if plan.user == "prefix" and model.prompt is not None:
        tokens = model.prompt.longest
        cost = replace(cost, user_tokens=tokens, user_bytes=FLOAT * plan.state * tokens)
    return cost.sized(rows) if rows is not None else cost


def ghost(spec: Spec, plan: Plan, rows: Rows) -> Recommender:
    """The model without values, in evaluation mode."""
    with torch.device(device_of(spec)), Undrawn():
        return build(spec, plan, rows).eval()


def device_of(spec: Spec) -> str:
    """Where the model is built."""
    return "cpu" if language_model(spec) is None else "meta"


class Undrawn(TorchFunctionMode):
    """Leaves out the draws of initial values, so that memory is reserved and not taken."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func in DRAWS:
            return args[0] if args else kwargs["tensor"]
        return func(*args, **(kwargs or {}))


def count(model: nn.Module) -> tuple[int, int]:
    """Parameters, all and trainable."""
    every = [(p.numel(), p.requires_grad) for p in model.parameters()]
    return sum(n for n, _ in every), sum(n for n, trainable in every if trainable)


def operations(model: Recommender, spec: Spec, plan: Plan) -> tuple[int, int, int]:
    """Operations of one item with all its tokens, one user with a full history, one pair."""
    if model.prompt is not None:
        return prompted_operations(model, plan, model.prompt)
    device = device_of(spec)
    clicks, mask, user = user_inputs(spec, plan, device)
    items = torch.ones(1, plan.width, device=device)
    owner = torch.zeros(1, dtype=torch.int64, device=device)
    context = torch.ones(1, plan.context, device=device) if plan.context else None
    with torch.no_grad():
        users = model.encode_users(clicks, mask, user)
        return (
            counted(lambda: model.encode_items(longest(spec, plan, device))),
            counted(lambda: model.encode_users(clicks, mask, user)),
            counted(lambda: model.score(users, items, owner, mask, context)),
        )


def prompted_operations(model: Recommender, plan: Plan, prompt: Prompt) -> tuple[int, int, int]:
    """The same of texts that a language model reads, each as long as its prompt allows. An item
    that ends a text is nothing before it is read there."""
    if plan.user == "texts":
        whole = blank(1, min(prompt.most, prompt.limit), dtype=torch.int64)
        context = blank(1, plan.context) if plan.context else None
        real = blank(*whole.shape, dtype=torch.bool)
        with torch.no_grad():
            return 0, 0, counted(lambda: model.score_whole(whole, real, context))
    text, ending = blank(1, prompt.longest, dtype=torch.int64), (1, prompt.tail)
    items, owner = blank(*ending, dtype=torch.int64), blank(1, dtype=torch.int64)
    mask, ended = blank(*text.shape, dtype=torch.bool), blank(*ending, dtype=torch.bool)
    context = blank(1, plan.context) if plan.context else None
    with torch.no_grad():
        users = model.encode_users(text, mask)
        user = counted(lambda: model.encode_users(text, mask))
        if prompt.joined:
            pair = counted(lambda: model.score(users, items, owner, mask, context, ended))
            return 0, user, pair
        item = counted(lambda: model.encode_users(items, ended))
        vectors = blank(1, plan.width)
        return item, user, counted(lambda: model.score(users, vectors, owner, None, context))


def blank(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.empty(shape, dtype=dtype, device="meta")


def user_inputs(
    spec: Spec, plan: Plan, device: str = "meta"
) -> tuple[Tensor, Tensor, Tensor | None]:
    """The inputs of one user with a full history: clicks, their mask, and the user, where one is
    read."""
    shape, width = (1, spec.data.history), (plan.width,)
    if plan.flattens:
        shape, width = (*shape, most_tokens(spec)), ()
    kind = torch.int64 if plan.flattens else torch.float32
    clicks = torch.ones(*shape, *width, dtype=kind, device=device)
    mask = torch.ones(shape, dtype=torch.bool, device=device)
    user = torch.ones(1, dtype=torch.int64, device=device) if plan.reads_user else None
    return clicks, mask, user


def longest(spec: Spec, plan: Plan, device: str = "meta") -> Mapping[str, Tensor]:
    """The inputs of one item whose attributes are as long as the spec allows."""
    if plan.layout == "id":
        return {"item": torch.ones(1, dtype=torch.int64, device=device)}
    lengths = {attribute.name: tokens(attribute) for attribute in spec.data.attributes}
    whole = most_tokens(spec)
    kinds = {"int64": torch.int64, "bool": torch.bool}
    return {
        port.name: torch.ones(
            1,
            lengths.get(port.name.removesuffix("_mask"), whole),
            dtype=kinds[port.dtype],
            device=device,
        )
        for port in token_ports(spec, plan.layout, "item")
    }


def tokens(attribute: Any) -> int:
    """The most tokens an attribute takes: a number is one bin, whatever its count of bins."""
    return 1 if attribute.kind == "number" else attribute.length


class Counter(TorchDispatchMode):
    """Adds up operations as `torch.utils.flop_counter.FlopCounterMode` does, by its formulas, and
    without what that loads of torch's compiler to keep out of its way."""

    total = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        made = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func._overloadpacket)
        if formula is not None:
            self.total += formula(*args, **(kwargs or {}), out_val=made)
        return made


def counted(run: Callable[[], object]) -> int:
    with Counter() as counter:
        run()
    return counter.total


def volume(dims: tuple[int | str, ...]) -> int:
    """How many numbers a row has; named dimensions do not occur in the caches."""
    found = 1
    for size in dims:
        found *= int(size)
    return found
