"""From a spec to all that is known of its model before any data is read."""

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from legoc.data.indexing.rows import Rows
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.counted import is_asked_spec
from legoc.language.ir.plan import Plan, plan
from legoc.language.ir.spec import Spec
from legoc.language.typing.searching import verify_settled
from legoc.model.build import build
from legoc.model.cost import Cost, measure
from legoc.model.recommender import Recommender


@dataclass(frozen=True, kw_only=True)
class Compiled:
    """A spec with its plan; cost and model are made when asked for."""

    spec: Spec
    plan: Plan

    @cached_property
    def cost(self) -> Cost:
        """Measured on the meta device; what depends on table sizes is given per row."""
        return measure(self.spec, self.plan)

    def build(self, rows: Rows) -> Recommender:
        """A model with fresh weights from torch's generator, for tables of these sizes."""
        return build(self.spec, self.plan, rows)

    def to_json(self) -> dict[str, Any]:
        """What `legoc compile --json` prints."""
        return {
            "name": self.spec.name,
            "types": asdict(self.spec.types),
            "plan": asdict(self.plan),
            "cost": self.cost.to_json(),
        }


def verify_here(spec: Spec) -> None:
    """E0875 for a model behind an interface."""
    if is_asked_spec(spec):
        raise fail(
            "E0875",
            f"the model of `{spec.name}` is behind an interface, neither compiled nor exported",
            "measure it with `legoc eval FILE`, which asks it",
        )


def compile(spec: Spec) -> Compiled:
    """The plan of a checked spec, its cost and a way to build it. Raises SpecError for one that a
    search is to complete, LegoError for one that is asked (E0875)."""
    verify_settled((spec,))
    verify_here(spec)
    return Compiled(spec=spec, plan=plan(spec))
