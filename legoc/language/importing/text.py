"""An imported configuration as the text of a .lego file."""

import json
import os
from collections.abc import Iterator, Sequence

from legoc.language.importing.values import Held
from legoc.language.ir.text import RESERVED
from legoc.language.resolving.template import (
    Called,
    Leaf,
    Listed,
    Nested,
    PipelineTemplate,
    RecordTemplate,
    Sought,
    Sweep,
    Template,
)
from legoc.language.syntax.names import written_call


def write_file(
    model: PipelineTemplate, data: RecordTemplate, train: RecordTemplate, files: Sequence[str]
) -> str:
    """The whole file, not yet formatted."""
    names = {model.name, data.name, train.name, *RESERVED}
    held = {
        leaf.param: leaf
        for stage in model.stages
        for leaf in holders(stage.template)
        if leaf.param.isidentifier() and leaf.param not in names
    }
    imported = " and ".join(os.path.basename(path) for path in files)
    lines = [f"# Imported from {imported} (Legommenders).", ""]
    for name, leaf in held.items():
        note = "  # left open there" if leaf.open else ""
        lines.append(f"param {name} = {write(leaf, {})}{note}")
    lines += ["", f"data {data.name} {{"]
    for field in data.fields.values():
        note = "  # the folder of the raw published files" if field.name == "source" else ""
        plain = isinstance(field.template, Called) and not field.template.positional
        lines.append(f"  {field.name} = {write(field.template, {})}{'' if plain else note}")
    lines += ["}", "", f"train {train.name} {{"]
    lines += [f"  {field.name} = {write(field.template, {})}" for field in train.fields.values()]
    stages = [f"{stage.role} {write(stage.template, held)}" for stage in model.stages]
    lines += ["}", "", f"model {model.name} = {' -> '.join(stages)}", ""]
    lines += [f"run {model.name} on {data.name} with {train.name}"]
    return "\n".join(lines) + "\n"


def holders(template: Template) -> Iterator[Held]:
    """The placeholders below a template."""
    if isinstance(template, Held):
        yield template
    elif isinstance(template, Called):
        for entry in template.args.values():
            yield from holders(entry.template)


def write(template: Template, held: dict[str, Held]) -> str:
    """A template as one writes it; placeholders that became params are named."""
    match template:
        case Held(param=param) if param in held:
            return f"${param}"
        case Leaf(given=given):
            return "none" if given.value is None else json.dumps(given.value)
        case Listed(items=items):
            return f"[{', '.join(write(item, held) for item in items)}]"
        case Called(name=name, args=args, positional=positional):
            given = [write(each, held) for each in positional]
            given += [f"{key}={write(entry.template, held)}" for key, entry in args.items()]
            return written_call(name, given)
        case Sweep() | Sought() | Nested():
            raise TypeError("a configuration has no axes and names no declarations")
