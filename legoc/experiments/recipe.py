"""What a search has found, as lines one can put into the file."""

from collections.abc import Collection, Mapping, Sequence

from legoc.language.diagnosing.document import Document
from legoc.language.resolving.points import Pick, Point
from legoc.language.resolving.runs import shown
from legoc.language.resolving.show import show
from legoc.language.syntax import tree
from legoc.language.syntax.fmt import format
from legoc.language.syntax.parse import parse


KINDS = ("data", "train", "export")


def write_best(point: Point, taken: Collection[str] = ()) -> str:
    """Declarations that hold what was chosen, and the run of them; `taken` are names that others
    have. A bare pipeline is written out whole."""
    document = point.run.document
    root = parse(document).tree
    if root.bare is not None:
        stages = (f"{role} {show(settings)}" for role, _, settings in point.model.stages)
        return laid_out(" -> ".join(stages))
    run = next(
        (each for each in root.items if isinstance(each, tree.Run) and each.head == point.run), None
    )
    names = {*taken, *declared(root)}
    lines: list[str] = []
    chosen = [pick for pick in point.picks if pick.path and not pick.inside]
    for pick in chosen:
        if len(pick.path) == 1 and pick.path[0] not in ROLES:
            lines.append(f"param {pick.path[0]} = {pick.text}")
    if run is None:
        return laid_out("\n".join(lines))
    parts: dict[str, str] = {}
    for kind, refs in (("model", run.models), ("data", run.data), ("train", run.train)):
        picks = {key_of(each, kind): each for each in chosen if kind_of(each) == kind}
        ref = named(refs, kind, point) if refs else None
        if ref is None or not picks:
            parts[kind] = written(ref) if ref is not None else ""
            continue
        name = free("best" if kind == "train" else f"best_{ref.path.words[-1].text}", names)
        names.add(name)
        lines.append(f"{kind} {name} = {copied(ref, picks)}")
        parts[kind] = name
    if any(kind_of(each) in ("model", "data", "train") for each in chosen):
        recipe = f" with {parts['train']}" if parts["train"] else ""
        export = f" as {run.export.span.text}" if run.export is not None else ""
        head = "" if run.name is None else f"{free(f'best_{run.name.text}', names)} = "
        lines.append(f"run {head}{parts['model']} on {parts['data']}{recipe}{export}")
    return laid_out("\n".join(lines))


ROLES = ("content", "behavior", "flatten", "predict")


def kind_of(pick: Pick) -> str:
    """The kind of declaration an axis belongs to; nothing for a param."""
    head = pick.path[0]
    if head in KINDS:
        return head
    return "model" if head in ROLES else ""


def key_of(pick: Pick, kind: str) -> str:
    """The key by which a copy replaces what was chosen."""
    return ".".join(pick.path if kind == "model" else pick.path[1:])


def named(refs: Sequence[tree.Invocation], kind: str, point: Point) -> tree.Invocation:
    """The reference that a point follows; one that is copied in place has the name of its
    original."""
    name = getattr(point, kind).name
    text = next((pick.text for pick in point.picks if pick.key == kind and not pick.path), None)
    same = [ref for ref in refs if ref.path.words[-1].text == name]
    told = [ref for ref in same if text is not None and shown(ref, name) == text]
    return (*told, *same, *refs)[0]


def written(ref: tree.Invocation) -> str:
    return ref.span.text


def copied(ref: tree.Invocation, picks: Mapping[str, Pick]) -> str:
    """A reference with what was chosen in the place of what was open."""
    kept = [
        field.span.text
        for field in (ref.args.values if ref.args is not None else ())
        if not isinstance(field, tree.Field) or field.key.text not in picks
    ]
    given = [f"{key}={pick.text}" for key, pick in picks.items()]
    return f"{ref.path.text}({', '.join([*kept, *given])})"


def free(name: str, taken: Collection[str]) -> str:
    """A name that nothing has."""
    found, count = name, 1
    while found in taken:
        count += 1
        found = f"{name}_{count}"
    return found


def declared(root: tree.Tree) -> set[str]:
    """The names of a file."""
    found: set[str] = set()
    for item in root.items:
        if isinstance(item, tree.Use):
            found |= {word.text for word in (*item.names, item.prefix) if word is not None}
        elif item.name is not None:
            found.add(item.name.text)
    return found


def laid_out(text: str) -> str:
    return format(Document("best.lego", text + "\n")) if text else ""
