"""README.md of a bundle: what it is, how well it did, what was proved, how to load it."""

from collections.abc import Mapping
from typing import Any

from legoc.evaluation.marks import MARK, find_marks, reasons
from legoc.evaluation.public import chosen_metrics
from legoc.evaluation.report import write_calibration
from legoc.exporting.precision_text import describe_precisions, precisions_of
from legoc.language.ir.notation import write_pipeline
from legoc.language.ir.plan import Plan
from legoc.language.ir.scores import find_doubt
from legoc.language.ir.spec import Spec


def model_card(spec: Spec, plan: Plan, manifest: Mapping[str, Any], metrics: Any) -> str:
    """Markdown. `metrics` is what evaluation of the run found (its JSON), or None."""
    certificate = manifest["certificate"]
    parts = [
        f"# {spec.name}",
        f"```\n{write_pipeline(spec.model)}\n```",
        *describe_data(spec, plan, manifest),
        "## Load it",
        load_example(plan, manifest),
        "## How well it ranks",
        metrics_table(metrics, find_marks(spec, chosen_metrics(spec))),
        *describe_scores(spec, manifest, metrics),
        "## What was proved",
        proof(certificate),
        *describe_precisions(certificate),
        "## Limits",
        limits(spec, plan, manifest),
    ]
    return "\n\n".join(parts) + "\n"


def describe_data(spec: Spec, plan: Plan, manifest: Mapping[str, Any]) -> list[str]:
    attributes = ", ".join(f"{a.name} ({a.kind})" for a in spec.data.attributes)
    rows = manifest["items"]["rows"] - 1
    reads = f"An item is read from {attributes}." if plan.layout != "id" else (
        "An item is a row of a table; its content is not read."
    )  # fmt: skip
    # Before a language model that is asked, items are their tokens.
    vectors = f"item vectors of width {plan.width}" if plan.width else "items without vectors"
    return [
        f"A recommender exported by legoc for the data `{spec.data.source.op}`: {rows:,} items, "
        f"histories of up to {spec.data.history} clicks, {vectors}. {reads}",
        *describe_context(manifest),
    ]


def describe_context(manifest: Mapping[str, Any]) -> list[str]:
    """What the predictor reads of the moment of a pair, where it does."""
    context = manifest["context"]
    if context is None:
        return []
    named = ", ".join(f"`{number['name']}`" for number in context["numbers"])
    tells = "`items.clicked` goes on"
    if has_share(manifest):
        tells = "`items.shown` and `items.clicked` go on"
    return [
        f"A score is of a moment: beside the pair the predictor reads {named}, counted strictly "
        f"before it. The bundle has the counts at the end of its data; {tells}, and "
        "`items.save_counters` keeps them for the next process. Without `when` a score is of the "
        "latest moment that is known."
    ]


def has_share(manifest: Mapping[str, Any]) -> bool:
    """Whether the predictor reads what share of an item's showings was clicked."""
    return any(number["kind"] == "share" for number in manifest["context"]["numbers"])


def load_example(plan: Plan, manifest: Mapping[str, Any]) -> str:
    lines = [
        "import legoc_runtime as lr", "", 'model = lr.load(".")',
        "user = model.encode_user(history)  # item ids, most recent last",
        "ids, scores = model.recommend(user, k=10, exclude=history)",
    ]  # fmt: skip
    if manifest["context"] is not None:
        lines[-1] = "ids, scores = model.recommend(user, k=10, exclude=history, when=now)"
        if has_share(manifest):
            lines.append("model.items.shown(ids, when=now)  # what was displayed")
        unit = manifest["context"].get("unit")
        told = "a datetime, ISO text or seconds" if unit is None else f"{unit} as the log has them"
        lines.append(f"model.items.clicked(ids[:1], when=now)  # {told}")
    return "```python\n" + "\n".join(lines) + "\n```"


def metrics_table(metrics: Any, marks: Mapping[str, str]) -> str:
    """A row per metric and a column per part of the data, or the sentence that there are none.
    marks: the metrics that say nothing of this model."""
    reports = find_reports(metrics)
    if not reports:
        return "No evaluation was saved with the run this bundle was exported from."
    names = dict.fromkeys(name for figures in reports.values() for name in figures)
    lines = [
        "| metric | " + " | ".join(reports) + " |", "| --- |" + " ---: |" * len(reports),
    ]  # fmt: skip
    for name in names:
        values = (figures.get(name) for figures in reports.values())
        mark = f"\\{MARK}" * (name in marks)
        lines.append(f"| {name}{mark} | " + " | ".join(map(figure_text, values)) + " |")
    return "\n".join(lines)


