"""Values as one would write them: for the names of points and for `--only`."""

import json

from legoc.language.resolving.points import Given, Measure, Range, Record, Settings
from legoc.language.syntax.names import written_call


def show(value: Given | Settings) -> str:
    """The text of a value, on one line: `CNN(hidden=64, fuse=concat)`, `1e-3`, `"a"`."""
    if isinstance(value, Settings):
        return show_settings(value)
    plain = value.value
    if value.shown:
        return value.shown
    if isinstance(plain, Range):
        return f"{show(plain.low)}..{show(plain.high)}{' log' if plain.log else ''}"
    if plain is None:
        return "none"
    if isinstance(plain, bool):
        return str(plain).lower()
    if isinstance(plain, Settings):
        return show_settings(plain)
    if isinstance(plain, Record):
        return plain.name
    if isinstance(plain, tuple):
        return f"[{', '.join(show(each) for each in plain)}]"
    if isinstance(plain, str):
        return json.dumps(plain, ensure_ascii=False)
    if isinstance(plain, Measure):
        return f"{plain.number}{plain.unit}"
    return value.span.text or repr(plain)


def show_settings(settings: Settings) -> str:
    given = [show(each) for each in settings.positional]
    given += [
        f"{name}{' in ' if isinstance(each.given.value, Range) else '='}{show(each.given)}"
        for name, each in settings.args.items()
    ]
    return written_call(settings.name, given)
