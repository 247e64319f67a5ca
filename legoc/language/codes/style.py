"""W101 to W106: warnings; nothing is wrong with what the spec means."""

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
    Code(
        code="W103",
        title="a prompt that is the name of an attribute",
        explanation=(
            "A text in quotes stands between the attributes as it is, the same for every item. One "
            "that is the name of an attribute, which the list does not read, was most likely meant "
            "as that attribute: write it without quotes. A name that is no plain word keeps its "
            'quotes and has parentheses behind it: `"Product Title"(16)` with a length, '
            '`"Product Category"()` without one.'
        ),
        bad="""data news { source = Demo  content = [title(20), "category"] }
model m = content BERT -> behavior Additive -> predict Dot
run m on news""",
        good="""data news { source = Demo  content = [title(20), category] }
model m = content BERT -> behavior Additive -> predict Dot
run m on news""",
    ),
    Code(
        code="W104",
        title="no such file or folder",
        explanation=(
            "A path that is not there is a warning of the check and an error of whatever has to "
            "read it. Paths are relative to the .lego file that states them."
        ),
        bad="""data mind { source = MIND("nowhere")  content = [title] }
model m = content CNN -> behavior Additive -> predict Dot
run m on mind""",
        good="""data demo { source = Demo }
model m = content CNN -> behavior Additive -> predict Dot
run m on demo""",
    ),
    Code(
        code="W105",
        title="negatives of another kind than the candidates",
        explanation=(
            "Training tells clicks from its negatives, and the figures say how well a model tells "
            "them from the non-clicks of valid and test: items that were shown and not clicked, "
            "items their user rated low, or items drawn uniformly. Where the two are of different "
            "kinds, the figures measure another task than is trained. Sources declare what theirs "
            "are; of own tables and of those a library has processed `legoc data` says it."
        ),
        bad="""data demo { source = Demo }
train base { task = matching(negatives=4, pool=uniform) }
model m = content CNN -> behavior Additive -> predict Dot
run m on demo with base""",
        good="""data demo { source = Demo }
train base { task = matching(negatives=4, pool=impression) }
model m = content CNN -> behavior Additive -> predict Dot
run m on demo with base""",
    ),
    Code(
        code="W106",
        title="a prompt of which no beginning is shared",
        explanation=(
            "With `{clicks}` before `{candidate}` a history is read once and each candidate after "
            "it, exactly. With the candidate first the clicks are read anew for each candidate: "
            "with twenty candidates, about twenty times as much. `legoc compile` prints what a "
            "pair costs."
        ),
        bad='flatten LM("a/model", prompt=template("{candidate}? {clicks}")) -> predict YesNo',
        good='flatten LM("a/model", prompt=template("{clicks}{candidate}?")) -> predict YesNo',
    ),
)
