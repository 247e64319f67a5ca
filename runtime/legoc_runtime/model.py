"""A loaded bundle that answers: encode users, score, recommend, add items.

Letters: D width, C vectors of a user, S clicks, P candidates.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np

from legoc_runtime.bundle import Bundle, open_bundle
from legoc_runtime.chunks import stack_padded
from legoc_runtime.cold import load_cold
from legoc_runtime.columns import Filter
from legoc_runtime.contributions import explain_score
from legoc_runtime.counter_files import load_counters
from legoc_runtime.encoding import Encoder
from legoc_runtime.errors import RequestError
from legoc_runtime.explaining import Explanation
from legoc_runtime.graphs import F32, I32, Graphs
from legoc_runtime.ids import Id, as_count, as_flag, as_list
from legoc_runtime.items import Items
from legoc_runtime.nearest import Proposals
from legoc_runtime.prefixed import score_each
from legoc_runtime.profiles import Values
from legoc_runtime.recommending import Ranked, Recommender
from legoc_runtime.scoring import Clicks, Scorer
from legoc_runtime.selftest import GOLDEN, SelfTest, replay
from legoc_runtime.sessions import Level, Providers, Settings
from legoc_runtime.table import Table, candidate_rows, clicked_rows, load_table, read_users
from legoc_runtime.tokens import Reader, Record
from legoc_runtime.users import EACH, User, as_users, verify_user


class Model:
    """Made by `load`. Every method may be called from several threads at once."""

    def __init__(self, bundle: Bundle, settings: Settings) -> None:
        parts = bundle.parts
        self.graphs = Graphs(bundle, settings)
        self.scorer = Scorer(self.graphs)
        reader = None if parts.reading is None else Reader.of(parts.reading, bundle.read)
        self.items = Items(load_table(bundle, load_counters(bundle)), self.graphs, reader)
        self.cold = load_cold(bundle, self.items.table)
        proposals = Proposals(
            bundle, self.items.table.vectors, inner_product=self.scorer.inner_product
        )
        self.recommender = Recommender(self.items, self.scorer, self.cold, proposals)
        self.users = {} if parts.users is None else read_users(bundle, parts.users)
        self.encoder = Encoder(self.graphs, self.cold, self.users)
        # The rest of the bytes have become graphs and tables.
        self.bundle = bundle.keeping({GOLDEN, *filter(None, [parts.texts])})

    def __repr__(self) -> str:
        """What the model is: its name and stages, its items, their width."""
        spec = self.manifest["spec"]
        model: Mapping[str, Any] = spec["model"]
        stages = " -> ".join(f"{role} {call['op']}" for role, call in model.items() if call)
        name = spec.get("name", "a bundle")
        return f"<{name}: {stages}; {len(self.items):,} items of width {self.items.width}>"

    @property
    def manifest(self) -> Mapping[str, Any]:
        """The manifest as it is written."""
        return self.bundle.manifest

    @property
    def providers(self) -> dict[str, tuple[str, ...]]:
        """What each graph runs on, in order of preference."""
        return {name: session.providers for name, session in self.graphs.sessions.items()}

    @property
    def width(self) -> int | None:
        """Of the vectors of users, where a score is a product with those of items."""
        return self.bundle.parts.plan.width if self.scorer.inner_product else None

    def encode_user(
        self, ids: Iterable[Id], user: Id | None = None, *,
        profile: Mapping[str, object] | None = None,
    ) -> User:  # fmt: skip
        """The user of a click history, most recent last; empty is a user without clicks.

        Ids are texts, or whole numbers, which mean the texts they are written as. Those the bundle
        does not know are left out and reported in the result. Of the others the newest `history`
        count. `user` is the user's id, for models that read it. `profile` has attributes of the
        user, for models that read some: those of a known user that it does not name are as in
        training, and values that training never saw are reported. Raises RequestError for what is
        no list of ids, and for a profile that the model reads nothing of.
        """
        return self.encode_users([ids], [user], None if profile is None else [profile])[0]

    def encode_users(
        self,
        histories: Iterable[Iterable[Id]],
        users: Iterable[Id | None] | None = None,
        profiles: Iterable[Mapping[str, object] | None] | None = None,
    ) -> list[User]:
        """The users of several histories, encoded together in blocks of like length. Raises as
        `encode_user`, and where there is not one user, or profile, per history."""
        return self.encoder.users(self.items.table, histories, users, profiles)

    def encode_rows(
        self, table: Table, rows: Sequence[I32], users: I32,
        values: Sequence[Values | None] | None = None,
    ) -> list[F32]:  # fmt: skip
        """The vectors of users given by the rows of their clicks, by their own, and by what else is
        known of them."""
        return self.encoder.encode_rows(table, rows, users, values)

    def score(self, user: User, ids: Iterable[Id], when: object = None) -> F32:
        """[P] logits of candidates; the higher, the likelier a click.

        when: the moment, for models with a `context`, as `items.clicked` takes it; the latest one
        the counters know unless given. Raises RequestError where an id is not among
        the items, as `id in items` tells.
        """
        table = self.items.table
        verify_user(user, self.width)
        moment = self.items.moment(when)
        rows = candidate_rows(table, ids)
        cold = self.cold.scores(user, table, rows)
        if cold is not None:
            return cold
        return self.scorer.one(user.vectors, table.vectors[rows], table.context(rows, moment))

    def moment(self, when: object) -> int | None:
        """Microseconds since 1970, None for the latest known moment. RequestError where the model
        has no use for one."""
        return self.items.moment(when)

    def explain(self, user: User, item: Id | Record, when: object = None) -> Explanation:
        """What the score of an item for a user is made of: the contribution of each click, and
        where the item is given as a record, of each token of what it says.

        item: an id, or a record of raw attributes as `items.add` takes it, with or without `id`;
        the bundle does not keep what its items say. `when` is as in `score`. Contributions are
        exact where the score is a product of vectors, one of which is a weighted mean of its parts
        (means and additive attention), found by leave-one-out otherwise; the answer says which.
        Raises RequestError as `score` does, and for a record the model cannot read.
        """
        return explain_score(self, user, item, when)

    def verify_candidates(self, ids: Iterable[Id]) -> None:
        """Raises the RequestError of `score` where an id is not among the items."""
        candidate_rows(self.items.table, ids)

    def score_users(
        self,
        users: Iterable[User],
        candidates: Iterable[Iterable[Id]],
        when: Iterable[object] | None = None,
    ) -> list[F32]:
        """What `score` gives of several users and the candidates of each, computed together; `when`
        has a moment, or None, for each user.

        Raises RequestError where an id is not among the items.
        """
        given = as_users(users, self.width)
        asked = as_list(candidates, "the candidates", EACH)
        if len(given) != len(asked):
            raise RequestError(
                f"{len(given)} users and {len(asked)} lists of candidates",
                "give one list per user",
            )
        if not given:
            return []
        table = self.items.table
        rows = [candidate_rows(table, ids) for ids in asked]
        sizes = [len(part) for part in rows]
        context = self.contexts(table, rows, when)
        if self.bundle.parts.plan.user == "prefix":
            return score_each(self.scorer, self.cold, given, table, rows, context)
        if self.bundle.parts.plan.keeps_clicks:
            clicked = [clicked_rows(table, user) for user in given]
            encoded: F32 | Clicks = Clicks(rows=stack_padded([part[None] for part in clicked]))
        else:
            encoded = np.stack([user.vectors for user in given])
        owner = np.repeat(np.arange(len(given), dtype=np.int32), sizes)
        scores = self.scorer.score(encoded, table.vectors, owner, np.concatenate(rows), context)
        parts = np.split(scores, np.cumsum(sizes)[:-1])
        cold = [self.cold.scores(user, table, part) for user, part in zip(given, rows, strict=True)]
        return [by if own is None else own for own, by in zip(cold, parts, strict=True)]

    def contexts(
        self, table: Table, rows: Sequence[I32], when: Iterable[object] | None
    ) -> F32 | None:
        """The numbers of several users' candidates, end to end, each at the moment of its user."""
        given = [None] * len(rows) if when is None else as_list(when, "the moments", EACH)
        if len(given) != len(rows):
            raise RequestError(f"{len(rows)} users and {len(given)} moments", EACH)
        moments = [self.items.moment(each) for each in given]
        parts = [table.context(part, at) for part, at in zip(rows, moments, strict=True)]
        found = [part for part in parts if part is not None]
        return np.concatenate(found) if found else None

    @overload
    def recommend(
        self, users: User, k: int = 10, exclude: Iterable[Id] = (), when: object = None, *,
        candidates: Iterable[Id] | None = None, where: Filter | None = None,
        boost: Mapping[Id, float] | None = None, approximate: bool = False,
    ) -> Ranked: ...  # fmt: skip

    @overload
    def recommend(
        self, users: Iterable[User], k: int = 10, exclude: Iterable[Iterable[Id]] = (),
        when: object = None, *, candidates: Iterable[Iterable[Id]] | None = None,
        where: Filter | None = None, boost: Mapping[Id, float] | None = None,
        approximate: bool = False,
    ) -> list[Ranked]: ...  # fmt: skip

    def recommend(
        self, users: User | Iterable[User], k: int = 10, exclude: Any = (), when: object = None, *,
        candidates: Any = None, where: Filter | None = None,
        boost: Mapping[Id, float] | None = None, approximate: bool = False,
    ) -> Ranked | list[Ranked]:  # fmt: skip
        """The k best items of a user and their scores, best first; of several users, a list of
        these. Of equal scores the earlier item comes first.

        exclude: ids that are left out; those that are no items change nothing. candidates: the only
        ids that are ranked. Of several users both have a list per user. when: as in `score`.
        where: what kept attributes must be: a value or a list of which one must be among the
        item's, for a number the lowest and the highest, None for either. boost: what is added to
        the scores of some items. approximate: take what the index of the bundle proposes, and what
        came or changed since it was made, instead of every item; scores are exact all the same.

        Fewer than k where there are not as many. Every item is scored unless `approximate`: the top
        k is exact. Items that were removed or made up for histories, and those whose score is NaN,
        are left out. Raises RequestError for a candidate or a boosted id that is not among the
        items, for an attribute that is not kept, for what cannot be read, and for an approximate
        answer where there is no index or no product of vectors; BundleError where every score is
        NaN.
        """
        if isinstance(users, User):
            one = None if candidates is None else [candidates]
            return self.recommend_users(
                [users], k, [exclude], when, candidates=one, where=where, boost=boost,
                approximate=approximate,
            )[0]  # fmt: skip
        each = None if isinstance(exclude, tuple) and not exclude else exclude
        return self.recommend_users(
            users, k, each, when, candidates=candidates, where=where, boost=boost,
            approximate=approximate,
        )  # fmt: skip

    def recommend_users(
        self, users: Iterable[User], k: int = 10, exclude: Iterable[Iterable[Id]] | None = None,
        when: object = None, *, candidates: Iterable[Iterable[Id]] | None = None,
        where: Filter | None = None, boost: Mapping[Id, float] | None = None,
        approximate: bool = False,
    ) -> list[Ranked]:  # fmt: skip
        """What `recommend` gives of several users at one moment. Raises as it does."""
        return self.recommender.users(
            as_users(users, self.width), as_count(k, "k"), when,
            exclude=exclude, candidates=candidates, where=where, boost=boost,
            approximate=as_flag(approximate, "approximate"),
        )  # fmt: skip

    def similar(self, item: Id, k: int = 10, where: Filter | None = None) -> Ranked:
        """The k items whose vectors make the smallest angles with that of an item, and the cosines,
        highest first. What a cosine means is the model's: near items are alike to it.

        The item itself is left out; it may be one that was removed. where: as in `recommend`.
        Raises RequestError for an id that never was an item's.
        """
        return self.recommender.similar(item, as_count(k, "k"), where)

    def self_test(self) -> SelfTest:
        """Replay golden.safetensors, and read the hard texts where there are any. Raises
        BundleError where a graph does not give what it gave when it was exported, within the
        tolerance of the certificate, or a text is other tokens."""
        return replay(self.bundle, self.graphs, self.items.reader)


def load(
    path: Path | str,
    *,
    threads: int = 1,
    providers: Providers = "auto",
    strict: bool = False,
    level: Level = "basic",
) -> Model:
    """Verify a bundle and load it.

    threads: intra-op threads of each session. providers: "auto" (CUDA where it is there, else the
    CPU) or names in order of preference; one that is missing is reported by a warning, or with
    `strict` an error. level: the graph optimisations of onnxruntime.

    Raises BundleError for a bundle that is damaged or unsafe, before any graph is loaded.
    """
    settings = Settings(
        threads=as_count(threads, "threads"), providers=providers, strict=strict, level=level
    )
    return Model(open_bundle(path), settings)
