"""What is said about a recipe beside its predictor and data: one function per message."""

from legoc.language.declaring.declare import Declaration
from legoc.language.diagnosing.diagnostics import Diagnostic, Label
from legoc.language.diagnosing.document import Span
from legoc.language.ir.negatives import Difference
from legoc.language.resolving.wording_operators import primary


def few_rows(
    place: Span, batch: Span | None, pool: str, negatives: int, rows: int, needed: int
) -> Diagnostic:
    labels = (primary(place, f"{negatives} to a click, of {rows - 1} other rows"),)
    if batch is not None:
        labels = (*labels, Label(span=batch, text="rows of a batch"))
    return Diagnostic(
        code="E0507",
        message=f"`pool={pool}` with `negatives={negatives}` needs a batch of {needed} rows",
        labels=labels,
        help=(f"write `batch = {needed}` or more{', or fewer `negatives`' * (needed > 2)}",),
    )


def no_half(place: Span, negatives: Span | None) -> Diagnostic:
    labels = (primary(place, "one half of the batch, one uniform"),)
    if negatives is not None:
        labels = (*labels, Label(span=negatives, text="there is no half of 1"))
    return Diagnostic(
        code="E0507",
        message="`pool=mixed` needs two negatives or more",
        labels=labels,
        help=("write `negatives=2` or more, or `pool=batch`",),
    )


def no_logits(place: Span, predictor: Span, pool: str) -> Diagnostic:
    return Diagnostic(
        code="E0508",
        message=f"`pool={pool}` needs scores that are logits, and cosines are none",
        labels=(
            primary(place, "takes the logarithm of a chance from each score"),
            Label(span=predictor, text="scores between -1 and 1"),
        ),
        help=("write `Cosine(temperature=0.1)`, or another `pool`",),
    )


def no_valid(place: Span | None, valid: Span | None) -> Diagnostic:
    labels: tuple[Label, ...] = ()
    if place is not None:
        labels = (primary(place, "fits two numbers on the validation part"),)
    if valid is not None:
        labels = (*labels, Label(span=valid, text="nothing is validated", primary=not labels))
    return Diagnostic(
        code="E0556",
        message="`calibrate` needs a validation part, and the split leaves none",
        labels=labels,
        help=("write `valid=10%`, or drop `calibrate`",),
    )


def other_kind(
    place: Span | None, where: Span | None, source: Declaration, found: Difference
) -> Diagnostic:
    trained = f"training has {found.trained}"
    measured = f"valid and test have {found.measured}"
    labels: tuple[Label, ...] = ()
    if place is not None:
        labels = (primary(place, trained),)
        if where is not None:
            labels = (*labels, Label(span=where, text=measured))
    elif where is not None:
        labels = (primary(where, measured),)
    return Diagnostic(
        code="W105",
        severity="warning",
        message=f"negatives are of another kind than the candidates of {source.name}",
        labels=labels,
        notes=() if place is not None else (trained,),
        help=(f"`{found.remedy}` is of the same kind",),
    )
