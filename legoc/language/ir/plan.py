"""Binding time: from the types alone, what is cached, frozen and exported (DESIGN section 4).

Each stage is bound to the item, the user or the pair. No operator says what can be cached; its
signature does.
"""

from dataclasses import dataclass
from typing import Literal

from legoc.language.declaring.catalog import Catalog, catalog
from legoc.language.declaring.declare import Declaration
from legoc.language.declaring.kinds import Role
from legoc.language.declaring.types import (
    Many,
    Prefix,
    Seq,
    Tokens,
    Tuple,
    Vec,
    parse_signature,
    parse_type,
)
from legoc.language.ir.asking_forms import why_whole
from legoc.language.ir.caches import Cache, infer_caches
from legoc.language.ir.checkpoints import has_prefix, state_width
from legoc.language.ir.counted import is_asked
from legoc.language.ir.graphs import (
    PROFILE,
    Graph,
    Port,
    item_graph,
    predictor_graph,
    token_ports,
    user_graph,
)
from legoc.language.ir.spec import Spec, encoder_role, is_alone


# What a reader of plans needs is found here.
__all__ = ["PROFILE", "Cache", "Graph", "Plan", "Port", "Stage", "plan", "reads_ids", "token_ports"]

Binding = Literal["item", "user", "pair"]
Layout = Literal["id", "fields", "sequence", "states"]
Form = Literal["vector", "many", "clicks", "prefix", "texts"]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage of the pipeline: the type of what it makes, what that is bound to, and whether it
    starts with a frozen prefix."""

    role: Role
    op: str
    type: str
    binding: Binding
    frozen: bool


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the types of a spec imply.

    layout: what the item encoder reads in training. `user`: the form of a user: one vector, many
    vectors, the clicks themselves (then the predictor is target-aware and there is no user graph),
    the prefix of a text that a candidate ends, or the texts of the clicks, of which and of the
    candidate each pair makes one text anew (in both an item is its tokens, without a width).
    `reads_user`: the user encoder reads the user, or attributes of the user, as well as the clicks.
    `context`: how many numbers of its moment the predictor reads of a pair. `prompted`: what reads
    the clicks is a language model, which reads a whole history as one text. `state`: how many
    numbers it keeps of a token; 0 where its files are not on this machine.
    """

    stages: tuple[Stage, ...]
    layout: Layout
    graphs: tuple[Graph, ...]
    caches: tuple[Cache, ...]
    width: int
    user: Form
    reads_user: bool
    context: int = 0
    prompted: bool = False
    state: int = 0
    notes: tuple[str, ...] = ()

    @property
    def flattens(self) -> bool:
        """Whether the user encoder reads the tokens of the clicks and not their vectors."""
        return any(stage.role == "flatten" for stage in self.stages)

    @property
    def reads_tokens(self) -> bool:
        """Whether some stage reads what items say."""
        return self.layout != "id" or self.flattens

    @property
    def item_encoder(self) -> Graph | None:
        """The graph that encodes items; None where they are rows of a table. Without a content
        stage that is the user encoder, which reads an item as a history of one click, unless it
        reads of the user as well, whom an item does not have."""
        found = self.graph("item_encoder")
        if self.user in ("prefix", "texts"):
            return None
        return self.graph("user_encoder") if found is None and self.layout != "id" else found

    def graph(self, name: str) -> Graph | None:
        return next((g for g in self.graphs if g.name == name), None)


def plan(spec: Spec, *, known: Catalog | None = None) -> Plan:
    """The plan of a checked spec; `known` are other declarations than those that ship."""
    declarations = find_declarations(spec, known if known is not None else catalog())
    if is_alone(spec) and is_asked(declarations["predict"]):
        return plan_asked(spec)
    item, user = parse_type(spec.types.item), parse_type(spec.types.user)
    if not isinstance(item, Vec | Tokens):
        raise TypeError(f"item type {spec.types.item} has no width")
    width = int(item.width) if isinstance(item, Vec) else 0
    form = form_of(user)
    by_user = any(
        reads_ids(declaration)
        for role, declaration in declarations.items()
        if role in ("behavior", "flatten")
    )
    reads_user = by_user or bool(spec.data.user)
    first = encoder_role(spec.model)
    encoder = declarations[first]
    layout = infer_layout(encoder)
    frozen = has_prefix(encoder, spec.model[first])
    prompted = first == "flatten" and encoder.pretrained
    state = (state_width(spec.model[first].args) or 0) if form == "prefix" else 0
    graphs = tuple(
        g
        for g in (
            item_graph(spec, layout, width)
            if layout != "id" and (first != "flatten" or (reads_user and not prompted))
            else None,
            user_graph(spec, user, width, by_user, prompted, state)
            if form not in ("clicks", "texts")
            else None,
            predictor_graph(user, width, len(spec.data.context), state),
        )
        if g is not None
    )
    return Plan(
        stages=infer_stages(spec, form, frozen),
        layout="states" if frozen else layout,
        graphs=graphs,
        caches=infer_caches(spec, user, width, form, layout, frozen, reads_user, state),
        width=width,
        user=form,
        reads_user=reads_user,
        context=len(spec.data.context),
        notes=infer_notes(spec, form, layout),
        prompted=prompted,
        state=state,
    )