def describe_scores(spec: Spec, manifest: Mapping[str, Any], metrics: Any) -> list[str]:
    """The metrics that say nothing of this model, and the two numbers of a calibrated one."""
    shown = {name for figures in find_reports(metrics).values() for name in figures}
    marks = {
        name: why for name, why in find_marks(spec, chosen_metrics(spec)).items() if name in shown
    }
    said = ["\n".join(f"\\{line}" for line in reasons(marks))] if marks else []
    found = manifest.get("calibration")
    return said if found is None else [*said, f"Scores are {write_calibration(found)}."]


def find_reports(metrics: Any, name: str = "all") -> dict[str, Mapping[str, Any]]:
    """The tables of figures in the JSON of evaluation reports, by split and slice."""
    if not isinstance(metrics, Mapping):
        return {}
    found: dict[str, Mapping[str, Any]] = {}
    if isinstance(metrics.get("metrics"), Mapping):
        title = str(metrics.get("split") or name)
        found[title] = metrics["metrics"]
        for part, figures in (metrics.get("slices") or {}).items():
            found[f"{title}, {part}"] = figures
        return found
    for key, value in metrics.items():
        found |= find_reports(value, str(key))
    return found


def figure_text(figure: Any) -> str:
    value = figure.get("value") if isinstance(figure, Mapping) else figure
    return f"{value:.4f}" if isinstance(value, int | float) else "-"


def proof(certificate: Mapping[str, Any]) -> str:
    """The figures of the certificate in words."""
    lines = [
        f"Differences are max |torch - onnxruntime| / max(1, max |torch|); float32 graphs above "
        f"{certificate['tolerance']:.0e} are refused.",
        "| graph | probes | worst probe | difference | on real rows |\n"
        "| --- | ---: | --- | ---: | ---: |\n"
        + "\n".join(
            f"| {name} | {len(graph['probes'])} | {graph['worst']} | {graph['difference']:.1e} | "
            f"{real_text(graph)} |"
            for name, graph in certificate["graphs"].items()
        ),
    ]
    whole = certificate["whole"]
    if whole is None:
        lines.append("The data has no labelled rows, so nothing was compared on real impressions.")
        return "\n\n".join(lines)
    sampled = "" if whole["groups"] == whole["of"] else f" (a sample of {whole['of']:,})"
    lines.append(
        f"Scores of {whole['rows']:,} rows in {whole['groups']:,} groups{sampled} of "
        f"`{whole['split']}` differ by {whole['difference']:.1e}; metrics differ by at most "
        f"{largest_metric(whole)}."
    )
    top = whole["top"]
    if top["agreement"] is not None:
        lines.append(
            f"Of the best {top['k']} of {top['items']:,} items, both engines name "
            f"{top['agreement']:.2%} alike, over {top['users']} users."
        )
    return "\n\n".join(lines)


def real_text(graph: Mapping[str, Any]) -> str:
    return "-" if graph["real"] is None else f"{graph['real']:.1e}"


def largest_metric(whole: Mapping[str, Any]) -> str:
    found = [abs(m["difference"]) for m in whole["metrics"].values() if m["difference"] is not None]
    return f"{max(found):.1e}" if found else "nothing that could be measured"


def limits(spec: Spec, plan: Plan, manifest: Mapping[str, Any]) -> str:
    sentences = [
        f"Trained on `{spec.data.source.op}` alone; other data may be ranked at random.",
        "Scores are logits: they order candidates of one user"
        + (
            " and are not probabilities."
            if find_doubt(spec) is not None
            else "; sigmoid of one is the chance of a click among rows like those of training."
        ),
    ]
    if plan.layout == "id":
        sentences.append("New items are refused: the model has no row for them.")
    if manifest["certificate"]["precision"] != "fp32":
        sentences.append(
            f"Graphs are stored as {precisions_of(manifest['certificate'])}; the differences above "
            "show what that costs."
        )
    return "\n".join(f"- {sentence}" for sentence in sentences)
