"""The rows of a log by name: those of the tables, in the order of the log."""

import dataclasses

import numpy as np
import pytest

from legoc.data import prepare
from legoc.data.indexing.row_names import name_rows
from legoc.language import load
from legoc.language.diagnosing.document import Document


TEXT = """
data d {{ source = Demo(items=200, users=50, impressions=90) content = [title(8)] group = {group} }}
model m = content Null -> behavior Additive -> predict Dot
run m on d
"""


@pytest.fixture(scope="module", params=["impression", "user"])
def made(request, tmp_path_factory):
    (spec,) = load(Document("m.lego", TEXT.format(group=request.param)))
    return prepare(spec, cache=tmp_path_factory.mktemp("cache")), request.param


def test_rows_are_named_as_in_the_tables(made):
    prepared, group = made
    frame = prepared.tables.interactions().merge(prepared.tables.histories(), on="history_id")
    frame = frame.sort_values("row")
    for split in ("valid", "test"):
        log = prepared.logs[split]
        names = name_rows(prepared.tables, log, split, group)
        part = frame[frame.split == split]
        if group == "user":
            order = part.user_id.map({u: n for n, u in enumerate(part.user_id.unique())})
            part = part.iloc[np.argsort(order.to_numpy(), kind="stable")]
        texts = {
            "impression_id": names.impressions.take(names.impression),
            "user_id": names.users.take(names.user),
            "item_id": names.items.take(names.item),
        }
        for column, found in texts.items():
            assert found.to_pylist() == part[column].tolist()
        np.testing.assert_array_equal(log.label, part.label)


def test_the_digest_is_of_what_rows_say(made):
    prepared, group = made
    log = prepared.logs["test"]
    names = name_rows(prepared.tables, log, "test", group)
    digest = names.digest(log.label)
    # Other numbers of the same names are the same rows.
    count = len(names.items)
    turned = dataclasses.replace(
        names,
        item=(count - 1 - names.item).astype(np.int32),
        items=names.items.take(np.arange(count)[::-1]),
    )
    assert turned.digest(log.label) == digest
    other = log.label.copy()
    other[0] = 1 - other[0]
    assert names.digest(other) != digest
    swapped = names.item.copy()
    swapped[0] = swapped[0] + 1 if swapped[0] == 0 else 0
    assert dataclasses.replace(names, item=swapped).digest(log.label) != digest


def test_a_log_of_other_tables_is_a_defect(made):
    prepared, group = made
    log = prepared.logs["test"]
    item = log.item.copy()
    item[0] += 1
    with pytest.raises(RuntimeError, match="other rows"):
        name_rows(prepared.tables, dataclasses.replace(log, item=item), "test", group)
