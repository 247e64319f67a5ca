"""The command `legoc`: one thin function per subcommand, every heavy import inside it.

Exit codes: 0 done, 1 the input was at fault, 2 usage, 70 an internal error, 130
interrupted (143 by SIGTERM, 129 by SIGHUP).
"""

import argparse
import errno
import gc
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from legoc.options import build_parser


if TYPE_CHECKING:
    from legoc.language import Spec
    from legoc.language.diagnosing.diagnostics import Diagnostic
    from legoc.progress import Progress

Arguments = argparse.Namespace
LIGHT = ("check", "fmt", "operators", "explain", "diff", "new", "debug", "import")


def progress(arguments: Arguments) -> "Progress":
    from legoc.console import choose

    return choose(arguments.quiet)


def points(arguments: Arguments) -> "list[Spec]":
    """The specs a command works through; warnings are printed, errors raised."""
    from legoc.language import SpecError, check
    from legoc.language.diagnosing.diagnostics import fail

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
    from legoc.language.diagnosing.render import render

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
    from legoc.language.diagnosing.diagnostics import fail
    from legoc.language.editing.fixes import fix_file

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
    from legoc.language.diagnosing.diagnostics import SpecError
    from legoc.language.ir.difference import compare
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
    from legoc.language.importing.configuration import import_config
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
    from legoc.data.survey.portrait import draw_portrait, facets
    from legoc.language.ir.notation import write_call
    from legoc.report import print_json, show_prepared
    from legoc.show_data import show_portrait, write_page

    seen: set[str] = set()
    sections: list[Any] = []
    for spec in points(arguments):
        prepared = prepare(
            spec,
            cache=arguments.cache,
            strict=arguments.strict,
            truncated=arguments.keep_truncated,
            progress=progress(arguments),
        )
        if (told := facets(spec, prepared)) <= seen:
            continue
        seen |= told
        portrait = draw_portrait(spec, prepared)
        sections.append((write_call("source", spec.data.source), prepared.report, portrait))
        if arguments.json:
            print_json({**prepared.report.to_json(), "portrait": portrait.to_json()})
        else:
            show_prepared(spec, prepared)
            show_portrait(portrait)
    if arguments.page is not None:
        write_page(arguments.page, sections)
        progress(arguments).say(f"the same with charts: {arguments.page}")
    return 0


def run_train(arguments: Arguments) -> int:
    from legoc.report import print_json, show_runs
    from legoc.training import train

    done = [
        train(
            spec, runs=arguments.runs, until=arguments.until, cache=arguments.cache,
            again=arguments.again, strict=arguments.strict, truncated=arguments.keep_truncated,
            threads=arguments.threads, device=arguments.device, progress=progress(arguments),
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
        cold=arguments.cold, data=arguments.data, cache=arguments.cache,
        progress=progress(arguments),
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


def run_embed(arguments: Arguments) -> int:
    from pathlib import Path

    from legoc.item_vectors import choose_spec, embed_spec, embed_trained, verify_unchanged
    from legoc.report import print_json, show_vectors

    common: dict[str, Any] = {
        "cache": arguments.cache, "threads": arguments.threads, "device": arguments.device,
        "progress": progress(arguments),
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


def run_codes(arguments: Arguments) -> int:
    from legoc.report import print_json
    from legoc.semantic_ids import write_codes

    table = write_codes(
        arguments.file, arguments.output,
        levels=arguments.levels, size=arguments.size, seed=arguments.seed,
    )  # fmt: skip
    if arguments.json:
        print_json(table.to_json())
    else:
        print(table.text())
    return 0


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
    from legoc.language.diagnosing.diagnostics import fail

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


COMMANDS: dict[str, Callable[[Arguments], int]] = {
    "check": run_check,
    "fmt": run_fmt,
    "operators": run_operators,
    "explain": run_explain,
    "diff": run_diff,
    "new": run_new,
    "import": run_import,
    "debug": run_debug,
    "compile": run_compile,
    "data": run_data,
    "train": run_train,
    "export": run_export,
    "eval": run_eval,
    "score": run_score,
    "recommend": run_recommend,
    "embed": run_embed,
    "codes": run_codes,
    "prove": run_prove,
    "demo": run_demo,
    "inspect": run_inspect,
    "verify": run_verify,
    "lsp": run_lsp,
}


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
        return COMMANDS[arguments.command](arguments)
    except KeyboardInterrupt as stop:
        print("interrupted; the same command goes on where it stopped", file=sys.stderr)
        # A signal that docker or SLURM sent has an exit code of its own: 143 for SIGTERM.
        return getattr(stop, "status", 130)
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


# What a disk or its owner refuses, whatever was being written.
REFUSED = frozenset(
    (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR)
)


def unwritable(error: OSError) -> "Diagnostic":
    """The diagnostic of a folder that is full or closed."""
    from legoc.language.diagnosing.diagnostics import Diagnostic

    reason = (error.strerror or str(error)).lower()
    place = "a file cannot be written" if error.filename is None else f"`{error.filename}`"
    return Diagnostic(
        code="E0562",
        message=f"{place}: {reason}",
        help=("make room or choose other folders with `--cache` and `--runs`",),
    )


def answer(error: Exception) -> int:
    """What a failed command prints: a diagnostic for a user's mistake, a report for one of ours."""
    from legoc.language.diagnosing.diagnostics import Diagnostic, LegoError

    if isinstance(error, LegoError):
        report(error.diagnostics)
        return 1
    if type(error).__module__.split(".")[0] == "legoc_runtime":
        # The runtime knows nothing of diagnostics; its errors carry a message and a help line.
        message, help = getattr(error, "message", str(error)), getattr(error, "help", "")
        report([Diagnostic(code="E0850", message=message, help=(help,) if help else ())])
        return 1
    if isinstance(error, OSError) and error.errno in REFUSED:
        report([unwritable(error)])
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
