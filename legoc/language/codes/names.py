"""E0201 to E0212: names, files and the shape of what is declared."""

from legoc.language.codes import Code


PIPELINE = "model naml = content CNN -> behavior Additive -> predict Dot"

CODES = (
    Code(
        code="E0201",
        title="no such file",
        explanation=(
            "A `use` names a file that is not there or cannot be read as UTF-8 text. Paths "
            "are relative to the folder of the file that states them; there is no search "
            "path."
        ),
        bad='use "comon.lego" (mind)',
        good='use "common.lego" (mind)',
    ),
    Code(
        code="E0202",
        title="unknown name",
        explanation=(
            "A name is used that is declared nowhere in this file and brought in by no `use`, "
            "or that is declared as something else. Names resolve in the scope of their file."
        ),
        bad=f"{PIPELINE}\nrun nalm on mind",
        good=f"{PIPELINE}\nrun naml on mind",
    ),
    Code(
        code="E0203",
        title="a cycle",
        explanation=(
            "Files that use each other, or declarations that copy each other, have no "
            "beginning. Move what both need into a third file, or write one of the "
            "declarations out."
        ),
        bad="train a = b\ntrain b = a",
        good="train a { epochs = 5 }\ntrain b = a(epochs=10)",
    ),
    Code(
        code="E0204",
        title="second definition",
        explanation=(
            "A name is declared twice in one file, counting what `use` brings in; or two runs "
            "would give their points one name."
        ),
        bad="param hidden = 64\nparam hidden = 128",
        good="param hidden = 64",
    ),
    Code(
        code="E0205",
        title="given twice",
        explanation="A field, an argument or a value of an axis stands twice in one place.",
        bad="train base { epochs = 5 epochs = 10 }",
        good="train base { epochs = 10 }",
    ),
    Code(
        code="E0206",
        title="no such operator in this role",
        explanation=(
            "No operator of this name is declared for the stage. One name may exist in "
            "several roles with different meanings: `content Null` is an item table, "
            "`behavior Null` passes the clicks through. `legoc operators ROLE` lists them."
        ),
        bad="content CNN -> behavior Aditive -> predict Dot",
        good="content CNN -> behavior Additive -> predict Dot",
    ),
    Code(
        code="E0207",
        title="no such stage",
        explanation=(
            "An override names a stage that the model does not have. A model is called with "
            "stages, `nrms(content=BERT)`, or with dotted keys that set one parameter of a "
            "stage."
        ),
        bad=f"{PIPELINE}\nmodel wide = naml(flatten=Longformer)",
        good=f"{PIPELINE}\nmodel wide = naml(content=CNN(hidden=256))",
    ),
    Code(
        code="E0208",
        title="pipeline shape",
        explanation=(
            "A pipeline is `content -> behavior -> predict`, `content -> flatten -> predict` "
            "or `flatten -> predict`, each stage once and in this order. A predictor that is "
            "counted and not trained, such as `predict Popularity`, stands alone."
        ),
        bad="behavior Additive -> content CNN -> predict Dot",
        good="content CNN -> behavior Additive -> predict Dot",
    ),
    Code(
        code="E0209",
        title="reserved word",
        explanation=(
            "A word of the language cannot be the name of a declaration, a file prefix or a param."
        ),
        bad="param data = 3",
        good="param size = 3",
    ),
    Code(
        code="E0210",
        title="no such code",
        explanation=(
            "`legoc explain` prints the page of one code; every message shows its own in brackets."
        ),
        bad="legoc explain E0000",
        good="legoc explain E0403",
    ),
    Code(
        code="E0211",
        title="a file cannot be written",
        explanation=(
            "`legoc check --fix` replaces a file whole, by way of a new one beside it; the folder "
            "has to be writable. Nothing was changed."
        ),
        bad="legoc check --fix /usr/share/naml.lego",
        good="cp /usr/share/naml.lego . && legoc check --fix naml.lego",
    ),
    Code(
        code="E0212",
        title="no such topic",
        explanation=(
            "`legoc help WORD` prints the part of the chapter on the language that the word names; "
            "`legoc help` alone lists the parts with their words."
        ),
        bad="legoc help swep",
        good="legoc help sweep",
    ),
)
