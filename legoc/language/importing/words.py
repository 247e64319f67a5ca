"""What Legommenders calls things: operators, their settings with its defaults, data sets, columns.

A default is written out where it is not ours, so that an imported model is the same model.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class To:
    """A setting with a counterpart: the parameter, the default there, and what becomes of words."""

    param: str
    default: Any = None
    words: Mapping[Any, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Only:
    """A setting without a counterpart; what it holds here is the one thing ours does."""

    value: Any


@dataclass(frozen=True, kw_only=True)
class Counterpart:
    """The operator here; `given` are parameters its name there stands for."""

    name: str
    settings: Mapping[str, To | Only] = field(default_factory=dict[str, To | Only])
    given: Mapping[str, Any] = field(default_factory=dict[str, Any])
    pretrained: bool = False
    side: bool = False


ADDITIVE: dict[str, To | Only] = {"additive_hidden_size": To(param="dim", default=256)}
CNN: dict[str, To | Only] = {
    "kernel_size": To(param="kernel", default=3),
    "dropout": To(param="dropout", default=0.1),
    **ADDITIVE,
}
ATTENTION: dict[str, To | Only] = {
    "num_attention_heads": To(param="heads", default=8),
    "attention_dropout": Only(value=0.1),
    **ADDITIVE,
}
TRANSFORMER: dict[str, To | Only] = {
    "num_attention_heads": To(param="heads", default=8),
    "num_hidden_layers": To(param="layers", default=3),
    "attention_dropout": Only(value=0.1),
    "additive_hidden_size": Only(value=256),
}
FASTFORMER: dict[str, To | Only] = {
    **TRANSFORMER,
    "hidden_dropout_prob": To(param="dropout", default=0.1),
}
POOLING: dict[str, To | Only] = {
    "max_pooling": To(param="kind", default="mean", words={True: "max", False: "mean"}),
    "flatten": Only(value=False),
}
GRU: dict[str, To | Only] = {"num_layers": Only(value=1)}

ENCODERS: Mapping[str, Counterpart] = {
    "ada": Counterpart(name="Additive", settings=ADDITIVE),
    "attention": Counterpart(name="Attention", settings=ATTENTION),
    "fastformer": Counterpart(name="Fastformer", settings=FASTFORMER),
    "gru": Counterpart(name="GRU", settings=GRU),
    "pooling": Counterpart(name="Pooling", settings=POOLING),
    "transformer": Counterpart(name="Transformer", settings=TRANSFORMER),
}
# What that library calls OPT base has 350 million weights.
LANGUAGE_MODELS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "bertbase": ("BERT", {"size": "base"}),
    "bertlarge": ("BERT", {"size": "large"}),
    "llama1": ("Llama", {"version": 1}),
    "llama2": ("Llama", {"version": 2}),
    "llama3": ("Llama", {"version": 3}),
    "glm4th9b": ("GLM", {}),
    "optbase": ("OPT", {"size": "medium"}),
    "optlarge": ("OPT", {"size": "large"}),
}
CONTENT: Mapping[str, Counterpart] = {
    **ENCODERS,
    "cnn": Counterpart(name="CNN", settings=CNN),
    "cnncat": Counterpart(name="CNN", settings=CNN, given={"fuse": "concat"}),
    **{
        name: Counterpart(name=ours, settings=ADDITIVE, given=given, pretrained=True)
        for name, (ours, given) in LANGUAGE_MODELS.items()
    },
    **{
        f"{name}iisan": Counterpart(name=ours, given=given, pretrained=True, side=True)
        for name, (ours, given) in LANGUAGE_MODELS.items()
    },
}
BEHAVIOR: Mapping[str, Counterpart] = {
    **ENCODERS,
    "nullconcat": Counterpart(name="Null"),
    "nullsimple": Counterpart(name="Null"),
    "polyattention": Counterpart(
        name="PolyAttention",
        settings={
            "num_context_codes": To(param="codes", default=32),
            "context_code_dim": To(param="dim", default=200),
        },
    ),
}
FLATTEN: Mapping[str, Counterpart] = {
    "flattenfastformer": Counterpart(name="Fastformer", settings=FASTFORMER),
    "flattentransformer": Counterpart(name="Transformer", settings=TRANSFORMER),
}
DNN: dict[str, To | Only] = {
    "dnn_hidden_units": To(param="units"),
    "dnn_dropout": To(param="dropout"),
    "dnn_activations": Only(value="ReLU"),
    "dnn_batch_norm": Only(value=False),
}
CROSS: dict[str, To | Only] = {**DNN, "cross_num": To(param="cross", default=3)}
DEEP_CROSS: dict[str, To | Only] = {
    **CROSS,
    "dnn_dropout": To(param="dropout", default=0.0),
    "stacked_dnn_hidden_units": To(param="units"),
    "parallel_dnn_hidden_units": To(param="units"),
    "model_structure": To(param="structure", default="parallel"),
}
PREDICT: Mapping[str, Counterpart] = {
    "dot": Counterpart(name="Dot"),
    "dnn": Counterpart(name="DNN", settings=DNN),
    "dcn": Counterpart(name="DCN", settings=CROSS),
    "gdcn": Counterpart(
        name="GDCN",
        settings={
            **CROSS,
            "sequential_mode": To(
                param="structure", default="parallel", words={True: "stacked", False: "parallel"}
            ),
        },
    ),
    "dcnv2": Counterpart(name="DCNv2", settings=DEEP_CROSS),
    "dcnmix": Counterpart(
        name="DCNMix",
        settings={
            **DEEP_CROSS,
            "low_rank": To(param="rank", default=32),
            "num_experts": To(param="experts", default=4),
        },
    ),
    "deepfm": Counterpart(name="DeepFM", settings=DNN),
    "pnn": Counterpart(name="PNN", settings=DNN),
    "autoint": Counterpart(
        name="AutoInt",
        settings={
            **DNN,
            "num_attention_layers": To(param="layers"),
            "num_attention_heads": To(param="heads"),
            "attention_dim": To(param="dim"),
            "attention_dropout": To(param="dropout"),
            "use_scale": To(param="scale", default=False),
            "use_residual": Only(value=True),
            "attention_layer_norm": Only(value=False),
        },
    ),
    "din": Counterpart(
        name="DIN",
        settings={
            "dnn_hidden_units": To(param="units"),
            "attention_hidden_units": To(param="attention"),
            "attention_dropout": To(param="dropout", default=0.0),
            "net_dropout": To(param="dropout", default=0.0),
            "din_use_softmax": To(param="softmax", default=False),
            "dnn_activations": Only(value="ReLU"),
            "batch_norm": Only(value=False),
        },
    ),
    "finalmlp": Counterpart(
        name="FinalMLP",
        settings={
            "mlp1_hidden_units": To(param="first"),
            "mlp2_hidden_units": To(param="second"),
            "mlp1_dropout": To(param="dropout", default=0.0),
            "mlp2_dropout": To(param="dropout", default=0.0),
            "num_heads": To(param="heads", default=1),
            "mlp1_hidden_activations": Only(value="ReLU"),
            "mlp2_hidden_activations": Only(value="ReLU"),
            "mlp1_batch_norm": Only(value=False),
            "mlp2_batch_norm": Only(value=False),
        },
    ),
    "masknet": Counterpart(
        name="MaskNet",
        given={"structure": "parallel", "blocks": (64,)},
        settings={
            "hidden_units": To(param="units"),
            "dropout": To(param="dropout", default=0.0),
            "reduction_ratio": To(param="ratio", default=1.0),
            "sequential_mode": Only(value=False),
            "num_blocks": Only(value=1),
            "block_dim": Only(value=64),
            "activations": Only(value="ReLU"),
            "layer_norm": Only(value=True),
            "embed_layer_norm": Only(value=True),
        },
    ),
    "miner": Counterpart(
        name="MINER", settings={"score_type": To(param="score", default="weighted")}
    ),
}

# Data sets by the names their configurations bear.
SOURCES: Mapping[str, str] = {
    "mind": "MIND", "mindrb": "MIND", "oncemind": "MIND", "xmind": "MIND", "goodreads": "Goodreads",
    "ebnerd": "EBNeRD", "pens": "PENS", "adressa": "Adressa", "hm": "HM", "lastfm": "LastFM",
    "microlens": "MicroLens", "netflix": "Netflix", "pog": "POG", "steam": "Steam", "yelp": "Yelp",
    "hotelrec": "HotelRec", "movielens": "MovieLens", "books": "AmazonBooks", "cds": "AmazonCDs",
    "electronics": "AmazonElectronics",
}  # fmt: skip
# Columns that hold one text for every item are prompt fragments here.
PROMPTS: Mapping[str, str] = {
    "prompt": "Here is a piece of news article. ",
    "prompt_title": "Title: ",
    "prompt_abstract": "Abstract: ",
    "prompt_category": "Category: ",
    "prompt_subcategory": "Subcategory: ",
}
