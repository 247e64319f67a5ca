"""Item tables that start from a file, in a whole model."""

import numpy as np
import pytest
import torch

from legoc.language.diagnosing.diagnostics import LegoError
from legoc.model.filling import fill_items
from tests.exporting.tiny import call, make, make_spec


IDS = ["N3", "nobody", "N1"]


class Said:
    def __init__(self):
        self.lines = []

    def say(self, line):
        self.lines.append(line)


def filled(folder, name, values, **given):
    path = folder / "rows.npy"
    np.save(path, values)
    path.with_suffix(".ids.txt").write_text("\n".join(IDS) + "\n")
    spec = make_spec(
        call("content", name, file=str(path), **given), call("behavior", "Pooling"),
        call("predict", "Dot"),
    )  # fmt: skip
    tiny = make(spec, folder / "data")
    said = Said()
    fill_items(tiny.recommender, spec, tiny.prepared, said)
    return tiny.recommender.eval(), said.lines


def encode(model, *items):
    with torch.no_grad():
        return model.encode_items({"item": torch.tensor(items)}).numpy()


@pytest.mark.parametrize("frozen", [False, True])
def test_vectors_of_the_same_width_are_the_items(frozen, tmp_path):
    values = np.random.default_rng(0).normal(size=(3, 8)).astype(np.float32)
    model, said = filled(tmp_path, "Null", values, frozen=frozen)
    np.testing.assert_array_equal(encode(model, 3, 1), values[[0, 2]])
    assert not encode(model, 0, 2, 11).any()
    assert said == ["rows.npy: a row for 2 of 11 items; the others start as zeros"]
    assert {p.requires_grad for p in model.content.parameters()} == {not frozen}


def test_columns_that_tell_nothing_are_said(tmp_path):
    values = np.random.default_rng(0).normal(size=(3, 8)).astype(np.float32)
    values[:, 2] = 7.0
    # The row of an item that the data does not have says nothing about those it has.
    values[[0, 2], 5], values[1, 5] = 0.0, 1.0
    _, said = filled(tmp_path, "Null", values, frozen=True)
    assert said[1:] == [
        "rows.npy: 2 of 8 columns hold one value for every item (columns 2, 5) and tell nothing "
        "of any; look at how the file was made"
    ]


def test_vectors_of_another_width_are_projected(tmp_path):
    values = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
    model, _ = filled(tmp_path, "Null", values, frozen=True)
    linear = model.content.project
    with torch.no_grad():
        linear.bias.normal_()
    weight, bias = linear.weight.detach().numpy(), linear.bias.detach().numpy()
    np.testing.assert_allclose(encode(model, 3)[0], values[0] @ weight.T + bias, rtol=1e-5)
    np.testing.assert_allclose(encode(model, 2)[0], bias, rtol=1e-6)
    assert not encode(model, 0).any()
    assert [p.requires_grad for p in model.content.parameters()] == [False, True, True]


def test_codes_choose_their_vectors(tmp_path):
    codes = np.array([[0, 2], [1, 1], [2, 0]])
    model, _ = filled(tmp_path, "SemanticID", codes, size=3, dim=None)
    table = model.content.table.weight.detach().numpy()
    np.testing.assert_allclose(encode(model, 3)[0], table[1 + 0] + table[1 + 3 + 2], rtol=1e-6)
    np.testing.assert_allclose(encode(model, 1)[0], table[1 + 2] + table[1 + 3 + 0], rtol=1e-6)
    assert not encode(model, 0, 2).any()


@pytest.mark.parametrize("wrong", [-1, 3])
def test_codes_outside_their_level_are_refused(wrong, tmp_path):
    with pytest.raises(LegoError, match=f"holds {wrong}") as caught:
        filled(tmp_path, "SemanticID", np.array([[0, 2], [1, 1], [2, wrong]]), size=3, dim=None)
    assert caught.value.diagnostics[0].code == "E0646"


def test_a_trained_table_needs_no_file_to_be_filled(tmp_path):
    spec = make_spec(
        call("content", "Null"), call("behavior", "Pooling"), call("predict", "Dot")
    )  # fmt: skip
    tiny = make(spec, tmp_path)
    before = tiny.recommender.content.table.weight.clone()
    fill_items(tiny.recommender, spec, tiny.prepared)
    assert torch.equal(tiny.recommender.content.table.weight, before)
