"""Films are read again: every frame, its colours and how long it stays."""

import io
from functools import lru_cache

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from core.exports.figure import figure_of
from core.exports.films import AREA, LAST_HOLDS, RATE, gif, mp4
from core.renderer import draw
from tests.scenes import AMOUNTS, SCENES

Pixels = NDArray[np.uint8]
MIDDLE = 1


@lru_cache
def frames_of(page: str, dark: bool = False) -> tuple[bytes, ...]:
    """The frames of a page's scene, as PNG files; small ones become a film as large ones do, but sooner."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.renderer.SCALE", 0.5)
        figure = figure_of(SCENES[page], "dark" if dark else "light")
        return tuple(draw({"figure": figure, "format": "png", "frames": [k]}) for k in range(len(AMOUNTS)))


def pixels(picture: bytes) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))


def distance(one: Pixels, other: Pixels) -> NDArray[np.int16]:
    """How far apart the colours of each pixel are, in the channel where they are farthest."""
    return np.abs(one.astype(np.int16) - other).max(axis=-1)


def read_gif(content: bytes) -> tuple[list[Pixels], list[int]]:
    frames = ImageSequence.Iterator(Image.open(io.BytesIO(content)))
    known = [(np.asarray(frame.convert("RGB")), frame.info["duration"]) for frame in frames]
    return [pixels for pixels, _ in known], [duration for _, duration in known]


def read_mp4(content: bytes) -> tuple[list[Pixels], tuple[object, ...]]:
    """Every frame, and how the film says that it is to be shown."""
    with av.open(io.BytesIO(content)) as container:
        stream = container.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        known = stream.codec_context
        colours = (known.color_range, known.colorspace, known.color_primaries, known.color_trc)
        return frames, (known.name, known.pix_fmt, known.profile, colours, stream.average_rate)


def areas(image: Pixels) -> NDArray[np.bool_]:
    """The pixels whose colour fills more than the edge of a letter: cells, bars, every step of a colour bar."""
    packed = image.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    _, inverse, counts = np.unique(packed, return_inverse=True, return_counts=True)
    return (counts[inverse] >= AREA).reshape(packed.shape)


@pytest.mark.parametrize("page", SCENES)
def test_a_film_has_each_frame_in_its_colours_and_holds_the_last(page: str) -> None:
    pngs = frames_of(page, dark=page == "compare")
    frames, durations = read_gif(gif(pngs, 250))
    assert durations == [250, 250, 250 * LAST_HOLDS]
    for before, after in zip(map(pixels, pngs), frames, strict=True):
        assert distance(before, after)[areas(before)].max() <= 14, "of 255; two colour bars and 27 cells share 256"
        assert (after[2, 2] == before[2, 2]).all(), "the paper is exact"
    still, other = pixels(pngs[MIDDLE]), pixels(pngs[0])
    assert (other != still).any(axis=-1)[areas(still)].any(), "something moves"
    played, shown = read_mp4(mp4(pngs[: MIDDLE + 1], 125))
    assert shown == ("h264", "yuv420p", "High", (1, 1, 1, 1), RATE), "BT.709, as slides play it"
    assert len(played) / RATE == (1 + LAST_HOLDS) * 0.125
    for film in (frames[MIDDLE], played[-1]):
        moved, astray = (distance(film, one) for one in (still, other))
        assert moved[areas(still)].mean() < 4, "of 255"
        assert moved.sum() < astray.sum(), "it is this amount and no other"
