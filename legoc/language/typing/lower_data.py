"""A `data` record as it stands in the IR: source, attributes, split and grouping, judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from legoc.language.declaring.catalog import Catalog
from legoc.language.declaring.declare import Attribute, Declaration
from legoc.language.declaring.records import RECORDS
from legoc.language.diagnosing.diagnostics import Diagnostic
from legoc.language.diagnosing.document import Span
from legoc.language.ir.spec import Call, Data, Prompt
from legoc.language.resolving import wording_operators
from legoc.language.resolving.points import Argument, Given, Record
from legoc.language.syntax.names import written_call
from legoc.language.typing import wording_data
from legoc.language.typing import wording_params as wording
from legoc.language.typing.arguments import Judge
from legoc.language.typing.attributes import Columns, read_default, read_list
from legoc.language.typing.rules import default_value


if TYPE_CHECKING:
    from legoc.language.typing.columns import Found, Header

DATA = RECORDS["data"]
LISTS = ("content", "user")


@dataclass(frozen=True, eq=False, kw_only=True)
class LoweredData:
    """A record with its source's declaration. `data` is None where something was refused."""

    data: Data | None
    source: Declaration | None
    spans: Mapping[str, Span]
    problems: tuple[Diagnostic, ...]
    columns: tuple[str, ...] | None = None
    users: tuple[str, ...] | None = None
    """What the items and the users have; None where that cannot be known yet."""


def lower_data(record: Record, catalog: Catalog) -> LoweredData:
    """Judge one `data` record; parts of it are checked even where others were refused."""
    judge = Judge(catalog)
    fields = {name: one_file(argument) for name, argument in record.fields.items()}
    made: dict[str, Header] = {}
    if "augment" in fields and names_generation(fields["augment"]):
        from legoc.language.typing.generations import join_generations

        joining = join_generations(
            fields["augment"], catalog, lambda other: lower_data(other, catalog)
        )
        fields["augment"] = joining.argument
        made.update(joining.columns)
        judge.problems += joining.problems
    values, broken = judge.arguments(DATA, record.span, fields, skip=LISTS)
    source = None
    if isinstance(values.get("source"), Call):
        source = catalog.get("source", values["source"].op)
    else:
        given = fields["source"].given.value if "source" in fields else None
        name = getattr(given, "name", None)
        source = catalog.get("source", name) if isinstance(name, str) else None
    for name in LISTS:
        if name in fields:
            judge.spans[name] = fields[name].given.span
    spans = dict(judge.spans)
    if source is None:
        return LoweredData(data=None, source=None, spans=spans, problems=tuple(judge.problems))
    found = read_headers(source, values.get("source"))
    if found is not None:
        from legoc.language.typing.headers import complete

        source = complete(source, found)
        at = judge.spans["source"]
        judge.problems += [wording_data.of_tables(problem, at) for problem in found.problems]
    source = offer_parts(source, values.get("source"))
    joined = tuple(values.get("augment") or ())
    judge.made.update(made)
    content = read_content(fields, record, source, values, judge, found)
    user = read_users(fields, source, values, judge, found)
    decide_split(source, values, broken, judge, catalog)
    decide_group(source, values, broken, judge)
    if broken or content is None or user is None or (found is not None and found.problems):
        data = None
    else:
        augment = values.pop("augment") or ()
        data = Data(**values, augment=augment, content=content, user=user)
    return LoweredData(data=data, source=source, spans=spans, problems=tuple(judge.problems),
        columns=known_columns(source, found, joined, made, "item_id"),
        users=known_columns(source, found, joined, made, "user_id"),
    )  # fmt: skip


def known_columns(
    source: Declaration,
    found: "Found | None",
    augment: Sequence[str],
    made: "Mapping[str, Header]",
    key: str,
) -> tuple[str, ...] | None:
    """The attributes that the items or users of a source have, those of joined tables included."""
    if found is not None and found.items is None:
        return None
    items = key == "item_id"
    declared, header = (source.attributes if items else source.users), None
    if found is not None:
        declared, header = (), found.items if items else found.users
    known = Columns(declared, augment, header, key=key, made=made)
    return None if known.open else tuple(known.names)


def read_headers(source: Declaration, call: object) -> "Found | None":
    """What the files of a source say of it, where it learns its attributes from them."""
    layout = source.facts.get("headers")
    if not layout:
        return None
    from legoc.language.typing.columns import UNREAD
    from legoc.language.typing.headers import read_folder

    return read_folder(call.args, layout) if isinstance(call, Call) else UNREAD


def offer_parts(source: Declaration, call: object) -> Declaration:
    """The declaration with the publisher's split, where the setting that chooses its parts is
    given."""
    setting = source.facts.get("parts")
    if not setting or not isinstance(call, Call) or not call.args.get(str(setting)):
        return source
    return replace(source, splits=("publisher", *source.splits))


