"""One way after another through the axes of a template.

Parts are built once for each choice of the axes below them, so that points share what they have in
common: the same objects, which lowering remembers by identity.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from legoc.language.resolving.points import Argument, Given, Pick, Range, Record, Settings
from legoc.language.resolving.show import show
from legoc.language.resolving.template import (
    Called,
    Leaf,
    Listed,
    Nested,
    RecordTemplate,
    Sought,
    Sweep,
    Template,
    find_sweeps,
)


Chosen = Mapping[object, int]
# An axis that was met: whether inside an option of another, and whether a search chooses.
Met = tuple[Sweep | Sought, bool, bool]


@dataclass(frozen=True, eq=False)
class Outcome:
    """One way through a part: its choices (axis identity to place), and the part they make."""

    chosen: Chosen
    picks: tuple[Pick, ...]
    made: "Given | Record | Settings"


@dataclass(frozen=True, eq=False)
class Expander:
    """Builds parts of points, each once per choice of the axes below it, so that points share
    them."""

    keys: Mapping[object, str]
    paths: Mapping[object, tuple[str, ...]] = field(default_factory=dict[object, tuple[str, ...]])
    outcomes_of: dict[object, tuple[Outcome, ...]] = field(default_factory=dict)
    parts: dict[object, "Given | Record"] = field(default_factory=dict)
    below: dict[object, tuple[object, ...]] = field(default_factory=dict)
    shown: dict[int, str] = field(default_factory=dict)

    def sweeps(self, part: "Template | RecordTemplate") -> tuple[object, ...]:
        """The identities of the axes in a part."""
        found = self.below.get(part)
        if found is None:
            sweeps = part.sweeps if isinstance(part, RecordTemplate) else find_sweeps(part, ("",))
            found = tuple(dict.fromkeys(sweep.identity for _, sweep in sweeps))
            self.below[part] = found
        return found

    def build(self, part: "Template | RecordTemplate", chosen: Chosen) -> "Given | Record":
        """The part under complete choices; the same object for the same choices."""
        key = (part, tuple(chosen.get(each) for each in self.sweeps(part)))
        found = self.parts.get(key)
        if found is None:
            found = self.make(part, chosen)
            self.parts[key] = found
        return found

    def make(self, part: "Template | RecordTemplate", chosen: Chosen) -> "Given | Record":
        if isinstance(part, Leaf):
            return part.given
        if isinstance(part, Nested):
            return Given(self.record(part.record), part.span)
        if isinstance(part, Sought):
            key = self.keys.get(part.identity, part.param or "")
            return Given(Range(key, part.low, part.high, part.log), part.span)
        if isinstance(part, Sweep):
            return self.build(part.options[chosen[part.identity]], chosen)
        if isinstance(part, Listed):
            return Given(tuple(self.given(each, chosen) for each in part.items), part.span)
        entries = part.fields if isinstance(part, RecordTemplate) else part.args
        args = {
            name: Argument(entry.name, entry.name_span, self.given(entry.template, chosen))
            for name, entry in entries.items()
        }
        if isinstance(part, RecordTemplate):
            return Record(part.kind, part.name, part.span, args)
        positional = tuple(self.given(each, chosen) for each in part.positional)
        settings = Settings(part.name, part.name_span, args, positional, part.called)
        return Given(settings, part.span)

    def record(self, part: RecordTemplate) -> Record:
        """A record that has no axes."""
        made = self.build(part, {})
        assert isinstance(made, Record)
        return made

    def given(self, part: Template, chosen: Chosen) -> Given:
        made = self.build(part, chosen)
        assert isinstance(made, Given)
        return made

    def text(self, part: Template, chosen: Chosen) -> str:
        made = self.given(part, chosen)
        found = self.shown.get(id(made))
        if found is None:
            found = show(made)
            self.shown[id(made)] = found
        return found

    def outcomes(self, part: "Template | RecordTemplate", chosen: Chosen) -> tuple[Outcome, ...]:
        """Every way through a part, given what has been chosen before it."""
        key = (part, tuple(chosen.get(each) for each in self.sweeps(part)))
        found = self.outcomes_of.get(key)
        if found is None:
            found = tuple(self.ways_through(part, chosen))
            self.outcomes_of[key] = found
        return found

    def ways_through(self, part: "Template | RecordTemplate", chosen: Chosen) -> Iterator[Outcome]:
        for fresh, met in self.walk(part, chosen, False, False):
            known = {**chosen, **fresh}
            picks = tuple(self.pick(each, known) for each in met)
            made = self.build(part, known)
            value = made.value if isinstance(made, Given) else made
            yield Outcome(fresh, picks, value if isinstance(value, Settings | Record) else made)

    def pick(self, met: Met, chosen: Chosen) -> Pick:
        axis, inside, searched = met
        part = axis if isinstance(axis, Sought) else axis.options[chosen[axis.identity]]
        return Pick(
            key=self.keys[axis.identity],
            text=self.text(part, chosen),
            inside=inside,
            searched=searched,
            path=self.paths.get(axis.identity, ()),
            span=axis.span,
            made=self.given(part, chosen),
        )

    def walk(
        self, part: "Template | RecordTemplate", chosen: Chosen, inside: bool, searched: bool
    ) -> Iterator[tuple[Chosen, tuple[Met, ...]]]:
        """Choices in the order evaluation meets them: what is newly chosen, and the axes met."""
        if not self.sweeps(part):
            yield {}, ()
        elif isinstance(part, Sought):
            # A param is met once, however often it stands there.
            known = part.identity in chosen
            yield ({}, ()) if known else ({part.identity: 0}, ((part, inside, True),))
        elif isinstance(part, Sweep):
            place = chosen.get(part.identity)
            if place is not None:
                yield from self.walk(part.options[place], chosen, inside, searched)
                return
            # What stands within a choice of a search is met by that choice alone.
            searched = searched or part.searched
            for index, option in enumerate(part.options):
                own = {part.identity: index}
                for fresh, met in self.walk(option, {**chosen, **own}, True, searched):
                    yield {**own, **fresh}, ((part, inside, searched), *met)
        else:
            yield from self.walk_all(children(part), chosen, inside, searched)

    def walk_all(
        self, parts: Sequence[Template], chosen: Chosen, inside: bool, searched: bool
    ) -> Iterator[tuple[Chosen, tuple[Met, ...]]]:
        if not parts:
            yield {}, ()
            return
        first, *rest = parts
        for fresh, met in self.walk(first, chosen, inside, searched):
            for more, further in self.walk_all(rest, {**chosen, **fresh}, inside, searched):
                yield {**fresh, **more}, (*met, *further)


def children(part: "Template | RecordTemplate") -> tuple[Template, ...]:
    if isinstance(part, RecordTemplate):
        return tuple(entry.template for entry in part.fields.values())
    if isinstance(part, Called):
        return (*part.positional, *(entry.template for entry in part.args.values()))
    return part.items if isinstance(part, Listed) else ()
