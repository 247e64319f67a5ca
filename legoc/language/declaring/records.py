"""The fields of `data`, `generate`, `train` and `export`, declared as parameters like those of any
operator.

`inherit` names where the default of a field comes from: the source, the predictor, or a field.
A default that is an operator is written as in the IR.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from legoc.language.declaring.declare import Declaration, param
from legoc.language.declaring.kinds import Kind, Param
from legoc.language.declaring.tolerances import TOLERANCE


ATTRIBUTES = Kind("list", element=Kind("attribute"))
PARTS = Kind("list", element=Kind("content"))


def of_kind(kind: Kind, declared: Any, *, optional: bool = False) -> Param:
    """The parameter `param(...)` describes, of a kind; what an annotation says elsewhere."""
    return replace(declared, kind=kind, optional=optional)


DATA_FIELDS = {
    "source": of_kind(
        Kind("operator", role="source"),
        param(doc="a data-set processor called with where the raw published files lie"),
    ),
    "content": of_kind(
        PARTS,
        param(
            inherit="source", doc="item attributes in reading order, with prompt text between them"
        ),
    ),
    "tokenizer": of_kind(
        Kind("operator", role="tokenizer"),
        optional=True,
        declared=param(
            None, doc="how text becomes tokens; none: a language model's own, else `words`"
        ),
    ),
    "vectors": of_kind(
        Kind("vectors"),
        optional=True,
        declared=param(
            None,
            doc="pre-trained word vectors: a file in GloVe's text form, or the folder or hub name "
            "of a language model, whose token table is taken",
        ),
    ),
    "history": of_kind(
        Kind("int"), param(50, min=1, doc="clicks kept per user: the most recent, oldest first")
    ),
    "split": of_kind(
        Kind("operator", role="split"),
        param(inherit="source", doc="the publisher's split if it exists, else `time`"),
    ),
    "group": of_kind(
        Kind("enum", values=("impression", "user")),
        param(inherit="source", doc="unit over which grouped metrics are averaged"),
    ),
    "augment": of_kind(
        Kind("list", element=Kind("file")),
        optional=True,
        declared=param(
            None, doc="tables joined on `item_id` or `user_id`, giving extra attributes"
        ),
    ),
    "user": of_kind(
        ATTRIBUTES, param((), doc="user attributes, in the same notation as `content`")
    ),
    "context": of_kind(
        Kind("list", element=Kind("operator", role="context")),
        param(
            (),
            since=True,
            doc="numbers of an item at the moment it is offered, such as its clicks until then",
        ),
    ),
}


TRAIN_FIELDS = {
    "task": of_kind(
        Kind("operator", role="task"), param(inherit="predict", doc="what one training row asks")
    ),
    "epochs": of_kind(Kind("int"), param(50, min=0, doc="passes over the training rows, at most")),
    "batch": of_kind(Kind("int"), param(64, min=1, doc="training rows per batch")),
    "lr": of_kind(
        Kind("float"),
        param(inherit="task", above=0, doc="learning rate; 3e-3 for matching, 1e-3 for ranking"),
    ),
    "patience": of_kind(
        Kind("int"), param(5, min=0, doc="epochs without a better monitor before training ends")
    ),
    "min_updates": of_kind(
        Kind("int"),
        param(
            1000,
            min=0,
            since=True,
            before=0,
            doc="updates before which `patience` ends nothing: the first epochs of a small log are "
            "few of them, and the monitor may stand still there",
        ),
    ),
    "lr_pretrained": of_kind(
        Kind("float"),
        optional=True,
        declared=param(
            None, min=0, doc="learning rate of pre-trained weights; those of LoRA are fresh"
        ),
    ),
    "seed": of_kind(Kind("int"), param(2023, min=0, doc="state of every random generator")),
    "metrics": of_kind(
        Kind("list", element=Kind("operator", role="metric")),
        param(
            (
                {"op": "GAUC", "args": {}},
                {"op": "MRR", "args": {}},
                {"op": "NDCG", "args": {"k": 5}},
                {"op": "NDCG", "args": {"k": 10}},
            ),
            runtime=True,
            doc="what is measured after each epoch and at the end",
        ),
    ),
    "monitor": of_kind(
        Kind("operator", role="metric"),
        param(inherit="metrics", doc="decides the best epoch and early stopping; the first metric"),
    ),
    "optimizer": of_kind(
        Kind("enum", values=("adam", "adamw", "sgd", "lazyadam")),
        param(
            "adam",
            doc="the optimiser; `lazyadam` is Adam that leaves rows alone that no batch reads",
        ),
    ),
    "weight_decay": of_kind(
        Kind("float"), param(0.0, min=0, doc="shrinks matrices, not tables, biases and norms")
    ),
    "schedule": of_kind(
        Kind("enum", values=("constant", "linear", "cosine")),
        param("constant", doc="the learning rate after the warm-up"),
    ),
    "accumulate": of_kind(Kind("int"), param(1, min=1, doc="batches per step")),
    "clip": of_kind(
        Kind("float"),
        optional=True,
        declared=param(None, above=0, doc="largest norm of the gradient"),
    ),
    "warmup": of_kind(
        Kind("quantity", unit="share"),
        param(0.0, min=0, max=1, doc="share of the steps over which `lr` rises from zero"),
    ),
    "average": of_kind(
        Kind("int"),
        param(
            300,
            min=1,
            since=True,
            before=1,
            doc="updates over which the weights are averaged for what is measured and exported; "
            "1: the latest ones themselves",
        ),
    ),
    "word_dropout": of_kind(
        Kind("quantity", unit="share"),
        param(
            inherit="content",
            min=0,
            max=1,
            since=True,
            before=0.0,
            doc="share of the tokens of items of five and more that training reads as unknown "
            "ones; 20% where words are read, none by language models and tables of items",
        ),
    ),
    "samples": of_kind(
        Kind("quantity", unit="count"),
        optional=True,
        declared=param(None, min=1, doc="training rows drawn per epoch; all of them unless given"),
    ),
    "calibrate": of_kind(
        Kind("bool"),
        param(
            False,
            since=True,
            doc="fit a temperature and a bias on the validation part after training, so that "
            "sigmoid of a score is the chance of a click; the order stays",
        ),
    ),
    "candidates": of_kind(
        Kind("enum", values=("shown", "all")),
        param(
            "shown",
            since=True,
            runtime=True,
            doc="what the finished model ranks: the candidates of each group, or all items of the "
            "catalogue for each group that clicks; after each epoch it is what was shown",
        ),
    ),
    "limit": of_kind(
        Kind("quantity", unit="duration"),
        optional=True,
        declared=param(
            None,
            above=0,
            runtime=True,
            doc="duration after which training ends as if out of epochs; a longer one goes on",
        ),
    ),
}


EXPORT_FIELDS = {
    "opset": of_kind(Kind("int"), param(20, min=18, doc="ONNX operator set")),
    "precision": of_kind(
        Kind("enum", values=("fp32", "fp16", "int8")),
        param("fp32", doc="numbers of the written graphs"),
    ),
    "budget": of_kind(
        Kind("quantity", unit="bytes"),
        optional=True,
        declared=param(None, min=1, doc="bytes; a larger predictor is refused"),
    ),
    "parity": of_kind(
        Kind("float"), param(1e-4, min=0, doc="largest allowed difference of torch and onnxruntime")
    ),
    "keep": of_kind(
        Kind("list", element=Kind("column")),
        param((), since=True, doc="attributes of items that a bundle keeps, to filter by"),
    ),
    "cold": of_kind(
        Kind("enum", values=("model", "popularity", "mean", "error")),
        optional=True,
        declared=param(
            None,
            since=True,
            doc="what users are answered of whom nothing is known; the model's own answer where it "
            "ranks items for an empty history, else their training clicks",
        ),
    ),
    "tolerate": of_kind(
        Kind("operator", role=TOLERANCE),
        optional=True,
        declared=param(
            None,
            since=True,
            doc="a metric and what it may lose on the validation part: each graph is stored in the "
            "fewest bytes that surely lose no more",
        ),
    ),
}


GENERATE_FIELDS = {
    "of": of_kind(
        Kind("data"), param(doc="the declared data set whose items or users are written about")
    ),
    "task": of_kind(
        Kind("operator", role="writing"), param(doc="what is read, what is asked, what is written")
    ),
    "model": of_kind(
        Kind("operator", role="writer"),
        param(doc="what answers: a language model on this machine, or one behind an interface"),
    ),
}


def describe_record(kind: str, fields: Mapping[str, Param], doc: str) -> Declaration:
    params = tuple(replace(field, name=name) for name, field in fields.items())
    return Declaration(role=kind, name=kind, params=params, doc=doc)


RECORDS: dict[str, Declaration] = {
    "data": describe_record("data", DATA_FIELDS, "Where items and clicks come from."),
    "generate": describe_record(
        "generate", GENERATE_FIELDS, "Text that a language model writes about items or users."
    ),
    "train": describe_record("train", TRAIN_FIELDS, "The training recipe."),
    "export": describe_record("export", EXPORT_FIELDS, "Settings of the written graphs."),
}
