"""E0801 to E0807, E0831 and E0835: what is wrong with an `export` before anything is exported."""

from legoc.language.codes import Code


DATA = "data demo { source = Demo }"
MODEL = "model m = content CNN -> behavior Additive -> predict Dot"
RUN = "run m on demo as edge"
CODES: tuple[Code, ...] = (
    Code(
        code="E0801",
        title="an ONNX operator set that no engine reads",
        explanation=(
            "`opset` is the version of ONNX's operators that a graph is written in. Engines refuse "
            "a graph of a version that is newer than they are. 18 to 22 behave alike; 20, the "
            "default, is read by every runtime in use, browsers included."
        ),
        bad=f"{DATA}\nexport edge {{ opset = 30 }}\n{MODEL}\n{RUN}",
        good=f"{DATA}\nexport edge {{ opset = 22 }}\n{MODEL}\n{RUN}",
    ),
    Code(
        code="E0802",
        title="a tolerance finer than float32",
        explanation=(
            "`parity` is the largest allowed difference of torch and onnxruntime, divided by the "
            "largest number that torch gives or by 1. Neighbours among the float32 numbers near 1 "
            "are 1.2e-7 apart, and two engines sum in different orders, so nothing but luck would "
            "pass. Sound graphs stay below 5e-6."
        ),
        bad=f"{DATA}\nexport edge {{ parity = 1e-9 }}\n{MODEL}\n{RUN}",
        good=f"{DATA}\nexport edge {{ parity = 1e-5 }}\n{MODEL}\n{RUN}",
    ),
    Code(
        code="E0803",
        title="a tolerance that proves nothing",
        explanation=(
            "Differences are divided by the largest number that torch gives or by 1, so a graph "
            "of nothing but zeros differs by 1 at most. A `parity` of 1 or more lets it pass."
        ),
        bad=f"{DATA}\nexport edge {{ parity = 1 }}\n{MODEL}\n{RUN}",
        good=f"{DATA}\nexport edge {{ parity = 1e-3 }}\n{MODEL}\n{RUN}",
    ),
    Code(
        code="E0804",
        title="a predictor that cannot stay within its budget",
        explanation=(
            "`budget` is the most bytes that the predictor's graph may have. The weights between "
            "the layers that the predictor is given have more: 4 bytes each in fp32, 2 in fp16, 1 "
            "in int8. What else a graph holds is counted when it is written (E0826). Of a run that "
            "says `where valid` such a point is dropped."
        ),
        bad=f"""{DATA}
export edge {{ budget = 1MiB }}
model m = content CNN -> behavior Additive -> predict DNN(units=[1000, 1000])
{RUN}""",
        good=f"""{DATA}
export edge {{ budget = 1MiB }}
model m = content CNN -> behavior Additive -> predict DNN(units=[200, 200])
{RUN}""",
    ),
    Code(
        code="E0805",
        title="two bundles in one folder",
        explanation=(
            "Settings of an export are no part of what is trained, nor is a `limit`, which only "
            "breaks a training off: two points that differ in them alone are one trained run, in "
            "one folder, which holds one bundle. The second would replace the first. Runs of "
            "different names have different folders, and train once all the same."
        ),
        bad=f"{DATA}\nexport edge {{ precision in [fp32, int8] }}\n{MODEL}\n{RUN}",
        good=f"""{DATA}
export edge {{ precision = int8 }}
{MODEL}
run m on demo
run small = m on demo as edge""",
    ),
    Code(
        code="E0806",
        title="a precision that is given and to be chosen",
        explanation=(
            "`tolerate` tries fp16 and int8 for each graph and keeps the smallest that lose no "
            "more of a metric than is tolerated. `precision` says what every graph is stored in. "
            "Beside `tolerate` it can only be fp32, which is what the graphs are before."
        ),
        bad=f"""{DATA}
export edge {{ precision = int8  tolerate = NDCG(10, loss=0.001) }}
{MODEL}
{RUN}""",
        good=f"{DATA}\nexport edge {{ tolerate = NDCG(10, loss=0.001) }}\n{MODEL}\n{RUN}",
    ),
    Code(
        code="E0807",
        title="a tolerated metric without a value per group",
        explanation=(
            "How sure a difference is follows from how it varies over users, and so from what each "
            "group adds to the metric. What only all rows together have, such as the calibration "
            "error, does not add up so."
        ),
        bad=f"{DATA}\nexport edge {{ tolerate = ECE(loss=0.01) }}\n{MODEL}\n{RUN}",
        good=f"{DATA}\nexport edge {{ tolerate = LogLoss(loss=0.01) }}\n{MODEL}\n{RUN}",
    ),
    Code(
        code="E0831",
        title="a mean of users that are their clicks",
        explanation=(
            "`cold = mean` answers a user of whom nothing is known as the mean of the users of "
            "training. A predictor that reads the clicks together with the candidate, such as "
            "`DIN`, knows no vector of a user that a mean could be taken of."
        ),
        bad=f"""{DATA}
export edge {{ cold = mean }}
model m = content CNN -> behavior Null -> predict DIN
{RUN}""",
        good=f"""{DATA}
export edge {{ cold = popularity }}
model m = content CNN -> behavior Null -> predict DIN
{RUN}""",
    ),
    Code(
        code="E0835",
        title="an attribute to keep that the items do not have",
        explanation=(
            "`keep` names attributes of the items that a bundle holds beside their vectors, so "
            "that recommendations can be filtered by them: columns of the items' table or of one "
            "joined to it, whether the model reads them or not. One that cannot be read as a "
            "category or a number is refused when the bundle is written."
        ),
        bad=f"{DATA}\nexport edge {{ keep = [categry] }}\n{MODEL}\nrun m on demo as edge",
        good=f"{DATA}\nexport edge {{ keep = [category] }}\n{MODEL}\nrun m on demo as edge",
    ),
)
