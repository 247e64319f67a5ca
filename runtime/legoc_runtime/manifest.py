"""The manifest of a bundle: what it must say, as values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from legoc_runtime.errors import BundleError
from legoc_runtime.paths import locate


FORMAT = "legoc-bundle"
MAJOR = 1
MANIFEST_LIMIT = 64 << 20
GRAPHS = ("item_encoder", "user_encoder", "predictor")
TYPES = ("int64", "bool", "float32")

AGAIN = "export the bundle again"


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
    user: Literal["vector", "many", "clicks"]
    reads_user: bool
    width: int


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Size and SHA-256 of a file."""

    bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The parts of a manifest the runtime reads; `raw` is the whole of it.

    generated: how many of the item rows, the last ones, a language model made up for histories.
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

    @property
    def flattens(self) -> bool:
        """Whether the user encoder reads the tokens of the clicked items, not their vectors."""
        return self.tokens is not None

    @property
    def item_graph(self) -> str | None:
        """The graph that encodes items, None where they are rows of a table. A model that only
        flattens encodes an item as a history of one click."""
        if "item_encoder" in self.graphs:
            return "item_encoder"
        return "user_encoder" if self.flattens and self.plan.layout != "id" else None


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the bundle in `folder`, checked for its form."""
    if not folder.is_dir():
        raise BundleError(f"there is no bundle at `{folder}`", "check the path")
    if not (folder / "manifest.json").exists():
        raise BundleError(
            f"`{folder}` has no manifest.json, so it is not a bundle",
            "name a folder that `legoc export` wrote, such as the folder `bundle` of a run",
        )
    path = locate(folder, "manifest.json")
    if path.stat().st_size > MANIFEST_LIMIT:
        raise BundleError("manifest.json is far too large for a manifest", "do not use this bundle")
    try:
        raw: object = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise BundleError("manifest.json is not JSON", AGAIN) from None
    if not isinstance(raw, dict):
        raise BundleError("manifest.json is not an object", AGAIN)
    given = cast(dict[str, Any], raw)
    verify_format(given.get("format"))
    try:
        return parse_manifest(given)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BundleError(
            f"manifest.json is not of the form {FORMAT}/{MAJOR} ({error!r})", AGAIN
        ) from None


def verify_format(value: object) -> None:
    name, _, version = str(value).partition("/")
    if name != FORMAT or not version.partition(".")[0].isdigit():
        raise BundleError(f"{value!r} is not a format of bundles", AGAIN)
    if int(version.partition(".")[0]) != MAJOR:
        raise BundleError(
            f"the bundle has the format {value}, this runtime reads {FORMAT}/{MAJOR}",
            "install the version of legoc-runtime that belongs to the bundle",
        )


def parse_manifest(raw: Mapping[str, Any]) -> Manifest:
    plan = raw["plan"]
    if plan["user"] not in ("vector", "many", "clicks"):
        raise ValueError(f"users are {plan['user']!r}")
    users, tokens = raw.get("users"), raw.get("tokens")
    certificate = raw.get("certificate") or {}
    manifest = Manifest(
        raw=raw,
        plan=Plan(
            layout=str(plan["layout"]),
            user=plan["user"],
            reads_user=bool(plan["reads_user"]),
            width=int(plan["width"]),
        ),
        graphs={name: parse_graph(name, value) for name, value in raw["graphs"].items()},
        reading=raw.get("reading"),
        history=int(raw["history"]),
        items=str(raw["items"]["file"]),
        rows=int(raw["items"]["rows"]),
        generated=int(raw["items"].get("generated", 0)),
        users=None if users is None else str(users["file"]),
        tokens=None if tokens is None else str(tokens["file"]),
        predict=str(raw["spec"]["model"]["predict"]["op"]),
        tolerance=float(certificate.get("tolerance", 1e-4)),
        files={
            str(path): Entry(bytes=int(entry["bytes"]), sha256=str(entry["sha256"]))
            for path, entry in raw["files"].items()
        },
    )
    verify_parts(manifest)
    return manifest


def parse_graph(name: str, value: Mapping[str, Any]) -> Graph:
    if name not in GRAPHS:
        raise ValueError(f"an unknown graph {name!r}")
    return Graph(
        name=name,
        file=str(value["file"]),
        inputs=tuple(parse_port(port) for port in value["inputs"]),
        outputs=tuple(parse_port(port) for port in value["outputs"]),
    )


def parse_port(value: Mapping[str, Any]) -> Port:
    dtype = str(value["dtype"])
    if dtype not in TYPES:
        raise ValueError(f"the dtype {dtype!r} of {value['name']!r}")
    dims = tuple(dim if isinstance(dim, str) else int(dim) for dim in value["dims"])
    return Port(name=str(value["name"]), dtype=dtype, dims=dims)


def verify_parts(manifest: Manifest) -> None:
    """What the plan needs is there, and every file that is named has a hash."""
    needed = {"predictor"} | ({"user_encoder"} if manifest.plan.user != "clicks" else set[str]())
    missing = needed - manifest.graphs.keys()
    if missing:
        raise ValueError(f"no graph {', '.join(sorted(missing))}")
    if manifest.item_graph is not None and manifest.reading is None:
        raise ValueError("an item encoder without a reading")
    user_inputs = {port.name for graph in manifest.graphs.values() for port in graph.inputs}
    reads = "tokens" if manifest.flattens else "clicks"
    if manifest.plan.user != "clicks" and reads not in user_inputs:
        raise ValueError(f"a user encoder that reads no `{reads}`")
    if manifest.plan.reads_user and manifest.users is None:
        raise ValueError("a user encoder that reads users, and no list of them")
    named = [graph.file for graph in manifest.graphs.values()]
    named += [file for file in (manifest.items, manifest.users, manifest.tokens) if file]
    if manifest.reading is not None:
        for part in manifest.reading["parts"]:
            named += [part[key] for key in ("tokenizer", "vocabulary") if key in part]
    for file in named:
        if file not in manifest.files:
            raise ValueError(f"`{file}` has no hash")
