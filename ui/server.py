"""What the server process does once, after its first page, and the next pages would otherwise wait for."""

import gc
from functools import cache
from importlib import import_module


@cache
def settle() -> None:
    """Import what not every page needs, and let the garbage collector pass over all that is there by now.

    statsmodels takes almost a second. A full collection, which is due again and again while hundreds of results are
    read, looks at every object of every package; nothing of them is ever garbage.
    """
    import_module("core.sweep.paired_tests")
    gc.freeze()
