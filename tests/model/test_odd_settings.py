"""What the check lets pass can be built: every setting of every operator at awkward values."""

import pytest
import torch

from legoc.data.indexing.rows import Rows
from legoc.language.checking import check
from legoc.language.declaring.catalog import catalog
from legoc.language.diagnosing.document import Document
from legoc.language.ir.counted import is_asked, is_counted
from legoc.model import compile


ROWS = Rows(items=2, users=2, tokens=4)
STAGES = ("content", "behavior", "flatten", "predict")
# Semantic ids are a table with no widths of their own, and need a file to be checked; what goes on
# from a language model needs its folder.
OPERATORS = [
    d
    for role in STAGES
    for d in catalog().role(role)
    if not d.pretrained
    and d.name != "SemanticID"
    and "Prefix" not in d.signature
    and not is_asked(d)
]
# What is counted says in its pipeline alone what it is, so it stands in a file with data.
DEMO = "data news { source = Demo(items=200, users=50, impressions=300) }\n"
READS = {"Null": "DIN", "PolyAttention": "MINER"}
USERS = {"(Seq": "Null", "(Man": "PolyAttention"}


def awkward(p):
    """Values of a parameter as they are written: small, odd, the ends of what is allowed."""
    if p.kind.name == "int":
        return [v for v in (1, 3) if p.min is None or v >= p.min]
    if p.kind.name == "float":
        return [p.max] if p.max is not None else []
    if p.kind.name == "list" and p.kind.element.name == "int":
        return ["[]", "[5]", "[8, 3]"]
    if p.kind.name == "bool":
        return ["false" if p.default else "true"]
    return list(p.kind.values)[1:] if p.kind.name == "enum" else []


def pipelines(d, args):
    """An operator with these arguments, once over each of two widths."""
    stage = f"{d.role} {d.name}({args})"
    if d.role == "content":
        return [f"{stage} -> behavior Pooling -> predict Dot"]
    if d.role == "flatten":
        return [f"{stage} -> predict Dot"]
    if d.role == "behavior":
        tail = f"{stage} -> predict {READS.get(d.name, 'DNN')}"
        return [f"content Pooling(hidden={width}) -> {tail}" for width in (5, 8)]
    if is_counted(d):
        return [f"{DEMO}model m = {stage}\nrun m on news\n"]
    users = USERS.get(d.signature[:4], "Pooling")
    even = f"content Pooling(hidden=8) -> behavior {users} -> {stage}"
    odd = "content Pooling(hidden=8) -> behavior Attention(heads=1, hidden=7)"
    return [even, f"{odd} -> {stage}"] if users == "Pooling" else [even]


def settings(d):
    """Each parameter by itself, and each list of widths with each number of parts."""
    one = [(p.name, value) for p in d.params for value in awkward(p)]
    found = [f"{name}={value}" for name, value in one]
    lists = {p.name for p in d.params if p.kind.name == "list"}
    parts = [f"{name}={value}" for name, value in one if name in ("heads", "codes", "batch_norm")]
    found += [f"{n}={v}, {part}" for n, v in one if n in lists for part in parts]
    return ["", *found]


@pytest.mark.parametrize("d", OPERATORS, ids=lambda d: f"{d.role}.{d.name}")
def test_what_passes_the_check_can_be_built(d):
    built = 0
    for args in settings(d):
        for text in pipelines(d, args):
            checked = check(Document("odd.lego", text))
            for spec in checked.specs if not checked.errors else ():
                with torch.device("meta"):
                    made = compile(spec).build(ROWS)
                assert isinstance(made, torch.nn.Module)
                built += 1
    assert built


@pytest.mark.parametrize("stream", ["first", "second"])
def test_heads_divide_what_a_stream_without_layers_reads(stream):
    text = (
        "content Pooling(hidden=8) -> behavior GRU(hidden=7) -> predict FinalMLP({}=[], heads={})"
    )
    checked = check(Document("odd.lego", text.format(stream, 2)))
    (found,) = checked.errors
    assert found.code == "E0402"
    assert "2 does not divide 15" in [label.text for label in found.labels]
    assert not check(Document("even.lego", text.format(stream, 5))).errors
