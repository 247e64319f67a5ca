"""The pages of operators and codes: `legoc operators` and `legoc explain`."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from legoc.commands.param_text import write_default, write_form, write_kind, write_rule
from legoc.language.declaring.catalog import catalog
from legoc.language.declaring.declare import Declaration
from legoc.language.declaring.kinds import REQUIRED, ROLES, STAGES
from legoc.language.declaring.records import RECORDS
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.diagnosing.suggest import nearest
from legoc.language.ir.counted import is_asked, is_counted, stands_alone


# A form longer than this has a line of its own.
WIDEST = 32


def show_operators(role: str | None, name: str | None, *, as_json: bool) -> int:
    """All roles, one role, or the page of one operator."""
    known = catalog()
    if role in RECORDS and name is None:
        if as_json:
            print(json.dumps([to_json(RECORDS[role])], indent=1, ensure_ascii=False))
        else:
            from legoc.commands.record_pages import show_record

            show_record(role)
        return 0
    if role is not None and role not in ROLES:
        # `legoc operators CNN` is what a newcomer types.
        found = [d for r in ROLES for d in known.role(r) if d.name == role]
        if not found or name is not None:
            near = nearest(
                role, [*ROLES, *RECORDS, *(d.name for r in ROLES for d in known.role(r))]
            )
            hint = f"did you mean `{near}`? " if near else ""
            raise fail(
                "E0206",
                f"there is no role `{role}`",
                f"{hint}the roles are {', '.join(ROLES)}; {', '.join(RECORDS)} have fields",
            )
    elif name is not None:
        one = known.get(role or "", name)
        if one is None:
            near = nearest(name, [d.name for d in known.role(role or "")])
            hint = f"did you mean `{near}`? " if near else ""
            listed = ", ".join(d.name for d in known.role(role or ""))
            raise fail(
                "E0206", f"there is no {role} operator `{name}`", f"{hint}there are {listed}"
            )
        found = [one]
    else:
        found = [d for r in ROLES if role in (None, r) for d in known.role(r)]
    if as_json:
        print(json.dumps([to_json(d) for d in found], indent=1, ensure_ascii=False))
    elif len(found) == 1 or name is not None or role not in (None, *ROLES):
        for declaration in found:
            show_page(declaration)
    else:
        show_list(found)
    return 0


def to_json(declaration: Declaration) -> dict[str, Any]:
    value = asdict(declaration)
    for param, given in zip(value["params"], declaration.params, strict=True):
        param["kind"] = write_kind(given)
        param["required"] = given.required
        param["default"] = None if given.default is REQUIRED else given.default
    value["used_by"] = users(declaration)
    value["example_file"] = example_file(declaration)
    return value


def show_list(declarations: Sequence[Declaration]) -> None:
    """A line per operator, below the name of its role."""
    # The settings of a stage or a source fill a page; those of the rest fit in the line.
    names = {
        id(d): d.name if d.role in (*STAGES, "source") else write_form(d) for d in declarations
    }
    for role in ROLES:
        listed = [d for d in declarations if d.role == role]
        width = max((len(names[id(d)]) for d in listed if len(names[id(d)]) <= WIDEST), default=0)
        if listed:
            print(role)
        for d in listed:
            signature = f"{d.signature}  " if d.signature else ""
            name = names[id(d)]
            if len(name) > WIDEST:
                print(f"  {name}")
                name = ""
            print(f"  {name:<{width}}  {signature}{first_sentence(d.doc)}")
    print("\n`legoc operators ROLE NAME` describes one.")


def first_sentence(doc: str) -> str:
    return " ".join(doc.split("\n\n")[0].split())


def show_page(d: Declaration) -> None:
    """Everything the declaration says."""
    print(f"{d.role} {d.name}" + (f"    {d.signature}" if d.signature else ""))
    print()
    for paragraph in d.doc.split("\n\n"):
        print("  " + "\n  ".join(line.strip() for line in paragraph.splitlines()) + "\n")
    if d.params:
        print("parameters")
        heads = [f"{p.name}: {write_kind(p)}{write_default(p, d)}" for p in d.params]
        width = max(map(len, heads))
        for head, p in zip(heads, d.params, strict=True):
            print(f"  {head:<{width}}  {p.doc}")
        print()
    for rule in d.rules:
        print(f"rule: {write_rule(rule.rule, rule.args)}")
    if is_counted(d):
        print("stands alone: counted on the training part, whatever the task of the recipe")
    elif is_asked(d):
        print("stands alone: asked over HTTP about each pair, neither trained nor exported")
    elif d.tasks:
        print(f"trains for: {', '.join(d.tasks)} (the first unless the recipe says otherwise)")
    if d.attributes:
        print("attributes: " + ", ".join(f"{a.name} ({a.kind})" for a in d.attributes))
    if d.paper:
        print(f"paper: {d.paper}")
    used = users(d)
    if used:
        print(f"used by: {', '.join(used)}    (`legoc new {used[0]}` writes one)")
    if not d.module.startswith("legoc."):
        print(f"comes from the package {d.module.partition('.')[0]}")
    if d.example:
        print(f"example: {d.example}")
        whole = example_file(d)
        if whole != d.example:
            print(f"a whole file: {whole}")


def users(d: Declaration) -> list[str]:
    """The shipped specs that name the operator, by the names `legoc new` takes."""
    from legoc.language.starter import operators_of_starters

    known = operators_of_starters()
    return [name for name, operators in known.items() if (d.role, d.name) in operators]


def example_file(d: Declaration) -> str:
    """The example as a pipeline that checks: a stage gets the plainest partners that fit it."""
    from legoc.language.checking import check
    from legoc.language.diagnosing.document import Document

    if d.role not in STAGES or "->" in d.example:
        return d.example
    for text in pipelines(d):
        if check(Document("example.lego", text)).specs:
            return text
    return d.example


def pipelines(d: Declaration) -> Iterator[str]:
    """Pipelines around an example, plainest first."""
    if d.role == "predict" and stands_alone(d):
        yield d.example
        return
    if d.role == "flatten":
        yield f"{d.example} -> predict Dot"
        return
    contents = (d.example,) if d.role == "content" else ("content Pooling",)
    behaviors = ("behavior Additive", "behavior Null", "behavior PolyAttention")
    predicts = ("predict Dot", "predict MINER", "predict DIN")
    for content in contents:
        for behavior in (d.example,) if d.role == "behavior" else behaviors:
            for predict in (d.example,) if d.role == "predict" else predicts:
                yield f"{content} -> {behavior} -> {predict}"


# What the first two digits of a code stand for.
RANGES = {
    "E01": "syntax", "E02": "names and files", "E03": "parameters", "E04": "types",
    "E05": "tasks and training", "E06": "data", "E07": "points of a run", "E08": "export",
    "E09": "other forms and tools", "W1": "style", "W9": "other forms",
}  # fmt: skip


def show_codes() -> int:
    """Every code with its title, by range."""
    from legoc.language.codes import all_codes

    before = ""
    for name, code in all_codes().items():
        begin = next(
            (each for each in sorted(RANGES, key=len, reverse=True) if name.startswith(each)), ""
        )
        if begin != before:
            print(f"{chr(10) if before else ''}{begin} {RANGES.get(begin, '')}".rstrip())
            before = begin
        print(f"  {name}  {code.title}")
    print("\n`legoc explain CODE` prints the page of one.")
    return 0


def show_code(code: str) -> int:
    """The page of one code."""
    from legoc.language.codes import all_codes

    known = all_codes()
    found = known.get(code.upper())
    if found is None:
        near = nearest(code.upper(), list(known))
        hint = f"did you mean `{near}`? " if near else ""
        raise fail("E0210", f"there is no code `{code}`", f"{hint}codes look like E0403")
    print(f"{found.code}: {found.title}\n\n{found.explanation}\n")
    for title, text in (("wrong", found.bad), ("right", found.good)):
        print(f"{title}:\n")
        print("\n".join(f"    {line}" for line in text.splitlines()) + "\n")
    return 0
