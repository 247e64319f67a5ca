"""The values the front end yields: a `Spec` is one point, typed, sugar-free, with every default.

Only the standard library is imported. Arrays, modules and files know nothing of these classes;
they know nothing of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from legoc.language.declaring.declare import Attribute
from legoc.language.declaring.kinds import Role
from legoc.language.diagnosing.document import Span


Value: TypeAlias = "bool | int | float | str | Call | tuple[Value, ...] | None"


@dataclass(frozen=True, kw_only=True)
class Call:
    """An operator with all its settings."""

    op: str
    args: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __getitem__(self, name: str) -> Any:
        return self.args[name]


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """Literal text between attributes, read by language models."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Data:
    """Where items and clicks come from and how an item is read."""

    source: Call
    content: tuple[Attribute | Prompt, ...]
    history: int
    split: Call
    group: Literal["impression", "user"]
    tokenizer: Call | None = None
    vectors: str | None = None
    augment: tuple[str, ...] = ()
    user: tuple[Attribute, ...] = ()
    context: tuple[Call, ...] = ()

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        return tuple(part for part in self.content if isinstance(part, Attribute))


@dataclass(frozen=True, kw_only=True)
class Train:
    """The recipe. Field meanings and defaults are those of LANGUAGE section 2; shares are numbers
    from 0 to 1, `limit` is in seconds."""

    task: Call
    epochs: int
    batch: int
    lr: float
    patience: int
    seed: int
    metrics: tuple[Call, ...]
    monitor: Call
    lr_pretrained: float | None = None
    optimizer: str = "adam"
    weight_decay: float = 0.0
    schedule: str = "constant"
    accumulate: int = 1
    clip: float | None = None
    warmup: float = 0.0
    average: int = 1
    min_updates: int = 0
    word_dropout: float = 0.0
    samples: int | None = None
    limit: float | None = None
    calibrate: bool = False
    candidates: Literal["shown", "all"] = "shown"


@dataclass(frozen=True, kw_only=True)
class Export:
    """Settings of what is written; `budget` in bytes, `keep` attributes of items. `cold`: what
    users are answered of whom nothing is known, None for the model's own answer where it has one,
    else popularity. tolerate: a metric with an argument more, the `loss` that smaller graphs may
    cost: `Call(op="NDCG", args={"k": 10, "loss": 0.001})`."""

    opset: int = 20
    precision: Literal["fp32", "fp16", "int8"] = "fp32"
    budget: int | None = None
    parity: float = 1e-4
    keep: tuple[str, ...] = ()
    cold: Literal["model", "popularity", "mean", "error"] | None = None
    tolerate: Call | None = None


@dataclass(frozen=True, kw_only=True)
class Types:
    """The types on the arrows, in the notation of the language: `Vec[256]`, `Many[32, Vec[256]]`,
    `Seq[Vec[64]]`."""

    item: str
    user: str


@dataclass(frozen=True, kw_only=True)
class Keys:
    """Digests of definitions (LANGUAGE section 7), SHA-256 in hex; `prefix` is empty without a
    frozen prefix, any of them where a file it covers is missing."""

    item: str
    user: str
    prefix: str
    spec: str


@dataclass(frozen=True, kw_only=True)
class Search:
    """What a search is to choose of a point, under the name of its axis, written as `text`. A range
    has its ends, in base units, and the places `at` which the spec holds some value of it; of a set
    the spec holds one option."""

    text: str
    low: int | float | None = None
    high: int | float | None = None
    log: bool = False
    at: tuple[str, ...] = ()
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, kw_only=True)
class Spec:
    """One point: a model on data with a recipe. `search`: what is still to be chosen, by axis; a
    spec with any is no model yet. `origin` maps IR paths ("model.content.hidden") to
    places in the source and is not hashed; `folder` is what relative paths are relative to."""

    name: str
    model: Mapping[Role, Call]
    data: Data
    train: Train | None
    export: Export
    types: Types
    keys: Keys
    search: Mapping[str, Search] = field(default_factory=dict[str, Search], compare=False)
    source_text: str = field(default="", compare=False)
    origin: Mapping[str, Span] = field(default_factory=dict[str, Span], compare=False)


def encoder_role(model: Mapping[Role, Call]) -> Role:
    """The stage that encodes the items: a predictor that stands alone does it itself."""
    if "content" in model:
        return "content"
    return "flatten" if "flatten" in model else "predict"


def is_alone(spec: Spec) -> bool:
    """Whether the model of a spec is one predictor, which is counted."""
    return list(spec.model) == ["predict"]
