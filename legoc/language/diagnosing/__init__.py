"""A mistake as a value: where it is, what is wrong, what to type; and how it is printed.

For others: `diagnostics`, `document`, `failures`, `paths`, `render`, `suggest`.
"""
