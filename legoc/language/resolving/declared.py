"""Declarations as templates, each resolved once, with the `--set` that is about it applied last."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from legoc.language.diagnosing.diagnostics import Diagnostic
from legoc.language.diagnosing.document import Span
from legoc.language.resolving.nesting import Nesting
from legoc.language.resolving.override import Overrides
from legoc.language.resolving.replacing import Made, Refused, place_at, replaced, verify_operators
from legoc.language.resolving.scope import Scope, Target
from legoc.language.resolving.template import (
    PipelineTemplate,
    RecordTemplate,
    StageTemplate,
    Template,
)
from legoc.language.resolving.values import read_binding, read_call, report_again, report_repeated
from legoc.language.resolving.wording_references import (
    circle,
    field_needs_name,
    many_data,
    other_kind,
    too_long,
    unknown,
    unknown_param,
)
from legoc.language.syntax import tree


# A chain of copies is followed by recursion.
DEEPEST = 60
Report = Callable[[Diagnostic], None]
T = TypeVar("T")


class Unresolved(Exception):
    """A part that rests on a mistake which has been reported."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Copied:
    """One field of a copy: `made` is the copy, `without` the same but for this field. `new` stands
    in the place of `old`, if that is written anywhere."""

    name: str
    field: tree.Field
    made: Made
    without: Made
    old: Template | None
    new: Template


