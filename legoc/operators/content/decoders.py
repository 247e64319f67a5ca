"""Language models that read a text from left to right, by the names they are known by.

Their token states see what stands before them alone, so the pooling comes after the projection.
"""

from typing import Any, Literal

from legoc.language.declaring.declare import operator, param
from legoc.operators.content.language_model import LanguageModel
from legoc.operators.content.model_settings import SIGNATURE, Settings
from legoc.operators.content.published import published


SIZE = "which of the published models"


def narrow() -> Any:
    """The number type of models too large for float32."""
    return param(
        "bfloat16", doc="number type of the frozen weights and of the computation in the model"
    )


@operator(
    "content", "OPT", SIGNATURE, layout="sequence", pretrained=True,
    paper="Zhang et al., OPT: Open Pre-trained Transformer Language Models, 2022",
    facts=published("opt", {
        "base": ("facebook/opt-125m", 12, {}),
        "medium": ("facebook/opt-350m", 24, {
            "num_hidden_layers": 24, "hidden_size": 1024, "num_attention_heads": 16,
            "ffn_dim": 4096, "word_embed_proj_dim": 512, "do_layer_norm_before": False,
        }),
        "large": ("facebook/opt-1.3b", 24, {
            "num_hidden_layers": 24, "hidden_size": 2048, "num_attention_heads": 32,
            "ffn_dim": 8192, "word_embed_proj_dim": 2048,
        }),
    }, positions=2048),
)  # fmt: skip
class OPT(LanguageModel):
    """OPT as the encoder of items: `base` has 125 million weights, `medium` 350 million, `large`
    1.3 billion."""

    class Config(Settings):
        size: Literal["base", "medium", "large"] = param("base", doc=SIZE)

    example = "content OPT(split=-2, lora=8)"


@operator(
    "content", "GPT2", SIGNATURE, layout="sequence", pretrained=True,
    paper="Radford et al., Language Models are Unsupervised Multitask Learners, 2019",
    facts=published("gpt2", {
        "small": ("openai-community/gpt2", 12, {}),
        "medium": ("openai-community/gpt2-medium", 24, {
            "n_layer": 24, "n_embd": 1024, "n_head": 16,
        }),
        "large": ("openai-community/gpt2-large", 36, {
            "n_layer": 36, "n_embd": 1280, "n_head": 20,
        }),
    }, positions=1024),
)  # fmt: skip
class GPT2(LanguageModel):
    """GPT-2 as the encoder of items: `small` has 124 million weights, `medium` 355, `large` 774."""

    class Config(Settings):
        size: Literal["small", "medium", "large"] = param("small", doc=SIZE)

    example = "content GPT2(split=-2)"


@operator(
    "content", "Llama", SIGNATURE, layout="sequence", pretrained=True,
    paper="Touvron et al., LLaMA: Open and Efficient Foundation Language Models, 2023",
    facts=published("llama", {
        "1": ("huggyllama/llama-7b", 32, {}),
        "2": ("meta-llama/Llama-2-7b-hf", 32, {"max_position_embeddings": 4096}),
        "3": ("meta-llama/Meta-Llama-3-8B", 32, {
            "num_key_value_heads": 8, "intermediate_size": 14336, "vocab_size": 128256,
            "max_position_embeddings": 8192,
        }),
    }, by="version"),
)  # fmt: skip
class Llama(LanguageModel):
    """Llama as the encoder of items, as in DIRE: the published models of 7 and 8 billion weights;
    others by `path`."""

    class Config(Settings):
        version: int = param(3, min=1, max=3, doc="generation of the model")
        dtype: Literal["float32", "bfloat16"] = narrow()

    example = "content Llama(version=1, split=-2, lora=LoRA(r=32, alpha=128), page=64)"


