"""What the heavy commands print for people: the plan with its cost, the data, runs, bundles."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from legoc.language.ir import form
from legoc.language.ir.notation import write_call, write_pipeline


def console() -> Console:
    """Results go to standard output; markup is off because names hold brackets."""
    # A file or pipe has no width: tables take the room their figures need.
    width = None if sys.stdout.isatty() else 160
    return Console(file=sys.stdout, markup=False, highlight=False, soft_wrap=True, width=width)


def print_json(value: Any) -> None:
    print(json.dumps(value, indent=1, ensure_ascii=False))


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table whose first column is names and whose others are figures."""
    made = Table(title=title, title_justify="left", title_style="bold")
    for place, column in enumerate(columns):
        made.add_column(column, justify="left" if place == 0 else "right", no_wrap=place == 0)
    for row in rows:
        made.add_row(*row)
    return made


def count(number: float) -> str:
    """A count as a person reads it: 12,345, then 1.23 M."""
    for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M")):
        if number >= size:
            return f"{number / size:.2f} {unit}"
    return f"{number:,.0f}"


def memory(size: float) -> str:
    for limit, unit in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if size >= limit:
            return f"{size / limit:.1f} {unit}"
    return f"{size:.0f} B"


def show_compiled(compiled: Any) -> None:
    """The pipeline with a type on each arrow, then cost, caches and graphs."""
    spec, plan, cost = compiled.spec, compiled.plan, compiled.cost
    out = console()
    out.print(f"{spec.name}", style="bold")
    named = [a.name for a in spec.data.attributes] if plan.reads_tokens else []
    reads = ", ".join([*(["item ids"] if plan.layout == "id" else []), *named])
    out.print(f"  reads     {reads}; the last {spec.data.history} clicks")
    for stage in plan.stages:
        out.print(f"  {stage.role:<9} {write_call(stage.role, spec.model[stage.role])}")
        frozen = ", frozen prefix" if stage.frozen else ""
        out.print(f"            -> {stage.type:<22} {stage.binding}-bound{frozen}", style="dim")
    out.print("\ncost")
    out.print(f"  parameters   {count(cost.parameters)}, trainable {count(cost.trainable)}")
    for part in cost.tables:
        trained = (
            ""
            if part.trainable_per_row == part.per_row
            else f", trainable {part.trainable_per_row}"
        )
        out.print(f"    and {part.per_row:,}{trained} for each row of the table of {part.name}")
    worked = ", ".join(
        f"{count(operations) if operations else 'no product'} {unit}"
        for operations, unit in (
            (cost.item, "an item"),
            (cost.user, "a user"),
            (cost.pair, "a pair"),
        )
    )
    out.print(f"  operations   {worked}   (of matrix products; 2 a multiply-add)")
    out.print("\ncaches")
    for cache in plan.caches:
        size = {"items": cost.item_bytes, "users": cost.user_bytes}.get(cache.name, 0)
        used = "training, evaluation and serving" if cache.training else "evaluation and serving"
        each = f", {memory(size)} each" if size else ""
        out.print(f"  {cache.name:<7} per {cache.per}{each}: {cache.why} ({used})")
    out.print("\ngraphs")
    for graph in plan.graphs:
        out.print(f"  {graph.name}")
        show_ports(out, asdict(graph))
    for note in plan.notes:
        out.print(f"\nnote: {note}")
    out.print()


def show_ports(out: Console, graph: Mapping[str, Any]) -> None:
    """A line per tensor of a graph, inputs first."""
    ports = [("reads", p) for p in graph["inputs"]] + [("gives", p) for p in graph["outputs"]]
    width = max(len(port["name"]) for _, port in ports)
    for side, port in ports:
        dims = ", ".join(map(str, port["dims"]))
        out.print(f"    {side}  {port['name']:<{width}}  {port['dtype']}[{dims}]", style="dim")


def show_prepared(spec: Any, prepared: Any) -> None:
    """Counts, coverage and losses of a prepared data set."""
    report = prepared.report
    out = console()
    source = write_call("source", spec.data.source)
    out.print(
        f"{source}: {report.items:,} items, {report.users:,} users, {report.histories:,} histories "
        f"({report.empty_histories:,} empty)"
    )
    out.print(
        table(
            "splits",
            ("split", "impressions", "rows", "clicks", "users", "cold", "cold rows", "one class",
             "new items"),
            (
                (name, f"{p.impressions:,}", f"{p.rows:,}", f"{p.clicks:,}", f"{p.users:,}",
                 f"{p.cold:,}", f"{p.cold_rows / p.rows:.1%}", f"{p.one_class:,}",
                 f"{p.new_items:.1%}")
                for name, p in report.parts.items()
            ),
        )
    )  # fmt: skip
    if report.coverage:
        filled = ", ".join(f"{name} {share:.1%}" for name, share in report.coverage.items())
        out.print(f"items with a value: {filled}")
    if report.drops:
        out.print(
            table(
                "what is not as it should be",
                ("what", "where", "how many", "what became of it"),
                ((d.reason, d.part, f"{d.count:,}", d.policy) for d in report.drops),
            )
        )
        for drop in report.drops:
            if drop.examples:
                out.print(f"  {drop.reason}: {'; '.join(drop.examples)}", style="dim")
    else:
        out.print("nothing was dropped")
    for note in report.notes:
        out.print(f"note: {note}")
    if report.licence:
        out.print(f"licence: {report.licence}")


