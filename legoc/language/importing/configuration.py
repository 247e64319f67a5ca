"""Legommenders' configurations as .lego files (`legoc import`, LANGUAGE section 10).

The configuration becomes the templates a .lego file makes, with places in its YAML, and is checked
before a line is written: what does not fit together there is refused where it stands.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from legoc.language.checking import check_resolved
from legoc.language.declaring.catalog import Catalog, catalog
from legoc.language.diagnosing.diagnostics import Diagnostic, Label, SpecError
from legoc.language.diagnosing.document import Document, Span
from legoc.language.importing.data import read_data
from legoc.language.importing.models import Report
from legoc.language.importing.source import Reader, Section, Setting, read_given, stop
from legoc.language.importing.stages import Stages
from legoc.language.importing.text import write_file
from legoc.language.ir.text import title
from legoc.language.resolving.points import Given
from legoc.language.resolving.resolved import Resolved, demo
from legoc.language.resolving.template import (
    Called,
    Choice,
    Entry,
    Leaf,
    PipelineTemplate,
    RecordTemplate,
    RunTemplate,
)
from legoc.language.syntax.fmt import format
from legoc.language.typing.lower import Lowering


# How that library evaluates and pages, and how it lays tokens: each brick here has its own way.
LEFT = ("use_fast_eval", "item_page_size", "cache_page_size")


@dataclass(frozen=True, eq=False, kw_only=True)
class Imported:
    """What a configuration means here."""

    model: PipelineTemplate
    data: RecordTemplate
    train: RecordTemplate
    sections: tuple[Section, ...]
    warnings: tuple[Diagnostic, ...]


def import_config(
    model: str,
    data: str | None = None,
    *,
    overrides: Sequence[str] = (),
    output: str | None = None,
    known: Catalog | None = None,
) -> tuple[str, tuple[Diagnostic, ...]]:
    """The text of a .lego file for a model and, if given, a data configuration; with warnings.

    overrides: values of placeholders, `hidden_size=64`. Raises LegoError for what has no
    counterpart (E0904), SpecError for a model that does not check.
    """
    declared = known if known is not None else catalog()
    found = read_config(model, data, overrides, declared)
    run = RunTemplate(
        name=found.model.name,
        span=found.model.span,
        models=(Choice(found.model.name, found.model),),
        data=(Choice(found.data.name, found.data),),
        train=(Choice("recipe", found.train),),
    )
    document = found.model.span.document
    resolved = Resolved(document=document, diagnostics=(), runs=(run,))
    checked = check_resolved(resolved, Lowering(declared))
    if checked.errors:
        raise SpecError(*checked.errors)
    text = write_file(
        found.model, found.data, found.train, [path for path in (model, data) if path]
    )
    return format(Document(output or "imported.lego", text)), found.warnings


def read_config(
    model: str, data: str | None, overrides: Sequence[str], declared: Catalog
) -> Imported:
    """Both configurations as templates."""
    given = read_given(overrides)
    reader = Reader(given)
    warnings: list[Diagnostic] = []
    section = reader.read(model)
    pipeline = read_model(section, stem_of(model), declared, warnings.append)
    train = read_recipe(section)
    sections = [section]
    record = demo(pipeline.span)
    if data is not None:
        sections.append(reader.read(data))
        record = read_data(sections[-1], stem_of(data), declared, warnings.append)
    unmet = [name for name in given if name not in reader.met]
    if unmet:
        place = Span(Document("./--set", unmet[0]), 0, len(unmet[0]))
        names = ", ".join(sorted(reader.met)) or "none"
        raise stop(
            place, f"no placeholder is called `{unmet[0]}`", "not in these files",
            f"there are {names}",
        )  # fmt: skip
    for each in sections:
        warnings += [unread(path, setting) for path, setting in each.unread()]
    return Imported(
        model=pipeline, data=record, train=train, sections=tuple(sections),
        warnings=tuple(warnings),
    )  # fmt: skip


def stem_of(path: str) -> str:
    return title(os.path.splitext(os.path.basename(path))[0])


def read_model(section: Section, name: str, declared: Catalog, report: Report) -> PipelineTemplate:
    """The stages of a model configuration."""
    section.setting("name")
    config = section.section("config")
    for left in LEFT:
        config.setting(left)
    stages = Stages(section.section("meta"), config, declared, section.span, report)
    place = next((stage.span for stage in stages.made), section.span)
    return PipelineTemplate(name, place, tuple(stages.made))


def read_recipe(section: Section) -> RecordTemplate:
    """`use_neg_sampling` and `neg_count` are the task."""
    config = section.section("config")
    sampling = config.setting("use_neg_sampling")
    matching = sampling is None or sampling.value is None or truth(sampling)
    count = config.setting("neg_count") if matching else None
    place = sampling.span if sampling is not None else section.span
    if count is not None and isinstance(count.value, int):
        place = count.span if sampling is None else sampling.span
        entry = Entry("negatives", count.key, Leaf(Given(count.value, count.span)))
        task = Called("matching", place, place, {"negatives": entry}, (), True)
    else:
        task = Called("matching" if matching else "ranking", place, place)
    return RecordTemplate("train", "recipe", place, {"task": Entry("task", place, task)})


def truth(setting: Setting) -> bool:
    value: Any = setting.value
    if not isinstance(value, bool):
        raise stop(setting.span, "this setting is true or false", f"`{value}` is neither")
    return value


def unread(path: str, setting: Setting) -> Diagnostic:
    return Diagnostic(
        code="W902",
        severity="warning",
        message=f"nothing reads `{path}`",
        labels=(Label(span=setting.key, text="left out", primary=True),),
    )
