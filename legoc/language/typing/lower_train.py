"""A `train` or `export` record as it stands in the IR, and the checks between recipe and model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from legoc.language.declaring.catalog import Catalog
from legoc.language.declaring.declare import Declaration
from legoc.language.declaring.records import RECORDS
from legoc.language.diagnosing.diagnostics import Diagnostic
from legoc.language.diagnosing.document import Span
from legoc.language.ir.negatives import SHARED, count_others
from legoc.language.ir.spec import Call, Export, Train
from legoc.language.resolving.points import Record
from legoc.language.typing import wording_data, wording_recipes
from legoc.language.typing.arguments import Judge
from legoc.language.typing.exports import check_settings, check_tolerance
from legoc.language.typing.rules import default_value


# The learning rate unless given. Content that meets clicks in a product bears three times what
# predictors put between the two do: at 3e-3 some of them (AutoInt, BST, DCN) stay behind.
RATES = {"matching": 3e-3, "ranking": 1e-3}
# The share of words that training drops unless given, where the model has a table of words: what
# single words say is not learnt by heart then, and every item becomes a little of a new one.
DROPPED = 0.2


@dataclass(frozen=True, eq=False, kw_only=True)
class LoweredTrain:
    """A recipe for one predictor. `train` is None where something was refused; `task` is known
    even then, if it was sound."""

    train: Train | None
    task: Call | None
    spans: Mapping[str, Span]
    problems: tuple[Diagnostic, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class LoweredExport:
    export: Export | None
    spans: Mapping[str, Span]
    problems: tuple[Diagnostic, ...]


def lower_train(
    record: Record | None,
    predictor: Declaration | None,
    span: Span,
    catalog: Catalog,
    *,
    words: bool = False,
) -> LoweredTrain:
    """The recipe of a record (none: the defaults), its task that of the predictor unless given.
    words: the model has a table of words. Without a predictor it is only judged."""
    judge = Judge(catalog)
    declaration = RECORDS["train"]
    values, broken = judge.arguments(
        declaration,
        record.span if record is not None else span,
        record.fields if record is not None else {},
    )
    task = declaration.param("task")
    if predictor is None:
        broken |= {"task"}
    elif task is not None and "task" not in broken and "task" not in values:
        name = predictor.tasks[0]
        values["task"] = default_value(task.kind, {"op": name, "args": {}}, catalog)
    if "lr" not in broken and "lr" not in values:
        if "task" in values:
            values["lr"] = RATES.get(values["task"].op, RATES["ranking"])
        else:
            broken |= {"lr"}
    if "word_dropout" not in broken:
        values.setdefault("word_dropout", DROPPED if words else 0.0)
    if values.get("metrics") == ():
        judge.problems.append(wording_data.no_metrics(judge.spans["metrics"]))
        broken |= {"metrics"}
    if not broken & {"metrics", "monitor"}:
        metrics: Sequence[Call] = values["metrics"]
        monitor = values.setdefault("monitor", metrics[0])
        if monitor not in metrics:
            judge.problems.append(
                wording_data.monitor_missing(
                    name_call(monitor),
                    judge.spans["monitor"],
                    judge.spans.get("metrics"),
                    [name_call(metric) for metric in metrics],
                )
            )
            broken |= {"monitor"}
    judge.problems += check_shared(values, judge.spans, span)
    return LoweredTrain(
        train=None if broken else Train(**values),
        task=values.get("task"),
        spans=judge.spans,
        problems=tuple(judge.problems),
    )


def check_shared(
    values: Mapping[str, Any], spans: Mapping[str, Span], span: Span
) -> tuple[Diagnostic, ...]:
    """Whether a batch has the other rows that its negatives come from."""
    task, batch = values.get("task"), values.get("batch")
    if not isinstance(task, Call) or task.args.get("pool") not in SHARED:
        return ()
    pool, negatives = task.args["pool"], task.args.get("negatives")
    if not isinstance(negatives, int) or not isinstance(batch, int):
        return ()
    place = spans.get("task.pool", span)
    if pool == "mixed" and negatives < 2:
        return (wording_recipes.no_half(place, spans.get("task.negatives")),)
    # Of ranking every negative is a row, served by any other.
    needed = 1 + (count_others(pool, negatives) if task.op == "matching" else 1)
    if batch >= needed:
        return ()
    return (wording_recipes.few_rows(place, spans.get("batch"), pool, negatives, batch, needed),)


def lower_export(record: Record | None, span: Span, catalog: Catalog) -> LoweredExport:
    judge = Judge(catalog)
    values, broken = judge.arguments(
        RECORDS["export"],
        record.span if record is not None else span,
        record.fields if record is not None else {},
    )
    export = None if broken else Export(**values)
    if export is not None:
        judge.problems += check_settings(export, judge.spans)
        judge.problems += check_tolerance(export, judge.spans, catalog)
    return LoweredExport(export=export, spans=judge.spans, problems=tuple(judge.problems))


def name_call(call: Call) -> str:
    """A metric as one writes it: `NDCG(5)`."""
    if not call.args:
        return call.op
    return f"{call.op}({', '.join(str(value) for value in call.args.values())})"