def plan_asked(spec: Spec) -> Plan:
    """What is behind an interface: no graph, and items are what they say."""
    return Plan(
        stages=infer_stages(spec, "clicks", frozen=False),
        layout="id", graphs=(), caches=(), width=0, user="clicks", reads_user=False, context=0,
        notes=(f"`predict {spec.model['predict'].op}` is asked over HTTP about each pair",),
        prompted=False, state=0,
    )  # fmt: skip


def form_of(user: object) -> Form:
    """The form of a user of a type."""
    match user:
        case Prefix():
            return "prefix"
        case Seq(element=Tokens()):
            return "texts"
        case Seq():
            return "clicks"
        case Many():
            return "many"
        case _:
            return "vector"


def find_declarations(spec: Spec, known: Catalog) -> dict[Role, Declaration]:
    """The declaration of each stage. LookupError for one that the catalogue lacks."""
    found: dict[Role, Declaration] = {}
    for role, call in spec.model.items():
        declaration = known.get(role, call.op)
        if declaration is None:
            raise LookupError(f"no {role} operator {call.op!r} is declared")
        found[role] = declaration
    return found


def infer_layout(encoder: Declaration) -> Layout:
    """What an item encoder reads: nothing but the item's place, its attributes apart, or one
    sequence."""
    if encoder.role == "predict":
        return "fields" if "reads" in encoder.facts else "id"
    signature = parse_signature(encoder.signature or "")
    if str(signature.input) == "Id":
        return "id"
    return "fields" if encoder.layout == "fields" else "sequence"


def reads_ids(declaration: Declaration) -> bool:
    """Whether an operator's input holds an `Id` beside the clicks."""
    given = parse_signature(declaration.signature or "").input
    return isinstance(given, Tuple) and any(str(part) == "Id" for part in given.parts)


def infer_stages(spec: Spec, form: str, frozen: bool) -> tuple[Stage, ...]:
    stages: list[Stage] = []
    for role, call in spec.model.items():
        binding: Binding = "item" if role == "content" else "pair" if role == "predict" else "user"
        made = {"content": spec.types.item, "predict": "Score"}.get(role, spec.types.user)
        if form == "texts" and role == "flatten":
            binding = "pair"
        stages.append(
            Stage(
                role=role, op=call.op, type=made, binding=binding,
                frozen=frozen and role in ("content", "flatten"),
            )
        )  # fmt: skip
    return tuple(stages)


def infer_notes(spec: Spec, form: str, layout: Layout) -> tuple[str, ...]:
    """What a reader of the plan should know about its consequences."""
    notes: list[str] = []
    if spec.data.context:
        notes.append(
            "`context` belongs to a pair and its moment, so the matrices of items and users stay "
            "as they are"
        )
    if is_alone(spec):
        notes.append(
            f"`predict {spec.model['predict'].op}` is counted on the training part; nothing trains"
        )
    elif form == "texts":
        args = spec.model["flatten"].args
        notes.append(
            f"each pair is read whole: {why_whole(args) or 'its text is its own'}; nothing is kept "
            "of a history, and its candidates cost as much as so many histories"
        )
    elif form == "clicks":
        notes.append(
            f"`predict {spec.model['predict'].op}` reads the candidate together with the clicks, "
            "so there is no user matrix: each pair gathers its clicks from the item matrix"
        )
    if layout == "id":
        notes.append(
            "items are rows of a table: there is no item graph, and new items are refused "
            "because a table has no row for them"
        )
    return tuple(notes)
