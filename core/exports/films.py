"""Write many frames as one file, GIF or MP4."""

import io
from collections.abc import Iterable
from itertools import chain, repeat

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray
from PIL import Image

COLOURS, EXACT = 256, 64  # of a GIF, and those that are the commonest of all
AREA = 20  # pixels that make a colour more than the edge of a letter
MILLISECONDS = 500  # how long a frame is shown
LAST_HOLDS = 3  # the last frame stays this many times as long, as in the player
RATE = 24  # frames a second of an MP4
QUALITY = "16"  # x264's crf: text and colour bars look as in the PNG


def gif(pngs: Iterable[bytes]) -> bytes:
    """Return a GIF that loops.

    All frames share one palette: with separate ones, constant pixels would flicker. It holds the
    commonest colours, such as those of paper and ink, and others by maximum coverage, which counts
    a colour once: a colour bar has few pixels, and median cut would leave it two or three colours.
    """
    pngs = list(pngs)
    pixels = np.zeros(1 << 24, np.int64)  # of each colour that there could be
    for png in pngs:
        pixels += np.bincount(_packed(png).ravel(), minlength=len(pixels))
    colours = np.flatnonzero(pixels)
    counts = pixels[colours]
    rgb = (colours[:, None] >> np.array([16, 8, 0])).astype(np.uint8)  # (colours, 3)
    commonest = np.argsort(-counts, kind="stable")
    areas = Image.fromarray(rgb[commonest[: max((counts >= AREA).sum(), COLOURS)]][None])
    reduced = areas.quantize(
        COLOURS - EXACT,
        Image.Quantize.MAXCOVERAGE,
        dither=Image.Dither.NONE,
    )
    covering = np.reshape(reduced.getpalette() or [], (-1, 3))
    palette = np.concatenate([rgb[commonest[:EXACT]], covering])[:COLOURS]  # (palette, 3)
    index = np.zeros(len(pixels), np.uint8)  # of each colour in the palette
    index[colours] = ((rgb[:, None].astype(np.int32) - palette) ** 2).sum(axis=-1).argmin(axis=-1)
    first, *others = frames = [Image.fromarray(index[_packed(png)], "P") for png in pngs]
    for frame in frames:
        frame.putpalette(palette.astype(np.uint8).tobytes())
    durations = [MILLISECONDS] * len(others) + [MILLISECONDS * LAST_HOLDS]
    file = io.BytesIO()
    first.save(
        file,
        "GIF",
        save_all=True,
        append_images=others,
        duration=durations,
        loop=0,
        optimize=False,
        disposal=1,
    )
    return file.getvalue()


def _packed(png: bytes) -> NDArray[np.uint32]:
    """Return each pixel's colour as one number."""
    rgb = np.asarray(_read(png), np.uint32)  # (height, width, 3)
    return rgb @ np.array([1 << 16, 1 << 8, 1], np.uint32)


def _read(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB")


def mp4(pngs: Iterable[bytes]) -> bytes:
    """Return an MP4 in H.264 with colours as PowerPoint and Keynote read them: 4:2:0, BT.709."""
    file = io.BytesIO()
    shown = 0
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream(
            "libx264", rate=RATE, options={"crf": QUALITY, "preset": "medium"}
        )
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.thread_count = 1  # others compute beside it
        context.color_range = ColorRange.MPEG
        context.colorspace = Colorspace.ITU709
        context.color_primaries = context.color_trc = 1  # BT.709
        for image in chain(map(_read, pngs), repeat(None, LAST_HOLDS - 1)):
            if image:  # otherwise the last one stays
                frame = av.VideoFrame.from_ndarray(np.asarray(image), "rgb24").reformat(
                    format="yuv420p",
                    dst_colorspace=Colorspace.ITU709,
                    dst_color_range=ColorRange.MPEG,
                )
            if not shown:
                stream.width = frame.width
                stream.height = frame.height
            for _ in range(RATE * MILLISECONDS // 1000):
                frame.pts = shown
                container.mux(stream.encode(frame))
                shown += 1
        container.mux(stream.encode())
    return file.getvalue()


# Functions of PNG files of one size.
FILMS = {"gif": gif, "mp4": mp4}
