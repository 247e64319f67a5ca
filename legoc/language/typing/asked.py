"""What can be known to be wrong of a model behind an interface before anything is sent."""

from legoc.language.diagnosing.diagnostics import Diagnostic, Label
from legoc.language.diagnosing.document import Span
from legoc.language.ir.counted import is_asked
from legoc.language.ir.spec import Call
from legoc.language.resolving.points import Record
from legoc.language.resolving.wording_operators import primary
from legoc.language.typing.arguments import Arguments
from legoc.language.typing.checks import check_answers, check_template
from legoc.language.typing.lower_train import LoweredTrain


# What of a prompt is of models on this machine, and what it is where it is left out.
MARKS = {"chat_template": False, "e5": False, "tokenise": "pieces"}


def check_asked(
    predictor: Arguments, export: Record | None, train: LoweredTrain | None
) -> tuple[Diagnostic, ...]:
    """E0875 for an export or a full ranking, E0876 for a prompt with marks of other models, and
    what is wrong with address, answers and template; nothing for another predictor."""
    if not is_asked(predictor.declaration) or predictor.broken:
        return ()
    from legoc.language.typing.generations import check_address

    values = predictor.values
    asked = Call(op=predictor.declaration.name, args=values)
    found = [*check_address(asked, predictor.place), *check_answers(predictor)]
    prompt = values["prompt"]
    if isinstance(prompt, Call):
        place = predictor.place("prompt")
        found += check_template(prompt, predictor)
        found += [
            no_mark(name, place)
            for name in MARKS
            if prompt.args.get(name) not in (None, MARKS[name])
        ]
    if export is not None and export.fields:
        found.append(
            not_here(
                "cannot be exported", predictor, "run it without `as ...`",
                export.span, "for this export",
            )
        )  # fmt: skip
    recipe = None if train is None else train.train
    if train is not None and recipe is not None and recipe.candidates == "all":
        place = train.spans.get("candidates", predictor.span)
        found.append(
            not_here(
                "is not asked about the whole catalogue", predictor,
                "leave out `candidates`, and what was shown is ranked", place, "every item",
            )
        )  # fmt: skip
    return tuple(found)


def not_here(what: str, predictor: Arguments, help: str, place: Span, text: str) -> Diagnostic:
    return Diagnostic(
        code="E0875",
        message=f"`predict {predictor.declaration.name}` is behind an interface and {what}",
        labels=(primary(place, text), Label(span=predictor.span, text="asked over HTTP")),
        help=(help,),
    )


def no_mark(name: str, place: Span) -> Diagnostic:
    return Diagnostic(
        code="E0876",
        message=f"`{name}` is of models on this machine, and a server is sent messages",
        labels=(primary(place, "the server has its own template"),),
        help=(f"leave out `{name}`",),
    )
