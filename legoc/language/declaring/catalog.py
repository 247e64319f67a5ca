"""Every declaration, read back from `grammar/lego.schema.json` without importing an operator."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, cast

from legoc.language.declaring.declare import Attribute, Declaration, Rule
from legoc.language.declaring.kinds import LARGEST, REQUIRED, ROLES, Kind, Param
from legoc.language.declaring.packages import packages
from legoc.language.declaring.shipped import shipped
from legoc.language.declaring.tolerances import TOLERANCE, all_tolerated
from legoc.language.diagnosing.diagnostics import LegoError, fail


SCHEMA = "grammar/lego.schema.json"
NAMES = {"integer": "int", "number": "float", "boolean": "bool", "string": "str"}


class Declared(Mapping[str, Declaration]):
    """The declarations of one role in a schema file, each read when it is first asked for: a spec
    names a tenth of them."""

    def __init__(self, role: str, schemas: Mapping[str, Mapping[str, Any]]) -> None:
        self.role = role
        self.schemas = schemas
        self.found: dict[str, Declaration] = {}

    def __getitem__(self, name: str) -> Declaration:
        known = self.found.get(name)
        if known is not None:
            return known
        # Two threads may read one declaration; both get the one that came first.
        return self.found.setdefault(name, read_declaration(self.role, name, self.schemas[name]))

    def __iter__(self) -> Iterator[str]:
        return iter(self.schemas)

    def __len__(self) -> int:
        return len(self.schemas)


@dataclass(frozen=True)
class Catalog:
    """The declarations by role and name, in the order they were exported."""

    declarations: Mapping[str, Mapping[str, Declaration]]

    def get(self, role: str, name: str) -> Declaration | None:
        return self.known(role).get(name)

    def role(self, role: str) -> tuple[Declaration, ...]:
        return tuple(self.known(role).values())

    def known(self, role: str) -> Mapping[str, Declaration]:
        """The declarations of a role by name."""
        return self.tolerances if role == TOLERANCE else self.declarations.get(role, {})

    @cached_property
    def tolerances(self) -> Mapping[str, Declaration]:
        """The metrics as `tolerate` takes them."""
        return all_tolerated(self.declarations.get("metric", {}).values())

    def __iter__(self) -> Iterator[Declaration]:
        return (d for known in self.declarations.values() for d in known.values())

    def shorthand(self, role: str) -> Declaration | None:
        """The operator of a role that a bare number stands for, if there is exactly one."""
        found = [d for d in self.role(role) if d.shorthand is not None]
        return found[0] if len(found) == 1 else None

    @cached_property
    def source_splits(self) -> frozenset[str]:
        """Splits that only some sources offer; every other split is open to all."""
        return frozenset(split for source in self.role("source") for split in source.splits)


@lru_cache(maxsize=1)
def catalog() -> Catalog:
    """The declarations that ship with legoc, and those of installed packages.

    Raises LegoError where two of them declare one operator (E0910) or the file of a package cannot
    be read (E0911).
    """
    own = load_schema()
    installed = packages()
    if not installed:
        return catalog_of(own)
    from legoc.language.declaring.packages import declared_twice, read_schema, unreadable

    found: dict[str, dict[str, Declaration]] = {role: {} for role in ROLES}
    brought: dict[tuple[str, str], str] = {}

    def add(distribution: str, declarations: Iterable[Declaration]) -> None:
        for declaration in declarations:
            role, name = declaration.role, declaration.name
            first = brought.setdefault((role, name), distribution)
            if name in found[role]:
                raise declared_twice(role, name, first, distribution)
            found[role][name] = declaration

    add("legoc", read_declarations(own))
    for package in installed:
        schema = read_schema(package)
        try:
            declared = list(read_declarations(schema))
        except (LookupError, TypeError, AttributeError):
            raise unreadable(package, f"{package.file} is of another form") from None
        add(package.distribution, declared)
    return Catalog(found)


def catalog_or_empty() -> Catalog:
    """The catalog; an empty one where legoc was built without its declarations, so that names can
    be resolved before anybody complains of that."""
    try:
        return catalog()
    except LegoError:
        return Catalog({})


@lru_cache(maxsize=1)
def load_schema() -> dict[str, Any]:
    """The shipped schema file as it stands. E0201 where it is not whole."""
    try:
        found = json.loads(shipped(SCHEMA).read_text("utf-8"))
    except ValueError:
        found = None
    if not isinstance(found, dict) or "$defs" not in found:
        raise fail(
            "E0201",
            f"`{SCHEMA}`, a part of legoc, is damaged",
            "install legoc again; in a checkout, `make schema` writes it anew",
        )
    return cast("dict[str, Any]", found)


def whole_schema() -> dict[str, Any]:
    """The schema over everything `catalog` knows: the shipped file, or a fresh one where installed
    packages add to it."""
    if not packages():
        return load_schema()
    from legoc.language.declaring.schema import emit

    return emit(catalog())


def describe(role: str | None = None, name: str | None = None) -> list[Declaration]:
    """The declarations of legoc and of installed packages, those of one role, or of one name."""
    return [d for d in catalog() if role in (None, d.role) and name in (None, d.name)]


def catalog_of(*documents: Mapping[str, Any]) -> Catalog:
    """The catalog of one or several exported schema files; the first is legoc's own.

    Raises ValueError where two of them declare one role and name.
    """
    found: dict[str, dict[str, Mapping[str, Any]]] = {role: {} for role in ROLES}
    for document in documents:
        for role, name, schema in read_schemas(document):
            if name in found[role]:
                raise ValueError(f"two declarations of {role} {name}")
            found[role][name] = schema
    return Catalog({role: Declared(role, schemas) for role, schemas in found.items()})


def read_schemas(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Role, name and the schema of the arguments of each operator."""
    for role in ROLES:
        for choice in document["$defs"].get(role, {}).get("allOf", ()):
            name = choice["if"]["properties"]["op"]["const"]
            yield role, name, choice["then"]["properties"]["args"]


