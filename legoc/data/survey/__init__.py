"""What is in prepared data, for people: counts, lengths, suspicions, a page with charts.

For others: `page`, `portrait`.
"""
