"""Probes are a function of graph and spec, and hold the shapes and contents they are named for."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from legoc.data.indexing.rows import Rows
from legoc.exporting.probes import longest_sizes, make_probes
from legoc.language.ir.plan import Graph, Port
from legoc.language.ir.spec import Call
from tests.exporting.small_models import (
    GRAPHS,
    ROWS,
    SPEC,
    WIDTH,
    item_graph,
    predictor_graph,
    user_graph,
)


def by_name(graph, rows=ROWS):
    return {probe.name: probe for probe in make_probes(graph, SPEC, rows)}


def test_names_and_shapes_of_an_item_encoder():
    probes = by_name(item_graph())
    assert set(probes) == {
        "3x5", "9x17", "1x1", "1x5", "3x1", "longest", "empty_row", "all_empty",
        "other_padding", "unknown_token", "no_rows",
    }  # fmt: skip
    assert probes["9x17"].inputs["title"].shape == (9, 17)
    assert probes["9x17"].inputs["category"].shape == (9, 18)
    assert probes["3x1"].inputs["category"].shape == (3, 1)
    assert probes["longest"].inputs["title"].shape == (3, 12)
    assert probes["longest"].inputs["category"].shape == (3, 1)
    assert probes["longest"].inputs["title_mask"].all()


def test_contents():
    probes = by_name(item_graph())
    assert probes.pop("no_rows").inputs["title"].shape == (0, 5)
    for probe in probes.values():
        for name in ("title", "category"):
            ids, mask = probe.inputs[name], probe.inputs[f"{name}_mask"]
            assert ids.dtype == np.int64
            assert ids.min() >= 0
            assert ids.max() < ROWS.tokens
            if probe.name != "other_padding":
                assert not ids[~mask].any()
            assert (np.diff(mask.astype(int), axis=1) <= 0).all()
    assert not probes["empty_row"].inputs["title_mask"][0].any()
    assert probes["empty_row"].inputs["title_mask"][1:].any(1).all()
    assert not probes["all_empty"].inputs["category_mask"].any()
    unknown = probes["unknown_token"].inputs
    assert set(unknown["title"][unknown["title_mask"]]) == {1}
    soiled = probes["other_padding"]
    assert (soiled.inputs["title"] != soiled.twin["title"]).any()
    np.testing.assert_array_equal(
        soiled.inputs["title"][soiled.inputs["title_mask"]],
        soiled.twin["title"][soiled.inputs["title_mask"]],
    )


def test_owners_are_unsorted_and_repeated_and_leave_a_user_without_pairs():
    owner = by_name(predictor_graph())["owners"].inputs["owner"]
    users = by_name(predictor_graph())["owners"].inputs["users"]
    assert (np.diff(owner) < 0).any()
    assert len(set(owner)) < len(owner)
    assert set(owner) < set(range(len(users)))


def test_there_are_no_pairs_with_and_without_users():
    probes = by_name(predictor_graph())
    shapes = {
        name: [len(probes[name].inputs[port]) for port in ("users", "items", "owner")]
        for name in ("no_pairs", "no_users")
    }
    assert shapes == {"no_pairs": [3, 0, 0], "no_users": [0, 0, 0]}


@pytest.mark.parametrize("name", ["user", "owner", "clicks", "tokens"])
def test_an_attribute_may_have_the_name_of_another_port(name):
    """Its ids are tokens, of which there are more than users."""
    ports = [replace(port, name=port.name.replace("title", name)) for port in item_graph().inputs]
    graph = replace(item_graph(), inputs=tuple(ports))
    probes = make_probes(graph, SPEC, replace(ROWS, users=1))
    assert max(probe.inputs[name].max(initial=0) for probe in probes) > 1


def test_a_predictor_that_reads_clicks_has_masked_probes():
    graph = Graph(
        name="predictor",
        inputs=(
            Port(name="users", dtype="float32", dims=("user", "clicks", WIDTH)),
            Port(name="users_mask", dtype="bool", dims=("user", "clicks")),
            *predictor_graph().inputs[1:],
        ),
        outputs=predictor_graph().outputs,
    )
    probes = by_name(graph)
    assert {"longest", "empty_row", "all_empty", "other_padding", "owners"} <= set(probes)
    assert "unknown_token" not in probes
    assert probes["longest"].inputs["users"].shape == (3, SPEC.data.history, WIDTH)
    assert probes["1x1"].inputs["users"].shape == (1, 1, WIDTH)
    assert (probes["other_padding"].inputs["users"] == 1e4).any()


def test_a_user_encoder_that_reads_users_stays_in_its_table():
    graph = Graph(
        name="user_encoder",
        inputs=(*user_graph().inputs, Port(name="user", dtype="int64", dims=("user",))),
        outputs=user_graph().outputs,
    )
    for probe in make_probes(graph, SPEC, Rows(items=3, users=2, tokens=0)):
        assert probe.inputs["user"].max(initial=0) < 2
        assert probe.inputs["user"].shape == (len(probe.inputs["clicks"]),)


@pytest.mark.parametrize("graph", GRAPHS, ids=lambda graph: graph.name)
def test_the_same_probes_every_time(graph):
    for first, second in zip(
        make_probes(graph, SPEC, ROWS), make_probes(graph, SPEC, ROWS), strict=True
    ):
        for name, values in first.inputs.items():
            np.testing.assert_array_equal(values, second.inputs[name])


def test_the_longest_sequence_has_a_separator_after_each_attribute():
    found = longest_sizes(SPEC, ROWS)
    assert found == {"title_tokens": 12, "category_tokens": 1, "tokens": 15, "clicks": 10}


def test_the_longest_sequence_of_a_language_model_is_what_its_prompts_and_limits_allow():
    assert longest_sizes(SPEC, replace(ROWS, longest=77))["tokens"] == 77


def test_shares_lie_between_0_and_1_and_counts_beyond():
    graph = predictor_graph()
    context = Port(name="context", dtype="float32", dims=("pair", 2))
    graph = replace(graph, inputs=(*graph.inputs, context))
    named = (
        Call(op="popularity", args={"hours": None, "days": None}),
        Call(op="share", args={"hours": 2.0, "days": None}),
    )
    data = SimpleNamespace(**{**vars(SPEC.data), "context": named})
    spec = SimpleNamespace(**{**vars(SPEC), "data": data})
    found = [probe.inputs["context"] for probe in make_probes(graph, spec, ROWS)]
    counts, shares = np.concatenate(found).T
    assert counts.max() > 1
    assert shares.min() == 0
    assert shares.max() < 1
    assert len(set(shares.tolist())) > 5
    plain = [probe.inputs["context"] for probe in by_name(graph).values()]
    assert np.array_equal(np.concatenate(plain)[:, 0], counts)
    # What an attribute is called decides nothing.
    item = replace(item_graph(), inputs=(context, *item_graph().inputs))
    same = [probe.inputs["context"] for probe in make_probes(item, spec, ROWS)]
    assert all(
        np.array_equal(a, b)
        for a, b in zip(same, [p.inputs["context"] for p in by_name(item).values()], strict=True)
    )
