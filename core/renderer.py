"""`python -m core.renderer FOLDER`: draws a figure as GIF, MP4, PNG or SVG.

A process of its own (`core.exports.drawing`), since drawing holds Python's lock, which would stop a
server with many visitors. The folder holds the file `order`, JSON with "figure", "format", "frames"
and "seconds", and receives the file `picture`. Each frame of a film prints a line to standard
output.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import vl_convert

from core.exports.films import FILMS
from core.wall.confined import HELPER_NICENESS, end_after, give_way, limit

Json = Mapping[str, Any]

MEMORY_BYTES = 2 * 2**30  # a film of 1920 x 1080 takes half of it, more on more processors
SCALE = 1.5  # enlarges a figure: a slide becomes 1920 x 1080
# No light seams between dark cells, as in player.css.
SHARP = ".mark-rect path { shape-rendering: crispEdges }"


def draw(order: Json) -> bytes:
    """Draw a figure, and return the file's content.

    Args:
        order: `figure`: see `core.exports.figure.figure_of`; `format`: gif, mp4, png or svg;
            `frames`: indices, a single one for a picture.
    """
    svgs = drawn_frames(order["figure"], order["frames"])
    if order["format"] == "svg":
        return next(svgs).encode()
    pngs = (bytes(vl_convert.svg_to_png(svg, scale=SCALE)) for svg in svgs)
    if order["format"] == "png":
        return next(pngs)
    return FILMS[order["format"]](_reported(pngs))


def _reported(pictures: Iterable[bytes]) -> Iterator[bytes]:
    """Print a line after each frame."""
    for picture in pictures:
        yield picture
        print(flush=True)


# ---------------------------------------------------------------- one frame after another


def drawn_frames(figure: Json, frames: Iterable[int]) -> Iterator[str]:
    """Draw frames of a figure as SVG: words, and below them pictures."""
    width = figure["width"]
    height = figure["height"]
    parts = [(part, vl_convert.vegalite_to_vega(part["spec"])) for part in figure["parts"]]
    for frame in frames:
        pictures = (_part(part, vega, frame, k) for k, (part, vega) in enumerate(parts))
        yield (
            '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'width="{width}" height="{height}" viewBox="0 0 {width} {height}">\n'
            f"<style>{SHARP}</style>"
            f'<rect width="{width}" height="{height}" fill="{figure["background"]}"/>\n'
            f"{figure['words']}{figure['readouts'][frame]}{''.join(pictures)}</svg>\n"
        )


def _part(part: Json, vega: Json, frame: int, k: int) -> str:
    """Draw a picture at its place, with unique names for its gradients and masks."""
    signals = [
        {**signal, "value": frame} if signal["name"] == "frame" else signal
        for signal in vega["signals"]
    ]
    drawn: str = vl_convert.vega_to_svg({**vega, "signals": signals})
    drawn = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>part-{k}-", drawn)
    # An axis title may be taller than the plot.
    place = f'x="{part["x"]}" y="{part["y"]}" overflow="visible"'
    return drawn.replace("<svg ", f"<svg {place} ", 1) + "\n"


def main() -> None:
    """Carry out a folder's order."""
    give_way(HELPER_NICENESS)
    folder = Path(sys.argv[1])
    order = json.loads((folder / "order").read_text("utf-8"))
    limit("RLIMIT_DATA", MEMORY_BYTES)
    end_after(order["seconds"])
    (folder / "picture").write_bytes(draw(order))


if __name__ == "__main__":
    main()
