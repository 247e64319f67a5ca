"""The graphs of a plan: their named tensors, which follow from the types on the arrows."""

from dataclasses import dataclass
from typing import Literal

from legoc.language.declaring.types import Many, Prefix, Seq, Tokens, Vec
from legoc.language.ir.spec import Spec


# What names an attribute of users among the inputs of the user encoder.
PROFILE = "profile_"


@dataclass(frozen=True, kw_only=True)
class Port:
    """A named tensor of a graph; a dimension is a width or the name of a dynamic axis."""

    name: str
    dtype: Literal["int64", "bool", "float32"]
    dims: tuple[int | str, ...]


@dataclass(frozen=True, kw_only=True)
class Graph:
    """One exported ONNX graph."""

    name: Literal["item_encoder", "user_encoder", "predictor"]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


def token_ports(spec: Spec, layout: str, *lead: str) -> tuple[Port, ...]:
    """The inputs of an item encoder. Each attribute has its own length dimension."""
    if layout == "fields":
        ports: list[Port] = []
        for attribute in spec.data.attributes:
            dims = (*lead, f"{attribute.name}_tokens")
            ports.append(Port(name=attribute.name, dtype="int64", dims=dims))
            ports.append(Port(name=f"{attribute.name}_mask", dtype="bool", dims=dims))
        return tuple(ports)
    return (
        Port(name="tokens", dtype="int64", dims=(*lead, "tokens")),
        Port(name="tokens_mask", dtype="bool", dims=(*lead, "tokens")),
    )


def item_graph(spec: Spec, layout: str, width: int) -> Graph:
    inputs = token_ports(spec, layout, "item")
    taken, name = {port.name for port in inputs}, "vectors"
    while name in taken:
        name = f"{name}_"
    return Graph(
        name="item_encoder",
        inputs=inputs,
        outputs=(Port(name=name, dtype="float32", dims=("item", width)),),
    )


def user_dims(user: object, lead: str, state: int = 0) -> tuple[int | str, ...]:
    """The dimensions of a user tensor of the given type. state: what a prefix has of a token."""
    if isinstance(user, Prefix):
        return (lead, "tokens", state)
    if isinstance(user, Many) and isinstance(user.element, Vec):
        return (lead, int(user.count), int(user.element.width))
    if isinstance(user, Seq) and isinstance(user.element, Vec):
        return (lead, "clicks", int(user.element.width))
    if isinstance(user, Vec):
        return (lead, int(user.width))
    raise TypeError(f"{user}: not a type of users")


def user_graph(
    spec: Spec, user: object, width: int, by_user: bool, prompted: bool, state: int
) -> Graph:
    if prompted:
        # A history is one text already, prompt and all.
        inputs = token_ports(spec, "sequence", "user")
    elif "flatten" in spec.model:
        inputs = token_ports(spec, "sequence", "user", "clicks")
    else:
        inputs = (
            Port(name="clicks", dtype="float32", dims=("user", "clicks", width)),
            Port(name="clicks_mask", dtype="bool", dims=("user", "clicks")),
        )
    if by_user:
        inputs = (*inputs, Port(name="user", dtype="int64", dims=("user",)))
    return Graph(
        name="user_encoder",
        inputs=(*inputs, *profile_ports(spec)),
        outputs=(Port(name="users", dtype="float32", dims=user_dims(user, "user", state)),),
    )


def profile_ports(spec: Spec) -> tuple[Port, ...]:
    """The inputs that say what is known of a user, each as long as its attribute may be."""
    ports: list[Port] = []
    for attribute in spec.data.user:
        dims = ("user", 1 if attribute.kind == "number" else attribute.length)
        name = f"{PROFILE}{attribute.name}"
        ports.append(Port(name=name, dtype="int64", dims=dims))
        ports.append(Port(name=f"{name}_mask", dtype="bool", dims=dims))
    return tuple(ports)


def predictor_graph(user: object, width: int, context: int, state: int = 0) -> Graph:
    if isinstance(user, Seq) and isinstance(user.element, Tokens):
        return text_graph(context)
    users = [Port(name="users", dtype="float32", dims=user_dims(user, "user", state))]
    items = (Port(name="items", dtype="float32", dims=("pair", width)),)
    if isinstance(user, Prefix):
        users.append(Port(name="users_mask", dtype="bool", dims=("user", "tokens")))
        items = (
            Port(name="items", dtype="int64", dims=("pair", "ending")),
            Port(name="items_mask", dtype="bool", dims=("pair", "ending")),
        )
    if isinstance(user, Seq):
        users.append(Port(name="users_mask", dtype="bool", dims=("user", "clicks")))
    return Graph(
        name="predictor",
        inputs=(
            *users,
            *items,
            Port(name="owner", dtype="int64", dims=("pair",)),
            *context_ports(context),
        ),
        outputs=(Port(name="scores", dtype="float32", dims=("pair",)),),
    )


def text_graph(context: int) -> Graph:
    """The predictor where each pair is one text."""
    return Graph(
        name="predictor",
        inputs=(
            Port(name="tokens", dtype="int64", dims=("pair", "tokens")),
            Port(name="tokens_mask", dtype="bool", dims=("pair", "tokens")),
            *context_ports(context),
        ),
        outputs=(Port(name="scores", dtype="float32", dims=("pair",)),),
    )


def context_ports(numbers: int) -> tuple[Port, ...]:
    """What the predictor reads of the moment of a pair; nothing where the data has no context."""
    dims = ("pair", numbers)
    return (Port(name="context", dtype="float32", dims=dims),) if numbers else ()
