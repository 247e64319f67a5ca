"""Benchmarks: every claim of speed or memory comes from here, as ratios measured in one run."""
