"""What is kept of frozen layers: right, shared, resumed, and never trusted half-way."""

from threading import Thread

import numpy as np
import pytest
import torch

from legoc.data import prepare
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.model import compile, states
from legoc.model.states import StateTable, frozen_inputs
from legoc.model.tensors import to_inputs


def opened(spec, cache, *, root=None):
    """A fresh model of a spec, its data, and what its item encoder reads in training."""
    prepared = prepare(spec, cache=cache)
    torch.manual_seed(1)
    recommender = compile(spec).build(prepared.rows).eval()
    return recommender, prepared, frozen_inputs(recommender, spec, prepared, root or cache)


def vectors(recommender, inputs, items):
    with torch.no_grad():
        return recommender.encode_items(to_inputs(inputs.rows(items)))


@pytest.mark.parametrize(
    ("family", "more"),
    [
        ("BERT", "split=-2"), ("BERT", "split=0"), ("BERT", "split=-1"), ("Llama", "split=1"),
        ("BERT", "side=IISAN(step=2)"), ("T5", "split=2, lora=4"),
        ("BERT", "split=-2, states=float16"), ("Llama", "split=-2, dtype=bfloat16"),
    ],
)  # fmt: skip
def test_items_are_the_same_from_kept_values_and_from_tokens(
    family, more, whole, cache, make_spec, tmp_path
):
    dtype = "" if "dtype" in more or family not in ("Llama",) else ", dtype=float32"
    spec = make_spec(f'{family}(path="{whole(family)}", hidden=8, {more}{dtype})')
    recommender, prepared, table = opened(spec, cache, root=tmp_path)
    assert isinstance(table, StateTable)
    items = np.arange(len(prepared.items), dtype=np.int32)[::-1].copy()
    plain = vectors(recommender, prepared.inputs, items)
    tolerance = 2e-3 if "float16" in more else 1e-5
    torch.testing.assert_close(vectors(recommender, table, items), plain, rtol=0, atol=tolerance)
    assert not plain[-1].any()
    assert (table.lengths == prepared.inputs.lengths).all()
    assert table.rows(items[:3])["states"].dtype == {"states=float16": np.float16}.get(
        more.split(", ")[-1], np.uint16 if "dtype=bfloat16" in more else np.float32
    )


def test_only_real_tokens_are_kept(whole, cache, make_spec, tmp_path):
    spec = make_spec(f'BERT(path="{whole("BERT")}", hidden=8, split=-2)')
    _, prepared, table = opened(spec, cache, root=tmp_path)
    assert len(table.values) == prepared.inputs.lengths.sum()
    (values,) = tmp_path.rglob("states.bin")
    assert values.stat().st_size == int(prepared.inputs.lengths.sum()) * 16 * 4


def test_a_side_network_keeps_a_row_per_layer_of_items_that_say_something(
    whole, cache, make_spec, tmp_path
):
    spec = make_spec(f'BERT(path="{whole("BERT")}", hidden=8, side=IISAN(step=2))')
    _, prepared, table = opened(spec, cache, root=tmp_path)
    # Of three layers the first and the last; nothing of the padding row.
    assert len(table.values) == 2 * int((prepared.inputs.lengths > 0).sum())
    empty = table.rows(np.zeros(2, dtype=np.int32))
    assert not empty["states"].any()
    assert not empty["states_mask"].any()


def test_pages_are_as_long_as_they_may_be():
    lengths = np.sort(np.random.default_rng(3).integers(1, 900, 700)).astype(np.int32)
    lengths = np.append(lengths, [5000, 6000]).astype(np.int32)
    found = list(states.pages(lengths))
    assert [start for start, _ in found] == [0, *(stop for _, stop in found[:-1])]
    assert found[-1][1] == len(lengths)
    for start, stop in found:
        assert (stop - start) * lengths[stop - 1] <= states.TOKENS_AT_ONCE or stop == start + 1
        if stop < len(lengths):
            assert (stop + 1 - start) * lengths[stop] > states.TOKENS_AT_ONCE


