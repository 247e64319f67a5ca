"""Codes of files with a row per item (E0645 and E0646)."""

from legoc.language.codes import Code


CODES = (
    Code(
        code="E0645",
        title="a file of item rows cannot be used",
        explanation="`content Null(file=...)` and `content SemanticID(file=...)` read a row per "
        "item: a `.safetensors` file with `vectors` (or `codes`), `ids` and `offsets`, as a "
        "bundle's `cache/items.safetensors` has them, or a matrix `x.npy` with `x.ids.txt` beside "
        "it, one id per line. Rows are found by item id, so every row has one.",
        bad='content Null(file="vectors.npy")  # alone, without vectors.ids.txt',
        good='content Null(file="vectors.npy")  # vectors.ids.txt lies beside it',
    ),
    Code(
        code="E0646",
        title="a row of an item cannot be used",
        explanation="A vector of an item holds NaN or infinity, or a semantic code lies outside "
        "the codes of its level, which are numbered from 0 to `size` - 1. Rows of items that the "
        "data does not have are never looked at. Columns that hold one value for every item are no "
        "error, since a model learns past them, but they tell nothing of any: training says which.",
        bad='content SemanticID(file="codes.npy", size=128)  # a code in it is 200',
        good='content SemanticID(file="codes.npy", size=256)',
    ),
)
