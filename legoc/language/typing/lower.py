"""From a point to a spec: operators found, arguments judged, types inferred, defaults written out.

Points of a sweep share their parts, so everything is judged once per part and once per combination
of parts that meet: 5,280 points cost about as much as their distinct stages.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from legoc.language.declaring.catalog import Catalog
from legoc.language.declaring.kinds import Role
from legoc.language.diagnosing.diagnostics import Diagnostic
from legoc.language.diagnosing.document import Span
from legoc.language.ir.counted import read_recipe
from legoc.language.ir.digest import Digester
from legoc.language.ir.spec import Call, Data, Export, Spec, Train, Types
from legoc.language.ir.text import EXPORT, TRAIN, Writer, assemble, title
from legoc.language.resolving.points import Pipeline, Point, Record, Settings
from legoc.language.resolving.wording_operators import unknown_operator
from legoc.language.typing import wording_types
from legoc.language.typing.arguments import Arguments, check_arguments
from legoc.language.typing.asked import check_asked
from legoc.language.typing.checks import (
    check_asking,
    check_layers,
    check_names,
    check_reading,
    check_users,
    check_words,
)
from legoc.language.typing.counted import read_alone, stands_apart, type_alone, types_alone
from legoc.language.typing.exported import check_exported
from legoc.language.typing.inference import Model, Typed, infer_encoder, infer_pair, read_by
from legoc.language.typing.lower_data import LoweredData, lower_data
from legoc.language.typing.lower_train import (
    LoweredExport,
    LoweredTrain,
    lower_export,
    lower_train,
)
from legoc.language.typing.origins import model_origin, point_origin
from legoc.language.typing.recipes import check_recipes, compare_kinds, reads_words
from legoc.language.typing.searching import choose_witness, with_search


if TYPE_CHECKING:
    from legoc.language.typing.generations import LoweredGeneration

T = TypeVar("T")


@dataclass(frozen=True, eq=False, kw_only=True)
class Lowered:
    """A point's spec, or None with the reasons; warnings come with either."""

    spec: Spec | None
    problems: tuple[Diagnostic, ...]