def names_generation(argument: Argument) -> bool:
    given = argument.given.value
    return isinstance(given, tuple) and any(isinstance(each.value, Record) for each in given)


def one_file(argument: Argument) -> Argument:
    """`augment="x.csv"` is `augment=["x.csv"]`."""
    given = argument.given
    if argument.name != "augment" or not isinstance(given.value, str | Record):
        return argument
    return replace(argument, given=Given((given,), given.span))


def read_content(
    fields: Mapping[str, Argument],
    record: Record,
    source: Declaration,
    values: Mapping[str, Any],
    judge: Judge,
    found: "Found | None",
) -> tuple[Attribute | Prompt, ...] | None:
    field = fields.get("content")
    if field is None or field.given.value is None:
        if source.content is not None and field is None:
            return read_default(source.content, source.attributes)
        judge.problems.append(missing_content(record, source, field))
        return None
    declared, header = (source.attributes, None) if found is None else ((), found.items)
    return read_field(
        field, declared, source, values, judge, prompts=True, header=header,
        open=found is not None and found.items is None,
    )  # fmt: skip


def read_users(
    fields: Mapping[str, Argument],
    source: Declaration,
    values: Mapping[str, Any],
    judge: Judge,
    found: "Found | None",
) -> tuple[Attribute, ...] | None:
    if "user" not in fields:
        return ()
    declared, header = (source.users, None) if found is None else ((), found.users)
    parts = read_field(
        fields["user"], declared, source, values, judge, prompts=False, header=header,
        open=found is not None and found.items is None,
    )  # fmt: skip
    return None if parts is None else tuple(a for a in parts if isinstance(a, Attribute))


def read_field(
    field: Argument,
    declared: tuple[Attribute, ...],
    source: Declaration,
    values: Mapping[str, Any],
    judge: Judge,
    *,
    prompts: bool,
    header: "Header | None",
    open: bool,
) -> tuple[Attribute | Prompt, ...] | None:
    param = DATA.param(field.name)
    if param is not None and not isinstance(field.given.value, tuple):
        judge.problems.append(wording.wrong_kind(param, param.kind, DATA, field.given))
        return None
    if "augment" not in values:
        return None
    key = "item_id" if prompts else "user_id"
    known = Columns(declared, values["augment"] or (), header, key=key, open=open, made=judge.made)
    given = field.given.value if isinstance(field.given.value, tuple) else ()
    parts, problems = read_list(given, known, source, prompts=prompts)
    judge.problems += problems
    return parts


def missing_content(record: Record, source: Declaration, field: Argument | None) -> Diagnostic:
    names = [written_call(attribute.name, ()) for attribute in source.attributes]
    return Diagnostic(
        code="E0304",
        message="`data` needs `content`",
        labels=(
            wording_operators.primary(
                record.span if field is None else field.given.span,
                f"{source.name} has no default for it",
            ),
        ),
        help=(f"write `content = [{', '.join(names[:2])}]`; attributes: {', '.join(names)}",)
        if names
        else (
            "write `content = [title(30)]`, with the names of your columns; where items have none, "
            "`content = []`, and `content Null` in the model",
        ),
    )


def decide_split(
    source: Declaration, values: dict[str, Any], broken: set[str], judge: Judge, catalog: Catalog
) -> None:
    """The split as given, else the publisher's, else `time`, or `user` for files without times.
    Protocols made for comparison with published figures (`recbench`) are never the default."""
    if "split" in broken:
        return
    split = values.get("split")
    if split is None:
        name = "user" if is_untimed(source, values.get("source")) else "time"
        name = "publisher" if "publisher" in source.splits else name
        kind = DATA.param("split")
        values["split"] = (
            default_value(kind.kind, {"op": name, "args": {}}, catalog) if kind else None
        )
        return
    if split.op in catalog.source_splits and split.op not in source.splits:
        general = [d.name for d in catalog.role("split") if d.name not in catalog.source_splits]
        judge.problems.append(
            wording_data.split_not_offered(split.op, judge.spans["split"], source, general)
        )
        broken.add("split")


def is_untimed(source: Declaration, call: object) -> bool:
    """Whether the folder holds the release of a source that has no times."""
    found = source.facts.get("untimed")
    if not found or not isinstance(call, Call):
        return False
    from legoc.language.typing.headers import holds

    has, lacks = found
    return holds(call.args, str(has)) and not holds(call.args, str(lacks))


def decide_group(
    source: Declaration, values: dict[str, Any], broken: set[str], judge: Judge
) -> None:
    """The grouping as given, else the source's. Without impressions there is only `user`."""
    if "group" in broken:
        return
    own = source.group or "impression"
    if values.setdefault("group", own) == "impression" and own == "user":
        judge.problems.append(wording_data.no_impressions(judge.spans["group"], source))
        broken.add("group")
