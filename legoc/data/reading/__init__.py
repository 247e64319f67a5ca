"""Attributes as ids: vocabularies, bins, token matrices, vectors and the ids of language models."""
