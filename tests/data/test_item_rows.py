"""Files with a row per item: both forms, and every way they can be wrong."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from legoc.data.reading.item_rows import read_rows, read_width
from legoc.language.diagnosing.diagnostics import LegoError


NAMES = ["", "N1", "N2", "N3", "Ñ4"]
VALUES = np.arange(12, dtype=np.float32).reshape(3, 4)
IDS = ["Ñ4", "N9", "N2"]


def write_tensors(path, values=VALUES, ids=IDS, kind="vectors", without="", text=None):
    texts = [name.encode() for name in ids]
    tensors = {
        kind: values,
        "ids": np.frombuffer(b"".join(texts) if text is None else text, dtype=np.uint8),
        "offsets": np.cumsum([0, *map(len, texts)], dtype=np.int64),
    }
    save_file({name: tensor for name, tensor in tensors.items() if name != without}, path)
    return path


def write_matrix(path, values=VALUES, ids=IDS):
    np.save(path, values)
    path.with_suffix(".ids.txt").write_text("\n".join(ids) + "\n", encoding="utf-8")
    return path


FORMS = {"t.safetensors": write_tensors, "m.npy": write_matrix}


@pytest.mark.parametrize("form", FORMS)
def test_rows_are_found_by_id(form, tmp_path):
    path = FORMS[form](tmp_path / form)
    assert read_width(path) == 4
    rows, has = read_rows(path, "vectors").align(NAMES)
    assert has.tolist() == [False, False, True, False, True]
    np.testing.assert_array_equal(rows[[2, 4]], VALUES[[2, 0]])
    assert not rows[[0, 1, 3]].any()
    assert rows.dtype == np.float32


def test_a_bundle_s_own_table_can_be_read(tmp_path):
    """Row 0 of such a table is the padding item, with the empty id."""
    path = write_tensors(tmp_path / "items.safetensors", ids=["", "N1", "N2"])
    rows, has = read_rows(path, "vectors").align(NAMES)
    assert has.tolist() == [False, True, True, False, False]
    np.testing.assert_array_equal(rows[1], VALUES[1])


@pytest.mark.parametrize("form", FORMS)
def test_codes_are_whole_numbers(form, tmp_path):
    kind = {"kind": "codes"} if form.startswith("t") else {}
    path = FORMS[form](tmp_path / form, values=np.array([[1, 2], [3, 4], [0, 5]]), **kind)
    assert read_width(path) == 2
    rows, has = read_rows(path, "codes").align(NAMES)
    assert rows[has].tolist() == [[0, 5], [1, 2]]
    with pytest.raises(LegoError, match="does not hold rows of items"):
        read_rows(FORMS[form](tmp_path / form), "codes")


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_numbers_that_are_none_are_refused_where_they_are_used(wrong, tmp_path):
    values = VALUES.copy()
    values[1, 2] = wrong  # an item the data does not have
    path = write_matrix(tmp_path / "m.npy", values)
    read_rows(path, "vectors").align(NAMES)
    values[2, 2] = wrong
    with pytest.raises(LegoError, match="N2") as caught:
        read_rows(write_matrix(path, values), "vectors").align(NAMES)
    assert caught.value.diagnostics[0].code == "E0646"


def broken_files(folder):
    yield "missing", folder / "none.npy"
    alone = folder / "alone.npy"
    np.save(alone, VALUES)
    yield "is not beside it", alone
    yield "3 rows and 2 ids", write_matrix(folder / "few.npy", ids=IDS[:2])
    yield "stands twice", write_matrix(folder / "twice.npy", ids=["N1", "N2", "N1"])
    yield "float32", write_matrix(folder / "flat.npy", values=VALUES[0])
    cut = folder / "cut.npy"
    cut.write_bytes(write_matrix(folder / "whole.npy").read_bytes()[:100])
    cut.with_suffix(".ids.txt").write_text("N1\n")
    yield "cannot read", cut
    yield "lacks `ids`", write_tensors(folder / "a.safetensors", without="ids")
    yield "lacks `vectors`", write_tensors(folder / "b.safetensors", kind="codes")
    whole = np.array([[1, 2], [3, 4], [0, 5]])
    yield "int64", write_tensors(folder / "c.safetensors", values=whole)
    damaged = folder / "d.safetensors"
    damaged.write_bytes(b"\x00" * 40)
    yield "cannot read", damaged
    letters = write_tensors(folder / "e.safetensors", ids=["a", "b", "c"], text=b"\xff\xfe\xfd")
    yield "ids are damaged", letters


def test_files_of_another_form_are_refused(tmp_path):
    for words, path in broken_files(tmp_path):
        with pytest.raises(LegoError) as caught:
            read_rows(path, "vectors")
        (found,) = caught.value.diagnostics
        assert found.code == "E0645"
        assert words in found.message
        assert found.help