class Lowering:
    """Lowers the points of one check and remembers what they share."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.digester = Digester(catalog)
        self.writer = Writer(catalog)
        self.known: dict[tuple[object, ...], Any] = {}

    def once(self, key: tuple[object, ...], make: Callable[[], T]) -> T:
        """`make()` for the first of equal keys. Keys hold the parts themselves, so that their
        identity cannot pass to another part."""
        if key not in self.known:
            self.known[key] = make()
        return self.known[key]

    def lower(self, point: Point) -> Lowered:
        """The spec of one point; of one with ranges, of some model that it may become."""
        found = self.lower_as_is(point)
        if not point.searched:
            return found
        found = choose_witness(point, found, self.lower_as_is)
        return replace(found, spec=found.spec and with_search(found.spec, point))

    def lower_as_is(self, point: Point) -> Lowered:
        model = self.model(point.model)
        data = self.data(point, model)
        problems = [*model.problems, *data.problems]
        train = self.train(point, model)
        problems += train.problems if train is not None else ()
        if train is not None:
            problems += self.check_task(point, model, train)
        problems += self.check_together(point, model, data)
        if train is not None and not model.alone:
            problems += check_recipes(train, model.stages, model.predictor, data)
        export = self.export(point)
        problems += export.problems
        problems += check_exported(model, export, data)
        if model.predictor is not None:
            problems += check_asked(model.predictor, point.export, train)
        unsound = any(problem.severity == "error" for problem in problems)
        if (
            unsound or model.calls is None or data.data is None
            or (model.types is None and not model.alone)
            or train is None or train.train is None or export.export is None
        ):  # fmt: skip
            return Lowered(spec=None, problems=tuple(problems))
        # What is counted is the same whatever the recipe.
        recipe = None if model.alone else train.train
        if recipe is not None:
            # What a sound point measures is worth a word only then.
            problems += compare_kinds(train, data, self.catalog)
        spec = Spec(
            name=point.name,
            model=model.calls,
            data=data.data,
            train=read_recipe(train.train) if model.alone else train.train,
            export=export.export,
            types=model.types or types_alone(model.calls, data.data, self.catalog),
            keys=self.digester.keys(model.calls, data.data, recipe),
            source_text=self.text(point, model.calls, data.data, train.train, export.export),
            origin=point_origin(point, model.origin, data.spans, train.spans, export.spans),
        )
        return Lowered(spec=spec, problems=tuple(problems))

    def record(self, record: Record) -> tuple[Diagnostic, ...]:
        """What is wrong with a record that no run uses."""
        match record.kind:
            case "data":
                return lower_data(record, self.catalog).problems
            case "generate":
                return self.generation(record).problems
            case "train":
                return lower_train(record, None, record.span, self.catalog).problems
            case _:
                return lower_export(record, record.span, self.catalog).problems

    def generation(self, record: Record) -> "LoweredGeneration":
        """What one `generate` asks of whom."""
        from legoc.language.typing.generations import lower_generation

        return lower_generation(record, self.catalog, lambda data: lower_data(data, self.catalog))

    def text(
        self, point: Point, calls: Mapping[Role, Call], data: Data, train: Train, export: Export
    ) -> str:
        """The point as a file of its own. Parts are told apart by identity; `known` keeps them."""
        name = title(point.name)
        return assemble(
            name,
            self.once(("model text", name, id(calls)), lambda: self.writer.model(name, calls)),
            self.once(("data text", id(data)), lambda: self.writer.data(data)),
            self.once(("train text", id(train)), lambda: self.writer.record("train", TRAIN, train)),
            self.once(
                ("export text", id(export)), lambda: self.writer.record("export", EXPORT, export)
            ),
        )

    def data(self, point: Point, model: Model) -> LoweredData:
        """The data record, as far as the model reads it."""
        lowered = self.once(("data", point.data), lambda: lower_data(point.data, self.catalog))
        predictor = model.predictor
        if predictor is None or not model.alone:
            return lowered
        return self.once(("data alone", predictor, lowered), lambda: read_alone(predictor, lowered))

    def model(self, pipeline: Pipeline) -> Model:
        # Pipelines of a sweep differ as objects while their stages are shared.
        key = ("model", *(settings for _, _, settings in pipeline.stages))
        roles = tuple(role for role, _, _ in pipeline.stages)
        return self.once((*key, roles), lambda: self.type_model(pipeline))

    def type_model(self, pipeline: Pipeline) -> Model:
        stages: list[tuple[Role, Span]] = [(role, span) for role, span, _ in pipeline.stages]
        roles = " -> ".join(role for role, _ in stages)
        if roles == "predict":
            found = type_alone(pipeline, self.arguments("predict", pipeline.stages[0][2]))
            if found is not None:
                return found
        if roles not in wording_types.SHAPES:
            problem = wording_types.wrong_shape(pipeline.name, stages, pipeline.span)
            return Model(
                stages=(), predictor=None, calls=None, types=None, origin={}, problems=(problem,)
            )
        apart = stands_apart(pipeline, self.catalog)
        if apart is not None:
            return Model(
                stages=(), predictor=None, calls=None, types=None, origin={}, problems=(apart,)
            )
        typed: list[Typed] = []
        problems: list[Diagnostic] = []
        path: tuple[Settings, ...] = ()
        for role, _, settings in pipeline.stages[:-1]:
            arguments = self.arguments(role, settings)
            if isinstance(arguments, Diagnostic):
                problems.append(arguments)
                continue
            # A behavior is typed by what stands before it; the other encoders stand alone.
            path = (*path, settings) if role == "behavior" else (settings,)
            before = typed[-1] if typed and role == "behavior" else None
            found = self.once(
                ("stage", role, before is None, *path),
                lambda role=role, arguments=arguments, before=before: infer_encoder(
                    role, arguments, before, self.catalog
                ),
            )
            typed.append(found)
            problems += found.problems
        predictor = self.arguments("predict", pipeline.stages[-1][2])
        call = None
        made = (typed[0].made, typed[-1].made) if typed else (None, None)
        if isinstance(predictor, Diagnostic):
            problems.append(predictor)
        elif len(typed) == len(pipeline.stages) - 1:
            item, user, found_problems = read_by(predictor, typed[0], typed[-1])
            problems += found_problems
            typed[0], typed[-1] = item, user
            call, found_problems = infer_pair(predictor, item, user, self.catalog)
            problems += (*found_problems, *check_asking(typed, predictor))
            made = item.made, user.made
        else:
            problems += predictor.problems
        calls: dict[Role, Call] | None = {}
        for stage in typed:
            if stage.call is None or call is None:
                calls = None
                break
            calls[stage.role] = stage.call
        if calls is not None and call is not None:
            calls["predict"] = call
        types = None
        if None not in made:
            types = Types(item=str(made[0]), user=str(made[1]))
        return Model(
            stages=tuple(typed),
            predictor=None if isinstance(predictor, Diagnostic) else predictor,
            calls=calls if call is not None else None,
            types=types,
            origin=model_origin(pipeline, typed, predictor),
            problems=tuple(problems),
        )

    def arguments(self, role: Role, settings: Settings) -> Arguments | Diagnostic:
        def make() -> Arguments | Diagnostic:
            declaration = self.catalog.get(role, settings.name)
            if declaration is None:
                return unknown_operator(role, settings.name, settings.span, self.catalog)
            return check_arguments(declaration, settings, self.catalog)

        return self.once(("arguments", role, settings), make)

    def train(self, point: Point, model: Model) -> LoweredTrain | None:
        """The recipe, with the default task of the predictor; None where that is unknown."""
        if model.predictor is None:
            return None
        predictor, words = model.predictor.declaration, reads_words(model.stages)
        return self.once(
            ("train", point.train, predictor.name, words),
            lambda: lower_train(point.train, predictor, point.run, self.catalog, words=words),
        )

    def export(self, point: Point) -> LoweredExport:
        return self.once(
            ("export", point.export),
            lambda: lower_export(point.export, point.run, self.catalog),
        )

    def check_task(self, point: Point, model: Model, train: LoweredTrain) -> tuple[Diagnostic, ...]:
        predictor, task = model.predictor, train.task
        if predictor is None or task is None or task.op in predictor.declaration.tasks:
            return ()
        return (
            wording_types.untrainable(
                predictor.declaration, predictor.span, task.op, point, train.spans.get("task")
            ),
        )

    def check_together(
        self, point: Point, model: Model, data: LoweredData
    ) -> tuple[Diagnostic, ...]:
        """Whether the operator that reads items can read what the data gives."""
        read = data.data
        if not model.stages or read is None:
            return ()
        found: list[Diagnostic] = []
        for stage in model.stages:
            if stage.role == "behavior":
                continue
            place = data.spans.get("content")
            found += self.once(
                ("reading", stage, data),
                lambda stage=stage, place=place: (
                    *check_layers(stage),
                    *check_reading(stage, read, place),
                ),
            )
        found += check_words(model.stages, read, data.spans)
        found += check_users(model.stages, read, data.spans.get("user"))
        found += check_names(model.stages, read, data.spans.get("content"))
        return tuple(found)
