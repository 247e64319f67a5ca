"""Rows drawn, negatives sampled, distinct items gathered into length buckets.

For others: `batch`, `sampling`.
"""
