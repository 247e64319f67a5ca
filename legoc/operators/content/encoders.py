"""Language models that read a text from both sides, by the names they are known by."""

from typing import Literal

from legoc.language.declaring.declare import operator, param
from legoc.operators.content.language_model import LanguageModel
from legoc.operators.content.model_settings import SIGNATURE, Settings
from legoc.operators.content.published import bert, published


SIZE = "which of the published models"


@operator(
    "content", "BERT", SIGNATURE, layout="sequence", pretrained=True,
    paper="Devlin et al., BERT: Pre-training of Deep Bidirectional Transformers, NAACL 2019",
    facts=published("bert", {
        "tiny": ("google/bert_uncased_L-2_H-128_A-2", 2, bert(2, 128)),
        "mini": ("google/bert_uncased_L-4_H-256_A-4", 4, bert(4, 256)),
        "small": ("google/bert_uncased_L-4_H-512_A-8", 4, bert(4, 512)),
        "medium": ("google/bert_uncased_L-8_H-512_A-8", 8, bert(8, 512)),
        "base": ("google-bert/bert-base-uncased", 12, {}),
        "large": ("google-bert/bert-large-uncased", 24, bert(24, 1024)),
    }, positions=512),
)  # fmt: skip
class BERT(LanguageModel):
    """BERT as the encoder of items: its last states → Linear → pooling.

    Without prompts and with the attention pooling this is PLM-NR's item encoder; with
    `pooling=cls` and a text alone it is that of MINER.
    """

    class Config(Settings):
        size: Literal["tiny", "mini", "small", "medium", "base", "large"] = param("base", doc=SIZE)

    example = "content BERT(split=-2, lora=8)"


@operator(
    "content", "RoBERTa", SIGNATURE, layout="sequence", pretrained=True,
    paper="Liu et al., RoBERTa: A Robustly Optimized BERT Pretraining Approach, 2019",
    facts=published("roberta", {
        "base": (
            "FacebookAI/roberta-base", 12, {"max_position_embeddings": 514, "type_vocab_size": 1}
        ),
        "large": (
            "FacebookAI/roberta-large", 24,
            {**bert(24, 1024), "max_position_embeddings": 514, "type_vocab_size": 1},
        ),
    }, positions=512),
)  # fmt: skip
class RoBERTa(LanguageModel):
    """RoBERTa as the encoder of items."""

    class Config(Settings):
        size: Literal["base", "large"] = param("base", doc=SIZE)

    example = "content RoBERTa(split=-2)"


@operator(
    "content", "DistilBERT", SIGNATURE, layout="sequence", pretrained=True,
    paper="Sanh et al., DistilBERT, a Distilled Version of BERT, 2019",
    facts=published("distilbert", {
        "": ("distilbert/distilbert-base-uncased", 6, {}),
    }, by=None, positions=512),
)  # fmt: skip
class DistilBERT(LanguageModel):
    """DistilBERT as the encoder of items: half the blocks of BERT."""

    class Config(Settings):
        pass

    example = "content DistilBERT(lora=8)"


@operator(
    "content", "ModernBERT", SIGNATURE, layout="sequence", pretrained=True,
    paper="Warner et al., Smarter, Better, Faster, Longer: A Modern Bidirectional Encoder, 2024",
    facts=published("modernbert", {
        "base": ("answerdotai/ModernBERT-base", 22, {}),
        "large": ("answerdotai/ModernBERT-large", 28, {
            "num_hidden_layers": 28, "hidden_size": 1024, "num_attention_heads": 16,
            "intermediate_size": 2624,
        }),
    }, positions=8192),
)  # fmt: skip
class ModernBERT(LanguageModel):
    """ModernBERT as the encoder of items: rotary positions, local and global attention."""

    class Config(Settings):
        size: Literal["base", "large"] = param("base", doc=SIZE)

    example = "content ModernBERT(split=-2)"


@operator(
    "content", "E5", SIGNATURE, layout="sequence", pretrained=True,
    paper="Wang et al., Text Embeddings by Weakly-Supervised Contrastive Pre-training, 2022",
    facts=published("bert", {
        "small": ("intfloat/e5-small-v2", 12, {**bert(12, 384), "num_attention_heads": 12}),
        "base": ("intfloat/e5-base-v2", 12, {}),
        "large": ("intfloat/e5-large-v2", 24, bert(24, 1024)),
    }, positions=512),
)  # fmt: skip
class E5(LanguageModel):
    """E5, trained to embed texts, as the encoder of items: the mean of its states.

    It expects "query: " or "passage: " before a text: write it as a prompt in `content`.
    """

    class Config(Settings):
        size: Literal["small", "base", "large"] = param("base", doc=SIZE)
        pooling: Literal["attention", "cls", "mean", "last"] = param(
            "mean", doc="how the states of an item's tokens become one vector"
        )
        special: bool = param(True, doc="begin and end an item with the model's special tokens")

    example = "content E5(size=small, split=-2)"


@operator(
    "content", "MiniLM", SIGNATURE, layout="sequence", pretrained=True,
    paper="Wang et al., MiniLM: Deep Self-Attention Distillation, NeurIPS 2020; trained to embed "
    "sentences by Reimers & Gurevych, Sentence-BERT, EMNLP 2019",
    facts=published("bert", {
        "L6": (
            "sentence-transformers/all-MiniLM-L6-v2", 6,
            {**bert(6, 384), "num_attention_heads": 12},
        ),
        "L12": (
            "sentence-transformers/all-MiniLM-L12-v2", 12,
            {**bert(12, 384), "num_attention_heads": 12},
        ),
    }, positions=512),
)  # fmt: skip
class MiniLM(LanguageModel):
    """MiniLM, trained to embed sentences, as the encoder of items: the mean of its states."""

    class Config(Settings):
        size: Literal["L6", "L12"] = param("L6", doc=SIZE)
        pooling: Literal["attention", "cls", "mean", "last"] = param(
            "mean", doc="how the states of an item's tokens become one vector"
        )
        special: bool = param(True, doc="begin and end an item with the model's special tokens")

    example = "content MiniLM(split=-2, lora=8)"


@operator(
    "content", "T5", SIGNATURE, layout="sequence", pretrained=True,
    paper="Raffel et al., Exploring the Limits of Transfer Learning with a Unified Text-to-Text "
    "Transformer, JMLR 2020",
    facts=published("t5", {
        "small": ("google-t5/t5-small", 6, {}),
        "base": ("google-t5/t5-base", 12, {
            "d_model": 768, "num_layers": 12, "num_heads": 12, "d_ff": 3072,
        }),
        "large": ("google-t5/t5-large", 24, {
            "d_model": 1024, "num_layers": 24, "num_heads": 16, "d_ff": 4096,
        }),
    }),
)  # fmt: skip
class T5(LanguageModel):
    """The encoder of T5 as the encoder of items: positions relative to each other."""

    class Config(Settings):
        size: Literal["small", "base", "large"] = param("base", doc=SIZE)

    example = "content T5(size=small, split=-2)"
