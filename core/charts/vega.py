"""Vega's script, which draws the views of this folder in a browser."""

from functools import lru_cache

import vl_convert


@lru_cache(maxsize=1)
def vega_script() -> str:
    """Return a module that sets `globalThis.vegaEmbed`, about 1 MB; it is put together once a process."""
    return str(vl_convert.javascript_bundle("globalThis.vegaEmbed = vegaEmbed;"))  # all that the player needs of it
