"""The project's exception: a command line prints its message, a page shows it."""


class PrunescopeError(Exception):
    """A request cannot be carried out.

    The message is one line for a reader: it names the value, the bound it breaks and the remedy.
    """
