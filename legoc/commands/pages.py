"""The pages of operators and codes: `legoc operators` and `legoc explain`."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from legoc.language.declaring.catalog import catalog
from legoc.language.declaring.declare import Declaration
from legoc.language.declaring.kinds import REQUIRED, ROLES, STAGES, Param
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.diagnosing.suggest import nearest
from legoc.language.ir.notation import write_value


def show_operators(role: str | None, name: str | None, *, as_json: bool) -> int:
    """All roles, one role, or the page of one operator."""
    known = catalog()
    if role is not None and role not in ROLES:
        # `legoc operators CNN` is what a newcomer types.
        found = [d for r in ROLES for d in known.role(r) if d.name == role]
        if not found or name is not None:
            near = nearest(role, [*ROLES, *(d.name for r in ROLES for d in known.role(r))])
            hint = f"did you mean `{near}`? " if near else ""
            raise fail(
                "E0206", f"there is no role `{role}`", f"{hint}the roles are {', '.join(ROLES)}"
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
    width = max(len(d.name) for d in declarations)
    for role in ROLES:
        listed = [d for d in declarations if d.role == role]
        if listed:
            print(role)
        for d in listed:
            signature = f"{d.signature}  " if d.signature else ""
            print(f"  {d.name:<{width}}  {signature}{first_sentence(d.doc)}")
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
    if d.tasks:
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


def write_kind(p: Param) -> str:
    """The values a parameter takes, in a few words."""
    kind = p.kind
    names = {"int": "int", "float": "number", "bool": "true or false", "str": "text"}
    text = names.get(kind.name, kind.name)
    if kind.name == "enum":
        text = " | ".join(kind.values)
    elif kind.name == "quantity":
        text = kind.unit or ""
    elif kind.name == "operator":
        text = f"{kind.role} operator"
    elif kind.name == "list" and kind.element is not None:
        text = f"list of {names.get(kind.element.name, kind.element.role or kind.element.name)}"
    if p.min is not None and p.max is not None:
        text += f" from {p.min:g} to {p.max:g}"
    elif p.min is not None:
        text += f" of at least {p.min:g}"
    elif p.above is not None:
        text += f" above {p.above:g}"
    return f"{text} or none" if p.optional else text


def write_default(p: Param, d: Declaration) -> str:
    if p.inherit is not None:
        return f" = {p.inherit}"
    if p.required:
        return ", required"
    default = tuple(p.default) if isinstance(p.default, list) else p.default
    return f" = {write_value(p.kind, default)}"


def write_rule(rule: str, args: tuple[str, ...]) -> str:
    """A rule as a sentence."""
    first, *rest = args
    empty = f", or `{' + '.join(rest[1:])}` where that is empty" if len(rest) > 1 else ""
    return {
        "divides": f"`{first}` divides `{rest[0] if rest else ''}`{empty}",
        "needs": f"`{first}` needs `{rest[0] if rest else ''}`",
        "excludes": f"`{first}` and `{rest[0] if rest else ''}` are not given together",
        "odd": f"`{first}` is odd",
    }[rule]


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
