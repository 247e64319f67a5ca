"""`legoc embed` and `legoc codes`: item vectors of a model, and semantic ids of item vectors."""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from legoc.commands.console import choose
from legoc.commands.flags import Command, at_least, caches, machine, prints_json, selects, spreads
from legoc.commands.points import points
from legoc.commands.printing import console, print_json


# Quantisers have 3 to 8 levels; so many more say nothing of a vector that is left to say.
MOST_LEVELS = 64


def embed_flags(parser: ArgumentParser) -> None:
    parser.epilog = (
        "A table of your own that safetensors 0.8 writes must be C-ordered, or its values are "
        "scrambled and nobody can tell: save numpy.ascontiguousarray(vectors)."
    )
    parser.add_argument("file", metavar="FILE|RUN|BUNDLE")
    selects(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        required=True,
        help="the table, a `.safetensors` file; a `.parquet` file with `--items`",
    )
    parser.add_argument(
        "--pooling", choices=("cls", "mean", "last"),
        help="how the last states become one vector (default: as the spec says)",
    )  # fmt: skip
    parser.add_argument(
        "--items", metavar="FILE",
        help="encode these items by the bundle, from a `.parquet` file with their raw attributes "
        "and a column `id` or `item_id`",
    )  # fmt: skip
    spreads(parser)
    caches(parser)
    machine(parser)
    prints_json(parser)


def run_embed(arguments: Namespace) -> int:
    from legoc.commands.parts import verify_alone

    if arguments.items is not None:
        return embed_raw(arguments)
    if arguments.engine == "ray":
        raise only_raw("--engine ray")
    verify_alone(arguments)
    from legoc.commands.item_vectors import (
        choose_spec,
        embed_spec,
        embed_trained,
        verify_unchanged,
    )

    common: dict[str, Any] = {
        "cache": arguments.cache, "threads": arguments.threads, "device": arguments.device,
        "progress": choose(arguments.quiet),
    }  # fmt: skip
    if Path(arguments.file).is_dir():
        verify_unchanged(
            arguments.file,
            {"--pooling": arguments.pooling, "--set": arguments.overrides,
             "--only": arguments.only},
        )  # fmt: skip
        table = embed_trained(arguments.file, arguments.output, **common)
    else:
        spec = choose_spec(points(arguments), arguments.file)
        table = embed_spec(spec, arguments.output, pooling=arguments.pooling, **common)
    if arguments.json:
        print_json(table.to_json())
    else:
        show_vectors(table, arguments.file)
    return 0


def embed_raw(arguments: Namespace) -> int:
    """Encode the items of a file by a bundle; onnxruntime needs no data and no torch."""
    from legoc.commands.spreading import encode_catalogue
    from legoc.language.diagnosing.diagnostics import fail

    unread = {
        "--pooling": arguments.pooling, "--set": arguments.overrides, "--only": arguments.only,
        "--cache": arguments.cache, "--device": arguments.device, "--threads": arguments.threads,
    }  # fmt: skip
    for flag, value in unread.items():
        if value:
            raise fail(
                "E0882",
                f"`{flag}` says nothing to a bundle that encodes `--items`",
                f"leave `{flag}` out",
            )
    count = encode_catalogue(arguments)
    if arguments.json:
        print_json({"path": arguments.output, "items": count})
    else:
        console().print(f"{count:,} items: {arguments.output}", style="bold")
    return 0


def only_raw(flag: str) -> Exception:
    from legoc.language.diagnosing.diagnostics import fail

    return fail(
        "E0882",
        f"`{flag}` is for raw items, and no `--items` are named",
        f"add `--items items.parquet`, or leave `{flag}` out",
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


def codes_flags(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar="VECTORS", help="as `legoc embed` writes it")
    parser.add_argument(
        "-o", "--output", metavar="FILE", required=True, help="the codes, a `.safetensors` file"
    )
    parser.add_argument(
        "--levels",
        type=at_least(1, MOST_LEVELS),
        default=4,
        metavar="N",
        help=f"codes of an item, at most {MOST_LEVELS} (default: 4)",
    )
    parser.add_argument(
        "--size", type=at_least(2), default=256, metavar="N",
        help="codes to choose from on each level (default: 256)",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=at_least(0), default=0, metavar="N", help="of the first centres (default: 0)"
    )
    prints_json(parser)


def run_codes(arguments: Namespace) -> int:
    from legoc.commands.semantic_ids import write_codes

    table = write_codes(
        arguments.file, arguments.output,
        levels=arguments.levels, size=arguments.size, seed=arguments.seed,
        progress=choose(arguments.quiet),
    )  # fmt: skip
    if arguments.json:
        print_json(table.to_json())
    else:
        print(table.text())
    return 0


COMMANDS = {
    "embed": Command(embed_flags, run_embed),
    "codes": Command(codes_flags, run_codes),
}
