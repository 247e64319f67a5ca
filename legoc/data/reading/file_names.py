"""Attributes as names of files, for their vocabularies (which go into bundles) and their matrices.

Columns have names of all sorts. What a file system or a bundle would take for something else is
written as `%` and the number of the byte, as in addresses.
"""

import hashlib


# Beside letters and digits of any alphabet. A dot would begin an ending: `title.lengths`.
SAFE = " _-,+"
# The ids of users lie beside the vocabularies of attributes.
TAKEN = ("users",)
LONGEST = 120


def file_name(attribute: str) -> str:
    """The name of an attribute's file, without an ending. Two attributes never share one."""
    last = len(attribute) - 1
    name = "".join(
        escaped(char)
        if not (char.isalnum() or char in SAFE)
        or (char == " " and place in (0, last))
        or (place == 0 and attribute in TAKEN)
        else char
        for place, char in enumerate(attribute)
    )
    if len(name.encode()) > LONGEST:
        return f"{name[:24]}%{hashlib.sha256(attribute.encode()).hexdigest()[:24]}"
    return name


def escaped(char: str) -> str:
    return "".join(f"%{byte:02x}" for byte in char.encode())
