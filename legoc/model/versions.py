"""Whether a run is what this version would train of its spec, and its weights mean the same.

The digest in the spec tells the first. The second is declared: a new version of an operator may
only begin elsewhere, so `facts["weights"]` stands where the weights of some version mean something
else now (the number tells readers since which they do). A digest does not tell which version made
it, so every run of another digest with such an operator counts as made before.
"""

from collections.abc import Iterator

from legoc.language.declaring.catalog import Catalog, catalog
from legoc.language.ir.digest import Digester
from legoc.language.ir.spec import Call, Keys, Spec, is_alone


def keys_of(spec: Spec, *, known: Catalog | None = None) -> Keys:
    """The keys that a check gives a spec; what is counted is the same whatever the recipe."""
    recipe = None if is_alone(spec) else spec.train
    return Digester(catalog() if known is None else known).keys(spec.model, spec.data, recipe)


def is_of_another_version(spec: Spec) -> bool:
    """Whether the digest of a stored spec is another one now. Files that have changed change it,
    too; where one is missing, nothing is known."""
    now = keys_of(spec).spec
    return "" not in (now, spec.keys.spec) and now != spec.keys.spec


def find_revised(spec: Spec) -> list[str]:
    """The operators of a model whose weights have not always meant what they do now."""
    return sorted({op for role, call in spec.model.items() for op in revised(role, call)})


def revised(role: str, call: Call) -> Iterator[str]:
    declaration = catalog().get(role, call.op)
    if declaration is None:
        return
    if "weights" in declaration.facts:
        yield call.op
    for param in declaration.params:
        kind, value = param.kind, call.args.get(param.name)
        if isinstance(value, Call):
            yield from revised(kind.role or "", value)