def folders(root):
    place = root / "states"
    return sorted(p.name for p in place.iterdir() if not p.name.startswith("."))


def test_what_is_kept_is_shared_by_all_that_cannot_change_it(whole, cache, make_spec, tmp_path):
    folder = whole("BERT")
    for stage in (
        f'BERT(path="{folder}", hidden=8, split=-2)',
        f'BERT(path="{folder}", hidden=16, split=2, lora=4, pooling=mean, dropout=0.5, page=8)',
        f'LM("{folder}", split=-2, dim=7, checkpointing=true)',
    ):
        opened(make_spec(stage), cache, root=tmp_path)
        assert len(folders(tmp_path)) == 1


def test_what_changes_the_values_is_kept_apart(whole, cache, make_spec, tmp_path):
    folder, other = whole("BERT"), whole("BERT", seed=1, name="other")
    stage = f'BERT(path="{folder}", split=-2)'
    specs = [
        make_spec(stage),
        make_spec(f'BERT(path="{other}", split=-2)'),
        make_spec(stage, content='["Item: ", title(10), " Category: ", subcategory]'),
        make_spec(stage, content="[title(10)]"),
        make_spec(f'BERT(path="{folder}", split=1)'),
        make_spec(f'BERT(path="{folder}", split=-2, states=float16)'),
        make_spec(f'BERT(path="{folder}", split=-2, states=bfloat16)'),
        make_spec(f'BERT(path="{folder}", split=-2, dtype=bfloat16)'),
        make_spec(f'BERT(path="{folder}", split=-2, special=true)'),
        make_spec(f'BERT(path="{folder}", side=IISAN)'),
        make_spec(f'BERT(path="{folder}", side=IISAN(step=2))'),
    ]
    for count, spec in enumerate(specs, 1):
        opened(spec, cache, root=tmp_path)
        assert len(folders(tmp_path)) == count


def forbid(monkeypatch):
    def build(*_given):
        raise AssertionError("computed again")

    monkeypatch.setattr(states, "write_states", build)


def test_a_second_time_nothing_is_computed(whole, cache, make_spec, tmp_path, monkeypatch):
    spec = make_spec(f'BERT(path="{whole("BERT")}", hidden=8, split=-2)')
    _, _, first = opened(spec, cache, root=tmp_path)
    forbid(monkeypatch)
    _, _, second = opened(spec, cache, root=tmp_path)
    np.testing.assert_array_equal(first.values, second.values)


def test_a_damaged_folder_is_made_again(whole, cache, make_spec, tmp_path):
    spec = make_spec(f'BERT(path="{whole("BERT")}", hidden=8, split=-2)')
    _, _, first = opened(spec, cache, root=tmp_path)
    kept = np.array(first.values)
    (path,) = tmp_path.rglob("states.bin")
    path.write_bytes(path.read_bytes()[:-64])
    _, _, again = opened(spec, cache, root=tmp_path)
    np.testing.assert_array_equal(again.values, kept)


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_an_interrupted_build_goes_on(error, whole, cache, make_spec, tmp_path, monkeypatch):
    spec = make_spec(f'BERT(path="{whole("BERT")}", hidden=8, split=-2)')
    monkeypatch.setattr(states, "block_size", lambda lengths: 40)
    _, _, straight = opened(spec, cache, root=tmp_path / "straight")
    stored, seen = states.write_values, []

    def interrupted(content, prepared, items, values, firsts):
        if len(seen) == 3:
            # Half of the block is written and must not be believed.
            values[firsts[items[0]] : firsts[items[20]]] = 7.0
            raise error
        seen.append(items)
        stored(content, prepared, items, values, firsts)

    monkeypatch.setattr(states, "write_values", interrupted)
    with pytest.raises(error):
        opened(spec, cache, root=tmp_path / "halted")
    assert folders(tmp_path / "halted") == []
    assert sum(map(len, seen)) == 120
    rest = []

    def counted(content, prepared, items, values, firsts):
        rest.extend(items.tolist())
        stored(content, prepared, items, values, firsts)

    monkeypatch.setattr(states, "write_values", counted)
    _, prepared, table = opened(spec, cache, root=tmp_path / "halted")
    assert rest == list(range(121, len(prepared.items)))
    np.testing.assert_array_equal(table.values, straight.values)
    assert len(folders(tmp_path / "halted")) == 1


