"""Content operators: what an item says of itself becomes one vector."""
