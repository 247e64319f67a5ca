"""E0701, E0702 and E0705: a sweep without a point, a file without a run or a search."""

from legoc.language.codes import Code


CODES = (
    Code(
        code="E0701",
        title="no valid point",
        explanation=(
            "`where valid` drops the points of a run that do not fit; here it dropped all of "
            "them. The notes say which check dropped how many, and what the first of each was."
        ),
        bad="""data demo { source = Demo }
model m = content CNN -> behavior Null -> predict in [Dot, DCN]
run m on demo where valid""",
        good="""data demo { source = Demo }
model m = content CNN -> behavior in [Null, Additive] -> predict in [Dot, DCN]
run m on demo where valid""",
    ),
    Code(
        code="E0702",
        title="nothing to run",
        explanation=(
            "Commands that train or compile work through the runs of a file; this one declares "
            "pieces and runs none of them."
        ),
        bad="""data demo { source = Demo }
model m = content CNN -> behavior Additive -> predict Dot""",
        good="""data demo { source = Demo }
model m = content CNN -> behavior Additive -> predict Dot
run m on demo""",
    ),
    Code(
        code="E0705",
        title="nothing to search",
        explanation=(
            "`legoc tune` looks for the best values of what a file leaves open: a range with "
            "`log`, fractions or units, or a set in braces. This file says all of its values; a "
            "list and a range of whole numbers are axes, which `legoc train` runs one by one."
        ),
        bad="""data demo { source = Demo }
model m = content CNN(hidden in [32, 64]) -> behavior Additive -> predict Dot
run m on demo""",
        good="""data demo { source = Demo }
model m = content CNN(hidden in {32, 64}) -> behavior Additive -> predict Dot
run m on demo""",
    ),
)
