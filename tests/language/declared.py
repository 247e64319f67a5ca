"""A catalogue for tests of the front end: every operator that LANGUAGE section 3 names.

It is independent of the operators legoc has, so these tests hold while operators come and go.
"""

# ruff: noqa: F821 - a unit or a role in quotes is no forward reference

from typing import Literal

from legoc.language.declaring.catalog import Catalog, catalog_of
from legoc.language.declaring.declare import (
    Attribute,
    Column,
    Declaration,
    Divides,
    Excludes,
    File,
    Folder,
    Model,
    Needs,
    Odd,
    Operator,
    Quantity,
    operator,
    param,
)
from legoc.language.declaring.schema import emit


def width(default: int = 64) -> object:
    return param(default, min=1, doc="output width")


def inherited() -> object:
    return param(inherit="d", min=1, doc="output width; the input width unless given")


def dropout() -> object:
    return param(0.1, min=0, max=1, doc="share of numbers set to zero in training")


@operator("content", "Null", "Id -> Vec[hidden]")
class ContentNull:
    """A table of items."""

    class Config:
        hidden: int = width()
        file: File | None = param(None, doc="pre-trained rows")
        frozen: bool = param(False, doc="rows are not trained")

    rules = (Needs("frozen", "file"),)
    example = "content Null(hidden=64)"


@operator("content", "Pooling", "Tokens -> Vec[hidden]", layout="fields")
class ContentPooling:
    """Mean of the tokens."""

    class Config:
        hidden: int = width()
        kind: Literal["mean", "max"] = param("mean", doc="how tokens are pooled")

    example = "content Pooling"


@operator("content", "CNN", "Tokens -> Vec[hidden]", layout="fields", paper="NAML", version=2)
class ContentCNN:
    """Windows over tokens."""

    class Config:
        hidden: int = width()
        kernel: int = param(3, min=1, doc="window of the convolution")
        dropout: float = dropout()
        fuse: Literal["additive", "concat"] = param("additive", doc="how attributes are joined")

    rules = (Odd("kernel"),)
    example = "content CNN(kernel=3)"


@operator("content", "Attention", "Tokens -> Vec[hidden]", layout="sequence", paper="NRMS")
class ContentAttention:
    """Self-attention over tokens."""

    class Config:
        hidden: int = width()
        heads: int = param(8, min=1, doc="attention heads")
        dropout: float = dropout()

    rules = (Divides("heads", "hidden"),)
    example = "content Attention(heads=8)"


@operator("content", "Transformer", "Tokens -> Vec[hidden]", layout="sequence")
class ContentTransformer(ContentAttention):
    """Encoder blocks over tokens."""

    class Config:
        hidden: int = width()
        heads: int = param(8, min=1, doc="attention heads")
        layers: int = param(3, min=1, doc="encoder blocks")

    example = "content Transformer"


@operator("content", "Fastformer", "Tokens -> Vec[hidden]", layout="sequence")
class ContentFastformer:
    """Additive attention in blocks."""

    class Config:
        hidden: int = width()
        heads: int = param(16, min=1, doc="attention heads")

    rules = (Divides("heads", "hidden"),)
    example = "content Fastformer"


@operator("content", "Text", "Tokens -> Tokens", layout="sequence")
class ContentText:
    """The text itself, for a predictor that reads it."""

    example = "content Text"


def language_model(name: str, sizes: dict[str, int], first: str) -> Declaration:
    @operator(
        "content", name, "Tokens -> Vec[hidden]", layout="sequence", pretrained=True,
        facts={
            "by": "size", "positions": 512,
            "checkpoints": {size: {"layers": layers} for size, layers in sizes.items()},
        },
    )  # fmt: skip
    class LanguageModel:
        """A pre-trained language model."""

        class Config:
            size: Literal["base", "large"] = param(first, doc="which model")
            hidden: int = width()
            version: int = param(1, min=1, doc="generation of the model")
            split: int | None = param(None, doc="first tuned block")
            page: int = param(0, min=0, runtime=True, doc="items encoded at once")
            side: Operator["side"] | None = param(None, doc="side network")
            lora: Operator["adapter"] | None = param(None, doc="adapters")

        example = f"content {name}(lora=8)"

    return LanguageModel.declaration


BERT = language_model("BERT", {"base": 12, "large": 24}, "base")
LLAMA = language_model("Llama", {"base": 32, "large": 40}, "base")
OPT = language_model("OPT", {"base": 12, "large": 24}, "base")
GLM = language_model("GLM", {"base": 28, "large": 40}, "base")