def test_an_interrupted_build_whose_values_are_gone_starts_over(
    whole, cache, make_spec, tmp_path, monkeypatch
):
    spec = make_spec(f'BERT(path="{whole("BERT")}", hidden=8, split=-2)')
    monkeypatch.setattr(states, "block_size", lambda lengths: 40)
    stored, seen = states.write_values, []

    def interrupted(content, prepared, items, values, firsts):
        if len(seen) == 2:
            raise KeyboardInterrupt
        seen.append(items)
        stored(content, prepared, items, values, firsts)

    monkeypatch.setattr(states, "write_values", interrupted)
    with pytest.raises(KeyboardInterrupt):
        opened(spec, cache, root=tmp_path)
    (values,) = (tmp_path / "states").glob(".*-part/states.bin")
    values.unlink()
    monkeypatch.setattr(states, "write_values", stored)
    _, _, table = opened(spec, cache, root=tmp_path)
    _, _, straight = opened(spec, cache, root=tmp_path / "straight")
    np.testing.assert_array_equal(table.values, straight.values)


def test_who_comes_while_values_are_computed_waits_for_them(
    whole, cache, make_spec, tmp_path, monkeypatch
):
    spec = make_spec(f'BERT(path="{whole("BERT")}", hidden=8, split=-2)')
    recommender, prepared, straight = opened(spec, cache, root=tmp_path / "straight")
    stored, count, found = states.write_values, [], []
    others = [Thread(target=lambda: found.append(frozen_inputs(*given)))]
    given = (recommender, spec, prepared, tmp_path / "shared")

    def counted(content, prepared, items, values, firsts):
        count.extend(items)
        while others:
            other = others.pop()
            other.start()
            # It has the time to build all by itself, if nothing holds it back.
            other.join(1.0)
            waiting.append(other)
        stored(content, prepared, items, values, firsts)

    waiting = []
    monkeypatch.setattr(states, "write_values", counted)
    found.append(frozen_inputs(*given))
    waiting[0].join()
    assert sorted(count) == list(range(1, len(prepared.items)))
    for table in found:
        np.testing.assert_array_equal(table.values, straight.values)


def test_a_state_that_is_not_finite_names_its_item(whole, cache, make_spec, tmp_path):
    spec = make_spec(f'BERT(path="{whole("BERT")}", hidden=8, split=-2)')
    prepared = prepare(spec, cache=cache)
    recommender = compile(spec).build(prepared.rows)
    item = 17
    token = int(prepared.inputs.rows(np.array([item], dtype=np.int32))["tokens"][0, 3])
    carriers = [
        i
        for i in range(1, len(prepared.items))
        if token in prepared.inputs.rows(np.array([i], dtype=np.int32))["tokens"]
    ]
    with torch.no_grad():
        table = recommender.content.backbone.model.get_input_embeddings().weight
        table[token] = float("nan")
    with pytest.raises(LegoError) as caught:
        frozen_inputs(recommender, spec, prepared, tmp_path)
    (found,) = caught.value.diagnostics
    assert found.code == "E0654"
    assert any(f"`{prepared.items.ids[i]}`" in found.message for i in carriers)
    assert folders(tmp_path) == []


def test_numbers_too_large_for_the_type_are_refused(whole, cache, make_spec, tmp_path):
    spec = make_spec(f'OPT(path="{whole("OPT")}", hidden=8, split=-2, states=float16)')
    prepared = prepare(spec, cache=cache)
    recommender = compile(spec).build(prepared.rows)
    with torch.no_grad():
        recommender.content.backbone.blocks[0].fc2.bias.fill_(1e5)
    with pytest.raises(LegoError) as caught:
        frozen_inputs(recommender, spec, prepared, tmp_path)
    assert caught.value.diagnostics[0].code == "E0654"
