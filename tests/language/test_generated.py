"""Programs drawn from the declarations check, format to themselves, and survive every notation."""

import json

from hypothesis import HealthCheck, given, settings

from legoc.language.checking import check
from legoc.language.diagnosing.document import Document
from legoc.language.diagnosing.render import render
from legoc.language.ir import form
from legoc.language.syntax.fmt import format
from tests.language.declared import CATALOG, SCHEMA
from tests.language.programs import programs


def checked(text: str):
    found = check(Document("m.lego", text), known=CATALOG)
    # A drawn source names a folder that is not there; `seed` may stay unused, and
    # `t(epochs=3)` may repeat what it copies.
    assert {d.code for d in found.diagnostics} <= {"W104", "W101", "W102", "W105"}, render(
        found.diagnostics
    )
    return found.specs


@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(programs())
def test_a_drawn_program(text: str) -> None:
    specs = checked(text)
    formatted = format(Document("m.lego", text))
    assert format(Document("m.lego", formatted)) == formatted
    again = checked(formatted)
    assert [spec.keys for spec in again] == [spec.keys for spec in specs]
    assert len(specs) in (1, 2, 3, 4, 6, 9)
    for spec in specs[:2]:
        document = json.loads(json.dumps(form.to_json(spec)))
        form.validate(document, SCHEMA)
        assert form.from_json(document, known=CATALOG) == spec
        if any(each.low is not None for each in spec.search.values()):
            # Of a range the text holds one value, which makes it another spec.
            assert form.from_json(document, known=CATALOG).search.keys() <= spec.search.keys()
            continue
        # The resolved text, every default written out, is the same spec.
        (written,) = checked(spec.source_text)
        assert written.keys == spec.keys
        assert written.types == spec.types
