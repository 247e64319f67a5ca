"""The fields of `data`, `train` and `export`, declared as parameters like those of any operator.

`inherit` names where the default of a field comes from: the source, the predictor, or `metrics`.
A default that is an operator is written as in the IR.
"""

from typing import Any, Literal

from legoc.language.declare import (
    Declaration,
    File,
    Kind,
    Operator,
    Quantity,
    param,
    read_params,
)


SOURCE, TOKENIZER, SPLIT = Operator["source"], Operator["tokenizer"], Operator["split"]
TASK, METRIC = Operator["task"], Operator["metric"]
SHARE, COUNT, DURATION, BYTES = (Quantity[unit] for unit in ("share", "count", "duration", "bytes"))
ATTRIBUTES = Kind("list", element=Kind("attribute"))
ITEMS_AND_PROMPTS = Kind("list", element=Kind("content"))


class DataFields:
    source: SOURCE = param(doc="a data-set processor called with where the raw published files lie")
    content: ITEMS_AND_PROMPTS = param(
        inherit="source", doc="item attributes in reading order, with prompt text between them"
    )
    tokenizer: TOKENIZER | None = param(
        None, doc="how text becomes tokens; none: a language model's own, else `words`"
    )
    vectors: File | None = param(None, doc="pre-trained word vectors (GloVe text)")
    history: int = param(50, min=1, doc="clicks kept per user: the most recent, oldest first")
    split: SPLIT = param(inherit="source", doc="the publisher's split if it exists, else `time`")
    group: Literal["impression", "user"] = param(
        inherit="source", doc="unit over which grouped metrics are averaged"
    )
    augment: list[File] | None = param(
        None, doc="tables joined on `item_id` or `user_id`, giving extra attributes"
    )
    user: ATTRIBUTES = param((), doc="user attributes, in the same notation as `content`")


class TrainFields:
    task: TASK = param(inherit="predict", doc="what one training row asks")
    epochs: int = param(50, min=0, doc="passes over the training rows, at most")
    batch: int = param(64, min=1, doc="training rows per batch")
    lr: float = param(1e-3, min=0, doc="learning rate")
    patience: int = param(5, min=0, doc="epochs without a better monitor before training ends")
    lr_pretrained: float | None = param(None, min=0, doc="learning rate of pre-trained weights")
    seed: int = param(2023, min=0, doc="state of every random generator")
    metrics: list[METRIC] = param(
        (
            {"op": "GAUC", "args": {}},
            {"op": "MRR", "args": {}},
            {"op": "NDCG", "args": {"k": 5}},
            {"op": "NDCG", "args": {"k": 10}},
        ),
        doc="what is measured after each epoch and at the end",
    )
    monitor: METRIC = param(
        inherit="metrics", doc="decides the best epoch and early stopping; the first metric"
    )
    optimizer: Literal["adam", "adamw", "sgd"] = param("adam", doc="the optimiser")
    weight_decay: float = param(0.0, min=0, doc="weight decay")
    schedule: Literal["constant", "linear", "cosine"] = param(
        "constant", doc="the learning rate after the warm-up"
    )
    accumulate: int = param(1, min=1, doc="batches per step")
    clip: float | None = param(None, min=0, doc="largest norm of the gradient")
    warmup: SHARE = param(
        0.0, min=0, max=1, doc="share of the steps over which `lr` rises from zero"
    )
    samples: COUNT | None = param(
        None, min=1, doc="training rows drawn per epoch; all of them unless given"
    )
    limit: DURATION | None = param(
        None, min=0, doc="duration after which training ends as if out of epochs"
    )


class ExportFields:
    opset: int = param(20, min=18, doc="ONNX operator set")
    precision: Literal["fp32", "fp16", "int8"] = param("fp32", doc="numbers of the written graphs")
    budget: BYTES | None = param(None, min=1, doc="bytes; a larger predictor is refused")
    parity: float = param(1e-4, min=0, doc="largest allowed difference of torch and onnxruntime")


def describe_record(kind: str, fields: type, doc: str) -> Declaration:
    return Declaration(role=kind, name=kind, params=read_params(fields), doc=doc)


RECORDS: dict[str, Declaration] = {
    "data": describe_record("data", DataFields, "Where items and clicks come from."),
    "train": describe_record("train", TrainFields, "The training recipe."),
    "export": describe_record("export", ExportFields, "Settings of the written graphs."),
}


def record_defaults(kind: str) -> dict[str, Any]:
    """The defaults that do not depend on anything else."""
    return {p.name: p.default for p in RECORDS[kind].params if not p.required and not p.inherit}
