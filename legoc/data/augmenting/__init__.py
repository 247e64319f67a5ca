"""Tables and logs of generated text that are joined to the items and users of a data set.

For others: `generated`, `joins`.
"""
