"""Valid programs drawn from the declarations of these tests: model, data, recipe, export, run."""

import json
from collections.abc import Sequence

from hypothesis import strategies as st

from legoc.language.declaring.declare import Declaration
from legoc.language.declaring.kinds import Kind, Param
from legoc.language.declaring.records import RECORDS
from legoc.language.typing.checks import is_table
from tests.language.declared import CATALOG


# The behavior that makes what a predictor wants, where only one does.
FORMS = {"Seq": "Null", "Many": "PolyAttention"}
WIDTHS = (16, 32, 64, 256)
HEADS = (1, 2, 4, 8, 16)
QUANTITIES = {
    "share": ("10%", "0.25", "100%", "0"),
    "duration": ("2h", "90min", "30s"),
    "count": ("500k", "2M", "1000"),
    "bytes": ("64MiB", "1GiB", "512KiB"),
}
WORDS = st.sampled_from(("News. Title: ", " Category: ", 'größe "x"', "tab\tand\\slash", ""))
SEEDS = ("= 7", "in [1, 2, 3]", "in 1 .. 3", "in {1,2,}", "in 1..1_000 log")
# Predictors that need stages of their own, or none.
APART = {"YesNo", "API"}
# Settings that make sense only beside others.
LEFT_OUT = {"frozen", "top"}


@st.composite
def values(draw: st.DrawFn, kind: Kind, p: Param) -> str:
    """The text of some value that a parameter takes."""
    match kind.name:
        case "bool":
            return draw(st.sampled_from(("true", "false")))
        case "enum":
            return draw(st.sampled_from(kind.values))
        case "str":
            return json.dumps(draw(WORDS))
        case "quantity":
            return draw(st.sampled_from(QUANTITIES[kind.unit or ""]))
        case "int":
            low = int(p.min if p.min is not None else 0)
            return str(draw(st.integers(low, int(p.max) if p.max is not None else low + 400)))
        case "float":
            high = p.max if p.max is not None else 1000.0
            low = p.min if p.min is not None else p.above if p.above is not None else 0.0
            return repr(draw(st.floats(low, high, exclude_min=p.above is not None)))
        case "file" | "folder":
            return '"nowhere"'
        case "list":
            parts = draw(st.lists(values(kind.element or Kind("int"), p), min_size=1, max_size=3))
            return f"[{', '.join(parts)}]"
        case "operator":
            return draw(calls(draw(st.sampled_from(CATALOG.role(kind.role or "")))))
        case other:
            raise AssertionError(other)


@st.composite
def settings_of(draw: st.DrawFn, p: Param) -> str:
    """The text of a parameter that other parts of the program must agree with."""
    match p.name:
        case "hidden":
            return str(draw(st.sampled_from(WIDTHS)))
        case "heads":
            return str(draw(st.sampled_from(HEADS)))
        case "kernel":
            return str(2 * draw(st.integers(0, 5)) + 1)
        case "negatives":
            # `pool=mixed` needs a half of them, `pool=batch` so many other rows.
            return str(draw(st.integers(2, 8)))
        case "batch":
            return str(draw(st.integers(9, 400)))
        case "split":
            return str(draw(st.sampled_from((*range(-12, -1), *range(12)))))
        case _:
            return draw(values(p.kind, p))


@st.composite
def calls(draw: st.DrawFn, d: Declaration, fixed: Sequence[str] = ()) -> str:
    """An operator with some of its settings, in any order; `fixed` are written as given."""
    taken = {text.partition("=")[0] for text in fixed} | LEFT_OUT
    settings = list(fixed)
    for p in d.params:
        path = p.kind.name in ("file", "folder")
        if p.name not in taken and (p.required or (not path and draw(st.booleans()))):
            settings.append(f"{p.name}={draw(settings_of(p))}")
    settings = list(draw(st.permutations(settings)))
    if len(settings) == 1 and d.primary and settings[0].startswith(f"{d.primary}="):
        settings = [settings[0].partition("=")[2]]
    return f"{d.name}({', '.join(settings)})" if settings else d.name


@st.composite
def pipelines(draw: st.DrawFn) -> tuple[str, Declaration, Declaration]:
    """A pipeline whose types fit, its first operator and its predictor."""
    predictor = draw(st.sampled_from([d for d in CATALOG.role("predict") if d.name not in APART]))
    wants = (predictor.signature or "").removeprefix("(").partition("[")[0]
    predict = f"predict {draw(calls(predictor))}"
    if wants == "Vec" and draw(st.integers(0, 5)) == 0:
        encoder = draw(st.sampled_from([d for d in CATALOG.role("flatten") if d.name != "LM"]))
        return f"flatten {draw(calls(encoder))} -> {predict}", encoder, predictor
    content = draw(st.sampled_from([d for d in CATALOG.role("content") if d.name != "Text"]))
    behavior = draw(st.sampled_from([d for d in CATALOG.role("behavior") if makes(d, wants)]))
    width = [f"hidden={draw(st.sampled_from(WIDTHS))}"]
    inherited = [] if behavior.param("hidden") is None else width
    stages = (
        f"content {draw(calls(content, width))}",
        f"behavior {draw(calls(behavior, inherited))}",
        predict,
    )
    return " -> ".join(stages), content, predictor


