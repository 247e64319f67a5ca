"""E0101 and E0102: what the grammar does not know."""

from legoc.language.codes import Code


CODES = (
    Code(
        code="E0101",
        title="unexpected character",
        explanation=(
            "A character, number or string that the language has no reading for: single "
            "quotes, a colon for `=`, a unit nobody declares, a string that does not close on "
            "its line."
        ),
        bad="content CNN(hidden: 64) -> behavior Additive -> predict Dot",
        good="content CNN(hidden=64) -> behavior Additive -> predict Dot",
    ),
    Code(
        code="E0102",
        title="unexpected token",
        explanation=(
            "A word or sign that does not fit where it stands: an arrow or a comma is "
            "missing, a bracket is not closed, a word is misspelt. The rest of the "
            "declaration is skipped and reading goes on at the next one."
        ),
        bad="content CNN behavior Additive -> predict Dot",
        good="content CNN -> behavior Additive -> predict Dot",
    ),
)
