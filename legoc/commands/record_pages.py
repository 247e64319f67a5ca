"""The pages of `data`, `train` and `export`: their fields, and the forms their values take."""

from collections.abc import Iterator

from legoc.commands.param_text import write_default, write_form, write_kind
from legoc.language.declaring.catalog import Catalog, catalog
from legoc.language.declaring.declare import Declaration
from legoc.language.declaring.kinds import Kind
from legoc.language.declaring.records import RECORDS


PARTS = (
    "title(30)                 a text of 30 tokens; a number in 30 bins",
    "title                     with the source's own length, else 30 tokens, 10 bins",
    "category                  a category has no length",
    "标题(20)                  a name with other letters",
    '"Product Title"(16)       a name that is no plain word',
    '"Product Category"()      and such a name without a length',
)
PROMPT = '"News: "                  text between attributes, for language models'
FORMS = (
    ("{kind} NAME {{ FIELD = VALUE }}", "declares one"),
    ("{kind} NAME = OTHER(FIELD=VALUE)", "is a copy with changes; FIELD.PARAMETER reaches inside"),
    ("FIELD in [VALUE, VALUE]", "is an axis: every run once with each value"),
    ("--set {kind}.FIELD=VALUE", "changes it in every run, from the command line"),
)


def show_record(kind: str) -> None:
    """The fields of a record with their defaults, what their values may be, and how it is used."""
    record = RECORDS[kind]
    print(f"{kind}    {record.doc}\n\nfields")
    heads = [f"{p.name}: {write_kind(p)}{write_default(p, record)}" for p in record.params]
    width = max(map(len, heads))
    for head, p in zip(heads, record.params, strict=True):
        print(f"  {head:<{width}}  {p.doc}")
    for names, forms in values_of(record, catalog()):
        print(f"\nvalues of {names}")
        for form in forms:
            print(f"  {form}")
    print("\nforms")
    shown = [(form.format(kind=kind), does) for form, does in FORMS]
    width = max(len(form) for form, _ in shown)
    for form, does in shown:
        print(f"  {form:<{width}}  {does}")
    print(f"\n`legoc help {kind}` explains them with examples.")


def values_of(record: Declaration, known: Catalog) -> Iterator[tuple[str, list[str]]]:
    """The fields whose values are operators or attributes, those of one role together."""
    found: dict[str, list[str]] = {}
    for p in record.params:
        kind = p.kind.element if p.kind.name == "list" and p.kind.element else p.kind
        found.setdefault(group_of(kind), []).append(p.name)
    for group, names in found.items():
        listed = " and ".join(f"`{name}`" for name in names)
        if group in ("content", "attribute"):
            yield listed, [*PARTS, PROMPT] if group == "content" else list(PARTS)
        elif group == "source":
            yield listed, [", ".join(d.name for d in known.role(group))]
        elif group:
            yield listed, [write_form(d) for d in known.role(group)]


def group_of(kind: Kind) -> str:
    return kind.role or "" if kind.name == "operator" else kind.name if kind.name in (
        "content", "attribute"
    ) else ""  # fmt: skip
