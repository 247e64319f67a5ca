"""E0301 to E0307: arguments and their values."""

from legoc.language.codes import Code


CODES = (
    Code(
        code="E0301",
        title="an argument needs a name",
        explanation=(
            "One argument may stand without a name, and only where the operator declares a "
            "primary parameter: `title(30)`, `NDCG(5)`, `LoRA(32)`. Every other one is "
            "`name=value`."
        ),
        bad="content CNN(256) -> behavior Additive -> predict Dot",
        good="content CNN(hidden=256) -> behavior Additive -> predict Dot",
    ),
    Code(
        code="E0302",
        title="unknown parameter",
        explanation=(
            "Every parameter is declared by its operator; a name nobody reads is refused, so a "
            "misspelt setting never falls back to its default unseen."
        ),
        bad="content Attention(head=8) -> behavior Additive -> predict Dot",
        good="content Attention(heads=8) -> behavior Additive -> predict Dot",
    ),
    Code(
        code="E0303",
        title="wrong kind of value",
        explanation=(
            "A parameter takes whole numbers, numbers, words, text in quotes, lists or operators, "
            "as its declaration says. `none` is a value only where the parameter is optional."
        ),
        bad="content CNN(kernel=2.5) -> behavior Additive -> predict Dot",
        good="content CNN(kernel=3) -> behavior Additive -> predict Dot",
    ),
    Code(
        code="E0304",
        title="missing",
        explanation="A parameter or field without a default has to be given.",
        bad="""model naml = content CNN -> behavior Additive -> predict Dot
data mind { source = MIND  content = [title] }
run naml on mind""",
        good="""model naml = content CNN -> behavior Additive -> predict Dot
data mind { source = MIND("MINDsmall")  content = [title] }
run naml on mind""",
    ),
    Code(
        code="E0305",
        title="out of range",
        explanation="The value is of the right kind and outside what its declaration allows.",
        bad="content CNN(dropout=1.5) -> behavior Additive -> predict Dot",
        good="content CNN(dropout=0.5) -> behavior Additive -> predict Dot",
    ),
    Code(
        code="E0306",
        title="wrong unit",
        explanation=(
            "A number with a unit fits only a parameter that declares it: % for shares, s min h "
            "for durations, k M for counts, KiB MiB GiB for bytes. A count may be a plain whole "
            "number, a share a number from 0 to 1."
        ),
        bad="""data demo { source = Demo }
train base { limit = 500k }
model naml = content CNN -> behavior Additive -> predict Dot
run naml on demo with base""",
        good="""data demo { source = Demo }
train base { limit = 2h }
model naml = content CNN -> behavior Additive -> predict Dot
run naml on demo with base""",
    ),
    Code(
        code="E0307",
        title="parameters that exclude each other",
        explanation="Two parameters ask for things that cannot both be; one has to go.",
        bad="content BERT(lora=LoRA(8, layers=[11], top=2)) -> behavior Additive -> predict Dot",
        good="content BERT(lora=LoRA(8, top=2)) -> behavior Additive -> predict Dot",
    ),
    Code(
        code="E0308",
        title="not a range",
        explanation=(
            "A range goes from one value up to another: `1..5` is the axis 1, 2, 3, 4, 5; with "
            "`log`, fractions or units it is for `legoc tune`, as in `1e-5..1e-2 log`. The first "
            "end lies below the second, both have units of one kind, and with `log` both lie above "
            "zero."
        ),
        bad="""data demo { source = Demo }
train base { lr in 1e-2..1e-5 log }
model naml = content CNN -> behavior Additive -> predict Dot
run naml on demo with base""",
        good="""data demo { source = Demo }
train base { lr in 1e-5..1e-2 log }
model naml = content CNN -> behavior Additive -> predict Dot
run naml on demo with base""",
    ),
)
