"""From trees to points: names, files, copies, overrides, axes and what `--only` selects.

For others: `declared`, `expand`, `nesting`, `override`, `points`, `ranges`, `replacing`, `resolve`,
`resolved`, `runs`, `scope`, `select`, `settle`, `show`, `spec_form`, `template`, `values`, `ways`,
`wording_operators`, `wording_overrides`.
"""
