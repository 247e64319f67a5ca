"""The configurations of Legommenders, translated into .lego files.

For others: `configuration`.
"""
