"""E0703: a sweep that multiplies out of hand."""

from legoc.language.codes import Code


CODES = (
    Code(
        code="E0703",
        title="too many points",
        explanation=(
            "The axes of one run multiply to more than 200,000 points. Values that belong together "
            "are swept as whole calls, and grids that do not are written as several runs."
        ),
        bad="""param a in [1, 2, 3, 4]
run m on mind with base(seed in [1, 2, 3], lr in [1e-3, 1e-4], batch in [32, 64])""",
        good="run m on mind with base(lr in [1e-3, 1e-4])",
    ),
)
