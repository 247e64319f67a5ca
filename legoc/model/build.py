"""From a spec and its plan to a model; only the operators a spec names are imported."""

from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from torch import nn

from legoc.data.indexing.rows import Rows
from legoc.data.reading.vectors import read_width
from legoc.language.declaring.catalog import catalog
from legoc.language.declaring.declare import Declaration
from legoc.language.declaring.types import Many, Seq, Type, Vec, parse_type
from legoc.language.ir.checkpoints import Named, reading_model
from legoc.language.ir.plan import Plan, reads_ids
from legoc.language.ir.spec import Call, Spec, is_alone
from legoc.model.calibration import Calibration
from legoc.model.embedding import TokenEmbedding
from legoc.model.prior import Prior
from legoc.model.profile import Profile
from legoc.model.prompted import create_stages
from legoc.model.recommender import Recommender
from legoc.operators.sizes import Sizes


def build(spec: Spec, plan: Plan, rows: Rows) -> Recommender:
    """A model with fresh weights from torch's generator.

    rows: of the item, user and token tables, row 0 included.
    """
    content, flatten = spec.model.get("content"), spec.model.get("flatten")
    behavior, predict = spec.model.get("behavior"), spec.model["predict"]
    if is_alone(spec):
        return build_counted(spec, plan, rows)
    if plan.prompted:
        return build_prompted(spec, plan)
    model = language_model(spec)
    embeds = content is not None and plan.layout != "id" and model is None
    user, codes = user_width(parse_type(spec.types.user))
    around: dict[str, Any] = {
        "items": rows.items, "users": rows.users, "tokens": rows.tokens,
        "tokens_each": rows.longest or most_tokens(spec), "clicks": spec.data.history,
    }  # fmt: skip
    attributes = spec.data.attributes if plan.reads_tokens else ()
    tokens, words = embed_stages(spec, rows, content if embeds else None, flatten)

    def make(role: str, call: Call | None, width: int, **more: Any) -> nn.Module | None:
        sizes = Sizes(width=width, attributes=attributes, **more, **around)
        return None if call is None else create(role, call, sizes)

    predictor = make("predict", predict, user, item=plan.width, codes=codes)
    assert predictor is not None
    return Recommender(
        tokens=tokens,
        words=words,
        content=make("content", content, plan.width, file=file_width(content), model=model),
        behavior=make("behavior", behavior, plan.width),
        flatten=make("flatten", flatten, user),
        predict=predictor,
        layout=plan.layout,
        attributes=[attribute.name for attribute in attributes],
        width=plan.width,
        reads_clicks=plan.user == "clicks",
        reads_user=plan.reads_user,
        profile=make_profile(spec, rows, user),
        prior=make_prior(spec) if plan.context else None,
        by_user=behavior is not None and reads_ids(declared("behavior", behavior)),
        calibration=Calibration() if spec.train is not None and spec.train.calibrate else None,
    )


def build_prompted(spec: Spec, plan: Plan) -> Recommender:
    """A model whose clicks are read by a language model as one text."""
    named = language_model(spec)
    assert named is not None
    flatten, predict, prompt = create_stages(spec, plan, spec.model["flatten"], named, create)
    return Recommender(
        tokens=None, content=None, behavior=None, flatten=flatten, predict=predict,
        layout=plan.layout, attributes=(), width=plan.width, reads_clicks=False,
        reads_user=plan.reads_user, prompt=prompt,
        prior=make_prior(spec) if plan.context else None,
        calibration=Calibration() if spec.train is not None and spec.train.calibrate else None,
    )  # fmt: skip


def make_prior(spec: Spec) -> Prior:
    """The prior of the numbers that a spec names."""
    context = spec.data.context
    shares = [column for column, call in enumerate(context) if call.op == "share"]
    return Prior(len(context), shares)


