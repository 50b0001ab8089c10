"""`python -m core.renderer FILE`: draws a figure as GIF, PNG or SVG, in a process of its own.

Drawing holds Python's lock for as long as a picture takes, which a server of many visitors has not. The order is JSON
on standard input, {"spec", "format", "frames", "milliseconds"}; every frame that is done is a line on standard output.
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
LAST_HOLDS = 3  # the last frame stands this many times as long, as in the player
COLOURS = 255  # one of 256 is left for "as before"
MOST_STACKED = 24  # frames that the palette is made of: more would only cost memory
WHITE = (255, 255, 255)
NICENESS = 10  # the pages come first


def draw(order: Mapping[str, Any]) -> Iterator[bytes | None]:
    """Carries out an order.

    Args:
        order: `spec`: of a figure; `format`: gif, png or svg; `frames`: indices, one for a single picture;
            `milliseconds`: how long a frame of a GIF stands.

    Yields:
        None after each frame, at last the file's content.
    """
    vega = vl_convert.vegalite_to_vega(order["spec"])
    if order["format"] == "svg":
        yield vl_convert.vega_to_svg(_at(vega, order["frames"][0])).encode()
    elif order["format"] == "png":
        yield _png(vega, order["frames"][0], SCALE)
    else:
        images = []
        for frame in order["frames"]:
            images.append(Image.open(io.BytesIO(_png(vega, frame, GIF_SCALE))).convert("RGB"))
            yield None
        yield animation(images, order["milliseconds"])


def _at(vega: dict[str, Any], frame: int) -> dict[str, Any]:
    """A compiled figure with its `frame` set."""
    signals = [{**one, "value": frame} if one["name"] == "frame" else one for one in vega["signals"]]
    return {**vega, "signals": signals}


def _png(vega: dict[str, Any], frame: int, scale: float) -> bytes:
    png: bytes = vl_convert.vega_to_png(_at(vega, frame), scale=scale)
    return png


def animation(images: Sequence[Image.Image], milliseconds: int) -> bytes:
    """Writes a GIF that loops, with one palette through all frames: with one for each, what stands still would flicker.

    Args:
        images: RGB, all of one size.
        milliseconds: How long a frame stands.
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
    """An image in the palette's colours; Pillow looks them up coarsely, so that white must be told apart."""
    indexed = image.quantize(palette=palette, dither=Image.Dither.NONE)
    paper = image.convert("L").point(lambda shade: 255 * (shade == 255))
    indexed.paste(COLOURS - 1, mask=paper)
    return indexed


def _palette(images: Sequence[Image.Image]) -> Image.Image:
    """The colours that all images need most, and the paper's white as it is."""
    chosen = images[:: -(-len(images) // MOST_STACKED)]
    width, height = chosen[0].size
    stack = Image.new("RGB", (width, height * len(chosen)))
    for k, image in enumerate(chosen):
        stack.paste(image, (0, k * height))
    colours = stack.quantize(COLOURS - 1, dither=Image.Dither.NONE).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([*colours[: 3 * (COLOURS - 1)], *WHITE])
    return palette


def main() -> None:
    """Draws what standard input asks for."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    for content in draw(json.load(sys.stdin)):
        if content is None:
            print("done", flush=True)
        else:
            Path(sys.argv[1]).write_bytes(content)


if __name__ == "__main__":
    main()
