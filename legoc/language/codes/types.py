"""E0401 to E0409: what stands on the arrows, and what a language model is asked there."""

from legoc.language.codes import Code


CODES = (
    Code(
        code="E0401",
        title="behavior cannot read the item",
        explanation=(
            "A behavior operator reads the sequence of what the content stage makes of each "
            "click. `legoc operators behavior` shows what each of them reads."
        ),
        bad="content Text -> behavior Additive -> predict Dot",
        good="content CNN -> behavior Additive -> predict Dot",
    ),
    Code(
        code="E0402",
        title="rule against a width",
        explanation=(
            "Some parameters have to fit the width they work on: the number of attention heads "
            "divides it."
        ),
        bad="content CNN(hidden=250) -> behavior Attention(heads=8) -> predict Dot",
        good="content CNN(hidden=256) -> behavior Attention(heads=8) -> predict Dot",
    ),
    Code(
        code="E0403",
        title="predictor cannot read the user or item",
        explanation=(
            "A predictor reads one user vector (Vec), several (Many), or the clicks themselves "
            "(Seq); the behavior stage decides which there is. `behavior Null` passes the clicks "
            "through."
        ),
        bad="content Pooling -> behavior Additive -> predict DIN",
        good="content Pooling -> behavior Null -> predict DIN",
    ),
    Code(
        code="E0404",
        title="unequal widths",
        explanation=(
            "Dot and its like compare user and item number by number, so both have one width. "
            "Behavior operators inherit the width of the item unless told otherwise."
        ),
        bad="content CNN(hidden=256) -> behavior GRU(hidden=128) -> predict Dot",
        good="content CNN(hidden=256) -> behavior GRU -> predict Dot",
    ),
    Code(
        code="E0405",
        title="the width of a language model is not known",
        explanation=(
            "What `flatten LM` makes has the width of the model's own states unless `hidden` is "
            "written, and that width stands in the model's files. They are not on this machine."
        ),
        bad='flatten LM("nobody/no-such-model", prompt=recbench) -> predict Cosine',
        good='flatten LM("nobody/no-such-model", prompt=recbench, hidden=64) -> predict Cosine',
    ),
    Code(
        code="E0407",
        title="a prompt without its places",
        explanation=(
            "A template has `{clicks}` once and `{candidate}` once, and its `click` has `{item}` "
            "once. Before a predictor of vectors the candidate comes behind the clicks: what ends "
            "with `{clicks}` is the text of a user, the rest that of an item."
        ),
        bad='flatten LM("a/model", prompt=template("Read: {clicks}")) -> predict YesNo',
        good='flatten LM("a/model", prompt=template("{clicks}{candidate}?")) -> predict YesNo',
    ),
    Code(
        code="E0408",
        title="answers that cannot be told apart",
        explanation=(
            "`predict YesNo` compares how likely the words of `yes` and of `no` are as the next "
            "one. Each has at least one, and none is on both sides."
        ),
        bad='flatten LM("a/model", prompt=recbench) -> predict YesNo(yes=["NO"], no=["NO"])',
        good='flatten LM("a/model", prompt=recbench) -> predict YesNo(yes=["YES"], no=["NO"])',
    ),
    Code(
        code="E0409",
        title="nothing to tokenise as a whole",
        explanation=(
            "`tokenise=whole` puts the text of a pair together before it becomes tokens, as "
            "RecBench does where a model is asked and nothing trains. Before a predictor of "
            "vectors the clicks and the candidate are texts of their own, tokenised piece by "
            "piece."
        ),
        bad='flatten LM("a/model", prompt=recbench(tokenise=whole), hidden=64) -> predict Cosine',
        good='flatten LM("a/model", prompt=recbench(tokenise=whole)) -> predict YesNo',
    ),
)
