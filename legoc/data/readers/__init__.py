"""Readers of published file shapes: lines, JSON lines, delimited text, moments in time."""
