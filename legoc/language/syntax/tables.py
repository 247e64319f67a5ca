"""The parser's tables as data: `grammar/lego.tables.json`, made from `grammar/lego.lark`.

Building them from the grammar costs as much as a whole check. Lark keeps them as a pickle, and who
can write where a pickle lies runs code in every command; what it puts in there is plain data, so it
is shipped as JSON beside the grammar and compared with a fresh one by a test.

The structure is a list of parts. A list among them begins with its form (0 a mapping, 1 a list, 2 a
tuple) and names its values by their place; whatever repeats stands there once.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import lark
from lark.grammar import Rule
from lark.lexer import TerminalDef


MAPPING, LIST, TUPLE = 0, 1, 2
# How Lark tells an action that goes to a state from one that ends a rule.
SHIFT = 0


def write_tables(made: lark.Lark, grammar: str) -> str:
    """The text of the tables of a parser built from a grammar."""
    parts: list[str] = []
    known: dict[str, int] = {}

    def place(value: Any) -> int:
        if isinstance(value, dict):
            pairs = [(key, place(each)) for key, each in value.items()]
            part: Any = [MAPPING, *(each for pair in pairs for each in pair)]
        elif isinstance(value, list | tuple):
            form = LIST if isinstance(value, list) else TUPLE
            part = [form, *(place(each) for each in value)]
        else:
            part = value
        text = json.dumps(part, ensure_ascii=False, separators=(",", ":"))
        if text not in known:
            known[text] = len(parts)
            parts.append(text)
        return known[text]

    place(renumbered(made))
    head = {"lark": lark.__version__, "grammar": digest(grammar)}
    lines = ",\n".join(parts)
    return f'{json.dumps(head)[:-1]}, "parts": [\n{lines}\n]}}\n'


def read_tables(text: str, grammar: str) -> lark.Lark | None:
    """The parser of a grammar from its tables; None where they are another grammar's, or written
    for another Lark."""
    try:
        found = json.loads(text)
        if found["lark"] != lark.__version__ or found["grammar"] != digest(grammar):
            return None
        values: list[Any] = []
        at = values.__getitem__
        for part in found["parts"]:
            if type(part) is not list:
                values.append(part)
            elif part[0] == MAPPING:
                values.append(dict(zip(part[1::2], map(at, part[2::2]), strict=True)))
            else:
                items = map(at, part[1:])
                values.append(list(items) if part[0] == LIST else tuple(items))
    except (ValueError, LookupError, TypeError):
        return None
    # A mapping is taken as it is; only a file would be unpickled.
    return lark.Lark.load(values[-1])


def renumbered(made: lark.Lark) -> Mapping[str, Any]:
    """What Lark would keep of a parser, with numbers of its own replaced by others that no order of
    hashing changes: names in order, states in the order in which they are reached."""
    data, memo = made.memo_serialize([TerminalDef, Rule])
    order = sorted(memo, key=lambda each: json.dumps(memo[each], sort_keys=True))
    objects = {old: new for new, old in enumerate(order)}
    table = data["parser"]["parser"]
    names = sorted(table["tokens"].values())
    tokens = {old: names.index(name) for old, name in table["tokens"].items()}
    states: dict[int, int] = {}
    waiting = [table["start_states"][start] for start in sorted(table["start_states"])]
    while waiting:
        state = waiting.pop(0)
        if state in states:
            continue
        states[state] = len(states)
        actions = table["states"][state]
        shifts = [(tokens[token], arg) for token, (kind, arg) in actions.items() if kind == SHIFT]
        waiting += [arg for _, arg in sorted(shifts)]

    def action(kind: int, arg: Any) -> tuple[int, Any]:
        return kind, states[arg] if kind == SHIFT else {"@": objects[arg["@"]]}

    table["tokens"] = dict(enumerate(names))
    table["states"] = {
        states[state]: {
            tokens[token]: action(*table["states"][state][token])
            for token in sorted(table["states"][state], key=lambda each: tokens[each])
        }
        for state in states
    }
    for group in ("start_states", "end_states"):
        table[group] = {start: states[table[group][start]] for start in sorted(table[group])}
    for holder, key in ((data, "rules"), (data["parser"]["lexer_conf"], "terminals"),
                        (data["parser"]["parser_conf"], "rules")):  # fmt: skip
        holder[key] = sorted(({"@": objects[each["@"]]} for each in holder[key]),
                             key=lambda each: each["@"])  # fmt: skip
    return {"data": data, "memo": {objects[old]: memo[old] for old in order}}


def digest(grammar: str) -> str:
    return hashlib.sha256(grammar.encode()).hexdigest()
