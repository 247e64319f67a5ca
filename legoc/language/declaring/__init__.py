"""What operators, sources, metrics and records say of themselves, and the catalog of them all.

For others: `catalog`, `declare`, `kinds`, `records`, `schema`, `shipped`, `tolerances`, `types`.
"""
