"""The one domain exception: what a command line prints and a page shows."""


class PrunescopeError(Exception):
    """A request that cannot be carried out, told in one line.

    The message names the value, the bound it breaks and the remedy, so that it
    can be shown to a person as it is.
    """
