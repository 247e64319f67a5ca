"""Folders of tiny language models, with tokenizers learned from a few lines."""

import json
from pathlib import Path

import numpy as np


LINES = [
    "storm over the coast", "late goal wins the cup", "a recipe for soup and bread",
    "the market falls again", "news and sports of the day", "Title: Category: weather",
]  # fmt: skip
ROWS = 320


def wordpiece(path: Path) -> None:
    """As BERT's: [CLS] and [SEP] around a text. Its vocabulary is written down, for the library
    learns another one in each process."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    words = sorted({word.strip(":").lower() for line in LINES for word in line.split()})
    pieces = [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ":", *letters,
        *(f"##{letter}" for letter in letters), "##s", "##ing", "##er",
        *(word for word in words if len(word) > 1),
    ]  # fmt: skip
    vocabulary = {piece: place for place, piece in enumerate(dict.fromkeys(pieces))}
    made = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    made.enable_truncation(8)
    made.enable_padding(length=8)
    made.save(str(path))


def byte_pairs(path: Path, *, begins: bool = False) -> None:
    """As GPT-2's, without special tokens; or with one before a text, as Llama's."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=310, show_progress=False, special_tokens=["<s>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )  # fmt: skip
    made.train_from_iterator(LINES, trainer)
    made.post_processor = (
        processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
        if begins
        else processors.ByteLevel(trim_offsets=False)
    )
    made.save(str(path))


TOKENIZERS = {
    "wordpiece": wordpiece,
    "bytes": byte_pairs,
    "begins": lambda path: byte_pairs(path, begins=True),
}


def make_folder(folder: Path, kind: str = "wordpiece", **config: object) -> Path:
    """A whole folder whose weights no test opens."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True)
    settings = {
        "model_type": "bert", "vocab_size": ROWS, "max_position_embeddings": 512,
        "hidden_size": 8, "num_hidden_layers": 2,
    } | config  # fmt: skip
    (folder / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    save_file({"weight": np.ones((2, 3), dtype=np.float32)}, folder / "model.safetensors")
    TOKENIZERS[kind](folder / "tokenizer.json")
    return folder


def make_bert(folder: Path, **config: object) -> Path:
    """A folder of a BERT of two narrow blocks with random weights."""
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(7)
    settings = {
        "vocab_size": ROWS, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
        "intermediate_size": 32, "max_position_embeddings": 256,
    } | config  # fmt: skip
    BertModel(BertConfig(**settings), add_pooling_layer=False).save_pretrained(folder)
    wordpiece(folder / "tokenizer.json")
    return folder
