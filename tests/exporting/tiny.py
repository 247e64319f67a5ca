"""A spec and prepared data of a dozen items, made by hand, for whole bundles."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from legoc.data.indexing.log import Log
from legoc.data.indexing.names import Names
from legoc.data.indexing.rows import Rows
from legoc.data.prepare import Prepared
from legoc.data.reading.file_stems import file_stem
from legoc.data.reading.inputs import IdTable, JointInputs, TokenTable
from legoc.language.declaring.catalog import catalog
from legoc.language.declaring.declare import Attribute
from legoc.language.declaring.kinds import Role
from legoc.language.ir.plan import Plan, Port, plan, token_ports
from legoc.language.ir.spec import Call, Data, Export, Keys, Spec, Train, Types
from legoc.model import compile
from legoc_runtime.tokens import Reader


WIDTH = 8
TITLES = (
    "Cold start, warm welcome", "A storm is coming", "Seven ways to bake bread", "",
    "The match went on and on and on until nobody was left", "Markets fall", "Rain again",
    "How to read a graph", "Bread prices rise", "The quiet champion", "Warm weather ahead",
)  # fmt: skip
CATEGORIES = ("news", "weather", "food", "", "sport", "money", "weather", "science", "money",
              "sport", "weather")  # fmt: skip
ATTRIBUTES = (
    Attribute(name="title", kind="text", length=9),
    Attribute(name="category", kind="category", length=1),
)


def records(attributes: Sequence[Attribute] = ATTRIBUTES) -> list[dict[str, str]]:
    """The items with two attributes of any names."""
    text, group = (attribute.name for attribute in attributes)
    return [
        {"id": f"N{i + 1}", text: title, group: category}
        for i, (title, category) in enumerate(zip(TITLES, CATEGORIES, strict=True))
    ]


def call(role: str, op: str, **given: Any) -> Call:
    """A call with every default; what an operator inherits is the width of the model."""
    declaration = catalog().get(role, op)
    assert declaration is not None, f"no {role} {op}"
    args: dict[str, Any] = {}
    for p in declaration.params:
        default = tuple(p.default) if isinstance(p.default, list) else p.default
        args[p.name] = WIDTH if p.inherit is not None else default
    small: dict[str, Any] = {
        "hidden": WIDTH,
        "dim": 12,
        "heads": 2,
        "units": (16, 8),
        "attention": (6,),
        "first": (16, 8),
        "second": (16, 8),
    }
    args |= {name: value for name, value in small.items() if name in args} | given
    return Call(op=op, args=args)


def make_spec(
    content: Call | None = None,
    behavior: Call | None = None,
    predict: Call | None = None,
    *,
    flatten: Call | None = None,
    export: Export | None = None,
    attributes: tuple[Attribute, ...] = ATTRIBUTES,
) -> Spec:
    stages: dict[Role, Call | None] = {
        "content": content, "behavior": behavior, "flatten": flatten, "predict": predict,
    }  # fmt: skip
    user = f"Vec[{WIDTH}]"
    if behavior is not None and behavior.op == "Null":
        user = f"Seq[{user}]"
    elif behavior is not None and behavior.op == "PolyAttention":
        user = f"Many[{behavior['codes']}, {user}]"
    return Spec(
        name="tiny",
        model={role: stage for role, stage in stages.items() if stage is not None},
        data=Data(
            source=call("source", "Demo"),
            content=attributes, history=6, split=Call(op="publisher"), group="impression",
        ),
        train=Train(
            task=call("task", "ranking"), epochs=1, batch=4, lr=0.01, patience=1, seed=5,
            metrics=(Call(op="GAUC"), Call(op="NDCG", args={"k": 5})), monitor=Call(op="GAUC"),
        ),
        export=export or Export(),
        types=Types(item=f"Vec[{WIDTH}]", user=user),
        keys=Keys(item="1" * 64, user="2" * 64, prefix="", spec="3" * 64),
        source_text="content CNN -> behavior GRU -> predict DNN\n",
    )  # fmt: skip


def write_reading(
    folder: Path, layout: str, attributes: Sequence[Attribute] = ATTRIBUTES
) -> dict[str, Any]:  # fmt: skip
    """Tokenizer and vocabulary files of the records below `folder`; the reading."""
    import tokenizers
    from tokenizers import models, normalizers, pre_tokenizers

    words = sorted({w for t in TITLES for w in t.lower().replace(",", " , ").split()})
    vocabulary = {w: i for i, w in enumerate(["[PAD]", "[UNK]", "[SEP]", *words])}
    tokenizer = tokenizers.Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    (folder / "tokenizers" / "words").mkdir(parents=True)
    tokenizer.save(str(folder / "tokenizers" / "words" / "tokenizer.json"))
    values = {v: len(vocabulary) + i for i, v in enumerate(sorted({c for c in CATEGORIES if c}))}
    text, group = (attribute.name for attribute in attributes)
    vocabulary_file = f"vocabularies/{file_stem(group)}.json"
    (folder / "vocabularies").mkdir()
    (folder / vocabulary_file).write_text(json.dumps({"values": values}))
    return {
        "layout": layout, "rows": len(vocabulary) + len(values),
        "padding": 0, "unknown": 1, "separator": 2,
        "parts": [
            {"name": text, "kind": "text", "length": 9,
             "tokenizer": "tokenizers/words/tokenizer.json"},
            {"name": group, "kind": "category", "length": 1, "vocabulary": vocabulary_file},
        ],
    }  # fmt: skip


def make_log() -> Log:
    """Six impressions of five items over four histories, one of them empty."""
    random = np.random.default_rng(3)
    histories = [[1, 5, 2], [], [3, 3, 9, 8, 7, 6], [11]]
    item = np.concatenate([random.choice(np.arange(1, 12), 5, replace=False) for _ in range(6)])
    return Log(
        clicks=np.array([c for h in histories for c in h], dtype=np.int32),
        starts=np.cumsum([0, *map(len, histories)]).astype(np.int64),
        user=np.zeros(4, dtype=np.int32),
        history=np.repeat([0, 1, 2, 3, 0, 2], 5).astype(np.int32),
        item=item.astype(np.int32),
        label=np.tile([1.0, 0.0, 0.0, 1.0, 0.0], 6).astype(np.float32),
        group=np.repeat(np.arange(6), 5).astype(np.int32),
    )


def read(reader: Reader, ports: tuple[Port, ...], spec: Spec) -> TokenTable:
    found = reader.read([{}, *records(spec.data.attributes)])
    lengths = sum(length for _, length in found.values())
    return TokenTable(ports=ports, matrices=found, lengths=lengths)


def make_prepared(spec: Spec, made: Plan, folder: Path) -> Prepared:
    ids = ["", *(record["id"] for record in records())]
    inputs: Any = IdTable.of(len(ids))
    reading, tokens = None, 0
    if made.reads_tokens:
        layout: Any = "sequence" if made.layout == "id" else made.layout
        reading = write_reading(folder, layout, spec.data.attributes)
        reader, tokens = Reader.load(folder, reading), reading["rows"]
        if made.layout != "id":
            inputs = read(reader, token_ports(spec, layout, "item"), spec)
        if made.flattens and made.layout != "sequence":
            ports = token_ports(spec, "sequence", "item")
            sequence = read(reader.in_sequence(), ports, spec)
            inputs = JointInputs(content=inputs, tokens=sequence)
    nothing: Any = None
    return Prepared(
        tables=nothing, report=nothing, digest="4" * 64, inputs=inputs,
        logs={"train": make_log(), "valid": make_log()}, items=Names(ids=ids),
        users=Names(ids=["", "U1"]), rows=Rows(items=len(ids), users=2, tokens=tokens),
        reading=reading, reading_folder=folder if reading else None,
        training_items=np.ones(len(ids), dtype=bool),
    )  # fmt: skip


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tiny:
    spec: Spec
    plan: Plan
    prepared: Prepared
    recommender: nn.Module


def make(spec: Spec, folder: Path) -> Tiny:
    made = plan(spec)
    prepared = make_prepared(spec, made, folder)
    torch.manual_seed(7)
    recommender = compile(spec).build(prepared.rows)
    # Larger weights than fresh ones, so that scores differ by more than rounding.
    with torch.no_grad():
        for parameter in recommender.parameters():
            if parameter.dim() > 1:
                parameter.mul_(2.0)
    return Tiny(spec=spec, plan=made, prepared=prepared, recommender=recommender)
