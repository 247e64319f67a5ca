"""Readers of published file shapes: lines, JSON lines, delimited text, moments in time.

For others: `blocks`, `delimited`, `json_lines`, `opened`, `tables`, `times`, `truncation`.
"""
