"""`legoc export`, `legoc inspect` and `legoc verify`: bundles written, described and checked."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legoc.commands.bundles import bundle_of
from legoc.commands.console import choose
from legoc.commands.flags import Command, caches, prints_json
from legoc.commands.printing import console, memory, print_json, show_ports


if TYPE_CHECKING:
    from legoc_runtime import Model


def export_flags(parser: ArgumentParser) -> None:
    parser.add_argument("folder", metavar="RUN")
    parser.add_argument(
        "--tolerate", metavar="METRIC",
        help='a metric and what it may lose by smaller graphs: "NDCG(10, loss=0.001)"; takes the '
        "place of `tolerate` and `precision` of the run's export",
    )  # fmt: skip
    parser.add_argument(
        "--layout", choices=("bundle", "triton"), default="bundle",
        help="triton: the graphs as a model repository too, in the folder `triton` of the run",
    )  # fmt: skip
    caches(parser)
    prints_json(parser)


def run_export(arguments: Namespace) -> int:
    from legoc.exporting import export
    from legoc.exporting.triton import verify_repository, write_triton

    repository = Path(arguments.folder) / "triton"
    if arguments.layout == "triton":
        verify_repository(repository)
    settings = None
    if arguments.tolerate is not None:
        from legoc.commands.tolerated import read_tolerance
        from legoc.model.run import Run

        settings = read_tolerance(arguments.tolerate, Run(Path(arguments.folder)).spec.export)
    bundle = export(
        arguments.folder, settings=settings, cache=arguments.cache,
        progress=choose(arguments.quiet),
    )  # fmt: skip
    if arguments.json:
        print_json(bundle.manifest["certificate"])
    else:
        show_bundle(bundle.path)
    if arguments.layout == "triton":
        made = write_triton(bundle.path, repository)
        print(f"{repository}: {', '.join(made)}", file=sys.stderr)
    return 0


def inspect_flags(parser: ArgumentParser) -> None:
    parser.add_argument("folder", metavar="BUNDLE|RUN")
    prints_json(parser)


def run_inspect(arguments: Namespace) -> int:
    import legoc_runtime

    bundle = bundle_of(arguments.folder)
    if arguments.json:
        print_json(legoc_runtime.load(bundle).manifest)
    else:
        show_bundle(bundle)
    return 0


def verify_flags(parser: ArgumentParser) -> None:
    parser.add_argument("folder", metavar="BUNDLE|RUN")
    prints_json(parser)


def run_verify(arguments: Namespace) -> int:
    from legoc.exporting import verify_bundle

    verified = verify_bundle(bundle_of(arguments.folder))
    if arguments.json:
        print_json(
            {
                "files": verified.files,
                "golden": verified.golden,
                "difference": verified.difference,
                "certificate": verified.certificate,
            }
        )
    else:
        show_verified(verified)
    return 0


def show_bundle(path: Path | str) -> None:
    """What is in a verified bundle."""
    import legoc_runtime
    from legoc.language.ir.notation import write_pipeline
    from legoc.model.run import read_spec

    model = legoc_runtime.load(path)
    manifest = model.manifest
    out = console()
    out.print(f"{manifest['spec'].get('name', 'model')}  ({manifest['format']})", style="bold")
    spec = read_spec(manifest["spec"], Path(path) / "manifest.json", "E0592")
    out.print(write_pipeline(spec.model))
    for name, graph in manifest["graphs"].items():
        out.print(f"  {name}  ({manifest['files'][graph['file']]['bytes']:,} bytes)")
        show_ports(out, graph)
    show_context(out, model)
    total = sum(entry["bytes"] for entry in manifest["files"].values())
    out.print(
        f"{len(model.items):,} items; {len(manifest['files'])} files, {memory(total)}, "
        "every hash as recorded"
    )
    out.print(
        f"largest difference of torch and onnxruntime: {write_difference(manifest['certificate'])}"
    )


def show_context(out: Any, model: "Model") -> None:
    """The numbers of the moment that a model reads, and up to when its counters know clicks."""
    from datetime import UTC, datetime, timedelta

    from legoc_runtime.counters import NEVER

    context, counters = model.bundle.parts.context, model.items.counters
    if context is None:
        return
    out.print(f"context: {', '.join(number.name for number in context.numbers)}")
    if counters is None:
        out.print("  without counters: every number is the one that says nothing")
        return
    last = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=counters.last)
    known = int((counters.moments != NEVER).sum())
    what = "clicks and showings" if len(counters.shares) else "clicks"
    out.print(f"  {what} of {known:,} items, up to {last:%Y-%m-%d %H:%M:%S} UTC")


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
    from legoc.exporting.precision_text import precisions_of

    stored = precisions_of(certificate)
    top = whole["top"]
    alike = "" if top["agreement"] is None else f", best {top['k']} {top['agreement']:.1%} alike"
    return (
        f"{shown} in fp32; in {stored}: scores {whole['difference']:.1e}, metrics "
        f"{largest_metric(whole)}{alike}"
    )


COMMANDS = {
    "export": Command(export_flags, run_export),
    "inspect": Command(inspect_flags, run_inspect),
    "verify": Command(verify_flags, run_verify),
}
