"""Small widths for a point: what an operator computes does not depend on how wide it is."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from legoc.language.declaring.catalog import Catalog
from legoc.language.declaring.kinds import Kind, Param, Role
from legoc.language.diagnosing.document import Span
from legoc.language.resolving.points import Argument, Given, Point, Settings


STEP = 16
"""Widths become multiples of this, which any usual number of heads divides."""
LARGEST = 32
"""No layer of a list of layers stays wider."""
DEFAULT = 64


class Shrinker:
    """Shrinks the points of one file. Distinct widths stay distinct; parts that points share are
    shrunk once, so that what looks at them by identity still finds them shared."""

    def __init__(self, points: Iterable[Point], catalog: Catalog) -> None:
        self.catalog = catalog
        found = {DEFAULT}
        for point in points:
            for _, _, settings in point.model.stages:
                given = settings.args.get("hidden")
                if given is not None and isinstance(given.given.value, int):
                    found.add(given.given.value)
        self.widths = {width: STEP * place for place, width in enumerate(sorted(found), start=1)}
        self.stages: dict[tuple[str, Settings], Settings] = {}
        self.models: dict[object, object] = {}

    def point(self, point: Point) -> Point:
        if point.model not in self.models:
            stages = tuple(
                (role, span, self.stage(role, settings))
                for role, span, settings in point.model.stages
            )
            self.models[point.model] = replace(point.model, stages=stages)
        return replace(point, model=self.models[point.model])

    def stage(self, role: Role, settings: Settings) -> Settings:
        if (role, settings) not in self.stages:
            self.stages[role, settings] = self.shrunk(role, settings)
        return self.stages[role, settings]

    def shrunk(self, role: Role, settings: Settings) -> Settings:
        declaration = self.catalog.get(role, settings.name)
        if declaration is None:
            return settings
        changed: dict[str, Argument] = {}
        for param in declaration.params:
            written = settings.args.get(param.name)
            given = written.given.value if written is not None else None
            span = settings.span if written is None else written.given.span
            value = self.value(param, given, span)
            if value is not None and value != given:
                changed[param.name] = Argument(param.name, span, Given(value, span))
        return replace(settings, args={**settings.args, **changed}) if changed else settings

    def value(self, param: Param, given: object, span: Span) -> "int | tuple[Given, ...] | None":
        """The small value of a parameter; None leaves it as it is."""
        if param.name == "hidden" and param.kind.name == "int":
            if isinstance(given, int):
                return self.widths.get(given)
            return None if param.inherit else self.widths[DEFAULT]
        if param.kind.name != "list" or param.kind.element != Kind("int"):
            return None
        if isinstance(given, tuple):
            return tuple(small(each) for each in given)
        if given is None and isinstance(param.default, list | tuple):
            return tuple(small(Given(each, span)) for each in param.default)
        return None


def small(given: Given) -> Given:
    """A width of a layer, capped."""
    if isinstance(given.value, int) and given.value > LARGEST:
        return Given(LARGEST, given.span)
    return given


def labels(point: Point) -> Mapping[Role, str]:
    """How the stages of a point are called in the matrix: as written, without their widths."""
    from legoc.language.resolving.show import show_settings

    found: dict[Role, str] = {}
    for role, _, settings in point.model.stages:
        shown = {name: arg for name, arg in settings.args.items() if not is_width(arg)}
        found[role] = show_settings(replace(settings, args=shown))
    return found


def is_width(argument: Argument) -> bool:
    return argument.name in ("hidden", "units")
