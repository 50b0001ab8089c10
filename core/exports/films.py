"""Many frames in one file: a moving picture, GIF or MP4."""

import io
from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from itertools import chain, repeat

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray
from PIL import Image

LAST_HOLDS = 3  # the last frame stays this many times as long, as in the player

COLOURS = 256  # of a GIF
EXACT = 64  # of these: the commonest of all, such as paper and ink
AREA = 20  # pixels of a frame that make a colour more than the edge of a letter

RATE = 24  # pictures a second of an MP4: every duration that is offered is a whole number of them
QUALITY = "16"  # x264's crf: text and colour bars look as in the PNG


def gif(pngs: Iterable[bytes], milliseconds: int) -> bytes:
    """Return a GIF that loops; all frames share one palette, since separate ones make constant pixels flicker.

    The palette holds the commonest colours as they are, then again and again the colour that is farthest off. Median
    cut serves pixels: a colour bar has few, and would get two or three colours. Farthest first (Gonzalez 1985) serves
    colours: none of an area is farther from the palette than twice the least that is possible.
    """
    pngs, most = list(pngs), Counter[int]()  # of every colour, its pixels in the frame that has most of them
    for png in pngs:
        found, counts = np.unique(_packed(png), return_counts=True)
        most |= Counter(dict(zip(found.tolist(), counts.tolist(), strict=True)))
    packed = np.array(sorted(most, key=lambda colour: (-most[colour], colour)), np.uint32)  # (colours,)
    colours = np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=-1).astype(np.int32)  # (colours, 3)
    candidates = max(sum(count >= AREA for count in most.values()), COLOURS)
    palette, nearest = [], np.zeros(len(colours), np.uint8)
    distances = np.full(len(colours), np.iinfo(np.int32).max, np.int32)  # squared, to the palette
    for k in range(min(COLOURS, candidates, len(colours))):
        palette.append(colours[k if k < EXACT else distances[:candidates].argmax()])
        apart = ((colours - palette[-1]) ** 2).sum(axis=-1, dtype=np.int32)  # (colours,)
        nearest[apart < distances] = k
        distances = np.minimum(distances, apart)
    place = np.zeros(1 << 24, np.uint8)  # of every colour, its nearest one in the palette
    place[packed] = nearest
    first, *others = frames = [Image.fromarray(place[_packed(png)], "P") for png in pngs]
    for frame in frames:
        frame.putpalette(np.array(palette, np.uint8).tobytes())
    durations = [milliseconds] * len(others) + [milliseconds * LAST_HOLDS]
    file = io.BytesIO()
    first.save(file, "GIF", save_all=True, append_images=others, duration=durations, loop=0, optimize=False, disposal=1)
    return file.getvalue()


def _packed(png: bytes) -> NDArray[np.uint32]:
    """Return each pixel's colour as one number."""
    pixels = np.asarray(_read(png), np.uint32)  # (height, width, 3)
    return pixels @ np.array([1 << 16, 1 << 8, 1], np.uint32)  # (height, width)


def _read(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB")


def mp4(pngs: Iterable[bytes], milliseconds: int) -> bytes:
    """Return an MP4 in H.264 with colours as PowerPoint and Keynote read them: 4:2:0, BT.709."""
    file, shown = io.BytesIO(), 0
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": QUALITY, "preset": "medium"})
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.thread_count = 1  # others compute beside it
        context.color_range, context.colorspace = ColorRange.MPEG, Colorspace.ITU709
        context.color_primaries = context.color_trc = 1  # BT.709
        for image in chain(map(_read, pngs), repeat(None, LAST_HOLDS - 1)):
            if image:  # else the last one stays
                frame = av.VideoFrame.from_ndarray(np.asarray(image), "rgb24").reformat(
                    format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
                )
            if not shown:
                stream.width, stream.height = frame.width, frame.height
            for _ in range(round(RATE * milliseconds / 1000)):
                frame.pts, frame.time_base = shown, Fraction(1, RATE)
                container.mux(stream.encode(frame))
                shown += 1
        container.mux(stream.encode())
    return file.getvalue()


# Each makes a film of PNG files of one size and the milliseconds that each is shown.
FILMS = {"gif": gif, "mp4": mp4}
