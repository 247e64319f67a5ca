"""Flatten operators: the tokens of a whole history become a user at once."""
