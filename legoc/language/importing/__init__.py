"""The configurations of Legommenders, translated into .lego files."""
