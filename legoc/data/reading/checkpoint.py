"""The folder of a pre-trained language model: found, fetched where that is allowed, and verified.

`config.json`, weights as safetensors and `tokenizer.json`. Nothing here opens the model: who builds
it and who tokenises for it ask for the folder.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from legoc.data.cache import digest, hash_file
from legoc.data.reading.model_hub import download, find_download
from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.language.ir.checkpoints import Named
from legoc.progress import SILENT, Progress


CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"

# Weights that only Python's pickle, or another library, can open.
PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json", "tf_model.h5", "model.ckpt.index")

# Model types whose position table begins after the padding token's id, as RoBERTa's does.
AFTER_PADDING = (
    "camembert", "data2vec-text", "esm", "ibert", "longformer", "luke", "mpnet", "roberta",
    "roberta-prelayernorm", "xlm-roberta", "xlm-roberta-xl", "xmod",
)  # fmt: skip
# Model types whose positions are distances without an end, whatever their configuration says.
BY_DISTANCE = ("bloom", "longt5", "mpt", "mt5", "switch_transformers", "t5", "t5gemma", "umt5")
POSITIONS = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length")


def find_folder(named: Named) -> Path | None:
    """The folder of a model on this machine: the one it names, or a hub's whole download; None
    where there is none. Never uses the network."""
    if named.folder is not None:
        folder = Path(named.folder)
        return folder if folder.is_dir() else None
    found = None if named.hub is None else find_download(named.hub)
    return found if found is not None and missing(found) is None else None


def obtain_folder(named: Named, progress: Progress = SILENT) -> Path:
    """The folder of a model, fetched from the hub where only a hub's name is given and it is not on
    this machine. Raises E0650 where it cannot be had, E0651 where the hub's files are not whole."""
    found = find_folder(named)
    if found is not None:
        return found
    if named.hub is None:
        raise fail(
            "E0650",
            f"the folder `{named.shown}` of a language model does not exist",
            'name a folder that `save_pretrained` wrote, relative to the spec: path="FOLDER"',
        )
    folder = download(named.hub, progress)
    verify_folder(folder)
    return folder


def verify_folder(folder: Path, *, tokenizer: bool = True) -> None:
    """Refuse a folder that is not whole (E0651). tokenizer: the model's own is needed."""
    found = missing(folder, tokenizer=tokenizer)
    if found is None:
        return
    what, help = found
    raise fail("E0651", f"the language model in `{folder}` {what}", help)


def missing(folder: Path, *, tokenizer: bool = True) -> tuple[str, str] | None:
    """What a folder lacks and what to do about it; None for a whole one."""
    saved = "save it with `save_pretrained` of transformers"
    try:
        read_config(folder)
    except LegoError:
        there = (folder / CONFIG).is_file()
        return ("has a damaged `config.json`" if there else "has no `config.json`"), saved
    try:
        for path in weight_files(folder):
            verify_weights(path)
    except LookupError as error:
        pickles = [name for name in PICKLES if (folder / name).is_file()]
        if not pickles or (folder / INDEX).is_file():
            return f"lacks `{error.args[0]}`", saved
        return (
            f"has its weights in `{pickles[0]}` alone, which can run code when it is opened",
            "where you trust it, AutoModel.from_pretrained(FOLDER).save_pretrained(FOLDER) writes "
            "`model.safetensors`",
        )
    except ValueError as error:
        return f"has a damaged `{error.args[0]}`", "copy or fetch that file again"
    if tokenizer and not (folder / TOKENIZER).is_file():
        return (
            f"has no `{TOKENIZER}`",
            "AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER) writes it, or name "
            'one: `tokenizer = file("tokenizer.json")` in `data`',
        )
    return None


def weight_files(folder: Path) -> tuple[Path, ...]:
    """The weights of a model in order, with their index where there are several. Raises LookupError
    naming a file that is missing, ValueError naming one that cannot be read."""
    whole, index = folder / WEIGHTS, folder / INDEX
    if whole.is_file():
        return (whole,)
    if not index.is_file():
        raise LookupError(WEIGHTS)
    try:
        shards = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise ValueError(INDEX) from None
    for name in shards:
        # An index from elsewhere must not lead out of its folder.
        if not isinstance(name, str) or Path(name).name != name:
            raise ValueError(INDEX)
        if not (folder / name).is_file():
            raise LookupError(name)
    return (index, *(folder / name for name in shards))


def verify_weights(path: Path) -> None:
    """Read the head of a file of weights: it says how long the whole must be."""
    from safetensors import SafetensorError, safe_open

    if path.suffix != ".safetensors":
        return
    try:
        with safe_open(path, framework="numpy"):
            pass
    except (SafetensorError, OSError):
        raise ValueError(path.name) from None


def checkpoint_digest(folder: Path, root: Path) -> str:
    """A digest of the content of a whole folder: configuration, weights, tokenizer. root: the cache
    folder, where the digests of files are remembered."""
    paths = [folder / CONFIG, *weight_files(folder)]
    if (folder / TOKENIZER).is_file():
        paths.append(folder / TOKENIZER)
    return digest(sorted([path.name, hash_file(path, root)] for path in paths))


def read_config(folder: Path) -> dict[str, Any]:
    """The configuration of a model; of its text part where it has others. Raises E0651."""
    try:
        config: Any = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        config = None
    if not isinstance(config, dict):
        raise fail(
            "E0651",
            f"`{folder / CONFIG}` is missing or not a configuration in JSON",
            "save the model with `save_pretrained` of transformers",
        )
    text = config.get("text_config")
    return {**config, **text} if isinstance(text, dict) else config


def read_vocabulary_size(config: Mapping[str, Any], folder: Path) -> int:
    """The rows of the model's token embedding. Raises E0651 where the configuration tells none."""
    size = config.get("vocab_size")
    if not isinstance(size, int) or size < 1:
        raise fail(
            "E0651",
            f"`{folder / CONFIG}` does not tell `vocab_size`",
            "write the rows of its token embedding there",
        )
    return size


def read_positions(config: Mapping[str, Any]) -> int | None:
    """The most tokens a model reads; None where its positions have no end. With rotary positions it
    is the length the model was made for."""
    family = config.get("model_type")
    if family in BY_DISTANCE:
        return None
    rows = next((config[name] for name in POSITIONS if isinstance(config.get(name), int)), None)
    # XLNet says -1.
    if rows is None or rows < 1:
        return None
    if family not in AFTER_PADDING:
        return rows
    padding = config.get("pad_token_id")
    return rows - 1 - (padding if isinstance(padding, int) else 1)
