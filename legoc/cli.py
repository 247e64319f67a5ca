"""The command `legoc`: one thin function per subcommand, every heavy import inside it.

Exit codes: 0 done, 1 the input was at fault, 2 usage, 70 an internal error, 130 interrupted.
"""

import argparse
import gc
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from legoc.language import Spec
    from legoc.progress import Progress

Arguments = argparse.Namespace
LIGHT = ("check", "fmt", "operators", "explain", "diff", "new", "debug", "import")
FORMATS = ("full", "concise", "json", "github")


def build_parser() -> argparse.ArgumentParser:
    """The whole command line. Flags are frozen: `--set` changes what a file declares, nothing
    else."""
    parser = argparse.ArgumentParser(
        prog="legoc",
        description="Compile a recommender, written in one line, into a trained, certified bundle.",
        epilog="`legoc COMMAND --help` explains a command. A first look: `legoc demo`.",
    )
    parser.add_argument("--version", action="store_true", help="print the version and stop")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")

    def command(name: str, does: str, run: Callable[[Arguments], int]) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=does, description=does[0].upper() + does[1:] + ".")
        added.set_defaults(run=run)
        return added

    check = command("check", "parse and check files, everything up to the typed spec", run_check)
    check.add_argument("files", nargs="+", metavar="FILE")
    check.add_argument("--types", action="store_true", help="print the type on each arrow")
    check.add_argument("--points", action="store_true", help="print the name of every point")
    check.add_argument("--ir", action="store_true", help="print the typed spec as JSON")
    check.add_argument(
        "--fix", action="store_true", help="apply the safe fixes in place: spelling, number forms"
    )
    check.add_argument("--format", choices=FORMATS, default="full", help="how messages are printed")
    selects(check)

    fmt = command("fmt", "format files in place", run_fmt)
    fmt.add_argument("files", nargs="+", metavar="FILE")
    fmt.add_argument(
        "--check", action="store_true", help="change nothing; exit 1 if a file would change"
    )
    fmt.add_argument("--diff", action="store_true", help="change nothing; print what would change")

    operators = command("operators", "list the operators, or describe one", run_operators)
    operators.add_argument(
        "role", nargs="?", help="content, behavior, predict, source, metric, ..."
    )
    operators.add_argument("name", nargs="?", help="for example CNN")
    operators.add_argument("--json", action="store_true", help="print the declarations as JSON")

    explain = command("explain", "explain a code such as E0403", run_explain)
    explain.add_argument("code")

    compiled = command(
        "compile", "print the plan: types, parameters, cost, caches, graphs", run_compile
    )
    takes_file(compiled)

    data = command(
        "data", "prepare the data and print counts, coverage and every dropped row", run_data
    )
    takes_file(data)
    data.add_argument("--page", metavar="FILE", help="write it with charts as an HTML page, too")
    caches(data)

    train = command(
        "train", "compile, prepare, train, export and evaluate every run of a file", run_train
    )
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

    export = command("export", "write the bundle of a run", run_export)
    export.add_argument("folder", metavar="RUN")
    caches(export)

    evaluate = command("eval", "evaluate a bundle or a run with cached encoders", run_eval)
    evaluate.add_argument("folder", metavar="BUNDLE|RUN")
    evaluate.add_argument(
        "--uncached", action="store_true", help="encode every pair anew, to compare"
    )
    evaluate.add_argument("--split", choices=("train", "valid", "test"), default=None)
    caches(evaluate)

    score = command("score", "score candidates for histories", run_score)
    score.add_argument("folder", metavar="BUNDLE")
    records(score, '{"history": ["N1"], "candidates": ["N5"]}')

    recommend = command("recommend", "give the best items for histories", run_recommend)
    recommend.add_argument("folder", metavar="BUNDLE")
    records(recommend, '{"history": ["N1", "N2"]}')
    recommend.add_argument("-k", type=int, default=10, help="items per user (default: 10)")
    recommend.add_argument(
        "--keep-clicked", action="store_true", help="items of the history may return"
    )

    prove = command(
        "prove", "build, train, export and compare every legal point of a file", run_prove
    )
    takes_file(prove)
    caches(prove)
    prove.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="processes side by side (default: 1)"
    )
    prove.add_argument(
        "--out", metavar="FOLDER", help="records, matrix.json and matrix.html (default: prove-FILE)"
    )

    demo = command("demo", "train and compare two models on the embedded data set", run_demo)
    caches(demo)
    runs(demo)

    inspect = command("inspect", "say what is in a bundle", run_inspect)
    inspect.add_argument("folder", metavar="BUNDLE")

    verify = command(
        "verify", "check every hash, the golden tensors and the certificate", run_verify
    )
    verify.add_argument("folder", metavar="BUNDLE")

    diff = command("diff", "compare what two files mean, point by point", run_diff)
    diff.add_argument("before", metavar="FILE")
    diff.add_argument("after", metavar="FILE")
    diff.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", dest="overrides",
        help="override what both files declare",
    )  # fmt: skip

    new = command("new", "write a starter file from a shipped spec", run_new)
    new.add_argument("name", nargs="?", help="for example nrms; without one, the names are listed")
    new.add_argument("-o", "--output", metavar="FILE", help="where it goes, else it is printed")

    imported = command("import", "translate a Legommenders configuration", run_import)
    imported.add_argument("file", metavar="MODEL.yaml")
    imported.add_argument("--data", metavar="DATA.yaml", help="its data configuration")
    imported.add_argument("-o", "--output", metavar="FILE", help="where it goes, else printed")
    imported.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", dest="overrides",
        help="fill a placeholder `${NAME}$`, as that library's command line would",
    )  # fmt: skip

    debug = command("debug", "print what one phase makes of a file", run_debug)
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

    command("lsp", "serve an editor over standard input and output", run_lsp)

    for added in commands.choices.values():
        added.add_argument("-q", "--quiet", action="store_true", help="print results only")
    for added in (compiled, data, train, export, evaluate, inspect, verify, prove):
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


