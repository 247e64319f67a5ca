"""Computations that several operators share, written so that they export (EXPORT section 4)."""
