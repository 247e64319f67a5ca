"""Behavior operators: the vectors of a history become a user."""