# What the columns of `legoc eval --cold` are taken over.
COLD = {
    "new clicks": "lists whose every click is on an item that training never showed",
    "new users": "lists of users that training never showed",
    "no clicks before": "lists of users without a click in their history",
}


def show_report(result: Any, title: str = "evaluation") -> None:
    """The metrics of one evaluation, overall and per slice, with what was counted."""
    out = console()
    out.print(table(title, ("metric", *result.parts()), result.table()))
    for part in result.parts():
        if part in COLD:
            out.print(f"{part}: {COLD[part]}", style="dim")
    out.print(result.summary())


def figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def show_runs(done: Sequence[Any]) -> None:
    """One table over all runs of a command, then where each lies."""
    out = console()
    tested = [(run, split, found) for run in done for split, found in tested_parts(run)]
    if tested:
        names = list(dict.fromkeys(name for _, _, found in tested for name in found["metrics"]))
        out.print(
            table(
                "evaluated through onnxruntime",
                ("run", "split", *names),
                (
                    (run.spec.name, split, *(figure(found["metrics"].get(name)) for name in names))
                    for run, split, found in tested
                ),
            )
        )
    for run in done:
        out.print(f"{run.spec.name}: {run.folder}")
        if run.bundle.is_dir():
            out.print(f"  bundle {run.bundle}, largest difference {difference(run.bundle)}")


def tested_parts(run: Any) -> list[tuple[str, Mapping[str, Any]]]:
    return list((run.metrics or {}).items())


def difference(bundle: Path) -> str:
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    return write_difference(manifest["certificate"])


def write_difference(certificate: Mapping[str, Any]) -> str:
    """The largest relative difference of torch and onnxruntime over all probes and real rows; with
    it what half precision or int8 changes on real rows, which no tolerance bounds."""
    shown = f"{certificate['difference']:.1e}"
    precision, whole = certificate["precision"], certificate["whole"]
    if precision == "fp32":
        return shown
    if whole is None:
        return f"{shown} in fp32; {precision} was not measured, for no row has a label"
    from legoc.exporting.card import largest_metric

    top = whole["top"]
    alike = "" if top["agreement"] is None else f", best {top['k']} {top['agreement']:.1%} alike"
    return (
        f"{shown} in fp32; in {precision}: scores {whole['difference']:.1e}, metrics "
        f"{largest_metric(whole)}{alike}"
    )


def show_bundle(path: Path | str) -> None:
    """What is in a verified bundle."""
    import legoc_runtime

    model = legoc_runtime.load(path)
    manifest = model.manifest
    out = console()
    out.print(f"{manifest['spec'].get('name', 'model')}  ({manifest['format']})", style="bold")
    out.print(write_pipeline(form.from_json(manifest["spec"]).model))
    for name, graph in manifest["graphs"].items():
        out.print(f"  {name}  ({manifest['files'][graph['file']]['bytes']:,} bytes)")
        show_ports(out, graph)
    total = sum(entry["bytes"] for entry in manifest["files"].values())
    out.print(
        f"{len(model.items) - 1:,} items; {len(manifest['files'])} files, {memory(total)}, "
        "every hash as recorded"
    )
    out.print(
        f"largest difference of torch and onnxruntime: {write_difference(manifest['certificate'])}"
    )


def show_vectors(table: Any, source: str) -> None:
    """What `legoc embed` wrote of `source`, and the stage that reads it in a spec beside that."""
    out = console()
    out.print(f"{table.items:,} items, {table.width} wide: {table.path}", style="bold")
    if table.empty:
        out.print(f"{table.empty:,} of them say nothing and have zeros")
    # Paths in a spec are relative to it.
    path = table.path.resolve()
    shown = path.name if path.parent == Path(source).resolve().parent else path
    out.print(f'content Null(file="{shown}", frozen=true)')


def show_verified(verified: Any) -> None:
    """What `legoc verify` looked at."""
    out = console()
    out.print(f"{verified.files} files have the recorded sizes and hashes")
    out.print(
        f"{verified.golden} golden probes computed again, largest difference "
        f"{verified.difference:.1e}"
    )
    out.print(
        "the certificate is about these graphs; its largest difference of torch and onnxruntime is "
        f"{write_difference(verified.certificate)}"
    )
    out.print(f"{verified.path}: verified", style="green")
