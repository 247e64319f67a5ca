"""Attributes as ids: vocabularies, bins, token matrices, vectors and the ids of language models.

For others: `checkpoint`, `inputs`, `item_rows`, `language_model`, `model_hub`, `model_tokens`,
`profiles`, `prompts`, `quantise`, `tokens`, `vectors`.
"""
