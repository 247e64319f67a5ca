"""Requests for recommendations and scores as values, and their answers, alone or together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from legoc_runtime.errors import RequestError
from legoc_runtime.ids import Id, as_count, as_flag, as_ids, shown
from legoc_runtime.model import Model
from legoc_runtime.serving.answers import Refused
from legoc_runtime.serving.limits import Limits
from legoc_runtime.serving.measures import Measures
from legoc_runtime.users import User


COMMON = ("history", "user", "user_id", "profile", "when")
RECOMMEND = (*COMMON, "k", "exclude", "candidates", "where", "boost", "approximate")
SCORE = (*COMMON, "candidates")


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One request. k: None where its candidates are to be scored."""

    history: Sequence[str]
    user: Any
    when: Any
    k: int | None
    exclude: Sequence[str] = ()
    candidates: Sequence[str] | None = None
    where: Mapping[str, Any] | None = None
    boost: Mapping[Id, float] | None = None
    profile: Mapping[str, Any] | None = None
    approximate: bool = False

    @property
    def alone(self) -> bool:
        """Whether it asks what a call has only once, so that no other request shares it."""
        return self.where is not None or self.boost is not None

    @property
    def shared(self) -> tuple[Any, ...]:
        """What requests that are answered in one call have in common."""
        when = None if self.when is None else repr(self.when)
        return self.k, when, self.candidates is None, self.approximate


def read_ask(given: Mapping[str, Any], limits: Limits, *, recommends: bool) -> Ask:
    """A request of a body. Raises RequestError or Refused for what cannot be asked."""
    known = RECOMMEND if recommends else SCORE
    strange = sorted(given.keys() - {*known})
    if strange:
        raise RequestError(
            f"there is no field `{strange[0]}`", f"the fields are {', '.join(known)}"
        )
    if "user" in given and "user_id" in given:
        raise RequestError("`user` and `user_id` name the user twice", "give one of them")
    candidates = given.get("candidates")
    if candidates is None and not recommends:
        raise RequestError("there are no `candidates`", 'give those to score: ["N5", "N9"]')
    where, boost = given.get("where"), given.get("boost")
    profile = given.get("profile")
    for name, value in (("where", where), ("boost", boost), ("profile", profile)):
        if value is not None and not isinstance(value, Mapping):
            raise RequestError(f"`{name}` is {shown(value)}", f'give an object: {{"{name}": {{}}}}')
    k = as_count(given.get("k", 10), "k") if recommends else None
    if k is not None and k > limits.k:
        raise Refused(400, f"k is {k}", f"ask for at most {limits.k}; `--k` changes that")
    return Ask(
        history=listed(given.get("history", ()), "history", limits.history),
        user=given.get("user", given.get("user_id")),
        when=given.get("when"),
        k=k,
        exclude=listed(given.get("exclude", ()), "exclude", limits.candidates),
        candidates=None if candidates is None
        else listed(candidates, "candidates", limits.candidates),
        where=None if where is None else {name: as_range(v) for name, v in where.items()},
        boost=boost,
        profile=profile,
        approximate=as_flag(given.get("approximate", False), "`approximate`"),
    )  # fmt: skip


def as_range(value: Any) -> Any:
    """What JSON has no form for: `{"from": 0, "to": 20}` is a range of numbers."""
    if isinstance(value, Mapping) and value.keys() <= {"from", "to"} and value:
        return value.get("from"), value.get("to")
    return value


def listed(value: object, name: str, most: int) -> list[str]:
    found = as_ids(value, f"`{name}`")
    if len(found) > most:
        raise Refused(400, f"`{name}` has {len(found):,} ids", f"give at most {most:,}")
    return found


def answer_all(model: Model, asks: Sequence[Ask], measures: Measures) -> list[Any]:
    """An answer, or what is wrong, for each of several requests; what is wrong with one is none of
    the others' business, whatever it breaks."""
    try:
        return answer(model, asks, measures)
    except Exception as error:
        if len(asks) == 1:
            return [error]
    return [found for ask in asks for found in answer_all(model, [ask], measures)]


def answer(model: Model, asks: Sequence[Ask], measures: Measures) -> list[Any]:
    users = model.encode_users(
        [ask.history for ask in asks], [ask.user for ask in asks], [ask.profile for ask in asks]
    )
    found: list[Any] = [None] * len(asks)
    groups: dict[Any, list[int]] = {}
    for place, ask in enumerate(asks):
        groups.setdefault((place,) if ask.alone else ask.shared, []).append(place)
    for places in groups.values():
        first = asks[places[0]]
        some = [users[place] for place in places]
        lists = [asks[place].candidates or () for place in places]
        if first.k is None:
            moments = [asks[place].when for place in places]
            scores = model.score_users(some, lists, None if first.when is None else moments)
            bodies = [{"scores": each.tolist()} for each in scores]
        else:
            ranked = model.recommend_users(
                some, first.k, [asks[place].exclude for place in places], first.when,
                candidates=None if first.candidates is None else lists,
                where=first.where, boost=first.boost, approximate=first.approximate,
            )  # fmt: skip
            bodies = [{"items": ids, "scores": each.tolist()} for ids, each in ranked]
        for place, body in zip(places, bodies, strict=True):
            found[place] = {**body, **tell_user(users[place], asks[place], measures)}
    return found


def tell_user(user: User, ask: Ask, measures: Measures) -> dict[str, Any]:
    """What an answer says of its user: nobody is answered by accident."""
    measures.count("unknown_clicks", len(user.unknown))
    measures.count("cold_users", int(user.cold is not None))
    told = {"unknown": list(user.unknown), "known_user": user.known, "cold": user.cold}
    return told if ask.profile is None else {**told, "ignored": user.ignored, "unseen": user.unseen}
