"""A `generate` as it stands in the IR: its columns are there, what it writes is new, its prompt can
be filled, its address is one."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from legoc.language.declaring.catalog import Catalog
from legoc.language.declaring.declare import Declaration
from legoc.language.declaring.records import RECORDS
from legoc.language.diagnosing.diagnostics import Diagnostic
from legoc.language.diagnosing.document import Span
from legoc.language.ir.generation import FIELDS, Generation, generation_digests
from legoc.language.ir.spec import Call, Data
from legoc.language.resolving.points import Argument, Given, Record, Settings, Written
from legoc.language.typing import wording_generation as wording
from legoc.language.typing.arguments import Judge


if TYPE_CHECKING:
    from legoc_runtime.kinds import Column


GENERATE = RECORDS["generate"]
KEYS = ("item_id", "user_id")
VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
# The fields of a prompt by task, besides the attributes that it reads.
OWN_FIELDS = {
    "Summarise": ("item",),
    "Profile": ("history", "topics", "most"),
    "Invent": ("history", "profile", "categories"),
}


class ReadData(Protocol):
    """What the lowering of a data record says; it stands above this module."""

    @property
    def data(self) -> Data | None: ...
    @property
    def problems(self) -> tuple[Diagnostic, ...]: ...
    @property
    def columns(self) -> tuple[str, ...] | None: ...
    @property
    def users(self) -> tuple[str, ...] | None: ...


@dataclass(frozen=True, eq=False, kw_only=True)
class LoweredGeneration:
    """A generation, or None with what is wrong."""

    generation: Generation | None
    problems: tuple[Diagnostic, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Joined:
    """The `augment` of a data record with files in place of generations, and the columns of these
    files by path."""

    argument: Argument
    columns: "Mapping[str, Mapping[str, Column]]"
    problems: tuple[Diagnostic, ...]


def join_generations(
    argument: Argument, catalog: Catalog, read: Callable[[Record], ReadData]
) -> Joined:
    """The files that the generations in `augment` write; one that is not there is said (W104)."""
    given = argument.given.value
    if not isinstance(given, tuple):
        return Joined(argument=argument, columns={}, problems=())
    files: list[Given] = []
    columns: dict[str, Mapping[str, Column]] = {}
    problems: list[Diagnostic] = []
    for each in given:
        if not isinstance(each.value, Record):
            files.append(each)
            continue
        lowered = lower_generation(each.value, catalog, read)
        problems += lowered.problems
        made = lowered.generation
        path = None if made is None or not made.digest else made.path
        files.append(Given(Written(path), each.span))
        if made is not None and path is not None:
            columns[path] = made.columns
            if not os.path.isfile(path):
                file = each.value.span.document.path
                problems.append(wording.not_written(made.name, file, each.span))
    return Joined(
        argument=replace(argument, given=Given(tuple(files), argument.given.span)),
        columns=columns,
        problems=tuple(problems),
    )


def lower_generation(
    record: Record, catalog: Catalog, read: Callable[[Record], ReadData]
) -> LoweredGeneration:
    """read: lowers a data record."""
    judge = Judge(catalog)
    values, broken = judge.arguments(GENERATE, record.span, record.fields, skip=("of",))
    found = list(judge.problems)
    of = record.fields.get("of")
    data = None
    if of is None:
        found.append(wording.no_data(record.span))
    elif not isinstance(of.given.value, Record):
        found.append(wording.not_data(of.given.span))
    else:
        data = read(of.given.value)
        found += data.problems
    task, model = values.get("task"), values.get("model")
    if isinstance(task, Call) and data is not None:
        found += check_task(task, record.fields["task"].given, data, catalog)
    if isinstance(model, Call) and model.op == "API":
        given = record.fields["model"].given
        found += check_address(model, lambda name: place(given, name))
    made = None
    sound = not any(problem.severity == "error" for problem in found) and not broken
    if (
        sound and data is not None and data.data is not None
        and isinstance(task, Call) and isinstance(model, Call)
    ):  # fmt: skip
        whole, asked = generation_digests(catalog, data.data, task, model)
        made = Generation(
            name=record.name,
            data=data.data,
            task=task,
            model=model,
            folder=os.path.dirname(os.path.abspath(record.span.document.path)),
            digest=whole,
            asked=asked[:16],
            span=record.span,
        )
    return LoweredGeneration(generation=made, problems=tuple(found))


def check_task(task: Call, given: Given, data: ReadData, catalog: Catalog) -> "list[Diagnostic]":
    declaration = catalog.get("writing", task.op)
    assert declaration is not None
    found: list[Diagnostic] = []
    if not task["from"]:
        found.append(wording.nothing_read(declaration, place(given, "from")))
    found += check_columns(task, "from", given, "items", data.columns)
    found += check_columns(task, "profile", given, "users", data.users)
    if "to" in task.args:
        of = "users" if task.op == "Profile" else "items"
        known = data.users if task.op == "Profile" else data.columns
        if task["to"] in (*KEYS, *(known or ())):
            found.append(wording.not_new(task["to"], place(given, "to"), of))
    for topic in task.args.get("topics", ()):
        if not topic.strip():
            found.append(wording.empty_topic(place(given, "topics")))
            break
    if "write" in task.args:
        found += check_invented(task, given, declaration, data.columns)
    if task.args["prompt"] is not None:
        found += check_prompt(task, place(given, "prompt"))
    return found


def check_columns(
    task: Call, name: str, given: Given, of: str, known: "tuple[str, ...] | None"
) -> "list[Diagnostic]":
    """Whether the attributes in a list are there, as far as that can be told."""
    if known is None:
        return []
    return [
        wording.no_column(column, place(given, name, index), of, known)
        for index, column in enumerate(task.args.get(name, ()))
        if column not in known
    ]


def check_invented(
    task: Call, given: Given, declaration: Declaration, known: "tuple[str, ...] | None"
) -> "list[Diagnostic]":
    writes: Any = declaration.facts.get("writes", ())
    fits = [name for name in writes if known is None or name in known]
    if "title" not in fits:
        return [wording.not_writable("title", place(given, "write"), ())]
    found = [
        wording.not_writable(name, place(given, "write", index), fits)
        for index, name in enumerate(task["write"])
        if name not in fits
    ]
    if not found and "title" not in task["write"]:
        found.append(wording.untitled(place(given, "write")))
    return found


def check_prompt(task: Call, span: Span) -> "list[Diagnostic]":
    """The fields of a prompt that a file holds; a file that is missing has been reported."""
    path = task["prompt"]
    try:
        text = Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return []
    known = fields_of(task)
    named = FIELDS.findall(text)
    shown = os.path.basename(path)
    found = [
        wording.unknown_field(name, shown, span, known)
        for name in dict.fromkeys(named)
        if name not in known
    ]
    return found if named else [wording.no_field(shown, span, known)]


def fields_of(task: Call) -> "tuple[str, ...]":
    """The fields that a prompt of a task may have."""
    attributes = task["from"] if task.op == "Summarise" else ()
    return tuple(dict.fromkeys((*attributes, *OWN_FIELDS[task.op])))


def check_address(model: Call, place: "Callable[[str], Span]") -> "list[Diagnostic]":
    """The address of a server and the variable of its key. place: where an argument is written."""
    found: list[Diagnostic] = []
    try:
        parts = urlsplit(model["base"])
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme not in ("http", "https") or not host or port == 0:
        found.append(wording.no_address(place("base"), model["base"]))
    elif "@" in parts.netloc or parts.query or parts.fragment:
        found.append(wording.secret_in_address(place("base")))
    if not VARIABLE.fullmatch(model["key"]):
        found.append(wording.no_variable(place("key")))
    return found


def place(given: Given, name: str, index: int | None = None) -> Span:
    """Where an argument is written, else where its operator is."""
    settings = given.value
    argument = settings.args.get(name) if isinstance(settings, Settings) else None
    if argument is None:
        return given.span
    values = argument.given.value
    if index is not None and isinstance(values, tuple) and index < len(values):
        return values[index].span
    return argument.given.span
