"""Binding time from types alone: caches, graphs and their ports."""

import pytest

from legoc.language.ir.plan import Plan, Port, plan
from tests.language.declared import CATALOG
from tests.language.specs import run_of, spec_of


RANKING = ("{ }", "{ task = ranking }")


def plan_of(model: str, *, ranking: bool = False) -> Plan:
    text = run_of(model)
    return plan(spec_of(text.replace(*RANKING) if ranking else text), known=CATALOG)


def names(found: Plan) -> list[str]:
    return [graph.name for graph in found.graphs]


def test_attributes_apart_give_a_port_each() -> None:
    found = plan_of("content CNN(hidden=8) -> behavior Attention -> predict Dot")
    assert (found.layout, found.user, found.width, found.reads_user) == (
        "fields",
        "vector",
        8,
        False,
    )
    assert names(found) == ["item_encoder", "user_encoder", "predictor"]
    encoder = found.graph("item_encoder")
    assert encoder is not None
    assert encoder.inputs == (
        Port(name="title", dtype="int64", dims=("item", "title_tokens")),
        Port(name="title_mask", dtype="bool", dims=("item", "title_tokens")),
        Port(name="category", dtype="int64", dims=("item", "category_tokens")),
        Port(name="category_mask", dtype="bool", dims=("item", "category_tokens")),
    )
    assert encoder.outputs == (Port(name="vectors", dtype="float32", dims=("item", 8)),)
    assert [(c.name, c.per, c.dims) for c in found.caches] == [
        ("items", "item", (8,)),
        ("users", "user", (8,)),
    ]
    assert [stage.binding for stage in found.stages] == ["item", "user", "pair"]
    assert not any(stage.frozen for stage in found.stages)
    assert found.notes == ()


def test_one_sequence_gives_one_port() -> None:
    found = plan_of("content Attention(hidden=8) -> behavior Additive -> predict Dot")
    encoder = found.graph("item_encoder")
    assert found.layout == "sequence"
    assert encoder is not None
    assert [port.name for port in encoder.inputs] == ["tokens", "tokens_mask"]


def test_a_target_aware_predictor_loses_the_user_matrix() -> None:
    found = plan_of("content Pooling(hidden=8) -> behavior Null -> predict DIN", ranking=True)
    assert (found.user, names(found)) == ("clicks", ["item_encoder", "predictor"])
    predictor = found.graph("predictor")
    assert predictor is not None
    assert [(port.name, port.dims) for port in predictor.inputs] == [
        ("users", ("user", "clicks", 8)),
        ("users_mask", ("user", "clicks")),
        ("items", ("pair", 8)),
        ("owner", ("pair",)),
    ]
    assert [cache.name for cache in found.caches] == ["items"]
    assert "no user matrix" in found.notes[0]


def test_an_item_table_has_no_item_graph() -> None:
    found = plan_of("content Null -> behavior Additive -> predict DCN", ranking=True)
    assert (found.layout, names(found)) == ("id", ["user_encoder", "predictor"])
    assert found.caches[0].training
    assert "new items are refused" in found.notes[0]


def test_many_vectors_per_user() -> None:
    found = plan_of("content CNN(hidden=8) -> behavior PolyAttention(codes=4) -> predict MINER")
    assert found.user == "many"
    user = found.graph("user_encoder")
    assert user is not None
    assert user.outputs[0].dims == ("user", 4, 8)


def test_a_behavior_that_reads_the_user_has_a_port_for_it() -> None:
    found = plan_of("content CNN -> behavior LSTUR -> predict Dot")
    user = found.graph("user_encoder")
    assert found.reads_user
    assert user is not None
    assert user.inputs[-1] == Port(name="user", dtype="int64", dims=("user",))


@pytest.mark.parametrize(("split", "frozen"), [("none", False), ("-2", True), ("0", True)])
def test_a_split_language_model_reads_stored_states(split: str, frozen: bool) -> None:
    found = plan_of(f"content BERT(split={split}) -> behavior Additive -> predict Dot")
    assert found.layout == ("states" if frozen else "sequence")
    assert [stage.frozen for stage in found.stages] == [frozen, False, False]
    assert found.caches[0].name == ("states" if frozen else "items")
    assert "item_encoder" in names(found)


def test_flatten_exports_one_encoder() -> None:
    found = plan_of("flatten Longformer(hidden=8) -> predict Dot")
    assert names(found) == ["user_encoder", "predictor"]
    user = found.graph("user_encoder")
    assert user is not None
    assert user.inputs[0] == Port(name="tokens", dtype="int64", dims=("user", "clicks", "tokens"))
    both = plan_of("content CNN(hidden=8) -> flatten Longformer(hidden=8) -> predict Dot")
    assert names(both) == ["item_encoder", "user_encoder", "predictor"]


def test_predictor_of_two_widths_reads_each() -> None:
    found = plan_of("content CNN(hidden=8) -> behavior GRU(hidden=4) -> predict DCN", ranking=True)
    predictor = found.graph("predictor")
    assert predictor is not None
    assert [port.dims for port in predictor.inputs] == [("user", 4), ("pair", 8), ("pair",)]
