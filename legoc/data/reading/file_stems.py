"""Names of files after the attributes they belong to, on any file system."""

import hashlib
import re


PLAIN = re.compile(r"[a-z][a-z0-9_]{0,63}")
DEVICES = {"con", "prn", "aux", "nul"} | {f"{p}{n}" for p in ("com", "lpt") for n in range(10)}
TAKEN = {"users"}
"""Stems of files that lie beside those of the attributes."""


def file_stem(name: str) -> str:
    """The name of a file without its ending: that of the attribute where every file system can
    store it and tell it from others; else what is left of it, with a part of its digest."""
    if PLAIN.fullmatch(name) and name not in DEVICES | TAKEN:
        return name
    kept = re.sub(r"[^a-z0-9]+", "_", name.lower())[:32].strip("_")
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    # No plain name has a hyphen.
    return f"{kept}-{digest}" if kept else f"attribute-{digest}"