def progress(arguments: Arguments) -> "Progress":
    from legoc.console import choose

    return choose(arguments.quiet)


def points(arguments: Arguments) -> "list[Spec]":
    """The specs a command works through; warnings are printed, errors raised."""
    from legoc.language import SpecError, check
    from legoc.language.diagnostics import fail

    checked = check(arguments.file, overrides=arguments.overrides, only=arguments.only)
    if checked.errors:
        raise SpecError(*checked.diagnostics)
    report(checked.diagnostics)
    if not checked.specs:
        line = checked.suggestion or "run MODEL on DATA with TRAIN"
        raise fail(
            "E0702",
            f"`{arguments.file}` declares no run, so there is nothing to work on",
            f"add a line: `{line}`",
        )
    return list(checked.specs)


def report(diagnostics: Sequence[Any], format: str = "full") -> None:
    """Print diagnostics: to standard error for people, to standard output for machines."""
    if not diagnostics and format != "json":
        return
    from legoc.language.render import render

    stream = sys.stderr if format == "full" else sys.stdout
    text = render(diagnostics, format=format, colour=format == "full" and stream.isatty())
    print(text, file=stream)


def run_check(arguments: Arguments) -> int:
    from legoc.language import check
    from legoc.show import show_checked

    found: list[Any] = []
    for path in arguments.files:
        if arguments.fix:
            fix_in_place(path, arguments.overrides)
        checked = check(path, overrides=arguments.overrides, only=arguments.only)
        # What several files share is missing once.
        fresh = [d for d in checked.diagnostics if not (d.brief and d in found)]
        found.extend(fresh)
        if arguments.format == "full":
            report(fresh)
        if arguments.format == "full" or arguments.types or arguments.points or arguments.ir:
            show_checked(
                path, checked, types=arguments.types, points=arguments.points, ir=arguments.ir,
                quiet=arguments.quiet,
            )  # fmt: skip
    if arguments.format != "full":
        report(found, arguments.format)
    return 1 if any(d.severity == "error" for d in found) else 0