@operator("behavior", "Null", "Seq[T] -> Seq[T]")
class BehaviorNull:
    """The clicks themselves."""

    example = "behavior Null"


@operator("behavior", "Pooling", "Seq[Vec[d]] -> Vec[d]")
class BehaviorPooling:
    """Mean of the clicks."""

    class Config:
        kind: Literal["mean", "max"] = param("mean", doc="how clicks are pooled")

    example = "behavior Pooling"


@operator("behavior", "Additive", "Seq[Vec[d]] -> Vec[d]", paper="NAML")
class BehaviorAdditive:
    """Additive attention over the clicks."""

    class Config:
        dim: int = param(256, min=1, doc="width of the query")

    example = "behavior Additive"


@operator("behavior", "Attention", "Seq[Vec[d]] -> Vec[hidden]", paper="NRMS")
class BehaviorAttention:
    """Self-attention over the clicks."""

    class Config:
        heads: int = param(8, min=1, doc="attention heads")
        hidden: int = inherited()
        dropout: float = dropout()

    rules = (Divides("heads", "d"),)
    example = "behavior Attention(heads=8)"


@operator("behavior", "GRU", "Seq[Vec[d]] -> Vec[hidden]")
class BehaviorGRU:
    """State after the last click."""

    class Config:
        hidden: int = inherited()

    example = "behavior GRU"


@operator("behavior", "LSTUR", "(Seq[Vec[d]], Id) -> Vec[hidden]")
class BehaviorLSTUR:
    """A recurrent user encoder that also knows the user."""

    class Config:
        hidden: int = inherited()
        form: Literal["ini", "con"] = param("ini", doc="where the user vector enters")

    example = "behavior LSTUR"


@operator("behavior", "Transformer", "Seq[Vec[d]] -> Vec[hidden]")
class BehaviorTransformer:
    """Encoder blocks over the clicks."""

    class Config:
        heads: int = param(8, min=1, doc="attention heads")
        hidden: int = inherited()

    rules = (Divides("heads", "d"),)
    example = "behavior Transformer"


@operator("behavior", "Fastformer", "Seq[Vec[d]] -> Vec[hidden]")
class BehaviorFastformer:
    """Additive attention in blocks over the clicks."""

    class Config:
        heads: int = param(16, min=1, doc="attention heads")
        hidden: int = inherited()

    rules = (Divides("heads", "d"),)
    example = "behavior Fastformer"


@operator("behavior", "PolyAttention", "Seq[Vec[d]] -> Many[codes, Vec[d]]", paper="MINER")
class BehaviorPolyAttention:
    """Many vectors per user."""

    class Config:
        codes: int = param(32, min=1, doc="vectors per user")
        dim: int = param(200, min=1, doc="width of the query")

    example = "behavior PolyAttention(codes=32)"


@operator("flatten", "Longformer", "Seq[Tokens] -> Vec[hidden]", layout="sequence")
class FlattenLongformer:
    """One encoder over the token history."""

    class Config:
        window: int = param(64, min=1, doc="window of the attention")
        hidden: int = width()
        item_sep: bool = param(False, doc="a separator between items")

    example = "flatten Longformer(window=64)"


@operator(
    "flatten", "LM", "Seq[Tokens] -> Vec[hidden]", layout="sequence", pretrained=True,
    primary="path", facts={"prefix": True, "own_width": "hidden"},
)  # fmt: skip
class FlattenLM:
    """A language model over the whole history."""

    class Config:
        path: Model = param(doc="folder of the model, or its name on a hub")
        prompt: Operator["prompt"] = param(doc="the words around clicks and candidate")
        hidden: int | None = param(None, min=1, doc="width; the model's own unless given")

    example = 'flatten LM("a/model", prompt=recbench, hidden=64)'


@operator("prompt", "recbench")
class RecBench:
    """The words of a benchmark."""

    class Config:
        chat_template: bool = param(False, doc="in the form of the model")
        tokenise: Literal["pieces", "whole"] = param("pieces", since=True, doc="one text or many")


@operator("prompt", "template", primary="text")
class Template:
    """Words of one's own."""

    class Config:
        text: str = param(doc="the whole prompt")
        click: str = param("({k}) {item}\n", doc="a click")


@operator("predict", "Dot", "(Vec[d], Vec[d]) -> Score", tasks=("matching", "ranking"))
class PredictDot:
    """Inner product."""

    example = "predict Dot"


@operator("predict", "Cosine", "(Vec[d], Vec[d]) -> Score", tasks=("matching", "ranking"))
class PredictCosine:
    """The cosine of the two vectors."""

    class Config:
        temperature: float | None = param(None, min=0.001, doc="what it is divided by")


