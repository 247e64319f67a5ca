"""A user encoder for legoc, from outside legoc.

`python -m legoc.catalogue --package legoc_recent legoc_recent/lego.schema.json` writes the file the
front end reads.
"""
