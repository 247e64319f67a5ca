"""Which pre-trained language model a stage names: a folder, or a name on a hub.

Only names are resolved here, from the arguments and the declaration; nothing is read but, where a
folder is given, its small `config.json`. Both who tokenises and who builds ask this one place.
"""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from legoc.language.declaring.catalog import catalog
from legoc.language.declaring.declare import Declaration
from legoc.language.declaring.kinds import Role
from legoc.language.ir.spec import Call, Spec


# What hubs call their models: a name, or an owner's name before it.
HUB_NAME = re.compile(r"[A-Za-z0-9][\w-]*(?:\.[\w-]+)*(?:/[A-Za-z0-9][\w-]*(?:\.[\w-]+)*)?")
# How files of word vectors end, read or not: such a name is no model's.
VECTOR_FILES = (".txt", ".vec", ".gz", ".zip", ".bz2", ".xz", ".bin", ".npy", ".csv", ".tsv")

# The names different families give to their number of blocks.
LAYER_KEYS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
# The same of heads, and of widths: OPT may bring its last states to one of their own.
HEAD_KEYS = ("num_attention_heads", "n_head", "n_heads")
WIDTH_KEYS = ("word_embed_proj_dim", "hidden_size", "n_embd", "d_model", "dim")


@dataclass(frozen=True, kw_only=True)
class Named:
    """A language model by name.

    folder: an absolute path, None where `hub` names a model instead. family, shape: the model type
    of transformers and the settings in which the published model differs from that type's defaults,
    so that its size is known without its files; empty where only its files can tell.
    """

    op: str
    folder: str | None
    hub: str | None
    family: str = ""
    shape: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def shown(self) -> str:
        """What messages call it."""
        return self.folder or self.hub or self.op


def find_named(call: Call, declaration: Declaration) -> Named:
    """The model an operator with `pretrained` names by `path`, else by the size or version that its
    facts give a hub's name for."""
    facts = declaration.facts
    given = call.args.get("path")
    if given is not None:
        local = os.path.isabs(given)
        return Named(op=call.op, folder=given if local else None, hub=None if local else given)
    published = facts["checkpoints"][choice(call.args, facts)]
    return Named(
        op=call.op, folder=None, hub=published["hub"],
        family=facts["family"], shape=published["shape"],
    )  # fmt: skip


def content_model(spec: Spec) -> tuple[Call, Named] | None:
    """The content stage that is a language model and the model it names; None where a spec has no
    such stage."""
    return find_model(spec, "content")


def reading_model(spec: Spec) -> tuple[Call, Named] | None:
    """The stage that is a language model, as content or else as flatten, and the model it names;
    None where a spec has no such stage."""
    return find_model(spec, "content") or find_model(spec, "flatten")


def find_model(spec: Spec, role: Role) -> tuple[Call, Named] | None:
    call = spec.model.get(role)
    declaration = None if call is None else catalog().get(role, call.op)
    if call is None or declaration is None or not declaration.pretrained:
        return None
    return call, find_named(call, declaration)


def vectors_model(vectors: str | None) -> Named | None:
    """The language model whose token table gives the `vectors` of a data record; None where they
    are a file of word vectors, or there are none."""
    if vectors is None:
        return None
    if names_hub(vectors):
        return Named(op="vectors", folder=None, hub=vectors)
    return Named(op="vectors", folder=vectors, hub=None) if os.path.isdir(vectors) else None


def names_hub(vectors: str) -> bool:
    """Whether `vectors` have the form of a hub's name: an owner and a model."""
    named = vectors.count("/") == 1 and HUB_NAME.fullmatch(vectors) is not None
    return named and not vectors.lower().endswith(VECTOR_FILES)


def has_prefix(declaration: Declaration, call: Call) -> bool:
    """Whether an item encoder starts with layers that never change: a language model that is split,
    or one with a side network. What reads histories keeps nothing of an item."""
    args = call.args
    if declaration.role == "flatten":
        return False
    given = args.get("split") is not None or args.get("side") is not None
    return declaration.pretrained and given


def count_layers(values: Mapping[str, Any], declaration: Declaration) -> int | None:
    """How many blocks the model of these arguments has, as its folder or its declaration tells;
    None where neither does."""
    given = values.get("path")
    if given is not None:
        return read_layers(Path(given)) if os.path.isabs(given) else None
    known = declaration.facts.get("checkpoints", {}).get(choice(values, declaration.facts))
    return None if known is None else known["layers"]


def own_width(values: Mapping[str, Any]) -> int | None:
    """The width of the last states of the model that arguments name, as its `config.json` tells;
    None where it is not on this machine."""
    return first_int(find_config(values.get("path")), WIDTH_KEYS)


def state_width(values: Mapping[str, Any]) -> int | None:
    """How many numbers the model that arguments name keeps of a token: keys and values of each of
    its heads in every block. None where it is not on this machine."""
    config = find_config(values.get("path"))
    layers, heads = first_int(config, LAYER_KEYS), first_int(config, HEAD_KEYS)
    width = first_int(config, WIDTH_KEYS[1:])
    if layers is None or heads is None or width is None:
        return None
    shared = first_int(config, ("num_key_value_heads", "num_kv_heads")) or heads
    if config.get("multi_query") and not config.get("new_decoder_architecture"):
        shared = 1
    each = first_int(config, ("head_dim",)) or width // heads
    return 2 * layers * shared * each


def first_int(config: Mapping[str, Any], names: Sequence[str]) -> int | None:
    """The first of some settings that is a whole number."""
    found = (config[name] for name in names if isinstance(config.get(name), int))
    return next(found, None)


def find_config(path: str | None) -> dict[str, Any]:
    """The settings of a model on this machine: in its folder, or in the cache of the hub's library.
    Empty where there are none."""
    if path is None:
        return {}
    return read_settings(Path(path) if os.path.isabs(path) else hub_folder(path))


def hub_folder(name: str) -> Path:
    """Where the cache of the hub's library has a model, if it has it."""
    home = os.environ.get("HF_HOME") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "huggingface"
    )
    place = Path(os.environ.get("HF_HUB_CACHE") or os.path.join(home, "hub"))
    place = place / f"models--{name.replace('/', '--')}"
    try:
        revision = (place / "refs" / "main").read_text(encoding="utf-8").strip()
    except OSError:
        return place
    return place / "snapshots" / revision


def choice(values: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """Which of the published models arguments ask for."""
    by = facts.get("by")
    return "" if by is None else str(values.get(by))


def read_layers(folder: Path) -> int | None:
    """The number of blocks that the `config.json` of a folder tells, None where it tells none."""
    settings = read_settings(folder)
    found = next((settings[key] for key in LAYER_KEYS if key in settings), None)
    return found if isinstance(found, int) else None


def read_settings(folder: Path) -> dict[str, Any]:
    """What the `config.json` of a folder says of the model, and of its text part where it has
    others; empty where it says nothing."""
    try:
        config: Any = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(config, dict):
        return {}
    settings = cast("dict[str, Any]", config)
    text = settings.get("text_config")
    return {**settings, **cast("dict[str, Any]", text)} if isinstance(text, dict) else settings
