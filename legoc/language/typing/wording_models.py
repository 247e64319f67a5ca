"""What is said about language models and what stands beside them: one function per message."""

from legoc.language.diagnosing.diagnostics import Diagnostic, Label
from legoc.language.diagnosing.document import Span
from legoc.language.resolving.wording_operators import primary


def nothing_pretrained(place: Span, stages: str) -> Diagnostic:
    return Diagnostic(
        code="E0503",
        message="`lr_pretrained` needs a stage with pre-trained weights",
        labels=(primary(place, f"{stages} has none"),),
        help=("drop `lr_pretrained`, or use a language model or a table with a `file` as content",),
    )


def nothing_tuned(lora: Span, split: Span) -> Diagnostic:
    return Diagnostic(
        code="E0506",
        message="`lora` adapts tuned blocks, and `split` leaves none",
        labels=(
            primary(lora, "no block to stand in"),
            Label(span=split, text="all blocks are frozen"),
        ),
        help=("drop `lora`, or tune the last block with `split=-2`",),
    )


def split_outside(operator: str, place: Span, value: int, layers: int) -> Diagnostic:
    return Diagnostic(
        code="E0504",
        message=f"`split` of {operator} lies outside its {layers} layers",
        labels=(primary(place, f"{value} is none of its layers"),),
        help=(f"from 0 to {layers}, or from {-layers - 1} to -1 counted from the end",),
    )


# By what the pre-trained weights of a stage are kept as they are, and what is trained instead.
FROZEN = {
    "side": ("below a side network", "the side network trains at `lr`"),
    "lora": ("beside adapters", "the adapters are fresh weights and train at `lr`"),
    "split": ("all blocks are frozen", "what follows them trains at `lr`"),
    "frozen": ("kept as they are", "no rate moves them"),
}


def nothing_thawed(place: Span, operator: str, by: Span, way: str) -> Diagnostic:
    where, instead = FROZEN[way]
    return Diagnostic(
        code="E0503",
        message="`lr_pretrained` needs pre-trained weights that are trained",
        labels=(
            primary(place, f"the weights of {operator} are all frozen"),
            Label(span=by, text=where),
        ),
        help=(f"drop `lr_pretrained`: {instead}",),
    )


def own_tokens(operator: str, place: Span, words: str, field: Span) -> Diagnostic:
    return Diagnostic(
        code="E0605",
        message=f"`{operator}` reads tokens of its own, not those of `{words}`",
        labels=(primary(field, "not read"), Label(span=place, text="has a tokenizer")),
        help=('drop `tokenizer`, or name a file that fits the model: file("tokenizer.json")',),
    )


def own_embedding(operator: str, place: Span, field: Span) -> Diagnostic:
    return Diagnostic(
        code="E0605",
        message=f"`{operator}` has an embedding of its own, not one of `vectors`",
        labels=(primary(field, "of words"), Label(span=place, text="reads tokens of its own")),
        help=("drop `vectors`, or use content that reads words, such as `content CNN`",),
    )


def no_vectors(place: Span) -> Diagnostic:
    return Diagnostic(
        code="E0641",
        message="`more` takes words from `vectors`, and there are none",
        labels=(primary(place, "words of `vectors`"),),
        help=('name some: `vectors = "glove.6B.100d.txt"`, or drop `more`',),
    )


def no_words(operator: str, place: Span, field: Span) -> Diagnostic:
    return Diagnostic(
        code="E0605",
        message=f"`vectors` are of words, and `{operator}` reads none",
        labels=(primary(field, "of words"), Label(span=place, text="reads the place of an item")),
        help=("drop `vectors`, or use content that reads words, such as `content CNN`",),
    )


def no_words_to_drop(operator: str, place: Span, field: Span) -> Diagnostic:
    return Diagnostic(
        code="E0605",
        message=f"`word_dropout` is of words, and `{operator}` has no table of them",
        labels=(primary(field, "of words"), Label(span=place, text="reads something else")),
        help=("drop `word_dropout`, or use content that reads words, such as `content CNN`",),
    )


def two_tokenizers(content: str, place: Span, flatten: str, other: Span) -> Diagnostic:
    return Diagnostic(
        code="E0605",
        message=f"`{flatten}` cannot follow the language model `{content}`",
        labels=(
            primary(other, "reads words"),
            Label(span=place, text="reads tokens of its own"),
        ),
        help=("use a behavior operator, or content that reads words, such as `content CNN`",),
    )


def misplaced(place: Span, mark: str, times: int) -> Diagnostic:
    found = "is not there" if not times else f"is there {times} times"
    return Diagnostic(
        code="E0407",
        message=f"a template needs `{mark}` once",
        labels=(primary(place, f"`{mark}` {found}"),),
        help=('such as template("{clicks}Next: {candidate}\\nRead it? ")',),
    )


def no_user_text(place: Span) -> Diagnostic:
    return Diagnostic(
        code="E0407",
        message="a template has its candidate before the clicks",
        labels=(primary(place, "what ends with `{clicks}` is the text of a user"),),
        notes=("before a predictor of vectors a user and an item are texts of their own",),
        help=("write `{clicks}` before `{candidate}`",),
    )


def cut_apart(place: Span, predictor: str) -> Diagnostic:
    return Diagnostic(
        code="E0409",
        message=f"`tokenise=whole` before `predict {predictor}`, which compares two texts",
        labels=(primary(place, "the clicks and the candidate are no whole here"),),
        help=("leave `tokenise` out, or ask: `predict YesNo`",),
    )


def candidate_first(place: Span) -> Diagnostic:
    return Diagnostic(
        code="W106",
        severity="warning",
        message="a template has its candidate before the clicks, so each pair is read whole",
        labels=(primary(place, "no beginning is shared by the candidates of a history"),),
        notes=(
            "each candidate of a user reads all clicks again: twenty candidates cost about twenty "
            "histories in place of one",
        ),
        help=("write `{clicks}` before `{candidate}`, and a history is read once",),
    )


def no_answer(place: Span, name: str) -> Diagnostic:
    return Diagnostic(
        code="E0408",
        message=f"`{name}` has no word",
        labels=(primary(place, "empty"),),
        help=(f'name one: {name}=["{name.upper()}"]',),
    )


def shared_answer(yes: Span, no: Span, word: str) -> Diagnostic:
    return Diagnostic(
        code="E0408",
        message=f"`yes` and `no` share the word `{word}`",
        labels=(primary(yes, "counts as yes"), Label(span=no, text="and as no")),
        help=('write words of one meaning on each side: yes=["YES"], no=["NO"]',),
    )


def follows_content(flatten: str, place: Span, content: str, other: Span) -> Diagnostic:
    return Diagnostic(
        code="E0605",
        message=f"the language model `{flatten}` reads the items too",
        labels=(primary(other, "of no use before it"), Label(span=place, text="reads items")),
        help=(f"leave `{content}` out",),
    )
