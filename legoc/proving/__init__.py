"""Proof by doing: every legal combination of a spec is built, trained, exported and compared."""

from legoc.proving.matrix import text
from legoc.proving.public import Proven, prove


__all__ = ["Proven", "prove", "text"]
