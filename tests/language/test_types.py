"""The notation of types round-trips, and unification solves what it must and nothing more."""

import pytest

from legoc.language.declaring.types import (
    Id,
    Many,
    Seq,
    Tokens,
    Tuple,
    Variable,
    Vec,
    parse_signature,
    parse_type,
)
from legoc.language.typing.unify import substitute, unify, variables


SIGNATURES = (
    "Id -> Vec[hidden]",
    "Tokens -> Vec[hidden]",
    "Seq[T] -> Seq[T]",
    "Seq[Vec[d]] -> Vec[d]",
    "(Seq[Vec[d]], Id) -> Vec[hidden]",
    "Seq[Vec[d]] -> Many[codes, Vec[d]]",
    "Seq[Tokens] -> Vec[hidden]",
    "(Vec[d], Vec[d]) -> Score",
    "(Many[k, Vec[d]], Vec[d]) -> Score",
    "(Seq[Tokens], Tokens) -> Score",
    "Seq[Vec[64]] -> Many[32, Vec[64]]",
)


@pytest.mark.parametrize("text", SIGNATURES)
def test_every_signature_of_the_language_round_trips(text: str) -> None:
    assert str(parse_signature(text)) == text


def test_a_type_is_read_into_its_parts() -> None:
    many = parse_type("Many[codes, Vec[256]]")
    assert many == Many("codes", Vec(256))
    assert parse_type(" ( Seq[Vec[d]] , Id ) ") == Tuple((Seq(Vec("d")), Id()))
    assert parse_type("Seq[T]") == Seq(Variable("T"))


@pytest.mark.parametrize(
    "text",
    ["", "Vec", "Vec[", "Vec[]", "Vec[d", "Vec[D]", "Seq[]", "Many[3]", "Foo", "Id]", "Vec[d] x",
     "(Id,)", "Vec[-1]", "Id -> Id", "Many[Id, Id]"],
)  # fmt: skip
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"belongs|notation|after the end"):
        parse_type(text)


def test_a_signature_needs_an_arrow() -> None:
    with pytest.raises(ValueError, match="->"):
        parse_signature("Seq[T]")


def test_unification_solves_widths_and_types() -> None:
    signature = parse_signature("(Many[k, Vec[d]], Vec[d]) -> Score")
    given = parse_type("(Many[32, Vec[256]], Vec[256])")
    assert unify(signature.input, given, {}) == {"k": 32, "d": 256}
    assert unify(signature.input, parse_type("(Many[32, Vec[256]], Vec[64])"), {}) is None
    assert unify(parse_type("Seq[T]"), parse_type("Seq[Vec[64]]"), {}) == {"T": Vec(64)}
    assert unify(parse_type("Seq[Vec[d]]"), Seq(Tokens()), {}) is None


def test_a_variable_is_one_value_everywhere() -> None:
    assert unify(parse_type("(T, T)"), parse_type("(Id, Tokens)"), {}) is None
    assert unify(parse_type("(T, T)"), parse_type("(Id, Id)"), {}) == {"T": Id()}
    assert unify(Vec("d"), Vec(64), {"d": 128}) is None
    assert unify(Vec("d"), Vec(64), {"d": 64}) == {"d": 64}


def test_variables_may_stand_on_either_side() -> None:
    solved = unify(parse_type("(Vec[a], Seq[T])"), parse_type("(Vec[b], Seq[Vec[b]])"), {})
    assert solved is not None
    final = unify(Vec("a"), Vec(8), solved)
    assert final is not None
    assert substitute(parse_type("(Vec[a], Seq[T], Vec[b])"), final) == parse_type(
        "(Vec[8], Seq[Vec[8]], Vec[8])"
    )


def test_a_variable_never_contains_itself() -> None:
    assert unify(Variable("T"), Seq(Variable("T")), {}) is None


def test_open_names_are_listed() -> None:
    assert variables(parse_type("(Many[k, Vec[d]], Seq[T], Id)")) == {"k", "d", "T"}
