"""`python -m legoc` is the command `legoc`."""

from legoc.commands.cli import start


start()
