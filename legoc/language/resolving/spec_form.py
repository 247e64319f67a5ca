"""A spec in JSON or YAML: the keys of the IR, with everything that has a default left out at will.

The nodes become the same templates a .lego file makes, with places in the JSON or YAML, so every
later phase and every message is the same. `types` and `keys` are derived; where a file states
them, they are compared with what the check finds.
"""

import os
from collections.abc import Sequence as SequenceOf
from typing import TYPE_CHECKING

from legoc.language.declaring.catalog import Catalog
from legoc.language.declaring.kinds import Role
from legoc.language.declaring.records import RECORDS
from legoc.language.diagnosing.diagnostics import Diagnostic, Label, refusal
from legoc.language.diagnosing.document import Document, Span
from legoc.language.ir.form import VERSION
from legoc.language.ir.spec import Spec
from legoc.language.resolving.declared import Declarations, Unresolved
from legoc.language.resolving.form_search import Part, put_search, without_ranges
from legoc.language.resolving.node_values import Report, Values, head
from legoc.language.resolving.resolved import Resolved, Stated, demo
from legoc.language.resolving.scope import Scope
from legoc.language.resolving.template import (
    Choice,
    PipelineTemplate,
    RecordTemplate,
    RunTemplate,
    StageTemplate,
)
from legoc.language.syntax import tree
from legoc.language.syntax.nodes import (
    Mapping,
    Node,
    Pair,
    Scalar,
    Sequence,
    Unreadable,
    kind_of,
    repeated_keys,
)
from legoc.language.syntax.parse import Parsed


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

KEYS = ("legoc", "name", "model", "data", "train", "export", "search", "types", "keys")
LONGEST = 24
ROLES: tuple[Role, ...] = ("content", "behavior", "flatten", "predict")
BY_NAME: dict[str, Role] = {role: role for role in ROLES}
DERIVED = {"types": ("item", "user"), "keys": ("item", "user", "prefix", "spec")}


def read_nodes(document: Document) -> Node:
    """The nodes of a file, read by the ending of its name. Raises Unreadable."""
    if document.path.endswith(".json"):
        from legoc.language.syntax.json_form import read_json

        return read_json(document)
    from legoc.language.syntax.yaml_form import read_yaml

    return read_yaml(document)


def resolve_form(document: Document, overrides: SequenceOf[str], known: Catalog) -> Resolved:
    """The runs of a document: one, or one for each element of a list."""
    found: list[Diagnostic] = []
    try:
        node = read_nodes(document)
    except Unreadable as error:
        return Resolved(document=document, diagnostics=(error.diagnostic,))
    found += repeated_keys(node)
    span = Span(document, 0, len(document.text))
    parsed = Parsed(document=document, tree=tree.Tree(span=span), diagnostics=(), comments=())
    declarations = Declarations(Scope(parsed, {}, set()), found.append, overrides)
    reader = Reader(document, known, found.append, declarations)
    items = node.items if isinstance(node, Sequence) else (node,)
    if isinstance(node, Sequence) and not items:
        found.append(refusal("E0902", node.span, "the list holds no spec", "nothing in it"))
    runs = [run for item in items if (run := reader.run(item)) is not None]
    found += same_names(runs)
    found += declarations.overrides.unmet() if runs else ()
    return Resolved(
        document=document,
        diagnostics=tuple(dict.fromkeys(found)),
        runs=tuple(runs),
        spare=tuple(reader.spare),
        documents=(document,),
        overrides=tuple(declarations.overrides.traces),
        again=lambda others: resolve_form(document, others, known),
        # What `--set` changes need not hold any more.
        stated=() if overrides else tuple(reader.stated),
    )


