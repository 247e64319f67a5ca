"""Malformed snippets that label the places where a parser can stop.

Each example says what a reader should be told where its snippets stop. A snippet whose last word
is `...` stands for whatever comes next; otherwise the kind of the offending token counts too. A
test checks that every snippet is still malformed and that no two examples claim one place.
"""

from dataclasses import dataclass


ANYTHING = "..."
MISSING_VALUE = "a value is missing here"
COMMA_IN_BLOCK = "fields of a block stand without commas"


@dataclass(frozen=True, kw_only=True)
class Example:
    """`insert` is put before the offending token, `delete` takes the token away."""

    snippets: tuple[str, ...]
    label: str
    help: str = ""
    insert: str = ""
    delete: bool = False


EXAMPLES = (
    Example(
        label="a pipeline needs `->` between stages",
        insert="-> ",
        snippets=(
            "model m = content A behavior", "model m = content A.b behavior",
            "model m = content A() behavior", "model m = content A(b) behavior",
            "model m = content A(b=1,) behavior", "model m = content in [] behavior",
            "model m = content in [A] behavior", "model m = content in [A,] behavior",
            "content A behavior", "content A.b behavior", "content A() behavior",
            "content in [A] behavior", "content in {A} behavior",
            "model m = content in {A} behavior",
        ),
    ),
    Example(
        label="several operators for a stage follow `in`",
        insert="in ",
        snippets=("content [", "model m = content ["),
    ),
    Example(
        label="the operator of this stage is missing",
        help="name one, for instance `content CNN -> behavior Additive -> predict Dot`",
        snippets=(
            "content ...", "model m = content ...", "behavior ...", "flatten ...", "predict ...",
        ),
    ),
    Example(
        label="a stage comes after `->`",
        help="write `content`, `behavior`, `flatten` or `predict` and an operator",
        snippets=(
            "content A -> ...", "model m = content A -> ...", "content A -> behavior B -> ...",
            "model m = content A -> behavior B -> ...",
        ),
    ),
    Example(
        label="the first stage lacks its word",
        help="write `content` before its operator, or `flatten`",
        snippets=("model m = A ->", "model m = A() ->", "model m = A(b) ->", "model m = A(b=1) ->"),
    ),
    Example(
        label="`=` is missing before this",
        insert="= ",
        snippets=(
            "model m content", "model m flatten", "model m m", "train t t", "data d d",
            "export e e", "generate g g",
            "param p p", "param p 1", "param p 1k", 'param p "a"', "param p $p",
            "data d { a 1", "data d { a 1k", 'data d { a "b"', "data d { a b", "data d { a $b",
            "data d { a [", "data d { a.b 1", "data d { a.b [",
        ),
    ),
    Example(
        label="a model is a pipeline, or another model with changes",
        help="write `model NAME = content CNN -> behavior Additive -> predict Dot`",
        snippets=("model m {", "model m = ..."),
    ),
    Example(
        label="a `param` has a value",
        help="write `= value`, or `in [value, value]` to sweep it",
        snippets=("param p ...",),
    ),
    Example(
        label="the fields are missing",
        help="write `{ field = value }`, or `= NAME(field=value)` to copy another one",
        snippets=("data d ...", "train t ...", "export e ...", "generate g ..."),
    ),
    Example(
        label="the name to copy is missing",
        help="write the name of another one, for instance `train quick = base(epochs=2)`",
        snippets=("data d = ...", "train t = ...", "export e = ...", "generate g = ..."),
    ),
    Example(
        label="a name is missing",
        help="write a word of letters, digits and `_` after the declaration word",
        snippets=(
            "param ...", "data ...", "train ...", "export ...", "model ...", "generate ...",
        ),
    ),
    Example(
        label=MISSING_VALUE,
        help='write a number, "text", a name, a `$param` or a list',
        snippets=(
            "param p = ...", "data d { a = ...", "train t = t(a = ...", "train t = t(a.b = ...",
        ),
    ),
    Example(
        label="`in` is followed by a list or a range",
        help="write the values to sweep, `in [a, b]`, or from one to another, `in 1..5`",
        snippets=("param p in ...", "data d { a in ...", "train t = t(a in ...", "content in ..."),
    ),
    Example(
        label="a range lacks its end",
        help="write both ends, `in 1..5`, or the values to sweep, `in [a, b]`",
        snippets=("param p in 1.. ...", "param p in 1 ...", "param p in 1k ..."),
    ),
    Example(
        label="a field has a value",
        help="write `= value`, or `in [value, value]` to sweep it",
        snippets=("data d { a ...", "data d { a.b ..."),
    ),
    Example(
        label=COMMA_IN_BLOCK,
        delete=True,
        snippets=(
            "data d { a = b,", "data d { a = b.c,", "data d { a = 1,", "data d { a = 1k,",
            'data d { a = "b",', "data d { a = $b,", "data d { a = [],", "data d { a = [b],",
            "data d { a = [b,],", "data d { a = b(),", "data d { a = b(c),", "data d { a = b(c,),",
            "data d { a in [],", "data d { a = 1 b = 2,", "data d { a in {},",
            "data d { a in {b},", "data d { a in {b,},", "data d { a in 1..2,",
            "data d { a in 1..2 log,", "data d { a in 1k..2k,",
        ),
    ),
    Example(
        label="the name of a file stands in quotes",
        help='write `use "file.lego" (name)` or `use "file.lego" as prefix`',
        snippets=("use a",),
    ),
    Example(
        label="settings stand in round brackets",
        help="write, for instance, `CNN(hidden=64)`",
        snippets=("content A [", "model m = content A ["),
    ),
    Example(
        label="one `=` is enough",
        delete=True,
        snippets=(
            "content A(b = =", "content A(b.c = =", "data d { a = =", "param p = =", "data d = =",
            "model m = =",
        ),
    ),
    Example(
        label="a file is missing",
        help='write `use "file.lego" (name)` or `use "file.lego" as prefix`',
        snippets=("use ...",),
    ),
    Example(
        label="what to use of the file is missing",
        help="name it in parentheses, `(mind, base)`, or take all under a prefix, `as common`",
        snippets=('use "a" ...',),
    ),
    Example(
        label="a name from the file is missing",
        help="write the names to use, separated by commas",
        snippets=('use "a" ( ...',),
    ),
    Example(
        label="the prefix is missing",
        help='write `use "file.lego" as prefix`, then `prefix.name`',
        snippets=('use "a" as ...',),
    ),
    Example(
        label="a run names its models first",
        help="write `run MODEL on DATA with TRAIN`",
        snippets=("run ...", "run r = ..."),
    ),
    Example(
        label="the data set of this run is missing",
        help="write `run MODEL on DATA with TRAIN`",
        snippets=(
            "run m ...", "run m.n with", "run m() with", "run m(a) with", "run m(a) as",
            "run m(a) where",
            "run m(a) run", "run m(a) model", "run m() run", "run r = m with", "run r = m run",
            "run m on ...",
        ),
    ),
    Example(
        label="`with`, `as` or `,` is missing before this",
        help="write `with NAME` for a recipe, `as NAME` for an export, `,` between two of a kind",
        snippets=("run m on d a", "run m on d() a", "run m on d(a) a", "run m on d(a=1,) a"),
    ),
    Example(
        label="a name is missing behind `.`",
        help="write, for instance, `common.base`",
        snippets=("data d = a. ...", "content A. ...", "run m. ..."),
    ),
    Example(
        label="a file is brought in with `use`",
        help='write `use "file.lego" (name)` or `use "file.lego" as prefix`',
        snippets=('"a"',),
    ),
    Example(
        label="the training recipe is missing",
        help="name a `train`, or leave `with` out for a model that has nothing to train",
        snippets=("run m on d with ...",),
    ),
    Example(
        label="the name of an `export` is missing",
        help="name one, or leave `as` out",
        snippets=("run m on d as ...",),
    ),
    Example(
        label="`where` is followed by `valid`",
        help="`where valid` drops points that do not check, and counts them",
        snippets=("run m on d where ...",),
    ),
    Example(
        label="`except` is followed by a pattern",
        help="write, for instance, `except (content=Null, predict=Dot)`",
        snippets=("run m on d except ...",),
    ),
    Example(
        label="the parts of a run stand in another order",
        help="write `run MODEL on DATA with TRAIN as EXPORT where valid except (...)`",
        snippets=(
            "run m on d as e with", "run m on d where valid with", "run m on d where valid as",
            "run m on d except (a=b) with", "run m on d except (a=b) as",
        ),
    ),
    Example(
        label="declarations begin here, but the file began with a pipeline",
        help="name the pipeline, `model NAME = content ...`, and run it: `run NAME on DATA`",
        snippets=(
            "content A run", "content A use", "content A param", "content A model",
            "content A data",
            "content A train", "content A export", "content A() run", "content A(b) run",
            "content A() model", "content A(b) model", "content A(b) param", "content in [A] run",
        ),
    ),
)  # fmt: skip
