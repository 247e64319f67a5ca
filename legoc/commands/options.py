"""What can be typed after `legoc`: the commands and their flags.

Flags are frozen: `--set` changes what a file declares, nothing else grows.
"""

import argparse
from collections.abc import Callable


FORMATS = ("full", "concise", "json", "github")


def at_least(least: int) -> Callable[[str], int]:
    """The type of a whole number with a lower bound."""

    def whole(text: str) -> int:
        number = int(text)
        if number < least:
            raise argparse.ArgumentTypeError(f"{number} is less than {least}")
        return number

    # argparse names the type in its message.
    whole.__name__ = "whole number"
    return whole


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="legoc",
        description="Compile a recommender, written in one line, into a trained, certified bundle.",
        epilog="`legoc COMMAND --help` explains a command. A first look: `legoc demo`.",
    )
    parser.add_argument("--version", action="store_true", help="print the version and stop")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")

    def command(name: str, does: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=does, description=does[0].upper() + does[1:] + ".")

    check = command("check", "parse and check files, everything up to the typed spec")
    check.add_argument("files", nargs="+", metavar="FILE")
    check.add_argument("--types", action="store_true", help="print the type on each arrow")
    check.add_argument("--points", action="store_true", help="print the name of every point")
    check.add_argument("--ir", action="store_true", help="print the typed spec as JSON")
    check.add_argument(
        "--fix", action="store_true", help="apply the safe fixes in place: spelling, number forms"
    )
    check.add_argument("--format", choices=FORMATS, default="full", help="how messages are printed")
    selects(check)

    fmt = command("fmt", "format files in place")
    fmt.add_argument("files", nargs="+", metavar="FILE")
    fmt.add_argument(
        "--check", action="store_true", help="change nothing; exit 1 if a file would change"
    )
    fmt.add_argument("--diff", action="store_true", help="change nothing; print what would change")

    operators = command("operators", "list the operators, or describe one")
    operators.add_argument(
        "role", nargs="?", help="content, behavior, predict, source, metric, ..."
    )
    operators.add_argument("name", nargs="?", help="for example CNN")
    operators.add_argument("--json", action="store_true", help="print the declarations as JSON")

    explain = command("explain", "explain a code such as E0403")
    explain.add_argument("code")

    compiled = command("compile", "print the plan: types, parameters, cost, caches, graphs")
    takes_file(compiled)

    data = command("data", "prepare the data and print counts, coverage and every dropped row")
    takes_file(data)
    data.add_argument("--page", metavar="FILE", help="write it with charts as an HTML page, too")
    caches(data)

    train = command("train", "compile, prepare, train, export and evaluate every run of a file")
    takes_file(train)
    caches(train)
    runs(train)
    train.add_argument(
        "--until", choices=("data", "train", "export", "evaluate"), default="evaluate",
        help="stop after this phase (default: evaluate)",
    )  # fmt: skip
    train.add_argument("--again", action="store_true", help="repeat runs that are finished")
    train.add_argument("--threads", type=int, metavar="N", help="threads of torch (default: 1)")
    train.add_argument(
        "--device", metavar="NAME", help="cpu or cuda (default: a GPU if there is one)"
    )
    for added in (data, train):
        added.add_argument(
            "--strict", action="store_true", help="refuse raw files with any row that is not right"
        )
        added.add_argument(
            "--keep-truncated", action="store_true",
            help="read gzip files that break off as far as they are whole, and count them",
        )  # fmt: skip

    export = command("export", "write the bundle of a run")
    export.add_argument("folder", metavar="RUN")
    caches(export)

    evaluate = command("eval", "evaluate a bundle or a run with cached encoders")
    evaluate.add_argument("folder", metavar="BUNDLE|RUN")
    evaluate.add_argument(
        "--uncached", action="store_true", help="encode every pair anew, to compare"
    )
    evaluate.add_argument(
        "--cold", action="store_true",
        help="also measure clicks on new items, new users and users without clicks",
    )  # fmt: skip
    evaluate.add_argument(
        "--data", metavar="FOLDER", default=None,
        help="where the files and folders that the spec names are found",
    )  # fmt: skip
    evaluate.add_argument("--split", choices=("train", "valid", "test"), default=None)
    caches(evaluate)

    score = command("score", "score candidates for histories")
    score.add_argument("folder", metavar="BUNDLE")
    records(score, '{"history": ["N1"], "candidates": ["N5"]}')

    recommend = command("recommend", "give the best items for histories")
    recommend.add_argument("folder", metavar="BUNDLE")
    records(recommend, '{"history": ["N1", "N2"]}')
    recommend.add_argument("-k", type=int, default=10, help="items per user (default: 10)")
    recommend.add_argument(
        "--keep-clicked", action="store_true", help="items of the history may return"
    )

    embed = command("embed", "write the item vectors of a model, for `content Null(file=...)`")
    embed.add_argument("file", metavar="FILE|RUN|BUNDLE")
    selects(embed)
    embed.add_argument(
        "-o", "--output", metavar="FILE", required=True, help="the table, a `.safetensors` file"
    )
    embed.add_argument(
        "--pooling", choices=("cls", "mean", "last"),
        help="how the last states become one vector (default: as the spec says)",
    )  # fmt: skip
    caches(embed)
    embed.add_argument("--threads", type=int, metavar="N", help="threads of torch (default: 1)")
    embed.add_argument(
        "--device", metavar="NAME", help="cpu or cuda (default: a GPU if there is one)"
    )

    codes = command(
        "codes", "make semantic ids of a vector table, for `content SemanticID(file=...)`"
    )
    codes.add_argument("file", metavar="VECTORS", help="as `legoc embed` writes it")
    codes.add_argument(
        "-o", "--output", metavar="FILE", required=True, help="the codes, a `.safetensors` file"
    )
    codes.add_argument(
        "--levels", type=at_least(1), default=4, metavar="N", help="codes of an item (default: 4)"
    )
    codes.add_argument(
        "--size", type=at_least(2), default=256, metavar="N",
        help="codes to choose from on each level (default: 256)",
    )  # fmt: skip
    codes.add_argument(
        "--seed", type=at_least(0), default=0, metavar="N", help="of the first centres (default: 0)"
    )

    prove = command("prove", "build, train, export and compare every legal point of a file")
    takes_file(prove)
    caches(prove)
    prove.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="processes side by side (default: 1)"
    )
    prove.add_argument(
        "--out", metavar="FOLDER", help="records, matrix.json and matrix.html (default: prove-FILE)"
    )

    demo = command("demo", "train and compare two models on the embedded data set")
    caches(demo)
    runs(demo)

    inspect = command("inspect", "say what is in a bundle")
    inspect.add_argument("folder", metavar="BUNDLE")

    verify = command("verify", "check every hash, the golden tensors and the certificate")
    verify.add_argument("folder", metavar="BUNDLE")

    diff = command("diff", "compare what two files mean, point by point")
    diff.add_argument("before", metavar="FILE")
    diff.add_argument("after", metavar="FILE")
    diff.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", dest="overrides",
        help="override what both files declare",
    )  # fmt: skip

    new = command("new", "write a starter file from a shipped spec")
    new.add_argument("name", nargs="?", help="for example nrms; without one, the names are listed")
    new.add_argument("-o", "--output", metavar="FILE", help="where it goes, else it is printed")

    imported = command("import", "translate a Legommenders configuration")
    imported.add_argument("file", metavar="MODEL.yaml")
    imported.add_argument("--data", metavar="DATA.yaml", help="its data configuration")
    imported.add_argument("-o", "--output", metavar="FILE", help="where it goes, else printed")
    imported.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", dest="overrides",
        help="fill a placeholder `${NAME}$`, as that library's command line would",
    )  # fmt: skip

    debug = command("debug", "print what one phase makes of a file")
    debug.add_argument("file", metavar="FILE")
    phase = debug.add_mutually_exclusive_group(required=True)
    for name, does in (
        ("tokens", "the words of the text"),
        ("tree", "the syntax tree"),
        ("points", "the points, names resolved and axes chosen"),
        ("ir", "the typed specs as JSON"),
        ("types", "the type on each arrow"),
        ("plan", "binding times, caches and graphs"),
    ):
        phase.add_argument(f"--{name}", action="store_const", const=name, dest="phase", help=does)
    selects(debug)

    command("lsp", "serve an editor over standard input and output")

    for added in commands.choices.values():
        added.add_argument("-q", "--quiet", action="store_true", help="print results only")
    for added in (compiled, data, train, export, evaluate, inspect, verify, embed, codes, prove):
        added.add_argument("--json", action="store_true", help="print results as JSON")
    return parser


def selects(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", dest="overrides",
        help="override what the file declares: hidden=128, train.lr=1e-4, data.source=Demo; may be "
        "repeated",
    )  # fmt: skip
    parser.add_argument("--only", metavar="CHOICES", help="select points: content=CNN,hidden=64")


def takes_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE")
    selects(parser)


def caches(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--cache", metavar="FOLDER", help="where prepared data is kept (else LEGOC_CACHE)"
    )


def records(parser: argparse.ArgumentParser, example: str) -> None:
    parser.add_argument(
        "input", nargs="?", default="-",
        help=f"records such as {example}, as .jsonl, .csv, .tsv or .parquet; - reads JSON lines",
    )  # fmt: skip
    parser.add_argument(
        "-o", "--output", default="-", help="where the answers go, by the same endings"
    )


def runs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--runs", metavar="FOLDER", default="runs", help="where run folders go")
