"""`python -m legoc` is the command `legoc`."""

from legoc.cli import start


start()
