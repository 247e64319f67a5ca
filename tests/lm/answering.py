"""Tiny causal models that can answer, with a tokenizer trained on the spot."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from tests.lm.tiny import FAMILIES


CAUSAL = ("OPT", "GPT2", "Llama", "Qwen", "Mistral", "Phi", "Gemma", "GLM")
WORDS = 420
# What the tokenizer learns: words of prompts, of Demo's titles, and the answers.
TEXTS = (
    "You are a recommender. Please response whether this user is interested in this item.",
    "User behavior sequence: (1) (2) (3) (10) Candidate item: Answer (Yes/No): YES NO Yes No",
    "match season team goal market price shares bank film actor stage music recipe oven sauce",
)
REQUEST = (
    'You are a recommender. Please response "YES" or "NO" to represent whether this user is '
    "interested in this item. "
)


def byte_tokenizer(folder: Path, *, answers: bool = True) -> Path:
    """A byte-level tokenizer.json: it knows every text, and YES and NO as one token each."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        [*TEXTS, *(["YES NO", "YES", "NO", " Yes", " No"] * 9 if answers else [])],
        trainers.BpeTrainer(
            vocab_size=WORDS - 20, special_tokens=["<pad>", "<unk>", "<s>", "</s>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False,
        ),
    )  # fmt: skip
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder / "tokenizer.json"


def save_causal(folder: Path, family: str, *, seed: int = 0, **more: Any) -> Path:
    """A folder with a random causal model, head and tokenizer, as its publisher would save it."""
    from transformers import AutoConfig, AutoModelForCausalLM

    kind, shape = FAMILIES[family]
    longer = {name: 2048 for name in ("max_position_embeddings", "n_positions") if name in shape}
    config = AutoConfig.for_model(
        kind, vocab_size=WORDS, **{"max_position_embeddings": 2048, **shape, **longer, **more}
    )
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.3)
    model.save_pretrained(folder)
    byte_tokenizer(folder)
    return folder


def save_asked(folder: Path, family: str, *, seed: int = 0) -> Path:
    """The same of a model that fills masks or writes a text of its own."""
    from tokenizers import Tokenizer
    from transformers import AutoConfig, AutoModelForMaskedLM, AutoModelForSeq2SeqLM

    kind, shape = FAMILIES[family]
    longer = {"max_position_embeddings": 512} if "max_position_embeddings" in shape else {}
    config = AutoConfig.for_model(kind, vocab_size=WORDS, **{**shape, **longer})
    decodes = config.is_encoder_decoder
    if decodes:
        config.decoder_start_token_id = 0
    torch.manual_seed(seed)
    model = (AutoModelForSeq2SeqLM if decodes else AutoModelForMaskedLM).from_config(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            # Large scales in a norm would leave nothing of what differs between two texts.
            parameter.normal_(1.0 if "norm" in name.lower() else 0.0, 0.3)
    model.save_pretrained(folder)
    place = byte_tokenizer(folder)
    tokenizer = Tokenizer.from_file(str(place))
    tokenizer.add_special_tokens(["[MASK]"])
    tokenizer.save(str(place))
    return folder


def tokenizer_of(folder: Path) -> Any:
    """The tokenizer of a folder."""
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def pieces(tokenizer: Any, *texts: tuple[str, int | None]) -> list[int]:
    """The ids of some texts, each tokenised by itself and cut at so many."""
    return [
        place
        for text, most in texts
        for place in tokenizer.encode(text, add_special_tokens=False).ids[:most]
    ]


def prompt_ids(
    tokenizer: Any, clicks: Sequence[str], candidate: str, *, request: str = REQUEST
) -> list[int]:
    """The prompt of RecBench segment by segment, written from its description; items of up to ten
    tokens."""
    texts: list[tuple[str, int | None]] = [(request, None), ("User behavior sequence: \n", None)]
    for number, text in enumerate(clicks, 1):
        texts += [(f"({number}) ", None), (text, 10), ("\n", None)]
    texts += [("Candidate item: ", None), (candidate, 10), ("\nAnswer (Yes/No): ", None)]
    return pieces(tokenizer, *texts)


def titles(prepared: Any, log: Any, row: int) -> list[str]:
    """The titles of a row's clicks, and of its candidate at the end."""
    history = log.history[row]
    clicks = log.clicks[log.starts[history] : log.starts[history + 1]]
    return [record["title"] for record in prepared.item_records([*clicks, log.item[row]])]
