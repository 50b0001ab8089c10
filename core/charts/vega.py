"""What a browser gets: Vega's script, which draws the views, and the files beside this one."""

from functools import lru_cache
from pathlib import Path

import vl_convert


def text_of(*names: str) -> str:
    """Return the text of files in this folder, one after the other."""
    return "\n".join(Path(__file__).with_name(name).read_text("utf-8") for name in names)


@lru_cache(maxsize=1)
def vega_script() -> str:
    """Return a module that sets `globalThis.vegaEmbed`, about 1 MB, made once a process."""
    return str(
        vl_convert.javascript_bundle("globalThis.vegaEmbed = vegaEmbed;")
    )  # all that the player needs of it
