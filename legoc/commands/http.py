"""`legoc serve`: a bundle over HTTP, by the runtime alone."""

from argparse import ArgumentParser, Namespace

from legoc.commands.bundles import bundle_of
from legoc.commands.flags import Command
from legoc_runtime.serving.flags import add_flags


def serve_flags(parser: ArgumentParser) -> None:
    parser.add_argument("folder", metavar="BUNDLE|RUN")
    add_flags(parser)


def run_serve(arguments: Namespace) -> int:
    """Serve until told to stop. What cannot be served is told as the runtime tells it."""
    from legoc_runtime.serving.command import serve

    return serve(bundle_of(arguments.folder), arguments)


COMMANDS = {"serve": Command(serve_flags, run_serve)}
