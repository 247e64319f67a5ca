"""The predictors' forms, small sizes and other settings, for the tests that walk all operators."""

from typing import Any


Key = tuple[str, str]
# Settings beside the defaults, where a predictor has more than one form.
FORMS: dict[Key, tuple[dict[str, Any], ...]] = {
    ("predict", "Cosine"): ({"temperature": 0.2},),
    ("predict", "DNN"): ({"units": (16,)}, {"units": ()}, {"batch_norm": True}),
    ("predict", "DCN"): ({"cross": 1, "units": ()}, {"batch_norm": True}),
    ("predict", "DCNv2"): (
        {"structure": "stacked"},
        {"structure": "stacked_parallel", "cross": 1, "batch_norm": True},
        {"units": ()},
    ),
    ("predict", "DCNMix"): (
        {"structure": "stacked", "rank": 3, "batch_norm": True},
        {"structure": "stacked_parallel", "experts": 2},
        {"experts": 1},
    ),
    ("predict", "GDCN"): ({"structure": "stacked", "cross": 1, "batch_norm": True},),
    ("predict", "DeepFM"): ({"units": ()}, {"batch_norm": True}),
    ("predict", "xDeepFM"): ({"cin": (4,), "units": ()}, {"cin": (), "batch_norm": True}),
    ("predict", "PNN"): (
        {"units": ()},
        {"form": "factorised", "batch_norm": True},
        {"form": "factorised", "units": ()},
        {"form": "outer"},
    ),
    ("predict", "AutoInt"): (
        {"heads": 4, "scale": True},
        {"units": (), "layers": 1},
        {"batch_norm": True},
    ),
    ("predict", "FiBiNET"): ({"share": "each"}, {"share": "all", "batch_norm": True}),
    ("predict", "MaskNet"): (
        {"structure": "parallel"},
        {"structure": "parallel", "ratio": 0.5, "units": None, "blocks": None},
        {"structure": "serial", "units": None, "blocks": None},
        {"blocks": ()},
    ),
    ("predict", "FinalMLP"): (
        {"context": "learned", "gate": (6, 4)},
        {"heads": 1, "gate": ()},
        {"second": (6,), "batch_norm": True},
    ),
    ("predict", "DIN"): (
        {"softmax": True, "attention": (8, 4)},
        {"attention": (), "batch_norm": True},
    ),
    ("predict", "BST"): (
        {"heads": 2, "pool": "candidate"},
        {"layers": 1, "inner": 5, "batch_norm": True},
    ),
    ("predict", "MINER"): ({"score": "max"}, {"score": "mean"}),
}
# Kept small: the published sizes compute the same.
SMALL: dict[tuple[str, str], Any] = {
    ("MaskNet", "blocks"): (8, 6),
    ("FinalMLP", "first"): (12, 8),
    ("FinalMLP", "second"): (10,),
    ("FinalMLP", "gate"): (7,),
    ("xDeepFM", "cin"): (5, 3),
    ("DCNMix", "rank"): 4,
}
# Another value of a setting, to see that it matters.
OTHERS: dict[str, Any] = {
    "temperature": 0.5, "rank": 3, "experts": 2, "cin": (4,), "scale": True,
    "ratio": 2.0, "first": (8,), "second": (8,), "context": "learned", "gate": (5,),
    "inner": 5, "pool": "candidate", "score": "mean", "disagreement": 0.8, "blocks": (5,),
    "structure": "stacked", "batch_norm": True, "form": "factorised",
}  # fmt: skip
OWN_OTHERS: dict[tuple[str, str], Any] = {
    ("MaskNet", "structure"): "parallel",
    ("AutoInt", "dim"): 8,
    ("FinalMLP", "heads"): 1,
}
# User and candidate make one product, and one matrix whatever shares it (tested on four fields).
SAME = {("FiBiNET", "share")}
