"""Digests of definitions: SHA-256 of canonical JSON over the IR, with the versions of operators.

What is computed enters, what is only reported does not. A file enters as the digest of its bytes, a
folder of data not at all, that of a language model as a fingerprint; `runtime` parameters stay out,
and a `since` parameter while it computes what was computed before it came.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any

from legoc.language.declaring.catalog import Catalog
from legoc.language.declaring.declare import Attribute, Declaration
from legoc.language.declaring.kinds import Kind, Role
from legoc.language.declaring.records import RECORDS
from legoc.language.ir.checkpoints import has_prefix, vectors_model
from legoc.language.ir.files import file_digest, model_fingerprint
from legoc.language.ir.spec import Call, Data, Keys, Prompt, Train, encoder_role


LANGUAGE = 1
# Raise when a recipe trains other weights than it did before.
TRAINING = 4
# Raise when the same word vectors become other rows of the token table.
VECTORS = 2
# The tokenizer where none is named. As it was at first it is left out of the digests.
WORDS = "words"


class MissingFile(Exception):
    """A file that an identity covers is not there."""


class Digester:
    """Digests of the specs of one check. What points share is put in canonical form once, so the
    values handed in must live as long as the digester."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.known: dict[tuple[object, ...], tuple[object, str]] = {}

    def keys(self, model: Mapping[Role, Call], data: Data, train: Train | None) -> Keys:
        """The four keys; each is empty where a file it covers is missing."""
        encoder = encoder_role(model)
        reader: Role = "behavior" if "behavior" in model else encoder
        reader = "flatten" if "flatten" in model else reader
        item = self.item(encoder, model[encoder], data)
        try:
            stages = [self.text(self.call, role, call) for role, call in model.items()]
            recipe = "null" if train is None else self.text(self.train, "train", train)
            named = sorted(f'"{role}":{text}' for role, text in zip(model, stages, strict=True))
            model_text = f"{{{','.join(named)}}}"
            data_text = self.data_text(data, own=self.has_own_tokens(encoder, model[encoder]))
            spec = sha256(
                f'{{"data":{data_text},"legoc":{LANGUAGE},"model":{model_text},"train":{recipe}}}'
            )
        except MissingFile:
            spec = ""
        return Keys(
            item=item,
            user=self.user(reader, model[reader], item, data),
            prefix=self.prefix(encoder, model[encoder], data),
            spec=spec,
        )

    def item(self, role: Role, call: Call, data: Data) -> str:
        def make() -> str:
            own = self.has_own_tokens(role, call)
            reading = self.reading(data, own=own) | {"vectors": self.vectors(data.vectors)}
            return digest({"operator": self.call(role, call), "data": reading})

        return self.remember(("item", id(call), id(data)), (call, data), make)

    def user(self, role: Role, call: Call, item: str, data: Data) -> str:
        def make() -> str:
            if not item:
                raise MissingFile
            attributes = [part_text(part) for part in data.user]
            return digest(
                {
                    "operator": self.call(role, call),
                    "item": item,
                    "history": data.history,
                    "user": attributes,
                }
            )

        return self.remember(("user", id(call), item, id(data)), (call, data), make)

    def prefix(self, role: Role, call: Call, data: Data) -> str:
        """Of the frozen lower layers: the model and its split, not what is trained above."""
        declaration = self.declaration(role, call)
        if not has_prefix(declaration, call):
            return ""

        def make() -> str:
            above = set(declaration.facts.get("above_split", ("hidden", "lora", "side")))
            below = self.arguments(declaration.params, call.args, leave=above)
            model = {"op": call.op, "version": declaration.version, "args": below}
            return digest({"model": model, "data": self.reading(data, own=True)})

        return self.remember(("prefix", id(call), id(data)), (call, data), make)

    def remember(self, key: tuple[object, ...], kept: object, make: Any) -> str:
        """`make()`, once per key; empty where a file is missing. `kept` holds what the key's ids
        stand for."""
        if key not in self.known:
            try:
                found = make()
            except MissingFile:
                found = ""
            self.known[key] = (kept, found)
        return self.known[key][1]

    def data_text(self, data: Data, *, own: bool) -> str:
        """Canonical JSON of a data record, once per record."""
        key = ("data", own, id(data))
        if key not in self.known:
            self.known[key] = (data, dump(self.data(data, own=own)))
        return self.known[key][1]

    def has_own_tokens(self, role: str, call: Call) -> bool:
        """Whether an item encoder reads tokens of its own: a language model."""
        return self.declaration(role, call).pretrained

    def text(self, canonical: Any, role: str, value: Any) -> str:
        """Canonical JSON of a part, once per part."""
        key = ("text", role, id(value))
        if key not in self.known:
            found = canonical(value) if role in RECORDS else canonical(role, value)
            self.known[key] = (value, dump(found))
        return self.known[key][1]

    def declaration(self, role: str, call: Call) -> Declaration:
        found = self.catalog.get(role, call.op)
        if found is None:
            raise LookupError(f"no {role} operator {call.op!r} is declared")
        return found

    def call(self, role: str, call: Call) -> dict[str, Any]:
        declaration = self.declaration(role, call)
        return {
            "op": call.op,
            "version": declaration.version,
            "args": self.arguments(declaration.params, call.args),
        }

    def arguments(
        self, params: Any, args: Mapping[str, Any], leave: set[str] | None = None
    ) -> dict[str, Any]:
        """What of the arguments belongs to an identity."""
        found: dict[str, Any] = {}
        for p in params:
            if p.runtime or p.kind.name == "folder" or p.name in (leave or ()):
                continue
            value = args[p.name]
            if p.since and value == p.earlier:
                continue
            found[p.name] = self.value(p.kind, value)
        return found

    def value(self, kind: Kind, value: Any) -> Any:
        if value is None:
            return None
        if kind.name == "operator":
            return self.call(kind.role or "", value)
        if kind.name == "model":
            return model_fingerprint(value) if os.path.isabs(value) else value
        if kind.name == "list" and kind.element is not None:
            return [self.value(kind.element, each) for each in value]
        return self.file(value) if kind.name == "file" else value

    def file(self, path: str | None) -> str | None:
        if path is None:
            return None
        found = file_digest(path)
        if found is None:
            raise MissingFile(path)
        return found

    def vectors(self, given: str | None) -> list[Any] | None:
        """Word vectors: the bytes of a file, the fingerprint of a model's folder, or its name."""
        if given is None:
            return None
        if vectors_model(given) is None:
            return [VECTORS, self.file(given)]
        return [VECTORS, self.value(Kind("model"), given)]

    def reading(self, data: Data, *, own: bool) -> dict[str, Any]:
        """How an item is read: what the vectors of items depend on beside their encoder. own: by
        the tokens of a language model."""
        return {
            "source": self.call("source", data.source),
            "content": [part_text(part) for part in data.content],
            "tokenizer": self.tokenizer(data.tokenizer, own=own),
            "augment": [self.file(path) for path in data.augment],
        }

    def tokenizer(self, call: Call | None, *, own: bool) -> dict[str, Any] | None:
        """The tokenizer that reads, named or not."""
        named = None if call is None else self.call("tokenizer", call)
        declared = self.catalog.get("tokenizer", WORDS)
        if own or declared is None:
            return named
        settings = {p.name: p.default for p in declared.params}
        words = self.call("tokenizer", Call(op=WORDS, args=settings))
        return None if named in (None, words) and declared.version == 1 else named or words

    def data(self, data: Data, *, own: bool) -> dict[str, Any]:
        return self.reading(data, own=own) | {
            "vectors": self.vectors(data.vectors),
            "history": data.history,
            "split": self.call("split", data.split),
            "group": data.group,
            "user": [part_text(part) for part in data.user],
            **self.context(data),
        }

    def context(self, data: Data) -> dict[str, Any]:
        """The numbers of the moment; nothing without any, as before there were such."""
        named = [self.call("context", call) for call in data.context]
        return {"context": named} if named else {}

    def train(self, train: Train) -> dict[str, Any]:
        """The recipe, without what is only measured (`metrics`) or breaks off (`limit`)."""
        params = RECORDS["train"].params
        found = self.arguments(params, {p.name: getattr(train, p.name) for p in params})
        return found | {"patience": effective_patience(train), "version": TRAINING}


def effective_patience(train: Train) -> int:
    """The epochs without a better monitor that end a training. After the last epoch it ends anyway,
    and no epoch is better than itself, so there are as many as `epochs - 1` and at least one."""
    return max(1, min(train.patience, train.epochs - 1))


def part_text(part: Attribute | Prompt) -> dict[str, Any]:
    if isinstance(part, Prompt):
        return {"text": part.text}
    return {"attribute": part.name, "kind": part.kind, "length": part.length}


def dump(value: Any) -> str:
    """Canonical JSON: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def digest(value: Any) -> str:
    return sha256(dump(value))