@operator(
    "predict", "DNN", "(Vec[u], Vec[i]) -> Score", tasks=("ranking", "matching"),
    facts={"dense": ["units"]},
)  # fmt: skip
class PredictDNN:
    """A network over both."""

    class Config:
        units: list[int] = param((1000, 1000, 1000), min=1, doc="widths of the layers")

    example = "predict DNN"


@operator("predict", "DCN", "(Vec[u], Vec[i]) -> Score", tasks=("ranking", "matching"))
class PredictDCN:
    """Crosses and a network."""

    class Config:
        cross: int = param(3, min=1, doc="cross layers")
        units: list[int] = param([1000, 1000, 1000], min=1, doc="widths of the layers")

    example = "predict DCN"


@operator("predict", "DIN", "(Seq[Vec[d]], Vec[d]) -> Score", tasks=("ranking",))
class PredictDIN:
    """Clicks weighed by the candidate."""

    class Config:
        units: list[int] = param((1000, 1000, 1000), min=1, doc="widths of the layers")
        attention: list[int] = param((64,), min=1, doc="widths of the attention's layers")
        dropout: float = dropout()

    example = "predict DIN"


@operator("predict", "MINER", "(Many[k, Vec[d]], Vec[d]) -> Score", tasks=("matching",))
class PredictMINER:
    """The best of many vectors."""

    class Config:
        score: Literal["weighted", "max", "mean"] = param("weighted", doc="how scores are joined")

    example = "predict MINER"


@operator(
    "predict", "YesNo", "(Prefix, Tokens) -> Score", tasks=("ranking",),
    facts={"whole": "(Seq[Tokens], Tokens) -> Score"},
)  # fmt: skip
class PredictYesNo:
    """A language model is asked whether the user clicks."""

    class Config:
        yes: list[str] = param(["YES"], doc="words that mean yes")
        no: list[str] = param(["NO"], doc="words that mean no")

    example = "predict YesNo"


@operator(
    "predict", "API", "(Seq[Tokens], Tokens) -> Score", primary="name",
    tasks=("ranking", "matching"), facts={"asks": "chat completions"},
)  # fmt: skip
class PredictAPI:
    """A server is asked whether the user clicks."""

    class Config:
        name: str = param(doc="the model")
        base: str = param(doc="the address")
        prompt: Operator["prompt"] | None = param(None, doc="the words")
        yes: list[str] = param(["YES"], doc="words that mean yes")
        no: list[str] = param(["NO"], doc="words that mean no")
        key: str = param("LEGOC_API_KEY", runtime=True, doc="a variable of the environment")

    example = 'predict API("small", base="http://127.0.0.1:8000/v1")'


NEWS = (
    Attribute(name="title", kind="text", length=30),
    Attribute(name="abstract", kind="text", length=50),
    Attribute(name="category", kind="category", length=1),
    Attribute(name="subcategory", kind="category", length=1),
)


@operator(
    "source", "Demo", attributes=NEWS, group="impression", splits=("publisher",),
    content="[title(20), subcategory]", users=(Attribute(name="age", kind="number", length=10),),
    facts={"candidates": "shown"},
)  # fmt: skip
class Demo:
    """The small data set that ships inside the package."""


@operator(
    "source", "MIND", attributes=NEWS, group="impression", splits=("publisher",), primary="path"
)
class MIND:
    """The Microsoft News Dataset."""

    class Config:
        path: Folder = param(doc="the folder of the raw files")


@operator(
    "source", "Shop", primary="path", group="user", content="[name]",
    attributes=(
        Attribute(name="name", kind="text", length=12),
        Attribute(name="tags", kind="category", length=4),
        Attribute(name="price", kind="number", length=10),
    ),
    users=(Attribute(name="age", kind="number", length=8),),
)  # fmt: skip
class Shop:
    """A source without impressions and without a published split."""

    class Config:
        path: Folder = param(doc="the folder of the raw files")
        strict: bool = param(False, runtime=True, doc="stop at the first bad row")


@operator("split", "publisher")
class Publisher:
    """The publisher's parts."""


@operator("split", "time")
class Time:
    """Parts by time."""

    class Config:
        valid: Quantity["share"] = param(0.1, min=0, max=1, doc="share of the validation part")
        test: Quantity["share"] = param(0.1, min=0, max=1, doc="share of the test part")


@operator("split", "leave_one_out")
class LeaveOneOut:
    """The last click of each user is the test."""


@operator("tokenizer", "words")
class Words:
    """One token per word."""

    class Config:
        size: Quantity["count"] | None = param(None, min=1, doc="most words kept")
        more: Quantity["count"] = param(0, min=0, since=True, doc="further words of `vectors`")