def build_counted(spec: Spec, plan: Plan, rows: Rows) -> Recommender:
    """A model that is one predictor: its own table of items, the clicks as they are."""
    call = spec.model["predict"]
    operator = operator_of("predict", call)
    sizes = Sizes(
        width=plan.width, item=plan.width, items=rows.items, tokens=rows.tokens,
        attributes=spec.data.attributes if plan.reads_tokens else (), clicks=spec.data.history,
    )  # fmt: skip
    config = operator.Config(**call.args)
    return Recommender(
        tokens=None,
        content=operator.items(config, sizes),
        behavior=create("behavior", Call(op="Null"), sizes),
        predict=operator(config, sizes),
        layout=plan.layout,
        attributes=[attribute.name for attribute in sizes.attributes],
        width=plan.width,
        reads_clicks=True,
        reads_user=False,
    )


def language_model(spec: Spec) -> Named | None:
    """The language model that reads the items, with its folder where that is on this machine;
    None where no language model does."""
    found = reading_model(spec)
    if found is None:
        return None
    from legoc.data.reading.checkpoint import find_folder

    folder = find_folder(found[1])
    return replace(found[1], folder=None if folder is None else str(folder))


def make_profile(spec: Spec, rows: Rows, width: int) -> Profile | None:
    """The module that joins attributes of users to vectors of a width; None without any."""
    if not spec.data.user:
        return None
    return Profile(spec.data.user, users=rows.users, values=max(rows.profile, 1), width=width)


def most_tokens(spec: Spec) -> int:
    """The most tokens of an item laid end to end, with a separator after each attribute."""
    return sum(1 + (1 if a.kind == "number" else a.length) for a in spec.data.attributes)


def embed_stages(
    spec: Spec, rows: Rows, content: Call | None, flatten: Call | None
) -> tuple[TokenEmbedding | None, TokenEmbedding | None]:
    """The token tables of the content stage and of the flatten stage. Stages of one width share
    one, which is then the first."""
    widths = [int(call["hidden"]) for call in (content, flatten) if call is not None]
    tables = [embed(spec, rows, width) for width in dict.fromkeys(widths)]
    if content is None or flatten is None or len(tables) == 2:
        return (tables[0] if tables else None), (tables[1] if len(tables) == 2 else None)
    return tables[0], None


def file_width(content: Call | None) -> int:
    """The width of the rows in the file an item table is read from, 0 without one."""
    path = None if content is None else content.args.get("file")
    if path is None:
        return 0
    from legoc.data.reading.item_rows import read_width as read_file_width

    return read_file_width(Path(path))


def embed(spec: Spec, rows: Rows, width: int) -> TokenEmbedding:
    """The token table; of word vectors where the data record names some, which stay as they are
    under `lr_pretrained = 0`."""
    vectors = rows.vectors
    if spec.data.vectors is not None and not vectors:
        # Before the data is prepared only its files can tell.
        vectors = read_width(spec.data.vectors)
    train = spec.train
    return TokenEmbedding(
        rows.tokens, width, vectors=vectors,
        frozen=train is not None and train.lr_pretrained == 0,
        dropout=0.0 if train is None else train.word_dropout,
        unknown=rows.unknown, separator=rows.separator,
    )  # fmt: skip


def create(role: str, call: Call, sizes: Sizes) -> nn.Module:
    """The operator a call names, from its module."""
    operator = operator_of(role, call)
    return operator(operator.Config(**call.args), sizes)


def operator_of(role: str, call: Call) -> Any:
    """The class of the operator a call names."""
    module, _, name = declared(role, call).module.partition(":")
    return getattr(import_module(module), name)


def declared(role: str, call: Call) -> Declaration:
    """The declaration of the operator a call names."""
    declaration = catalog().get(role, call.op)
    if declaration is None:
        raise LookupError(f"no {role} operator {call.op!r} in the catalog")
    return declaration


def user_width(user: Type) -> tuple[int, int]:
    """The width of a user's vectors and how many there are (0 for one vector or for clicks)."""
    if isinstance(user, Many):
        return user_width(user.element)[0], int(user.count)
    if isinstance(user, Seq):
        return user_width(user.element)
    if isinstance(user, Vec):
        return int(user.width), 0
    raise TypeError(f"{user}: not a type of users")
