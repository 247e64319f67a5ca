"""`legoc lsp`: the language server."""

from argparse import ArgumentParser, Namespace

from legoc.commands.flags import Command


def lsp_flags(parser: ArgumentParser) -> None:
    """An editor starts the command and asks for nothing."""


def run_lsp(arguments: Namespace) -> int:
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


COMMANDS = {"lsp": Command(lsp_flags, run_lsp)}
