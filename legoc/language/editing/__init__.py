"""What an editor asks of a text that may be half-written: what may stand here, what is this, where
is it declared. Functions over the front end's values; `legoc.server` speaks the protocol.

For others: `analysis`, `arrows`, `buffers`, `completion`, `explaining`, `fixes`, `names`,
`outline`, `pages`, `proposals`, `renaming`.
"""
