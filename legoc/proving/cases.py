"""What a file asks to have proved: its points at small sizes, equal ones once, and the rest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from legoc.language.checking import check, check_resolved, droppable
from legoc.language.declaring.catalog import catalog
from legoc.language.declaring.kinds import Role
from legoc.language.diagnosing.diagnostics import SpecError, fail
from legoc.language.ir import form
from legoc.language.ir.digest import digest
from legoc.language.ir.spec import Export, Spec
from legoc.language.resolving.points import Point
from legoc.language.resolving.resolve import resolve
from legoc.language.typing.lower import Lowering
from legoc.proving.shrink import Shrinker, labels


DATA = ("data.source=Demo(items=200, users=50, impressions=60)", "data.history=6")
"""Every point is proved on this small world, whatever its own data are."""
ATTRIBUTES = ("data.content=[title(8), category]", "data.user=[]")
"""For files whose attributes the small world does not have."""
STEPS, BATCH = 2, 16
RECIPE = (
    "train.epochs=1", f"train.batch={BATCH}", f"train.samples={STEPS * BATCH}",
    "train.accumulate=1", "train.warmup=0", "train.limit=none",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Case:
    """One architecture for one task: `points` of the file come down to it at small sizes.

    key: digest of all that is built. labels: its stages as the matrix calls them. small: whether
    its widths were reduced.
    """

    key: str
    spec: Spec
    labels: Mapping[Role, str]
    points: tuple[str, ...]
    small: bool


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """Combinations that are not proved, by the labels of their stages: the code of the check that
    refuses them and what it says of the first."""

    labels: Mapping[Role, str]
    code: str
    message: str
    points: int


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Everything a file declares: `points` in all, of which `excluded` by its `except`;
    `combinations` are the labels of all others, in order."""

    cases: tuple[Case, ...]
    skipped: tuple[Skipped, ...]
    combinations: tuple[Mapping[Role, str], ...]
    points: int
    excluded: int
    notes: tuple[str, ...] = field(default=())


def find_cases(path: str, *, overrides: Sequence[str] = (), only: str | None = None) -> Scope:
    """The cases of a file. Raises SpecError with what is wrong with the file as it stands, and
    E0702 where it declares no run."""
    whole = check(path, overrides=overrides, only=only)
    if whole.errors:
        raise SpecError(*whole.diagnostics)
    if not whole.points:
        line = whole.suggestion or "run MODEL on DATA"
        raise fail("E0702", f"`{path}` declares no run, so there is nothing to prove",
                   f"add a line: `{line}`")  # fmt: skip
    notes = ["every point is proved on a small generated world, its files of vectors and codes too"]
    given = (*overrides, *DATA, *RECIPE)
    lowering = Lowering(catalog())
    # What is set here is no user's, so nobody asks whether it changes something.
    checked = check_resolved(resolve(path, given), lowering, only)
    if checked.errors or not all(reads_demo(spec) for spec in checked.specs):
        notes.append("its attributes are title and category")
        checked = check_resolved(resolve(path, (*given, *ATTRIBUTES)), lowering, only)
    if checked.errors:
        raise SpecError(*checked.diagnostics)
    shrinker = Shrinker(checked.points, catalog())
    cases: dict[str, Case] = {}
    skipped: dict[tuple[str, ...], Skipped] = {}
    combinations: dict[tuple[str, ...], Mapping[Role, str]] = {}
    for point in checked.points:
        lowered = lowering.lower(point)
        named = labels(point)
        combination = tuple(named.values())
        combinations.setdefault(combination, named)
        if lowered.spec is None:
            reason = droppable(lowered) or lowered.problems[0]
            earlier = skipped.get(combination)
            skipped[combination] = Skipped(
                labels=named, code=reason.code, message=reason.message,
                points=1 + (earlier.points if earlier else 0),
            )  # fmt: skip
            continue
        case = make_case(point, lowering, shrinker, lowered.spec)
        known = cases.get(case.key)
        cases[case.key] = (
            case if known is None else replace(known, points=(*known.points, point.name))
        )
    return Scope(
        cases=tuple(cases.values()), skipped=tuple(skipped.values()),
        points=len(checked.points) + checked.excluded, excluded=checked.excluded,
        combinations=tuple(combinations.values()), notes=tuple(notes),
    )  # fmt: skip


def reads_demo(spec: Spec) -> bool:
    """Whether the small world itself has every attribute that is read."""
    demo = catalog().get("source", "Demo")
    known = {a.name for a in (*demo.attributes, *demo.users)} if demo is not None else set[str]()
    return {a.name for a in (*spec.data.attributes, *spec.data.user)} <= known


def make_case(point: Point, lowering: Lowering, shrinker: Shrinker, whole: Spec) -> Case:
    """The case of a legal point: at small widths, or as written where a rule forbids those."""
    small = lowering.lower(shrinker.point(point)).spec
    spec = small or whole
    # Files of the user are about other items and other words than those of the small world.
    data = replace(spec.data, vectors=None, augment=())
    spec = replace(spec, data=data, export=Export(), origin={}, source_text="")
    value = form.to_json(spec)
    train = value["train"]
    key = digest(
        [value["model"], value["data"], train["task"], train["optimizer"], train["calibrate"]]
    )
    return Case(
        key=key[:16], spec=spec, labels=labels(point), points=(point.name,), small=small is not None
    )
