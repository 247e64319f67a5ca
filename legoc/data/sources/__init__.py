"""The sources: one published data set each, read as its publisher wrote it.

For others: `recbench_folder`.
"""
