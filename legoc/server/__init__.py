"""The language server: what `legoc.language.editing` answers, spoken over the protocol of editors.

Imported by `legoc lsp` alone; pygls and lsprotocol come with the extra `lsp`.
"""