def fix_in_place(path: str, overrides: Sequence[str]) -> None:
    """Apply the safe fixes of a file and say which, to standard error."""
    from legoc.language.diagnostics import fail
    from legoc.language.fixes import fix_file

    try:
        applied = fix_file(path, overrides=overrides)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise fail(
            "E0211", f"`{path}` cannot be written: {reason}", "check the permissions of its folder"
        ) from None
    for diagnostic in applied:
        line, column = diagnostic.fix.span.position if diagnostic.fix else (1, 1)
        title = diagnostic.fix.title if diagnostic.fix else ""
        print(f"{path}:{line}:{column}: fixed[{diagnostic.code}]: {title}", file=sys.stderr)


def run_fmt(arguments: Arguments) -> int:
    from legoc.show import format_files

    return format_files(arguments.files, check=arguments.check, diff=arguments.diff)


def run_operators(arguments: Arguments) -> int:
    from legoc.pages import show_operators

    return show_operators(arguments.role, arguments.name, as_json=arguments.json)


def run_explain(arguments: Arguments) -> int:
    from legoc.pages import show_code

    return show_code(arguments.code)


def run_diff(arguments: Arguments) -> int:
    from legoc.language import check
    from legoc.language.diagnostics import SpecError
    from legoc.language.difference import compare
    from legoc.show import show_differences

    files = (arguments.before, arguments.after)
    checked = [check(path, overrides=arguments.overrides) for path in files]
    for found in checked:
        if found.errors:
            raise SpecError(*found.errors)
    differences = compare(*(found.specs for found in checked))
    return show_differences(*files, differences)


def run_new(arguments: Arguments) -> int:
    from legoc.show import show_starters, write_output

    if arguments.name is None:
        return show_starters()
    from legoc.language.starter import starter

    return write_output(starter(arguments.name), arguments.output)


def run_import(arguments: Arguments) -> int:
    from legoc.language.importer import import_config
    from legoc.show import write_output

    text, diagnostics = import_config(
        arguments.file, arguments.data, overrides=arguments.overrides, output=arguments.output
    )
    report(diagnostics)
    return write_output(text, arguments.output)


def run_debug(arguments: Arguments) -> int:
    from legoc.show import show_phase

    return show_phase(
        arguments.file, arguments.phase, overrides=arguments.overrides, only=arguments.only
    )


def run_compile(arguments: Arguments) -> int:
    from legoc.model import compile
    from legoc.report import print_json, show_compiled

    for spec in points(arguments):
        compiled = compile(spec)
        if arguments.json:
            print_json(compiled.to_json())
        else:
            show_compiled(compiled)
    return 0


def run_data(arguments: Arguments) -> int:
    from legoc.data import prepare
    from legoc.data.portrait import draw_portrait
    from legoc.language.notation import write_call
    from legoc.report import print_json, show_prepared
    from legoc.show_data import show_portrait, write_page

    seen: set[str] = set()
    sections: list[Any] = []
    for spec in points(arguments):
        prepared = prepare(
            spec, cache=arguments.cache, strict=arguments.strict, progress=progress(arguments)
        )
        if prepared.digest in seen:
            continue
        seen.add(prepared.digest)
        portrait = draw_portrait(spec, prepared)
        sections.append((write_call("source", spec.data.source), prepared.report, portrait))
        if arguments.json:
            print_json({**prepared.report.to_json(), "portrait": portrait.to_json()})
        else:
            show_prepared(spec, prepared)
            show_portrait(portrait)
    if arguments.page is not None:
        write_page(arguments.page, sections)
    return 0


def run_train(arguments: Arguments) -> int:
    from legoc.report import print_json, show_runs
    from legoc.training import train

    done = [
        train(
            spec, runs=arguments.runs, until=arguments.until, cache=arguments.cache,
            again=arguments.again, strict=arguments.strict, threads=arguments.threads,
            device=arguments.device, progress=progress(arguments),
        )
        for spec in points(arguments)
    ]  # fmt: skip
    if arguments.json:
        print_json([run.to_json() for run in done])
    else:
        show_runs(done)
    return 0


def run_export(arguments: Arguments) -> int:
    from legoc.exporting import export
    from legoc.report import print_json, show_bundle

    bundle = export(arguments.folder, cache=arguments.cache, progress=progress(arguments))
    if arguments.json:
        print_json(bundle.manifest["certificate"])
    else:
        show_bundle(bundle.path)
    return 0


