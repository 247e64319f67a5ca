"""What a source is made of: the relations it yields, and bad rows counted on the way.

For others: `clicked`, `clicks`, `empty_files`, `first_records`, `graded`, `impressions`, `losses`,
`rated`, `report`, `source`, `staged`, `unique_names`.
"""
