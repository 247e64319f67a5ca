"""`legoc export --tolerate`: a metric with its loss, read as `--set export.tolerate=...` is."""

from dataclasses import replace

from legoc.language.checking import check
from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.language.diagnosing.document import Document
from legoc.language.ir.spec import Export


# Any model that checks: what is tolerated is judged without looking at it.
ANY = """\
data any { source = Demo }
model any_model = content CNN -> behavior Additive -> predict Dot
run any_model on any
"""


def read_tolerance(text: str, export: Export) -> Export:
    """An export in which the metric chooses the precision, whatever it said of both. Errors: those
    of a value in a file (E02xx, E03xx), E0807, and E0808 for a loss that is no single number."""
    found = check(Document("./--tolerate", ANY), overrides=[f"export.tolerate={text}"])
    if found.errors:
        raise LegoError(*found.errors)
    if len(found.specs) != 1 or found.specs[0].search:
        raise fail(
            "E0808",
            f"`--tolerate {text}` is no single metric with one loss",
            'write `--tolerate "NDCG(10, loss=0.001)"`',
        )
    return replace(export, precision="fp32", tolerate=found.specs[0].export.tolerate)
