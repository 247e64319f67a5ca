"""The manifest of a bundle: what it must say, as values."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from legoc_runtime.errors import BundleError
from legoc_runtime.moments import Unit
from legoc_runtime.prompting import Prompt
from legoc_runtime.schema import SchemaError, manifest_schema, verify
from legoc_runtime.strict_json import AGAIN, read_object


FORMAT = "legoc-bundle"
MAJOR = 1


@dataclass(frozen=True, kw_only=True)
class Port:
    """A named tensor of a graph; a dimension is a width or the name of a dynamic axis."""

    name: str
    dtype: str
    dims: tuple[int | str, ...]


@dataclass(frozen=True, kw_only=True)
class Graph:
    """One ONNX graph of the bundle."""

    name: str
    file: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the item encoder reads, the form of a user, whether the user encoder reads the user,
    the width of an item vector."""

    layout: str
    user: Literal["vector", "many", "clicks", "prefix", "texts"]
    reads_user: bool
    width: int

    @property
    def keeps_clicks(self) -> bool:
        """Whether a user is the rows of his clicks: the predictor reads them with each
        candidate."""
        return self.user in ("clicks", "texts")


@dataclass(frozen=True, kw_only=True)
class Number:
    """A number of the moment: clicks that weigh 1 / e after `span` seconds (infinite: all alike),
    the share of showings that were clicked, or the hours since an item appeared.

    neutral: the value that says nothing. overall, weight: of a share, the one of all items, and as
    how many showings it counts.
    """

    name: str
    kind: Literal["popularity", "age", "share"]
    span: float
    neutral: float
    overall: float | None = None
    weight: float | None = None


@dataclass(frozen=True, kw_only=True)
class Context:
    """The numbers a predictor reads of a pair's moment, in the order of its input, and the file of
    the counters at the end of the data; None where a bundle goes without. unit: of the moments of
    a log that counts from a beginning of its own; None where they are those of the calendar."""

    numbers: tuple[Number, ...]
    file: str | None
    unit: Unit | None = None


@dataclass(frozen=True, kw_only=True)
class Kept:
    """The file of the attributes that are kept at serving, and of each its name, its kind and how
    its values are written, as in a reading."""

    file: str
    columns: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, kw_only=True)
class Profile:
    """How attributes of users become ids, and the file of what is known of those by their rows."""

    file: str
    reading: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Index:
    """The file of an index for approximate search, the SHA-256 of the items it was made of, and how
    many candidates a search keeps."""

    file: str
    items: str
    effort: int


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Size and SHA-256 of a file."""

    bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """score / temperature + bias, the last thing that the predictor computes."""

    temperature: float
    bias: float


ColdAnswer = Literal["model", "popularity", "mean", "error"]


@dataclass(frozen=True, kw_only=True)
class Cold:
    """What a user of whom nothing is known is answered, and the file that has what this takes."""

    answer: ColdAnswer
    file: str | None


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The parts of a manifest the runtime reads; `raw` is the whole of it.

    generated: how many of the item rows, the last ones, a language model made up for histories.
    texts: the file of hard texts with the ids that a host must make of them.
    prompt: what a language model that reads whole histories reads around clicks and candidate.
    """

    raw: Mapping[str, Any]
    plan: Plan
    graphs: Mapping[str, Graph]
    reading: Mapping[str, Any] | None
    history: int
    items: str
    rows: int
    users: str | None
    predict: str
    tolerance: float
    files: Mapping[str, Entry]
    tokens: str | None = None
    generated: int = 0
    context: Context | None = None
    calibration: Calibration | None = None
    attributes: Kept | None = None
    cold: Cold = Cold(answer="model", file=None)
    texts: str | None = None
    profile: Profile | None = None
    index: Index | None = None
    prompt: Prompt | None = None

    @property
    def flattens(self) -> bool:
        """Whether the user encoder reads the tokens of the clicked items, not their vectors."""
        return self.tokens is not None

    @property
    def item_graph(self) -> str | None:
        """The graph that encodes items, None where they are rows of a table. A model that only
        flattens encodes an item as a history of one click."""
        if self.plan.user in ("prefix", "texts"):
            return None
        if "item_encoder" in self.graphs:
            return "item_encoder"
        return "user_encoder" if self.flattens and self.plan.layout != "id" else None


def parse_manifest(content: bytes) -> Manifest:
    """The manifest of a bundle, checked against its schema. Raises BundleError, naming the place in
    the manifest."""
    raw = read_object(content)
    verify_format(raw.get("format"))
    try:
        verify(raw, manifest_schema())
    except SchemaError as error:
        raise BundleError(
            f"manifest.json is not of the form {FORMAT}/{MAJOR}: {error}", AGAIN
        ) from None
    return collect(raw)


