"""Which rows train, validate and test, and which clicks each of them may know.

For others: `feedback`, `orders`, `protocols`, `split_files`, `unseen`.
"""
