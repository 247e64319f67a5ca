"""The command line `legoc`: `cli` dispatches, and each command's module declares its flags beside
the function that runs it.
"""
