"""The values the front end yields, `Spec` and `Plan`: how they are written, compared and hashed.

For others: `asking_forms`, `checkpoints`, `counted`, `difference`, `digest`, `files`, `form`,
`generation`, `negatives`, `notation`, `places`, `plan`, `scores`, `spec`, `text`.
"""
