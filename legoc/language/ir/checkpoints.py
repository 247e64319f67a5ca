"""Which pre-trained language model a stage names: a folder, or a name on a hub.

Only names are resolved here, from the arguments and the declaration; nothing is read but, where a
folder is given, its small `config.json`. Both who tokenises and who builds ask this one place.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from legoc.language.declaring.catalog import catalog
from legoc.language.declaring.declare import Declaration
from legoc.language.ir.spec import Call, Spec


# What hubs call their models: a name, or an owner's name before it.
HUB_NAME = re.compile(r"[A-Za-z0-9][\w-]*(?:\.[\w-]+)*(?:/[A-Za-z0-9][\w-]*(?:\.[\w-]+)*)?")
# How files of word vectors end, read or not: such a name is no model's.
VECTOR_FILES = (".txt", ".vec", ".gz", ".zip", ".bz2", ".xz", ".bin", ".npy", ".csv", ".tsv")

# The names different families give to their number of blocks.
LAYER_KEYS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")


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
    call = spec.model.get("content")
    declaration = None if call is None else catalog().get("content", call.op)
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
    or one with a side network."""
    args = call.args
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


def choice(values: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """Which of the published models arguments ask for."""
    by = facts.get("by")
    return "" if by is None else str(values.get(by))


def read_layers(folder: Path) -> int | None:
    """The number of blocks that the `config.json` of a folder tells, None where it tells none."""
    try:
        config: Any = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(config, dict):
        return None
    settings = cast("dict[str, Any]", config)
    text = settings.get("text_config")
    if isinstance(text, dict):
        settings = {**settings, **cast("dict[str, Any]", text)}
    found = next((settings[key] for key in LAYER_KEYS if key in settings), None)
    return found if isinstance(found, int) else None
