"""A declared generation: what a model writes, where its answers are kept, and what they become."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from legoc.language.declaring.catalog import Catalog
from legoc.language.diagnosing.document import Span
from legoc.language.ir.digest import Digester, MissingFile, digest
from legoc.language.ir.spec import Call, Data


if TYPE_CHECKING:
    from legoc_runtime.kinds import Column


FOLDER = "generated"
# What a generation wrote, by its path: the name, and the digest of what was asked of whom.
WRITTEN = re.compile(r"(?P<name>\w+)-[0-9a-f]{12}\.(?:jsonl|log)", re.ASCII)
# Words of a rewritten title that its length is proposed by, and the longest fields of a prompt.
WORDS = 24
FIELDS = re.compile(r"\{([A-Za-z_]\w*)\}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Generation:
    """`folder`: where the file lies that declares it. `digest` covers the task, the model and the
    data, `asked` the model alone; they are empty where a file that belongs to them is missing."""

    name: str
    data: Data
    task: Call
    model: Call
    folder: str
    digest: str
    asked: str = ""
    span: Span | None = field(default=None, compare=False)

    @property
    def path(self) -> str:
        """What is joined to data: a table, of invented items a log. It is there when all is
        written."""
        ending = ".log" if self.task.op == "Invent" else ".jsonl"
        return os.path.join(self.folder, FOLDER, f"{self.name}-{self.digest[:12]}{ending}")

    @property
    def journal(self) -> str:
        """Every answer that was ever given, whatever was asked of whom."""
        return os.path.join(self.folder, FOLDER, f"{self.name}.asked.jsonl")

    @property
    def columns(self) -> "Mapping[str, Column]":
        """What the file brings, its key among them, as it will be whatever a model answers."""
        from legoc_runtime.kinds import Column

        if self.task.op == "Summarise":
            return {"item_id": Column(), self.task["to"]: Column(speaks=True, words=WORDS)}
        if self.task.op == "Profile":
            column = Column(kind="category", length=self.task["most"])
            return {"user_id": Column(), self.task["to"]: column}
        return {"user_id": Column()}


def generated_name(path: str) -> str | None:
    """The generation that writes a file; None for a file that none does."""
    found = WRITTEN.fullmatch(os.path.basename(path))
    inside = os.path.basename(os.path.dirname(path)) == FOLDER
    return found["name"] if found is not None and inside else None


def generation_digests(catalog: Catalog, data: Data, task: Call, model: Call) -> tuple[str, str]:
    """SHA-256 in hex of what is asked of whom about what, and of whom alone; both empty where a
    file of it is missing."""
    digester = Digester(catalog)
    try:
        read = {
            "source": digester.call("source", data.source),
            # What another generation writes is named by its own digest.
            "augment": [
                os.path.basename(path) if generated_name(path) else digester.file(path)
                for path in data.augment
            ],
        }
        if task.op != "Summarise":
            read |= {"split": digester.call("split", data.split), "history": data.history}
        asked = {"task": digester.call("writing", task), "model": digester.call("writer", model)}
    except MissingFile:
        return "", ""
    return digest(asked | {"data": read}), digest(asked["model"])