def read_declarations(document: Mapping[str, Any]) -> Iterable[Declaration]:
    return (read_declaration(*each) for each in read_schemas(document))


def read_declaration(role: str, name: str, schema: Mapping[str, Any]) -> Declaration:
    def lego(key: str, default: Any = None) -> Any:
        return schema.get(f"x-lego-{key}", default)

    return Declaration(
        role=role,
        name=name,
        version=lego("version", 1),
        signature=lego("signature"),
        params=tuple(read_param(key, given) for key, given in schema["properties"].items()),
        rules=tuple(Rule(rule["rule"], tuple(rule["args"])) for rule in lego("rules", ())),
        tasks=tuple(lego("tasks", ())),
        layout=lego("layout"),
        primary=lego("primary"),
        shorthand=lego("shorthand"),
        pretrained=lego("pretrained", False),
        paper=lego("paper"),
        doc=schema.get("description", ""),
        example=lego("example", ""),
        module=lego("module", ""),
        attributes=tuple(Attribute(**given) for given in lego("attributes", ())),
        users=tuple(Attribute(**given) for given in lego("users", ())),
        group=lego("group"),
        splits=tuple(lego("splits", ())),
        content=lego("content"),
        facts=lego("facts", {}),
    )


def read_param(name: str, schema: Mapping[str, Any]) -> Param:
    shape, optional = read_optional(schema)
    kind, bounds = read_kind(shape)
    default = schema.get("default", REQUIRED)
    if kind.name == "list" and isinstance(default, list):
        default = tuple(default)
    return Param(
        name=name,
        kind=kind,
        default=default,
        optional=optional,
        min=bounds.get("minimum"),
        # No whole number is larger, so that this says nothing of a parameter.
        max=None if bounds.get("maximum") == LARGEST else bounds.get("maximum"),
        above=bounds.get("exclusiveMinimum"),
        inherit=schema.get("x-lego-inherit"),
        runtime=schema.get("x-lego-runtime", False),
        since=schema.get("x-lego-since", False),
        before=schema.get("x-lego-before"),
        doc=schema.get("description", ""),
    )


def read_optional(schema: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """A schema without its null, and whether it had one."""
    if "if" in schema:
        return schema["then"], True
    if None in schema.get("enum", ()):
        return {**schema, "enum": [value for value in schema["enum"] if value is not None]}, True
    if isinstance(schema.get("type"), list):
        return {**schema, "type": schema["type"][0]}, True
    return schema, False


def read_kind(schema: Mapping[str, Any]) -> tuple[Kind, Mapping[str, Any]]:
    """The kind a schema stands for, and the schema that carries its range."""
    if "enum" in schema:
        return Kind("enum", values=tuple(schema["enum"])), {}
    if "$ref" in schema:
        return Kind("operator", role=schema["$ref"].rsplit("/", 1)[1]), {}
    if "x-lego-unit" in schema:
        return Kind("quantity", unit=schema["x-lego-unit"]), schema
    if "x-lego-kind" in schema:
        return Kind(schema["x-lego-kind"]), {}
    if schema["type"] == "array":
        element, bounds = read_kind(schema["items"])
        return Kind("list", element=element), bounds
    return Kind(NAMES[schema["type"]]), schema
