"""What of an export can be known to be wrong before any data is read.

Settings by themselves, the budget against the predictor, and bundles that would replace each other.
The rest is proved on the written graphs: EXPORT section 5.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from legoc.language.declaring.catalog import Catalog
from legoc.language.diagnosing.diagnostics import Diagnostic
from legoc.language.diagnosing.document import Span
from legoc.language.ir.spec import Call, Export, Spec


LATEST_OPSET = 26
"""What onnxruntime 1.31 reads. Asked for an operator set that it does not know, torch's exporter
writes 18 and says so in a log line only."""
RESOLUTION = 2.0**-23
"""The step between float32 numbers of size 1, which differences are divided by."""
BLIND = 1.0
"""The difference of a graph of nothing but zeros: max |torch| / max(1, max |torch|)."""
BYTES = {"fp32": 4, "fp16": 2, "int8": 1}
SMALLEST = "int8"


def check_settings(export: Export, spans: Mapping[str, Span]) -> tuple[Diagnostic, ...]:
    """E0801 to E0803: a value that no export can do anything with. spans: of the written fields."""
    opset, parity = spans.get("opset"), spans.get("parity")
    found: list[Diagnostic] = []
    if opset is not None and export.opset > LATEST_OPSET:
        from legoc.language.typing.wording_export import opset_unknown

        found.append(opset_unknown(opset, export.opset, LATEST_OPSET))
    if parity is not None and export.parity < RESOLUTION:
        from legoc.language.typing.wording_export import parity_out_of_reach

        found.append(parity_out_of_reach(parity, RESOLUTION))
    if parity is not None and export.parity >= BLIND:
        from legoc.language.typing.wording_export import parity_blind

        found.append(parity_blind(parity))
    return tuple(found)


def check_tolerance(
    export: Export, spans: Mapping[str, Span], catalog: Catalog
) -> tuple[Diagnostic, ...]:
    """E0806 where the precision is both chosen and given, E0807 where what is tolerated cannot be
    told apart by groups, so that nothing can be sure of it. spans: of the written fields."""
    place = spans.get("tolerate")
    if export.tolerate is None or place is None:
        return ()
    found: list[Diagnostic] = []
    if export.precision != "fp32":
        from legoc.language.typing.wording_export import precision_given

        found.append(precision_given(place, spans.get("precision"), export.precision))
    metric = catalog.get("metric", export.tolerate.op)
    if metric is not None and metric.facts.get("whole"):
        from legoc.language.typing.wording_export import no_value_per_group

        others = [d.name for d in catalog.role("metric") if not d.facts.get("whole")]
        found.append(no_value_per_group(place, metric.name, others))
    return tuple(found)


def check_budget(
    predictor: Call, dense: Sequence[str], export: Export, budget: Span | None,
    place: Span, spans: Mapping[str, Span],
) -> tuple[Diagnostic, ...]:  # fmt: skip
    """E0804 where the layers of a predictor alone have more bytes than its graph may have.

    dense: parameters that hold the widths of linear layers, one behind the other, as its
    declaration says in `facts["dense"]`; budget: where it is written; place, spans: of the
    predictor and its arguments.
    """
    if export.budget is None or budget is None:
        return ()
    precision = SMALLEST if export.tolerate is not None else export.precision
    least = BYTES[precision] * sum(weights(predictor.args.get(name)) for name in dense)
    if least <= export.budget:
        return ()
    from legoc.language.typing.wording_export import budget_too_small

    written = next((spans[name] for name in dense if name in spans), place)
    return (
        budget_too_small(predictor.op, budget, written, least, export.budget, dense, precision),
    )


def check_kept(
    export: Export, columns: Sequence[str] | None, spans: Mapping[str, Span]
) -> tuple[Diagnostic, ...]:
    """E0835 for an attribute to keep that no item has. columns: what items have, where that is
    known; spans: of the written fields."""
    place = spans.get("keep")
    if columns is None or place is None:
        return ()
    from legoc.language.typing.wording_export import attribute_not_there

    return tuple(
        attribute_not_there(name, place, columns) for name in export.keep if name not in columns
    )


def check_cold(
    form: str, predictor: str, export: Export, place: Span, cold: Span | None
) -> tuple[Diagnostic, ...]:
    """E0831 where the mean user is asked for and a model has no user: its predictor reads clicks.

    form: the type of a user; place: of the predictor; cold: where it is written.
    """
    if export.cold != "mean" or cold is None or not form.startswith("Seq["):
        return ()
    from legoc.language.typing.wording_export import no_mean_user

    return (no_mean_user(cold, place, predictor),)


def weights(units: object) -> int:
    """How many weights lie between linear layers of some widths; none where there are none."""
    return sum(one * other for one, other in pairwise(units)) if isinstance(units, tuple) else 0


def check_bundles(specs: Sequence[Spec], run: Span) -> Iterator[Diagnostic]:
    """E0805 where two points of a run are one trained run that is to be exported in two ways, or
    trained under two limits: a run holds one bundle, and the second would replace the first.

    specs: those of one `run`.
    """
    first: dict[str, Spec] = {}
    for spec in specs:
        other = first.setdefault(spec.keys.spec, spec)
        if other.export == spec.export and limit_of(other) == limit_of(spec):
            continue
        from legoc.language.typing.wording_export import bundles_collide

        yield bundles_collide(other, spec, run)
        return


def limit_of(spec: Spec) -> float | None:
    """After how many seconds the training of a spec breaks off."""
    return None if spec.train is None else spec.train.limit
