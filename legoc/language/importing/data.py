"""Legommenders' data configuration as a `data` record."""

import os
from collections.abc import Iterator

from legoc.language.declaring.catalog import Catalog
from legoc.language.diagnosing.diagnostics import Diagnostic, Label
from legoc.language.diagnosing.document import Span
from legoc.language.diagnosing.suggest import listing
from legoc.language.importing.models import Report
from legoc.language.importing.source import Section, Setting, stop
from legoc.language.importing.words import PROMPTS, SOURCES
from legoc.language.resolving.points import Given
from legoc.language.resolving.template import Called, Entry, Leaf, Listed, RecordTemplate, Template


def read_data(section: Section, stem: str, catalog: Catalog, report: Report) -> RecordTemplate:
    """The record, named after the configuration's file. Raises LegoError (E0904)."""
    place = Span(section.span.document, 0, 0)
    fields: dict[str, Template] = {}
    source = read_source(section, catalog)
    fields["source"] = source
    item = section.section("item")
    inputs = item.setting("inputs")
    if inputs is None or not isinstance(inputs.value, tuple):
        raise stop(
            inputs.span if inputs else place, "`item.inputs` lists the attributes of an item",
            "no list of them", "an older form of configuration; name its columns under `inputs`",
        )  # fmt: skip
    fields["content"] = Listed(tuple(read_inputs(inputs)), inputs.span)
    truncate = section.section("user").setting("truncate")
    if truncate is not None and truncate.value is not None:
        fields["history"] = Leaf(Given(truncate.value, truncate.span))
    columns = section.section("column_map")
    group = columns.setting("group_col")
    if group is not None and isinstance(group.value, str):
        word = "user" if group.value in ("user", "user_id", "uid") else "impression"
        fields["group"] = Called(word, group.span, group.span)
    fields |= split_of(source.name, section, catalog)
    leave_columns(section, columns)
    refuse_filters(section, report)
    entries = {name: Entry(name, each.span, each) for name, each in fields.items()}
    return RecordTemplate("data", stem, place, entries)


def read_source(section: Section, catalog: Catalog) -> Called:
    """The source by the name the configuration bears; its folder is the user's to set."""
    name = section.setting("name")
    stem = str(name.value).lower() if name is not None else ""
    known = SOURCES.get(stem.replace("_", "-").split("-")[0])
    if name is None or known is None or catalog.get("source", known) is None:
        sources = [d.name for d in catalog.role("source")]
        raise stop(
            name.span if name is not None else section.span,
            f"no source reads the data set `{stem or 'without a name'}`", "its name",
            f"there are {listing(sources)}",
        )  # fmt: skip
    folder = section.setting("base_dir")
    path = folder.value if folder is not None and isinstance(folder.value, str) else None
    if path is None:
        ut = section.section("item").setting("ut")
        path = os.path.dirname(str(ut.value)) if ut is not None else stem
    place = folder.span if folder is not None else name.span
    given = Leaf(Given(path, place))
    return Called(known, name.span, name.span, {}, (given,), True)


def read_inputs(inputs: Setting) -> Iterator[Template]:
    """`title@glove: 30` is `title(30)`: the vocabulary follows from the operator."""
    for part in inputs.value:
        name, length = part if isinstance(part, tuple) else (part, None)
        column = str(name).partition("@")[0].strip()
        if column in PROMPTS:
            yield Leaf(Given(PROMPTS[column], inputs.span))
            continue
        if "->" in str(name) or column.endswith("_id") or not column:
            raise stop(
                inputs.span, f"the input `{name}` is no attribute of an item", "among these",
                "ids and vectors are read by `content Null`: take the input out of the list",
            )  # fmt: skip
        args: tuple[Template, ...] = ()
        if length is not None:
            args = (Leaf(Given(length, inputs.span)),)
        yield Called(column, inputs.span, inputs.span, {}, args, bool(args))


def split_of(source: str, section: Section, catalog: Catalog) -> dict[str, Template]:
    """The split that library makes of this data set, where we have it under its name."""
    declared = catalog.get("source", source)
    if declared is None or "legommenders" not in declared.splits:
        return {}
    return {"split": Called("legommenders", section.span, section.span)}


def leave_columns(section: Section, columns: Section) -> None:
    """Columns and prepared folders belong to the source here, so nobody need be told of them."""
    for name in tuple(columns.settings):
        columns.setting(name)
    inter = section.section("inter")
    for name in ("train", "dev", "test"):
        inter.setting(name)
    for name in ("item", "user"):
        section.section(name).setting("ut")


def refuse_filters(section: Section, report: Report) -> None:
    """W903 for filters: code in a configuration is not run."""
    filters = section.section("inter").section("filters")
    for name in tuple(filters.settings):
        setting = filters.setting(name)
        assert setting is not None
        written = ", ".join(map(str, setting.value)) if setting.value else ""
        report(
            Diagnostic(
                code="W903",
                severity="warning",
                message=f"the filter of `{name}` is code and is not imported",
                labels=(Label(span=setting.span, text=written, primary=True),),
                help=("users without clicks stay in: an empty history is a user like any other",),
            )
        )
