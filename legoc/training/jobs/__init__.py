"""Several runs at a time, each in a process of its own that takes one after another."""
