"""What a bundle's README.md says of the precisions that were tried and of the one that was kept."""

from collections.abc import Mapping
from typing import Any

from legoc.evaluation.comparison import LEVEL
from legoc.language.diagnosing.suggest import listing


MIXED = "mixed"


def precisions_of(certificate: Mapping[str, Any]) -> str:
    """The precision of a bundle's graphs in words: `int8`, or `int8 (item_encoder) and fp32
    (predictor)` where they differ."""
    if certificate["precision"] != MIXED:
        return certificate["precision"]
    graphs: dict[str, list[str]] = {}
    for name, precision in certificate["tolerated"]["chosen"].items():
        graphs.setdefault(precision, []).append(name)
    return listing([f"{precision} ({', '.join(names)})" for precision, names in graphs.items()])


def describe_precisions(certificate: Mapping[str, Any]) -> list[str]:
    """The section on `export { tolerate = ... }`; nothing where that was not asked for."""
    found = certificate.get("tolerated")
    if found is None:
        return []
    metric, loss = found["metric"], found["loss"]
    if found["why"] is not None:
        return [
            "## What smaller graphs cost",
            f"The graphs are float32. {metric} may lose {loss:g} by smaller ones, but "
            f"{found['why']}.",
        ]
    sign = "less" if found["better"] == "higher" else "more"
    return [
        "## What smaller graphs cost",
        f"{metric} may be {loss:g} {sign} than that of float32, {found['figure']:.4f} over the "
        f"{found['users']:,} users of `{found['split']}` that it can be measured on. Of what was "
        f"tried, the smallest whose {percent(found)} interval of the difference (paired, over "
        f"users{together(found)}) lies inside was kept. Milliseconds are of one machine, one run: "
        "to encode an item and a history, and to score 100 candidates; they decided nothing.",
        table(found),
        *refusals(found["refused"]),
    ]


def percent(found: Mapping[str, Any]) -> str:
    """What each interval covers: enough that all of them hold together."""
    return f"{100 * found['level']:.4g} %"


def together(found: Mapping[str, Any]) -> str:
    """Nothing in certificates of before, whose intervals stood for themselves."""
    if "sets" not in found:
        return ""
    return f"; those of all {found['sets']} sets there are hold together in {LEVEL:.0%}"


def table(found: Mapping[str, Any]) -> str:
    names = list(found["chosen"])
    heads = [
        *names, "bytes", "encode, ms", "score, ms", f"{found['metric']} differs by",
        f"{percent(found)} interval", f"best {found['top']} alike", "",
    ]  # fmt: skip
    lines = [
        f"| {' | '.join(heads)} |",
        "| " + " | ".join([*["---"] * len(names), *["---:"] * 6, "---"]) + " |",
    ]
    for each in found["tried"]:
        low, high = each["interval"]
        alike = each["agreement"]
        kept = each["precisions"] == found["chosen"]
        cells = [
            *each["precisions"].values(),
            f"{each['bytes']:,}",
            f"{each['encode_ms']:.3f}",
            f"{each['score_ms']:.3f}",
            signed(each["difference"]),
            "-" if low is None or high is None else f"{low:+.5f} to {high:+.5f}",
            "-" if alike is None else f"{alike:.1%}",
            "kept" if kept else "" if each["holds"] else "loses too much",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def signed(difference: float | None) -> str:
    return "not finite" if difference is None else f"{difference:+.5f}"


def refusals(refused: Mapping[str, str]) -> list[str]:
    if not refused:
        return []
    return ["\n".join(f"- Not tried: {what}, for {why}." for what, why in refused.items())]
