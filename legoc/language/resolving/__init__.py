"""From trees to points: names, files, copies, overrides, axes and what `--only` selects.

For others: `declared`, `expand`, `override`, `points`, `replacing`, `resolve`, `resolved`, `scope`,
`select`, `show`, `spec_form`, `template`, `values`, `ways`, `wording_operators`,
`wording_overrides`.
"""
