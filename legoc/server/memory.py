"""When the garbage of a server is collected: in pauses, never between a key and its answer.

A collection of everything takes longer than the longest completion, and Python starts one wherever
enough has been allocated.
"""

import gc


NEVER = 1 << 30


def keep_loaded() -> None:
    """What is loaded by now, the tables of the parser and the declarations, stays for good: no
    collection looks at it again. From here on the oldest garbage waits for `tidy`."""
    gc.collect()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, NEVER)


def tidy() -> None:
    """Collect what earlier versions of texts have left: their names and scopes refer to each
    other in circles."""
    gc.collect()