class Reader:
    """Makes the runs of one document."""

    def __init__(
        self, document: Document, known: Catalog, report: Report, declarations: Declarations
    ) -> None:
        self.document = document
        self.report = report
        self.values = Values(known, report)
        self.declarations = declarations
        self.stated: list[Stated] = []
        self.spare: list[RecordTemplate] = []

    def run(self, node: Node) -> RunTemplate | None:
        """One spec; None where a part of it is no part of a spec."""
        if not isinstance(node, Mapping):
            self.report(
                refusal(
                    "E0902", head(node.span), "a spec is a mapping", f"{kind_of(node)} stands here",
                    "the keys are those `legoc check --ir` prints",
                )
            )  # fmt: skip
            return None
        # Each part is read even where another is broken, so that all mistakes are found at once.
        known = self.values.known_keys(node, KEYS, "a spec")
        name = self.name(node.get("name"))
        fits = self.version(node.get("legoc")) and self.derived(node, name)
        model = self.model(node, name)
        data = self.record("data", node)
        train = self.record("train", node)
        export = self.record("export", node)
        if not (known and fits) or model is None or data is None or train is None or export is None:
            # What can be judged without the rest is judged, so that one look finds more mistakes.
            self.spare += [each for each in (data, train, export) if each is not None]
            return None
        parts: dict[str, Part] = {
            "model": model, "data": data, "train": train, "export": export
        }  # fmt: skip
        if not put_search(node.get("search"), self.values, parts):
            return None
        name = without_ranges(name, node.get("search"))
        span = next((p.key_span for p in node.pairs if p.key == "model"), node.span)
        try:
            made = [
                Choice(part.name, self.declarations.of_kind(kind, part))
                for kind, part in parts.items()
            ]
        except Unresolved:
            return None
        return RunTemplate(
            name=name, span=span, models=(made[0],), data=(made[1],), train=(made[2],),
            export=made[3],
        )  # fmt: skip

    def version(self, node: Node | None) -> bool:
        if node is None or (isinstance(node, Scalar) and node.value is VERSION):
            return True
        self.report(
            refusal(
                "E0903", head(node.span), "a spec of another version",
                f"this legoc reads version {VERSION}", f"write `legoc: {VERSION}`, or leave it out",
            )
        )  # fmt: skip
        return False

    def derived(self, node: Mapping, name: str) -> bool:
        """Whether `types` and `keys`, where given, have the shape of the IR. What they say is kept
        in `stated`."""
        sound = True
        for group, keys in DERIVED.items():
            found = node.get(group)
            if found is None:
                continue
            if not isinstance(found, Mapping):
                self.report(self.values.wrong(found, f"`{group}` is a mapping", "leave it out"))
                sound = False
                continue
            sound = self.values.known_keys(found, keys, f"`{group}`") and sound
            for pair in found.pairs:
                value = pair.value.value if isinstance(pair.value, Scalar) else None
                if isinstance(value, str) and pair.key in keys:
                    place = pair.value.span
                    self.stated.append(
                        Stated(name=name, group=group, key=pair.key, value=value, span=place)
                    )
                elif pair.key in keys:
                    self.report(self.values.wrong(pair.value, f"`{pair.key}` is a text"))
                    sound = False
        return sound

    def name(self, node: Node | None) -> str:
        stem = os.path.splitext(os.path.basename(self.document.path))[0]
        if node is None:
            return stem
        if isinstance(node, Scalar) and isinstance(node.value, str) and node.value.isprintable():
            return node.value or stem
        self.report(self.values.wrong(node, "`name` is a text", "name the run, or leave it out"))
        return stem

    def model(self, node: Mapping, name: str) -> PipelineTemplate | None:
        found = node.get("model")
        if found is None or (isinstance(found, Scalar) and found.value is None):
            place = head(found.span if found is not None else node.span)
            form = "{content: {op: NAME}, behavior: {op: NAME}, predict: {op: NAME}}"
            self.report(
                refusal(
                    "E0304", place, "a spec needs a `model`", "`model` is not given",
                    f"write `model: {form}`",
                )
            )  # fmt: skip
            return None
        if not isinstance(found, Mapping):
            self.report(self.values.wrong(found, "`model` is a mapping of stages"))
            return None
        stages: list[StageTemplate | None] = [self.stage(pair) for pair in found.pairs]
        whole = [stage for stage in stages if stage is not None]
        if len(whole) < len(stages):
            return None
        # A mapping has no order, a pipeline has one.
        ordered = sorted(whole, key=lambda stage: ROLES.index(stage.role))
        return PipelineTemplate(name, head(found.span), tuple(ordered))

    def stage(self, pair: Pair) -> StageTemplate | None:
        role = BY_NAME.get(pair.key)
        if role is None:
            listed = ", ".join(ROLES)
            self.report(
                refusal(
                    "E0207", pair.key_span, f"no stage is called `{pair.key}`", "unknown stage",
                    f"the stages are {listed}",
                )
            )  # fmt: skip
            return None
        call = self.values.call(role, pair.value)
        return None if call is None else StageTemplate(role, pair.key_span, call)

    def record(self, kind: str, node: Mapping) -> RecordTemplate | None:
        found = node.get(kind)
        if found is None or (isinstance(found, Scalar) and found.value is None):
            empty = RecordTemplate(kind, "", head(node.span), {})
            return demo(head(node.span)) if kind == "data" else empty
        if not isinstance(found, Mapping):
            self.report(self.values.wrong(found, f"`{kind}` is a mapping of fields"))
            return None
        key = next(pair.key_span for pair in node.pairs if pair.key == kind)
        fields = self.values.entries(RECORDS[kind], found)
        return RecordTemplate(kind, "", key, fields) if len(fields) == len(found.pairs) else None


def same_names(runs: "Iterable[RunTemplate]") -> "Iterator[Diagnostic]":
    """E0204 for two specs of one name: nothing could tell their runs apart."""
    seen: dict[str, RunTemplate] = {}
    for run in runs:
        first = seen.setdefault(run.name or "", run)
        if first is not run:
            yield Diagnostic(
                code="E0204",
                message=f"two specs are named `{run.name}`",
                labels=(
                    Label(span=run.span, text="the second", primary=True),
                    Label(span=first.span, text="the first"),
                ),
                help=("give each a `name` of its own",),
            )


def stale(stated: SequenceOf[Stated], specs: SequenceOf[Spec]) -> "Iterator[Diagnostic]":
    """W901 for each derived value that does not follow from the rest of its spec."""
    by_name = {spec.name: spec for spec in specs}
    for each in stated:
        spec = by_name.get(each.name)
        if spec is None:
            continue
        holds: str = getattr(getattr(spec, each.group), each.key)
        if each.value == holds:
            continue
        shown = holds if len(holds) <= LONGEST else f"{holds[:12]}…"
        yield Diagnostic(
            code="W901",
            severity="warning",
            message=f"`{each.group}.{each.key}` does not follow from this spec",
            labels=(Label(span=each.span, text=f"it is `{shown}`", primary=True),),
            help=(f"delete `{each.group}`: the check finds it",),
        )
