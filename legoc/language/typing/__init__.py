"""From points to specs: arguments, types on the arrows, rules, and the words where they break.

For others: `arguments`, `attributes`, `columns`, `effects`, `exports`, `generated_logs`, `headers`,
`inference`, `lower`, `parquet`, `processed_headers`, `proposal`, `rules`, `searching`,
`table_columns`, `table_files`, `unify`, `wording_params`, `wording_types`.
"""
