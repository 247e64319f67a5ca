"""E0501 to E0508 and E0601 to E0610: checks of recipe and data that need no data."""

from legoc.language.codes import Code


MODEL = "model m = content CNN -> behavior Additive -> predict Dot"
CODES = (
    Code(
        code="E0501",
        title="task not supported by the predictor",
        explanation=(
            "A predictor declares the tasks it trains for. `task` belongs to `train`; left out, "
            "it is the first task of the predictor."
        ),
        bad="""data demo { source = Demo }
train base { task = matching }
model din = content Pooling -> behavior Null -> predict DIN
run din on demo with base""",
        good="""data demo { source = Demo }
train base { task = ranking }
model din = content Pooling -> behavior Null -> predict DIN
run din on demo with base""",
    ),
    Code(
        code="E0502",
        title="monitor is not measured",
        explanation="The metric that decides the best epoch must be one of `metrics`.",
        bad=f"""data demo {{ source = Demo }}
train base {{ metrics = [GAUC, MRR]  monitor = AUC }}
{MODEL}
run m on demo with base""",
        good=f"""data demo {{ source = Demo }}
train base {{ metrics = [GAUC, AUC]  monitor = AUC }}
{MODEL}
run m on demo with base""",
    ),
    Code(
        code="E0503",
        title="no pre-trained stage",
        explanation=(
            "`lr_pretrained` is the learning rate of pre-trained weights; this model trains none. "
            "A language model has some, unless a side network or LoRA leaves it frozen (what they "
            "add is fresh and learns at `lr`). So have `content Null(file=...)`, unless it is "
            "`frozen`, and the token table where the data record names `vectors`; a rate of 0 "
            "keeps them as they are."
        ),
        bad=f"""data demo {{ source = Demo }}
train base {{ lr_pretrained = 1e-5 }}
{MODEL}
run m on demo with base""",
        good=f"""data demo {{ source = Demo }}
train base {{ lr = 1e-4 }}
{MODEL}
run m on demo with base""",
    ),
    Code(
        code="E0504",
        title="split outside the layers",
        explanation=(
            "`split=t` freezes the blocks below t of a language model with n blocks: t lies "
            "between 0 and n, or counts from the end, -1 being n."
        ),
        bad="content BERT(split=13) -> behavior Additive -> predict Dot",
        good="content BERT(split=10) -> behavior Additive -> predict Dot",
    ),
    Code(
        code="E0505",
        title="a parameter needs another",
        explanation="`frozen` means something only for rows that come from a file.",
        bad="content Null(frozen=true) -> behavior Additive -> predict Dot",
        good="content Null -> behavior Additive -> predict Dot",
    ),
    Code(
        code="E0506",
        title="adapters without a tuned block",
        explanation=(
            "`lora` puts trainable weights into the blocks of a language model that `split` does "
            "not freeze. At -1, or at the number of blocks, `split` freezes them all."
        ),
        bad="content BERT(split=-1, lora=8) -> behavior Additive -> predict Dot",
        good="content BERT(split=-2, lora=8) -> behavior Additive -> predict Dot",
    ),
    Code(
        code="E0507",
        title="the batch has too few rows for its negatives",
        explanation=(
            "With `pool=batch` the negatives of a row are what the other rows of its batch have "
            "clicked, and with `pool=mixed` the larger half of them, the others being uniform. So "
            "a batch of matching has one row more than those, a batch of ranking two rows, and "
            "`mixed` needs two negatives."
        ),
        bad=f"""data demo {{ source = Demo }}
train base {{ task = matching(negatives=100, pool=batch)  batch = 64 }}
{MODEL}
run m on demo with base""",
        good=f"""data demo {{ source = Demo }}
train base {{ task = matching(negatives=100, pool=impression)  batch = 64 }}
{MODEL}
run m on demo with base""",
    ),
    Code(
        code="E0508",
        title="scores that cannot be corrected",
        explanation=(
            "Clicks of other rows come as often as items are clicked. To make up for it, training "
            "takes the logarithm of that chance from each score, which a logit can take and a "
            "cosine, between -1 and 1, cannot. Divided by a `temperature` cosines are logits."
        ),
        bad="""data shop { source = Shop("raw") }
train base { task = matching(pool=batch) }
model m = content Pooling -> behavior Pooling -> predict Cosine
run m on shop with base""",
        good="""data shop { source = Shop("raw") }
train base { task = matching(pool=batch) }
model m = content Pooling -> behavior Pooling -> predict Cosine(temperature=0.1)
run m on shop with base""",
    ),
    Code(
        code="E0601",
        title="no such attribute",
        explanation=(
            "`content` and `user` name attributes that the source declares or a table of "
            "`augment` adds. A column whose name is no plain word is written as it is, `标题(20)`, "
            'or in quotes with parentheses behind it, `"Product Title"(16)` or '
            '`"Product Category"()`; quotes alone hold a text for the prompt.'
        ),
        bad=f"""data demo {{ source = Demo  content = [titel(30)] }}
{MODEL}
run m on demo""",
        good=f"""data demo {{ source = Demo  content = [title(30)] }}
{MODEL}
run m on demo""",
    ),
    Code(
        code="E0602",
        title="attribute cannot be read so",
        explanation=(
            "`title(30)` keeps 30 tokens of a text, `price(16)` cuts a number into 16 quantile "
            "bins; a category takes no length. `title` brings a mask of its tokens, `title_mask`, "
            "so no attribute beside it may have that name."
        ),
        bad=f"""data demo {{ source = Demo  content = [category(5)] }}
{MODEL}
run m on demo""",
        good=f"""data demo {{ source = Demo  content = [category] }}
{MODEL}
run m on demo""",
    ),
    Code(
        code="E0603",
        title="no such split in this source",
        explanation="`publisher` is there only for data sets whose publisher splits them.",
        bad=f"""data shop {{ source = Shop("raw")  split = publisher }}
{MODEL}
run m on shop""",
        good=f"""data shop {{ source = Shop("raw")  split = time }}
{MODEL}
run m on shop""",
    ),
    Code(
        code="E0604",
        title="no such grouping in this source",
        explanation=(
            "Metrics are averaged over impressions only where the data set has impressions."
        ),
        bad=f"""data shop {{ source = Shop("raw")  group = impression }}
{MODEL}
run m on shop""",
        good=f"""data shop {{ source = Shop("raw")  group = user }}
{MODEL}
run m on shop""",
    ),
    Code(
        code="E0605",
        title="an operator cannot read this content",
        explanation=(
            "Prompt text between attributes is read by language models only, an operator over "
            "tokens needs at least one attribute, and a language model has a longest sequence. A "
            "language model has tokens and an embedding of its own, so a `tokenizer` learned from "
            "the items, `vectors` of words and a flatten operator behind it have nothing to read, "
            "and neither it nor a table of items has words for `word_dropout`."
        ),
        bad=f"""data demo {{ source = Demo  content = ["Title: ", title(30)] }}
{MODEL}
run m on demo""",
        good=f"""data demo {{ source = Demo  content = [title(30)] }}
{MODEL}
run m on demo""",
    ),
    Code(
        code="E0607",
        title="nothing that attributes of users could join",
        explanation=(
            "What `user` names is joined to the vector that the behavior makes of the clicks. "
            "`behavior Null` makes none: its predictor reads the clicks themselves. A flatten "
            "stage without a content stage encodes items with the same weights as users."
        ),
        bad="""data demo { source = Demo  user = [age] }
model m = content CNN -> behavior Null -> predict DIN
run m on demo""",
        good="""data demo { source = Demo  user = [age] }
model m = content CNN -> behavior Additive -> predict DCN
run m on demo""",
    ),
    Code(
        code="E0610",
        title="the values of a column leave open what it is",
        explanation=(
            "The kind of a column is told by its values, the same way in every format: numbers, "
            "lists, words. A word of `content` without a length is a category. Where nearly every "
            "record has a value of its own, where a few values of a column of numbers are none, or "
            "where a sign such as `|` stands between several values, a guess would be a silent "
            "mistake, so legoc asks: write a length for a text, or `numbers`, `categories`, "
            "`texts` or `separator` in `Tables`."
        ),
        bad="""data d { source = Tables("shop")  content = [title] }  # one per item""",
        good="""data d { source = Tables("shop")  content = [title(16)] }""",
    ),
)