def verify_format(value: object) -> None:
    """First of all, so that a bundle of another version is told so and not that it is damaged."""
    found = re.fullmatch(
        rf"{FORMAT}/([0-9]{{1,9}})([.][0-9]+)*", value if isinstance(value, str) else ""
    )
    if found is None:
        raise BundleError(f"{value!r} is not a format of bundles", AGAIN)
    if int(found[1]) != MAJOR:
        raise BundleError(
            f"the bundle has the format {value}, this runtime reads {FORMAT}/{MAJOR}",
            "install the version of legoc-runtime that belongs to the bundle",
        )


def collect(raw: Mapping[str, Any]) -> Manifest:
    """The values of a manifest that is of the schema."""
    plan, items = raw["plan"], raw["items"]
    users, tokens, kept = raw.get("users"), raw.get("tokens"), raw.get("attributes")
    certificate = raw.get("certificate") or {}
    calibration, profile, index = (raw.get(k) for k in ("calibration", "profile", "index"))
    return Manifest(
        raw=raw,
        plan=Plan(
            layout=plan["layout"], user=plan["user"], reads_user=plan["reads_user"],
            width=int(plan["width"]),
        ),
        graphs={name: collect_graph(name, value) for name, value in raw["graphs"].items()},
        reading=raw.get("reading"),
        history=int(raw["history"]),
        items=items["file"],
        rows=int(items["rows"]),
        generated=int(items.get("generated", 0)),
        users=None if users is None else users["file"],
        tokens=None if tokens is None else tokens["file"],
        context=collect_context(raw.get("context")),
        calibration=None if calibration is None else collect_calibration(calibration),
        attributes=None
        if kept is None else Kept(file=kept["file"], columns=tuple(kept["columns"])),
        cold=collect_cold(raw.get("cold")),
        texts=(raw.get("probes") or {}).get("texts"),
        profile=None
        if profile is None else Profile(file=profile["file"], reading=profile["reading"]),
        index=None
        if index is None
        else Index(file=index["file"], items=index["items"], effort=int(index["effort"])),
        prompt=collect_prompt(raw.get("reading")),
        predict=raw["spec"]["model"]["predict"]["op"],
        tolerance=float(certificate.get("tolerance", 1e-4)),
        files={
            path: Entry(bytes=int(entry["bytes"]), sha256=entry["sha256"].lower())
            for path, entry in raw["files"].items()
        },
    )  # fmt: skip


def collect_context(value: Mapping[str, Any] | None) -> Context | None:
    if value is None:
        return None
    numbers = tuple(
        Number(
            name=number["name"],
            kind=number["kind"],
            span=math.inf if number.get("seconds") is None else float(number["seconds"]),
            neutral=float(number["neutral"]),
            overall=number.get("overall"),
            weight=number.get("weight"),
        )
        for number in value["numbers"]
    )
    return Context(numbers=numbers, file=value.get("file"), unit=value.get("unit"))


def collect_prompt(reading: Mapping[str, Any] | None) -> Prompt | None:
    value = None if reading is None else reading.get("prompt")
    return None if value is None else Prompt.of(value)


def collect_calibration(value: Mapping[str, Any]) -> Calibration:
    return Calibration(temperature=float(value["temperature"]), bias=float(value["bias"]))


def collect_cold(value: Mapping[str, Any] | None) -> Cold:
    """Bundles written before there was a choice let the model answer."""
    value = {"answer": "model"} if value is None else value
    return Cold(answer=value["answer"], file=value.get("file"))


def collect_graph(name: str, value: Mapping[str, Any]) -> Graph:
    return Graph(
        name=name,
        file=value["file"],
        inputs=tuple(collect_port(port) for port in value["inputs"]),
        outputs=tuple(collect_port(port) for port in value["outputs"]),
    )


def collect_port(value: Mapping[str, Any]) -> Port:
    dims = tuple(dim if isinstance(dim, str) else int(dim) for dim in value["dims"])
    return Port(name=value["name"], dtype=value["dtype"], dims=dims)


def find_dims(manifest: Manifest, name: str, port: str) -> tuple[int | str, ...] | None:
    """The dimensions of a port of a graph, None where it has none of this name."""
    graph = manifest.graphs[name]
    found = (given.dims for given in (*graph.inputs, *graph.outputs) if given.name == port)
    return next(found, None)
