"""`legoc operators` and `legoc explain`: the reference, printed."""

from argparse import ArgumentParser, Namespace

from legoc.commands.flags import Command


def operators_flags(parser: ArgumentParser) -> None:
    parser.add_argument("role", nargs="?", help="content, behavior, predict, source, metric, ...")
    parser.add_argument("name", nargs="?", help="for example CNN")
    parser.add_argument("--json", action="store_true", help="print the declarations as JSON")


def run_operators(arguments: Namespace) -> int:
    from legoc.commands.pages import show_operators

    return show_operators(arguments.role, arguments.name, as_json=arguments.json)


def explain_flags(parser: ArgumentParser) -> None:
    parser.add_argument("code")


def run_explain(arguments: Namespace) -> int:
    from legoc.commands.pages import show_code

    return show_code(arguments.code)


COMMANDS = {
    "operators": Command(operators_flags, run_operators),
    "explain": Command(explain_flags, run_explain),
}
