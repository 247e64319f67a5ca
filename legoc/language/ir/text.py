"""A spec as a .lego file of its own: what `use`, copies, params and axes resolved to, every default
written out. Checking the text gives the spec's digests again."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from legoc.language.declaring.catalog import Catalog, catalog
from legoc.language.declaring.declare import Attribute
from legoc.language.declaring.kinds import Kind, Role
from legoc.language.declaring.records import RECORDS
from legoc.language.ir.form import declared_lengths
from legoc.language.ir.notation import write_call, write_value
from legoc.language.ir.spec import Call, Data, Export, Prompt, Spec, Train
from legoc.language.syntax.names import written_call


DATA, TRAIN, EXPORT = "corpus", "recipe", "artefact"


def resolved_text(spec: Spec, *, known: Catalog | None = None) -> str:
    """The whole file of one spec."""
    writer = Writer(known if known is not None else catalog())
    return assemble(
        spec.name,
        writer.model(spec.name, spec.model),
        writer.data(spec.data),
        writer.record("train", TRAIN, spec.train),
        writer.record("export", EXPORT, spec.export),
    )


def assemble(name: str, model: str, data: str, train: str, export: str) -> str:
    """A file from the texts of its declarations; `train` is empty for a model that only runs."""
    recipe = f" with {TRAIN}" if train else ""
    run = f"run {title(name)} on {DATA}{recipe} as {EXPORT}"
    return "\n\n".join(part for part in (data, train, export, model, run) if part) + "\n"


def title(name: str) -> str:
    """The name of a run without what its axes chose: `zoo[content=CNN]` is a point of `zoo`. A name
    that is no name of the language, such as that of a file, becomes one."""
    plain = "".join(c if c.isalnum() and c.isascii() else "_" for c in name.partition("[")[0])
    taken = plain in {*RESERVED, DATA, TRAIN, EXPORT} or not plain or plain[0].isdigit()
    return f"model_{plain}" if taken else plain


RESERVED = (
    "use", "param", "data", "generate", "train", "export", "model", "run", "content", "behavior",
    "flatten", "predict", "in", "on", "with", "as", "where", "valid", "except", "true", "false",
    "none",
)  # fmt: skip


class Writer:
    """Writes values by the kinds of their parameters."""

    def __init__(self, known: Catalog) -> None:
        self.known = known

    def model(self, name: str, model: Mapping[Role, Call]) -> str:
        stages = [f"{role} {self.call(role, call)}" for role, call in model.items()]
        return f"model {title(name)} =\n  " + "\n  -> ".join(stages)

    def data(self, data: Data) -> str:
        fields = {
            "source": self.call("source", data.source),
            "content": self.parts(data, data.content, users=False),
            "tokenizer": "none"
            if data.tokenizer is None
            else self.call("tokenizer", data.tokenizer),
            "vectors": json.dumps(data.vectors) if data.vectors is not None else "none",
            "history": str(data.history),
            "split": self.call("split", data.split),
            "group": data.group,
            "augment": json.dumps(list(data.augment)) if data.augment else "none",
            "user": self.parts(data, data.user, users=True),
        }
        if data.context:
            numbers = (self.call("context", call) for call in data.context)
            fields["context"] = f"[{', '.join(numbers)}]"
        return block("data", DATA, fields)

    def parts(self, data: Data, parts: Sequence[Attribute | Prompt], *, users: bool) -> str:
        declared = declared_lengths(self.known.get("source", data.source.op))[users]
        return f"[{', '.join(write_part(part, declared) for part in parts)}]"

    def record(self, kind: str, name: str, record: Train | Export | None) -> str:
        if record is None:
            return ""
        params = RECORDS[kind].params
        return block(
            kind, name, {p.name: self.value(p.kind, getattr(record, p.name)) for p in params}
        )

    def call(self, role: str, call: Call) -> str:
        return write_call(role, call, full=True, known=self.known)

    def value(self, kind: Kind, value: Any) -> str:
        return write_value(kind, value, full=True, known=self.known)


def block(kind: str, name: str, fields: Mapping[str, str]) -> str:
    lines = "".join(f"  {field} = {value}\n" for field, value in fields.items())
    return f"{kind} {name} {{\n{lines}}}"


def write_part(part: Attribute | Prompt, declared: Mapping[str, int]) -> str:
    if isinstance(part, Prompt):
        return json.dumps(part.text)
    own = part.kind == "category" and part.length == declared.get(part.name, 1)
    return written_call(part.name, () if own else (str(part.length),))