def run_eval(arguments: Arguments) -> int:
    from legoc.evaluation import evaluate
    from legoc.report import print_json, show_report

    result = evaluate(
        arguments.folder, cached=not arguments.uncached, split=arguments.split,
        cache=arguments.cache, progress=progress(arguments),
    )  # fmt: skip
    if arguments.json:
        print_json(result.to_json())
    else:
        show_report(result)
    return 0


def run_score(arguments: Arguments) -> int:
    from legoc.serve import score_lines

    return score_lines(arguments.folder, arguments.input, arguments.output)


def run_recommend(arguments: Arguments) -> int:
    from legoc.serve import recommend_lines

    return recommend_lines(
        arguments.folder, arguments.input, arguments.output,
        k=arguments.k, keep_clicked=arguments.keep_clicked,
    )  # fmt: skip


def run_prove(arguments: Arguments) -> int:
    from pathlib import Path

    from legoc.proving import prove, text
    from legoc.report import print_json

    proven = prove(
        arguments.file, out=arguments.out or f"prove-{Path(arguments.file).stem}",
        jobs=arguments.jobs, overrides=arguments.overrides, only=arguments.only,
        cache=arguments.cache, progress=progress(arguments),
    )  # fmt: skip
    if arguments.json:
        print_json(proven.matrix.to_json())
    else:
        print(text(proven.matrix))
        print(f"\n{proven.folder / 'matrix.html'}")
    return 1 if proven.red else 0


def run_demo(arguments: Arguments) -> int:
    from legoc.demo import run

    return run(runs=arguments.runs, cache=arguments.cache, progress=progress(arguments))


def run_inspect(arguments: Arguments) -> int:
    import legoc_runtime
    from legoc.report import print_json, show_bundle

    if arguments.json:
        print_json(legoc_runtime.load(arguments.folder).manifest)
    else:
        show_bundle(arguments.folder)
    return 0


def run_verify(arguments: Arguments) -> int:
    from legoc.exporting import verify_bundle
    from legoc.report import print_json, show_verified

    verified = verify_bundle(arguments.folder)
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


def run_lsp(arguments: Arguments) -> int:
    from legoc.language.diagnostics import fail

    try:
        from legoc.server.serving import serve
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in ("pygls", "lsprotocol"):
            raise
        raise fail(
            "E0291",
            "the language server needs pygls, which is not installed",
            "install it: pip install 'legoc[lsp]'",
        ) from None
    serve()
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    if arguments.version:
        from legoc import __version__

        print(f"legoc {__version__}")
        return 0
    if arguments.command is None:
        parser.print_help()
        return 2
    if arguments.command in LIGHT:
        # They end within a moment and make no cycles worth collecting: a tenth of their time.
        gc.disable()
    try:
        return arguments.run(arguments)
    except KeyboardInterrupt:
        print("interrupted; the same command goes on where it stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader (`| head`) has gone; Python's own flush at exit must not complain about it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return answer(error)


def start() -> None:
    """The process `legoc`: run a command and leave."""
    code = main()
    if len(sys.argv) > 1 and sys.argv[1] in LIGHT:
        # Taking the interpreter down object by object costs as much as a seventh of a check.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def answer(error: Exception) -> int:
    """What a failed command prints: a diagnostic for a user's mistake, a report for one of ours."""
    from legoc.language.diagnostics import Diagnostic, LegoError

    if isinstance(error, LegoError):
        report(error.diagnostics)
        return 1
    if type(error).__module__.split(".")[0] == "legoc_runtime":
        # The runtime knows nothing of diagnostics; its errors carry a message and a help line.
        message, help = getattr(error, "message", str(error)), getattr(error, "help", "")
        report([Diagnostic(code="E0850", message=message, help=(help,) if help else ())])
        return 1
    import traceback

    traceback.print_exception(error)
    print(
        "\ninternal error: this is a defect of legoc, not of your input. Please report the "
        "lines above together with the command.",
        file=sys.stderr,
    )
    return 70


if __name__ == "__main__":
    start()
