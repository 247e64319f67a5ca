"""What storing the graphs in fewer bytes does to a metric on the validation part.

The same rows are scored with any set of precisions, one for each graph. Letters: R rows, G groups,
C clusters, I items, D width.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np

from legoc.data.indexing.log import F32, I32
from legoc.data.reading.inputs import Chosen, ItemInputs
from legoc.data.reading.profiles import Profiles
from legoc.evaluation.compute import metric_name
from legoc.evaluation.group_values import measure_groups
from legoc.evaluation.measured import Measured, combine
from legoc.exporting import engine
from legoc.exporting.certificate import agree, ranked_users, require
from legoc.exporting.engine import Side
from legoc.exporting.sample import Sample
from legoc.exporting.variants import FULL, Variants
from legoc.language.ir.plan import Plan
from legoc.language.ir.spec import Call
from legoc_runtime.prompting import Prompt


Precisions: TypeAlias = Mapping[str, str]
# The candidates of one user that a timed call scores.
SCORED = 100


class Trade:
    """Scores and figures of a sample for sets of precisions. The vectors of its items are encoded
    once for each precision of what encodes them.

    people [R]: the cluster of each row, the same for all rows of a group. ranked: rows of the
    sample's items among which the best are sought. table [I, D]: the vectors of items that are rows
    of a table, None for others.
    """

    def __init__(
        self, plan: Plan, variants: Variants, inputs: ItemInputs, sample: Sample, *,
        metric: Call, people: I32, ranked: I32, table: F32 | None,
        profiles: Profiles | None = None, prompt: Prompt | None = None,
    ) -> None:  # fmt: skip
        self.plan, self.variants, self.inputs, self.sample = plan, variants, inputs, sample
        self.metric, self.people, self.ranked, self.table = metric, people, ranked, table
        self.profiles, self.prompt = profiles, prompt
        self.encoded: dict[str, F32] = {}

    def side(self, chosen: Precisions) -> Side:
        read = Chosen(inputs=self.inputs, origin=self.sample.items) if self.plan.flattens else None
        runs = {name: made.run for name, made in self.variants.pick(chosen).items()}
        return Side(
            plan=self.plan, runs=runs, inputs=read, profiles=self.profiles, prompt=self.prompt
        )

    def vectors(self, chosen: Precisions) -> F32:
        """[I, D]: the items of the sample."""
        graph = self.plan.item_encoder
        if graph is None:
            assert self.table is not None
            return self.table
        precision = chosen[graph.name]
        if precision not in self.encoded:
            run = self.variants.files[graph.name][precision].run
            found = engine.encode_items(
                run, graph, self.inputs, self.sample.items, prompt=self.prompt
            )
            self.encoded[precision] = found
        return self.encoded[precision]

    def measure(self, chosen: Precisions) -> Measured | None:
        """The metric by clusters; None where a score is not finite."""
        log = self.sample.log
        scores = engine.score_log(self.side(chosen), self.vectors(chosen), log)
        if not np.isfinite(scores).all():
            return None
        labelled = ~np.isnan(log.label)
        values = measure_groups(
            (self.metric,), scores[labelled], log.label[labelled], log.group[labelled],
            self.sample.groups,
        )[metric_name(self.metric)]  # fmt: skip
        owner = np.zeros(self.sample.groups, dtype=np.int64)
        owner[log.group] = self.people
        count = int(owner.max(initial=-1)) + 1
        sums = (
            np.bincount(owner, values.numerator, minlength=count).astype(np.float64),
            np.bincount(owner, values.denominator, minlength=count).astype(np.float64),
        )
        return combine([sums], values.better, values.over)

    def agreement(self, chosen: Precisions) -> float | None:
        """The mean share of common items among the best of float32 and of a set."""
        plain = dict.fromkeys(chosen, FULL)
        return agree(
            self.side(plain), self.side(chosen), self.vectors(plain), self.vectors(chosen),
            self.sample.log, ranked_users(self.sample), self.ranked,
        )  # fmt: skip

    def calls(self) -> dict[tuple[str, str], Callable[[], object]]:
        """One call of every variant on real rows: an encoder reads one item or one history, the
        predictor scores `SCORED` candidates of one user."""
        return {
            (name, precision): self.call(name, precision)
            for name, found in self.variants.files.items()
            for precision in found
        }

    def call(self, name: str, precision: str) -> Callable[[], object]:
        plain = dict.fromkeys(self.variants.files, FULL)
        side, vectors, log = (
            self.side({**plain, name: precision}),
            self.vectors(plain),
            self.sample.log,
        )
        if name == "item_encoder":
            inputs = engine.feed(self.inputs.rows(self.sample.items[1:2]))
            return lambda: side.runs[name](inputs)
        filled = ranked_users(self.sample)
        one = filled[:1] if len(filled) else np.zeros(1, dtype=np.int32)
        if name == "user_encoder":
            inputs = engine.user_inputs(side, vectors, log, one)
            return lambda: side.runs[name](inputs)
        users = None
        if self.plan.user == "prefix":
            item = np.resize(self.ranked, SCORED)
            read = side.runs["user_encoder"](engine.user_inputs(side, vectors, log, one))
            _, mask = engine.text_of(side, log, one)
            given = engine.ending_inputs(read, mask, np.zeros(len(item), np.int64), vectors[item])
            return lambda: side.runs[name](given)
        if side.keeps_users:
            # Those up to the one that is asked for, as pairs name users by their place.
            users = np.zeros((int(one[0]) + 1, *self.user_shape()), dtype=np.float32)
            users[one] = engine.encode_users(side, vectors, log, one)
        history = np.repeat(one, SCORED)
        item = np.resize(self.ranked, SCORED).astype(np.int32)
        numbers = None
        if log.context is not None:
            numbers = log.context.at(item, np.repeat(log.moment[:1], SCORED))
        if self.plan.user == "texts":
            inputs = engine.whole_inputs(side, vectors, log, history, item, numbers)
        else:
            inputs = engine.pair_inputs(vectors, log, users, history, item, numbers)
        return lambda: side.runs[name](inputs)

    def user_shape(self) -> tuple[int, ...]:
        graph = require(self.plan.graph("user_encoder"))
        return tuple(int(dim) for dim in graph.outputs[0].dims[1:])