@operator(
    "content", "Qwen", SIGNATURE, layout="sequence", pretrained=True,
    paper="Qwen Team, Qwen2.5 Technical Report, 2024",
    facts=published("qwen2", {
        "small": ("Qwen/Qwen2.5-0.5B", 24, {
            "num_hidden_layers": 24, "hidden_size": 896, "num_attention_heads": 14,
            "num_key_value_heads": 2, "intermediate_size": 4864,
        }),
        "base": ("Qwen/Qwen2.5-1.5B", 28, {
            "num_hidden_layers": 28, "hidden_size": 1536, "num_attention_heads": 12,
            "num_key_value_heads": 2, "intermediate_size": 8960,
        }),
        "large": ("Qwen/Qwen2.5-7B", 28, {
            "num_hidden_layers": 28, "hidden_size": 3584, "num_attention_heads": 28,
            "num_key_value_heads": 4, "intermediate_size": 18944, "vocab_size": 152064,
        }),
    }),
)  # fmt: skip
class Qwen(LanguageModel):
    """Qwen 2.5 as the encoder of items: `small` has half a billion weights, `base` 1.5 billion,
    `large` 7 billion; other generations by `path`."""

    class Config(Settings):
        size: Literal["small", "base", "large"] = param("small", doc=SIZE)
        dtype: Literal["float32", "bfloat16"] = narrow()

    example = "content Qwen(split=-2, lora=8)"


@operator(
    "content", "Mistral", SIGNATURE, layout="sequence", pretrained=True,
    paper="Jiang et al., Mistral 7B, 2023",
    facts=published("mistral", {
        "": ("mistralai/Mistral-7B-v0.1", 32, {
            "num_key_value_heads": 8, "intermediate_size": 14336,
        }),
    }, by=None),
)  # fmt: skip
class Mistral(LanguageModel):
    """Mistral as the encoder of items."""

    class Config(Settings):
        dtype: Literal["float32", "bfloat16"] = narrow()

    example = "content Mistral(split=-2, lora=8)"


@operator(
    "content", "Phi", SIGNATURE, layout="sequence", pretrained=True,
    paper="Li et al., Textbooks Are All You Need II: phi-1.5 Technical Report, 2023",
    facts=published("phi", {
        "base": ("microsoft/phi-1_5", 24, {}),
        "large": ("microsoft/phi-2", 32, {
            "num_hidden_layers": 32, "hidden_size": 2560, "intermediate_size": 10240,
        }),
    }, positions=2048),
)  # fmt: skip
class Phi(LanguageModel):
    """Phi as the encoder of items: `base` is Phi 1.5 of 1.3 billion weights, `large` Phi 2 of 2.7
    billion; later ones by `path`."""

    class Config(Settings):
        size: Literal["base", "large"] = param("base", doc=SIZE)
        dtype: Literal["float32", "bfloat16"] = narrow()

    example = "content Phi(split=-2, lora=8)"


@operator(
    "content", "Gemma", SIGNATURE, layout="sequence", pretrained=True,
    paper="Gemma Team, Gemma: Open Models Based on Gemini Research and Technology, 2024",
    facts=published("gemma", {
        "base": ("google/gemma-2b", 18, {
            "num_hidden_layers": 18, "hidden_size": 2048, "num_attention_heads": 8,
            "num_key_value_heads": 1, "intermediate_size": 16384,
        }),
        "large": ("google/gemma-7b", 28, {}),
    }),
)  # fmt: skip
class Gemma(LanguageModel):
    """Gemma as the encoder of items: `base` has 2 billion weights, `large` 7 billion; other
    generations by `path`."""

    class Config(Settings):
        size: Literal["base", "large"] = param("base", doc=SIZE)
        dtype: Literal["float32", "bfloat16"] = narrow()

    example = "content Gemma(split=-2, lora=8)"


@operator(
    "content", "GLM", SIGNATURE, layout="sequence", pretrained=True,
    paper="GLM Team, ChatGLM: A Family of Large Language Models from GLM-130B to GLM-4, 2024",
    facts=published("glm", {"": ("zai-org/glm-4-9b-hf", 40, {})}, by=None),
)  # fmt: skip
class GLM(LanguageModel):
    """GLM-4 as the encoder of items."""

    class Config(Settings):
        dtype: Literal["float32", "bfloat16"] = narrow()

    example = "content GLM(split=-2, lora=8)"