class Declarations:
    """The templates of one check, made on demand. `used` are those something refers to; `copied`
    are the fields that copies replace."""

    def __init__(self, scope: Scope, report: Report, overrides: Iterable[str]) -> None:
        self.main = scope
        self.report = report
        self.made: dict[tree.Setting | tree.Declared, Template | Made | None] = {}
        self.doing: list[tree.Setting | tree.Declared] = []
        self.used: set[tree.Setting | tree.Declared] = set()
        self.sources: dict[Made, tree.Declared] = {}
        self.copied: list[Copied] = []
        self.overrides = Overrides(scope, report)
        self.overrides.read(overrides)

    def is_used(self, made: Made, but: Collection[tree.Setting | tree.Declared] = ()) -> bool:
        """Whether something refers to a declaration that is not among `but`."""
        source = self.sources.get(made)
        return source in self.used and source not in but

    def find(self, scope: Scope, path: tree.Path, *kinds: str) -> Target:
        """What a name or `prefix.name` refers to; it must be of one of the kinds."""
        where = scope
        words = list(path.words)
        first = scope.names.get(words[0].text)
        if len(words) > 1 and first is not None and first.item is None:
            if scope is self.main:
                self.overrides.prefixes.add(words[0].text)
            where, words = first.scope, words[1:]
        name = words[0]
        target = where.names.get(name.text) if len(words) == 1 else None
        if target is None or target.item is None:
            if not where.may_have(name.text):
                self.report(unknown(path, where, name, kinds))
            raise Unresolved
        if target.kind not in kinds:
            self.report(other_kind(path, target, kinds))
            raise Unresolved
        return target

    def declared(self, scope: Scope, item: tree.Declared) -> Made:
        """The template of a declaration in its own scope."""
        made = self.once(item, lambda: self.make(scope, item))
        if not isinstance(made, RecordTemplate | PipelineTemplate):
            raise Unresolved
        self.sources[made] = item
        return made

    def param(self, scope: Scope, name: str, span: Span, *, use: bool = True) -> Template:
        """The template of a param; one object for all its uses."""
        target = scope.names.get(name)
        if target is None or not isinstance(target.item, tree.Setting):
            if not scope.may_have(name):
                self.report(unknown_param(scope, name, span, target))
            raise Unresolved
        item, home = target.item, target.scope
        if use:
            self.used.add(item)
        made = self.once(item, lambda: self.make_param(home, item))
        if isinstance(made, RecordTemplate | PipelineTemplate):
            raise Unresolved
        return made

    def once(
        self, item: tree.Setting | tree.Declared, make: Callable[[], Template | Made]
    ) -> Template | Made:
        if item in self.doing:
            self.report(circle(self.doing[self.doing.index(item) :]))
            raise Unresolved
        if len(self.doing) >= DEEPEST:
            self.report(too_long(item))
            self.made[item] = None
        if item in self.made:
            made = self.made[item]
            if made is None:
                raise Unresolved
            return made
        self.doing.append(item)
        self.made[item] = None
        try:
            made = self.guard(make)
        finally:
            self.doing.pop()
        self.made[item] = made
        return made

    def guard(self, make: Callable[[], T]) -> T:
        """Report an override that fits nothing, and give up what rests on it."""
        try:
            return make()
        except Refused as error:
            for diagnostic in error.diagnostics:
                self.report(diagnostic)
            raise Unresolved from None

    def make_param(self, scope: Scope, item: tree.Setting) -> Template:
        given = self.overrides.of_param(item, self.lookup(self.main))
        if given is not None:
            return given
        return read_binding(item.binding, self.lookup(scope), self.report, param=item.name.text)

    def lookup(self, scope: Scope) -> Callable[[tree.Variable], Template]:
        return lambda variable: self.param(scope, variable.name, variable.span)

    def make(self, scope: Scope, item: tree.Declared) -> Made:
        name, span = item.name.text, item.name.span
        made: Made
        if isinstance(item.body, tree.Chain):
            made = self.read_chain(name, span, item.body, scope)
        elif isinstance(item.body, tree.Block):
            made = RecordTemplate(item.kind, name, span, {})
            fields = item.body.fields
            read = self.read_fields(scope, fields, item.kind)
            for field, (key, new) in zip(fields, read, strict=True):
                if len(key.words) > 1:
                    report_again(field, place_at(made, key).template, new, name, self.report)
                made = replaced(made, key, new)
        else:
            base = self.reference(scope, item.body, item.kind)
            made = replace(base, name=name, span=span)
        return self.overrides.applied(item, made, self.lookup(self.main))

    def reference(self, scope: Scope, ref: tree.Invocation, kind: str) -> Made:
        """What `other(field=value)` makes: a copy with overrides, left to right."""
        target = self.find(scope, ref.path, kind)
        assert isinstance(target.item, tree.Declared)
        self.used.add(target.item)
        base = self.declared(target.scope, target.item)
        if ref.args is None:
            return base
        for value in ref.args.values:
            if not isinstance(value, tree.Field):
                self.report(field_needs_name(value, ref, kind))
                raise Unresolved
        fields = [value for value in ref.args.values if isinstance(value, tree.Field)]
        return self.copy(base, fields, self.read_fields(scope, fields, kind))

    def nested(self, scope: Scope, ref: tree.Invocation, kind: str) -> RecordTemplate:
        """A record that a field of another one names; it has no axes."""
        record = self.reference(scope, ref, kind)
        assert isinstance(record, RecordTemplate)
        if record.sweeps:
            # An axis of a generation is reported where it stands.
            if kind == "data":
                self.report(many_data(record, ref.path.span))
            raise Unresolved
        return record

    def read_fields(
        self, scope: Scope, fields: Sequence[tree.Field], kind: str
    ) -> list[tuple[tree.Path, Template]]:
        """The keys of a block or a copy of a kind, and what goes there."""
        report_repeated(fields, self.report)
        lookup = self.lookup(scope)
        nesting = Nesting(lambda ref, other: self.nested(scope, ref, other), self.report)
        return [
            (each.key, nesting.named(kind, each, read_binding(each.binding, lookup, self.report)))
            for each in fields
        ]

    def copy(
        self,
        base: Made,
        fields: Sequence[tree.Field],
        changes: Sequence[tuple[tree.Path, Template]],
    ) -> Made:
        """A declaration with fields replaced, left to right."""
        made = base
        before: list[Template | None] = []
        for key, new in changes:
            before.append(place_at(made, key).template)
            self.overrides.note(before[-1], key.span)
            made = replaced(made, key, new)
        for place, field in enumerate(fields):
            try:
                without = base
                for key, new in (*changes[:place], *changes[place + 1 :]):
                    without = replaced(without, key, new)
            except Refused:
                # What comes behind it rests on it.
                continue
            self.copied.append(
                Copied(
                    name=base.name,
                    field=field,
                    made=made,
                    without=without,
                    old=before[place],
                    new=changes[place][1],
                )
            )
        return made

    def of_kind(self, kind: str, made: Made) -> Made:
        """The data, recipe, export or model of a run, with what `--set KIND.…` says of it."""
        lookup = self.lookup(self.main)
        return self.guard(lambda: self.overrides.applied_to_kind(kind, made, lookup))

    def read_chain(
        self, name: str, span: Span, chain: tree.Chain, scope: Scope | None = None
    ) -> PipelineTemplate:
        lookup = self.lookup(scope or self.main)
        stages: list[StageTemplate] = []
        for stage in chain.stages:
            role = stage.kind
            if isinstance(stage.operator, tree.Axis):
                template = read_binding(stage.operator, lookup, self.report, role)
            else:
                template = read_call(stage.operator, lookup, self.report, role)
            verify_operators(template, role)
            stages.append(StageTemplate(role, stage.role.span, template))
        return PipelineTemplate(name, span, tuple(stages))
