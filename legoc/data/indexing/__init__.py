"""The converted tables on disk, their rows by number, and the logs that models read.

For others: `codes`, `context`, `counters`, `counts`, `index`, `log`, `names`, `row_names`, `rows`,
`shares`, `tables`.
"""
