"""`legoc operators`, `legoc explain` and `legoc help`: the reference, printed."""

from argparse import ArgumentParser, Namespace

from legoc.commands.flags import Command


def operators_flags(parser: ArgumentParser) -> None:
    parser.add_argument(
        "role", nargs="?", help="content, behavior, predict, source, metric, split, ...; data, "
        "train and export: their fields",
    )  # fmt: skip
    parser.add_argument("name", nargs="?", help="for example CNN")
    parser.add_argument("--json", action="store_true", help="print the declarations as JSON")


def run_operators(arguments: Namespace) -> int:
    from legoc.commands.pages import show_operators

    return show_operators(arguments.role, arguments.name, as_json=arguments.json)


def explain_flags(parser: ArgumentParser) -> None:
    parser.add_argument("code", nargs="?", help="for example E0403; left out: a list of all")


def run_explain(arguments: Namespace) -> int:
    from legoc.commands.pages import show_code, show_codes

    return show_codes() if arguments.code is None else show_code(arguments.code)


def help_flags(parser: ArgumentParser) -> None:
    parser.add_argument("topic", nargs="*", help="for example sweep; left out: a list of all")


def run_help(arguments: Namespace) -> int:
    from legoc.commands.topics import show_topic, show_topics

    return show_topic(" ".join(arguments.topic)) if arguments.topic else show_topics()


COMMANDS = {
    "operators": Command(operators_flags, run_operators),
    "explain": Command(explain_flags, run_explain),
    "help": Command(help_flags, run_help),
}