def makes(behavior: Declaration, wants: str) -> bool:
    if wants in FORMS:
        return behavior.name == FORMS[wants]
    return (behavior.signature or "").rpartition("-> ")[2].startswith(wants)


@st.composite
def records(draw: st.DrawFn, kind: str, skip: Sequence[str]) -> list[str]:
    """Some fields of a record."""
    fields: list[str] = []
    for p in RECORDS[kind].params:
        if p.name in skip or not draw(st.booleans()):
            continue
        none = p.optional and draw(st.integers(0, 3)) == 0
        fields.append(f"{p.name} = {'none' if none else draw(settings_of(p))}")
    return fields


@st.composite
def contents(draw: st.DrawFn, source: Declaration, prompts: bool) -> str:
    """A list of attributes, with prompt text where the model reads it."""
    parts: list[str] = []
    for attribute in draw(st.permutations(source.attributes)):
        if parts and draw(st.booleans()):
            continue
        sized = attribute.kind != "category" and draw(st.booleans())
        parts.append(f"{attribute.name}({draw(st.integers(2, 40))})" if sized else attribute.name)
        if prompts and draw(st.booleans()):
            parts.append(json.dumps(draw(WORDS)))
    return f"[{', '.join(parts)}]"


@st.composite
def measures(draw: st.DrawFn) -> list[str]:
    """`metrics`, no two alike, and sometimes a monitor among them."""
    known = {d.name: d for d in CATALOG.role("metric")}
    names = draw(st.lists(st.sampled_from(list(known)), min_size=1, max_size=3, unique=True))
    texts = [draw(calls(known[name])) for name in names]
    fields = [f"metrics = [{', '.join(texts)}]"]
    return [*fields, f"monitor = {draw(st.sampled_from(texts))}"] if draw(st.booleans()) else fields


@st.composite
def programs(draw: st.DrawFn) -> str:
    """A whole file, sometimes with axes."""
    pipeline, encoder, predictor = draw(pipelines())
    sources = [d for d in CATALOG.role("source") if d.name in ("Demo", "Shop")]
    source = draw(st.sampled_from(sources))
    data = [
        f"source = {draw(calls(source))}",
        f"content = {draw(contents(source, encoder.pretrained))}",
    ]
    for field, choices in {
        "history": ("1", "50", "99"),
        "split": ("time", "leave_one_out", "time(valid=5%)"),
        "group": ("user",),
        "tokenizer": ("none",) if encoder.pretrained else ("words", "words(size=30k)", "none"),
    }.items():
        if draw(st.booleans()):
            data.append(f"{field} = {draw(st.sampled_from(choices))}")
    tuned = encoder.pretrained and not any(
        f"{name}=" in pipeline.replace(f"{name}=none", "") for name in ("side", "lora")
    )
    skip = ["task", "metrics", "monitor", *([] if tuned else ["lr_pretrained"])]
    if encoder.pretrained or is_table(encoder):
        skip.append("word_dropout")
    train = draw(records("train", skip))
    if draw(st.booleans()):
        task = CATALOG.get("task", draw(st.sampled_from(predictor.tasks)))
        assert task is not None
        train.append(f"task = {draw(calls(task))}")
    if draw(st.booleans()):
        train += draw(measures())
    export = draw(records("export", ("opset", "budget", "parity", "keep", "cold", "tolerate")))
    for field, choices in {
        "keep": tuple(f"[{attribute.name}]" for attribute in source.attributes),
        "cold": ("model", "error"),
        "opset": ("18", "20", "26"),
        "budget": ("none", "1.5GiB", "4GiB"),
        "parity": ("1e-6", "1e-4", "0.5"),
    }.items():
        if draw(st.booleans()):
            export.append(f"{field} = {draw(st.sampled_from(choices))}")
    # It chooses the precision.
    if not any(field.startswith("precision") for field in export) and draw(st.booleans()):
        export.append("tolerate = AUC(loss=0.001)")
    recipe = draw(
        st.sampled_from(
            ("t", "t(epochs=3)", "t(lr in [1e-3, 1e-4], seed=$seed)", "t(epochs in 1..3)",
             "t(lr in 1e-5..1e-2 log, seed=$seed)", "t(lr in {1e-3, 1e-4}, warmup in 0%..20%)")
        )
    )  # fmt: skip
    gap = draw(st.sampled_from((" ", "\n", "  # why\n", "\n\n\n")))
    return gap.join(
        (
            f"data d {{ {gap.join(data)} }}",
            f"param seed {draw(st.sampled_from(SEEDS))}",
            f"train t {{ {gap.join(train)} }}",
            f"export e {{ {gap.join(export)} }}",
            f"model m = {pipeline}",
            f"run m on d with {recipe} as e",
        )
    )
