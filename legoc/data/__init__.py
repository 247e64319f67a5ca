"""Raw published files, tables, token matrices, logs of indices, and batches. Never torch."""

# Imported at once: the function must win over the module of the same name.
from legoc.data.indexing.rows import Rows
from legoc.data.prepare import Prepared, prepare


__all__ = ["Prepared", "Rows", "prepare"]
