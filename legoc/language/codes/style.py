"""W101: warnings about style; nothing is wrong with what the spec means."""

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
)
