"""Codes of exporting, bundles and their verification (E0808, E0820 and above)."""

from legoc.language.codes import Code


CODES: tuple[Code, ...] = (
    Code(
        code="E0808",
        title="a tolerance that is no metric with a loss",
        explanation=(
            "What `tolerate` is given outside of a file is a metric with its parameters and a "
            "`loss` above 0, which is the most that the metric may be worse by. In a file the same "
            "is said as for every operator: E0206, E0304 and E0305."
        ),
        bad='Export(tolerate=Call(op="NDCG", args={"k": 10, "loss": 0}))',
        good='Export(tolerate=Call(op="NDCG", args={"k": 10, "loss": 0.001}))',
    ),
    Code(
        code="E0820",
        title="a graph that torch cannot export",
        explanation=(
            "The operator uses a construct that `torch.export` or the ONNX exporter does not take: "
            "control flow that depends on data or on shapes, boolean indexing, packed sequences."
        ),
        bad="if mask.any(): x = x[mask]",
        good="x = x.masked_fill(~mask.unsqueeze(-1), 0)",
    ),
    Code(
        code="E0821",
        title="a constant the optimiser drops",
        explanation=(
            "The exporter's optimiser takes very small addends for zero and factors very near one "
            "for one, and deletes the operation. A guard against division by zero then guards "
            "nothing, and the graph yields NaN where torch does not."
        ),
        bad="x / (x.norm(dim=-1, keepdim=True) + 1e-9)",
        good="x / x.norm(dim=-1, keepdim=True).clamp_min(1e-9)",
    ),
    Code(
        code="E0822",
        title="a frozen or renamed dimension",
        explanation=(
            "The exported graph does not declare exactly the inputs and outputs of the plan: a "
            "dynamic dimension became a number, or a name or type differs; or it gives another "
            "shape than it declares, without any row for example. Such a graph would fail at the "
            "first batch of another size."
        ),
        bad="x.reshape(3, -1)",
        good="x.reshape(x.shape[0], -1)",
    ),
    Code(
        code="E0823",
        title="torch and onnxruntime disagree",
        explanation=(
            "The difference max |torch - onnxruntime| / max(1, max |torch|) is above "
            "`export.parity` on a probe or on real rows. The bundle is not written."
        ),
        bad="export edge { parity = 1e-6 }",
        good="export edge { parity = 1e-4 }",
    ),
    Code(
        code="E0824",
        title="a number that is not finite",
        explanation=(
            "A graph, or the model itself, gives NaN or an infinity on a probe, or a weight or the "
            "vector of an item is not finite. Common causes are a softmax over a row without "
            "anything real, weights that diverged in training, and vectors that were given with "
            "such numbers."
        ),
        bad="scores.masked_fill(~mask, float('-inf')).softmax(-1)",
        good="masked_softmax(scores, mask)",
    ),
    Code(
        code="E0825",
        title="a graph that is not valid ONNX or not portable",
        explanation=(
            "The ONNX checker refuses the graph, or it has operators outside the standard domains, "
            "or it names a path of the machine that made it."
        ),
        bad="legoc export runs/naml-0123456789ab",
        good="pip install -c constraints.txt legoc, then export again",
    ),
    Code(
        code="E0826",
        title="a predictor above its budget",
        explanation="The predictor's graph has more bytes than `budget` of the export allows.",
        bad="export edge { budget = 1KiB }",
        good="export edge { budget = 64MiB }",
    ),
    Code(
        code="E0827",
        title="padding that changes a result",
        explanation=(
            "Two inputs that differ only in what stands at padded positions give different "
            "outputs. The operator reads padding: mask what it sums, pools or attends to."
        ),
        bad="x.mean(1)",
        good="masked_mean(x, mask)",
    ),
    Code(
        code="E0828",
        title="a graph that cannot be converted",
        explanation=(
            "Half precision ends at 65,504, and a weight of the graph lies beyond; int8 has a "
            "scale for each row of a weight and takes any."
        ),
        bad="export edge { precision = fp16 }",
        good="export edge { precision = int8 }",
    ),
    Code(
        code="E0829",
        title="a bundle that does not verify",
        explanation=(
            "A file is missing or changed, a golden tensor does not come out of its graph, or the "
            "certificate does not say what the files show."
        ),
        bad="legoc verify bundle-edited-by-hand/",
        good="legoc export RUN",
    ),
    Code(
        code="E0830",
        title="a folder that is not a bundle",
        explanation=(
            "The place the bundle would be written to holds other files. A bundle replaces an "
            "earlier bundle and nothing else."
        ),
        bad="legoc export RUN --out ~/documents",
        good="legoc export RUN --out ~/documents/bundle",
    ),
    Code(
        code="E0832",
        title="nothing to answer an unknown user with",
        explanation=(
            "`cold = popularity` takes the clicks of items in the training part and `cold = mean` "
            "the histories there, and the training part has none."
        ),
        bad="export edge { cold = popularity }",
        good="export edge { cold = error }",
    ),
)
