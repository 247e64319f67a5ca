"""Each operator equals its equation, written a second time in NumPy."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from legoc.operators.behavior import null as behavior_null
from legoc.operators.content import null as content_null
from tests.operators.cases import (
    ATTRIBUTES,
    LENGTHS,
    build,
    cases,
    inputs,
    key,
    lay,
    name,
    padded,
    ragged,
    reads_id,
    reads_user,
    settings,
    weights,
)
from tests.operators.oracles import ORACLES
from tests.operators.predict_oracles import PREDICT


# The operator that only hands through what it is given has a test of its own below.
PLAIN = (behavior_null.Null,)


def expected(operator: type, width: int, form: dict[str, Any], given: Any, made: Any) -> np.ndarray:
    oracle = {**ORACLES, **PREDICT}[key(operator)]
    w, chosen = weights(made), settings(operator, width, form)
    if operator.declaration.layout == "fields":
        kinds = [attribute.kind for attribute in ATTRIBUTES]
        return np.array([oracle(w, chosen, kinds, list(row)) for row in zip(*given, strict=True)])
    if key(operator)[0] == "predict":
        return np.array([oracle(w, chosen, *pair) for pair in zip(*given, strict=True)])
    if key(operator)[0] == "flatten":
        return np.array([oracle(w, chosen, row) for row in given[1]])
    if reads_user(operator):
        found = [oracle(w, chosen, *row) for row in zip(*given, strict=True)]
        return np.array(found) + cold(w, given[0])
    found = np.array([oracle(w, chosen, row) for row in given])
    return found if reads_id(operator) else found + cold(w, given)


def cold(w: dict[str, np.ndarray], rows: Sequence[np.ndarray]) -> np.ndarray:
    """What is added to each row: the learned vector where there is nothing to read."""
    vector = w.get("cold.vector", np.zeros(1))
    return np.array([vector if not len(row) else np.zeros_like(vector) for row in rows])


@pytest.mark.parametrize(
    ("operator", "width", "form"), [c for c in cases() if c[0] not in PLAIN], ids=name
)
def test_operator_equals_its_equation(operator, width, form):
    made = build(operator, width, form)
    for lengths in LENGTHS:
        given = inputs(operator, width, lengths)
        with torch.no_grad():
            found = made(*lay(operator, given, more=2)).numpy()
        wanted = expected(operator, width, form, given, made)
        assert found.shape == wanted.shape
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5, err_msg=str(lengths))


def test_item_table_gives_its_rows_and_nothing_for_padding():
    made = build(content_null.Null, 8, {})
    table = weights(made)["table.weight"]
    found = made(torch.tensor([3, 0, 3], dtype=torch.int32)).detach().numpy()
    np.testing.assert_array_equal(found, table[[3, 0, 3]].astype(np.float32))
    assert not table[0].any()
    assert 0.05 < table[1:].std() < 0.2
    made(torch.tensor([0, 3])).sum().backward()
    assert not made.table.weight.grad[0].any()
    assert made.table.weight.grad[3].any()


def test_null_behavior_passes_real_clicks_through():
    made = build(behavior_null.Null, 8, {})
    x, mask = padded(ragged(8, (3, 0, 1)), more=1, hold=7.0)
    found = made(x, mask)
    torch.testing.assert_close(found[mask], x[mask], rtol=0, atol=0)
    assert not found[~mask].any()
