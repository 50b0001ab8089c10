"""Films: frames as one moving picture, a GIF or an MP4."""

import io
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray
from PIL import Image

Film = Callable[[Sequence[bytes], int], bytes]  # of PNG files of one size, and how many milliseconds each is shown

LAST_HOLDS = 3  # the last frame stays this many times as long, as in the player

COLOURS = 256  # of a GIF
EXACT = 64  # of these: the commonest of all, such as paper and ink
AREA = 20  # pixels of a frame that make a colour more than the edge of a letter
CHUNK = 4096  # colours at once while the nearest ones are looked up

RATE = 24  # pictures a second of an MP4: every duration that is offered is a whole number of them
QUALITY = "16"  # x264's crf: text and colour bars look as in the PNG


# ---------------------------------------------------------------- GIF


def gif(pngs: Sequence[bytes], milliseconds: int) -> bytes:
    """Return a GIF that loops; all frames share one palette, since separate ones make constant pixels flicker."""
    colours, counts = _colours_of(pngs)
    palette = _palette(colours, counts)
    place = np.zeros(1 << 24, np.uint8)  # of every colour, its nearest one in the palette
    for k in range(0, len(colours), CHUNK):
        chunk = colours[k : k + CHUNK]
        place[chunk] = _distances(_rgb(chunk), palette).argmin(axis=1)
    frames = []
    for png in pngs:
        frame = Image.fromarray(place[_packed(png)], "P")
        frame.putpalette(palette.astype(np.uint8).tobytes())
        frames.append(frame)
    durations = [milliseconds] * (len(frames) - 1) + [milliseconds * LAST_HOLDS]
    file = io.BytesIO()
    frames[0].save(
        file, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0, optimize=False, disposal=1
    )
    return file.getvalue()


def _packed(png: bytes) -> NDArray[np.uint32]:
    """Return each pixel's colour as one number."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), np.uint32)  # (height, width, 3)
    packed: NDArray[np.uint32] = pixels @ np.array([1 << 16, 1 << 8, 1], np.uint32)  # (height, width)
    return packed


def _rgb(packed: NDArray[np.uint32]) -> NDArray[np.int32]:
    return np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=-1).astype(np.int32)  # (colours, 3)


def _colours_of(pngs: Sequence[bytes]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return every colour of the frames, and how many pixels have it in the frame that has most."""
    colours, counts = np.zeros(0, np.uint32), np.zeros(0, np.int64)
    for png in pngs:
        new, times = np.unique(_packed(png), return_counts=True)
        colours, inverse = np.unique(np.concatenate([colours, new]), return_inverse=True)
        before, counts = np.concatenate([counts, times]), np.zeros(len(colours), np.int64)
        np.maximum.at(counts, inverse, before)
    return colours, counts


def _palette(colours: NDArray[np.uint32], counts: NDArray[np.int64]) -> NDArray[np.int32]:
    """Choose a palette, (256, 3): the commonest colours as they are, then again and again the one that is farthest off.

    Median cut serves pixels: a colour bar has few, and would get two or three colours. Farthest first (Gonzalez 1985)
    serves colours: none of an area is farther from the palette than twice the least that is possible.
    """
    order = np.argsort(-counts, kind="stable")
    areas = max(int((counts >= AREA).sum()), COLOURS)
    candidates = _rgb(colours[order[:areas]])
    chosen = candidates[:EXACT]
    distances = _distances(candidates, chosen).min(axis=1)
    while len(chosen) < min(COLOURS, len(candidates)):
        farthest = candidates[distances.argmax()][None]
        chosen = np.concatenate([chosen, farthest])
        distances = np.minimum(distances, _distances(candidates, farthest)[:, 0])
    return chosen


def _distances(colours: NDArray[np.int32], others: NDArray[np.int32]) -> NDArray[np.int32]:
    differences = colours[:, None] - others[None]  # (colours, others, 3)
    squares: NDArray[np.int32] = (differences**2).sum(axis=-1, dtype=np.int32)  # (colours, others)
    return squares


# ---------------------------------------------------------------- MP4


def mp4(pngs: Sequence[bytes], milliseconds: int) -> bytes:
    """Return an MP4 in H.264 with colours as PowerPoint and Keynote read them: 4:2:0, BT.709."""
    file = io.BytesIO()
    first = Image.open(io.BytesIO(pngs[0]))
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": QUALITY, "preset": "medium"})
        stream.width, stream.height = first.size
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, RATE)
        context = stream.codec_context
        context.color_range, context.colorspace = ColorRange.MPEG, Colorspace.ITU709
        context.color_primaries = context.color_trc = 1  # BT.709
        shown = 0
        for k, png in enumerate(pngs):
            picture = av.VideoFrame.from_ndarray(np.asarray(Image.open(io.BytesIO(png)).convert("RGB")), "rgb24")
            frame = picture.reformat(
                format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
            )
            for _ in range(round(RATE * milliseconds / 1000) * (LAST_HOLDS if k == len(pngs) - 1 else 1)):
                frame.pts, frame.time_base = shown, Fraction(1, RATE)
                container.mux(stream.encode(frame))
                shown += 1
        container.mux(stream.encode())
    return file.getvalue()


FILMS: Mapping[str, Film] = {"gif": gif, "mp4": mp4}
