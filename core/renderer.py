"""`python -m core.renderer FILE`: draws a figure as GIF, PNG or SVG into a file.

Drawing holds Python's lock for as long as a picture takes, which a server with many visitors cannot afford. So it runs
in a separate process (`core.exports.drawing`). The order is one line of JSON on standard input, {"spec", "format",
"frames", "milliseconds"}; for every frame of a GIF, one line goes to standard output.
"""

import io
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import vl_convert
from PIL import Image

SCALE = 2.0  # of a PNG: sharp in print and on a projector
GIF_SCALE = 1.5
LAST_HOLDS = 3  # the last frame stays this many times as long, as in the player
COLOURS = 255  # of the 256 that a GIF has; the last means "as in the frame before"
MAX_STACKED = 24  # frames that the palette is computed from; more would only cost memory
WHITE = (255, 255, 255)
NICENESS = 10  # the pages come first


def draw(order: Mapping[str, Any]) -> Iterator[bytes | None]:
    """Draw a figure.

    Args:
        order: `spec`: a Vega-Lite figure with a `frame` signal; `format`: gif, png or svg; `frames`: indices, a single
            one for PNG and SVG; `milliseconds`: how long a GIF shows each frame.

    Yields:
        None after each frame of a GIF; last, the file's content.
    """
    vega = vl_convert.vegalite_to_vega(order["spec"])
    if order["format"] == "svg":
        yield vl_convert.vega_to_svg(_with_frame(vega, order["frames"][0])).encode()
    elif order["format"] == "png":
        yield _png(vega, order["frames"][0], SCALE)
    else:
        images = []
        for frame in order["frames"]:
            images.append(Image.open(io.BytesIO(_png(vega, frame, GIF_SCALE))).convert("RGB"))
            yield None
        yield animation(images, order["milliseconds"])


def _with_frame(vega: dict[str, Any], frame: int) -> dict[str, Any]:
    """Return a compiled figure with its `frame` signal set."""
    signals = [{**signal, "value": frame} if signal["name"] == "frame" else signal for signal in vega["signals"]]
    return {**vega, "signals": signals}


def _png(vega: dict[str, Any], frame: int, scale: float) -> bytes:
    png: bytes = vl_convert.vega_to_png(_with_frame(vega, frame), scale=scale)
    return png


def animation(images: Sequence[Image.Image], milliseconds: int) -> bytes:
    """Return a GIF that loops; all frames share one palette, since separate ones make constant pixels flicker.

    Args:
        images: RGB, all of one size.
        milliseconds: How long each frame is shown.
    """
    palette = _palette(images)
    frames = [_indexed(image, palette) for image in images]
    durations = [milliseconds] * (len(frames) - 1) + [milliseconds * LAST_HOLDS]
    file = io.BytesIO()
    frames[0].save(
        file, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0, optimize=False, disposal=1
    )
    return file.getvalue()


def _indexed(image: Image.Image, palette: Image.Image) -> Image.Image:
    """Convert an image to the palette; Pillow's coarse look-up misses pure white, so white is set by itself."""
    indexed = image.quantize(palette=palette, dither=Image.Dither.NONE)
    paper = image.convert("L").point(lambda shade: 255 * (shade == 255))
    indexed.paste(COLOURS - 1, mask=paper)
    return indexed


def _palette(images: Sequence[Image.Image]) -> Image.Image:
    """Return the colours that the images need most, and pure white."""
    chosen = images[:: -(-len(images) // MAX_STACKED)]
    width, height = chosen[0].size
    stack = Image.new("RGB", (width, height * len(chosen)))
    for k, image in enumerate(chosen):
        stack.paste(image, (0, k * height))
    colours = stack.quantize(COLOURS - 1, dither=Image.Dither.NONE).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([*colours[: 3 * (COLOURS - 1)], *WHITE])
    return palette


def main() -> None:
    """Carry out the order on standard input."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    for content in draw(json.loads(sys.stdin.readline())):
        if content is None:
            print("done", flush=True)
        else:
            Path(sys.argv[1]).write_bytes(content)


if __name__ == "__main__":
    main()
