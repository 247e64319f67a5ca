"""W101 and W102: warnings about style; nothing is wrong with what the spec means."""

from legoc.language.codes import Code


CODES = (
    Code(
        code="W101",
        title="unused name",
        explanation=(
            "A name is declared or brought in and nothing this file runs depends on it; it may be "
            "a leftover or a misspelling of what was meant."
        ),
        bad="""param hidden = 64
data demo { source = Demo }
model m = content CNN -> behavior Additive -> predict Dot
run m on demo""",
        good="""param hidden = 64
data demo { source = Demo }
model m = content CNN(hidden=$hidden) -> behavior Additive -> predict Dot
run m on demo""",
    ),
    Code(
        code="W102",
        title="an override that changes nothing",
        explanation=(
            "A copy or `--set` is written to change something, and without it the same comes out: "
            "it says what is there already or holds by default, something behind it takes its "
            "place (a copy in the run, a whole stage, another `--set`), or nothing that runs "
            "depends on it. `--set train.lr=...` comes last and reaches every point. A recipe or "
            "a model that repeats a default is no such case; they are written out for the reader."
        ),
        bad="""data demo { source = Demo }
train base { epochs = 50 }
model m = content CNN -> behavior Additive -> predict Dot
run m on demo with base(epochs=50)""",
        good="""data demo { source = Demo }
train base { epochs = 50 }
model m = content CNN -> behavior Additive -> predict Dot
run m on demo with base(epochs=10)""",
    ),
)