@operator("tokenizer", "file", primary="path")
class TokenizerFile:
    """A tokenizer.json."""

    class Config:
        path: File = param(doc="the tokenizer.json")


@operator("task", "matching")
class Matching:
    """One positive among negatives."""

    class Config:
        negatives: int = param(4, min=1, doc="negatives of each positive")
        pool: Literal["impression", "uniform", "popularity", "category", "batch", "mixed"] = param(
            "impression", doc="where negatives come from"
        )


@operator("task", "ranking")
class Ranking:
    """Labelled pairs."""

    class Config:
        loss: Literal["bce", "mse"] = param("bce", doc="the loss")
        negatives: int | None = param(None, min=1, doc="non-clicks of each click")


def metric(name: str) -> Declaration:
    @operator("metric", name)
    class Plain:
        """A metric."""

    return Plain.declaration


def metric_at(name: str) -> Declaration:
    @operator("metric", name, primary="k")
    class At:
        """A metric of the first k."""

        class Config:
            k: int = param(min=1, doc="ranks looked at")

    return At.declaration


@operator("metric", "ECE", facts={"whole": True})
class Together:
    """A metric of all rows together."""


@operator("adapter", "LoRA", primary="r", shorthand="r")
class LoRA:
    """Low-rank adapters."""

    class Config:
        r: int = param(8, min=1, doc="rank")
        alpha: float = param(32, min=0, doc="scale")
        dropout: float = dropout()
        layers: list[int] | None = param(None, min=0, doc="blocks with adapters")
        top: int | None = param(None, min=1, doc="only the topmost blocks")
        kind: str = param("plain", since=True, doc="a later parameter")

    rules = (Excludes("layers", "top"),)


@operator("side", "IISAN")
class IISAN:
    """A side network."""

    class Config:
        step: int = param(1, min=1, doc="every so many layers")


@operator("context", "popularity")
class Popularity:
    """Clicks until now."""

    class Config:
        hours: float | None = param(None, above=0, doc="span")
        days: float | None = param(None, above=0, doc="span")

    rules = (Excludes("hours", "days"),)


@operator("context", "share")
class Share:
    """Clicks per showing until now."""

    class Config:
        hours: float | None = param(None, above=0, doc="span")
        days: float | None = param(None, above=0, doc="span")

    rules = (Excludes("hours", "days"),)


@operator("context", "age")
class Age:
    """Hours since."""


@operator("writing", "Summarise")
class Summarise:
    """A text about each item."""

    class Config:
        from_: list[Column] = param(doc="attributes that are read")
        to: Column = param(doc="the new attribute")
        prompt: File | None = param(None, doc="another prompt")


@operator("writer", "API", primary="name")
class API:
    """A model behind an interface."""

    class Config:
        name: str = param(doc="the model")
        base: str = param(doc="the address")
        key: str = param("LEGOC_API_KEY", runtime=True, doc="variable of the key")


def own_tables() -> Declaration:
    from legoc.language.declaring.catalog import catalog

    found = catalog().get("source", "Tables")
    assert found is not None
    return found


CLASSES = (
    ContentNull, ContentPooling, ContentCNN, ContentAttention, ContentTransformer,
    ContentFastformer, ContentText, BehaviorNull, BehaviorPooling, BehaviorAdditive,
    BehaviorAttention, BehaviorGRU, BehaviorLSTUR, BehaviorTransformer, BehaviorFastformer,
    BehaviorPolyAttention, FlattenLongformer, FlattenLM, PredictDot, PredictCosine, PredictDNN,
    PredictDCN, PredictDIN, PredictMINER, PredictYesNo, PredictAPI, Demo, MIND, Shop, Publisher,
    Time, LeaveOneOut, Words, TokenizerFile, Matching, Ranking, LoRA, IISAN, Popularity, Share, Age,
    RecBench, Template, Summarise, API,
)  # fmt: skip
# What the check says of one's own tables, it says of the source that reads them.
TABLES = own_tables()
DECLARATIONS: tuple[Declaration, ...] = (
    *(cls.declaration for cls in CLASSES),
    BERT, LLAMA, OPT, GLM, TABLES,
    *(metric(name) for name in ("AUC", "GAUC", "LogLoss", "MRR", "MRR0")),
    *(metric_at(name) for name in ("NDCG", "HitRatio")),
    Together.declaration,
)  # fmt: skip
SCHEMA = emit(DECLARATIONS)
CATALOG: Catalog = catalog_of(SCHEMA)
