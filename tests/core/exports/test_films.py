"""The frames of a film, their colours and durations."""

import io
from functools import lru_cache

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from core.exports.figure import figure_of
from core.exports.films import AREA, LAST_HOLDS, MILLISECONDS, RATE, gif, mp4
from core.renderer import draw
from tests.scenes import AMOUNTS, SCENES

Pixels = NDArray[np.uint8]
MIDDLE = 1


@lru_cache
def frames_of(page: str, dark: bool = False) -> tuple[bytes, ...]:
    """Draws the frames of a page's scene as PNG files, small ones, which become a film sooner."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.renderer.SCALE", 0.5)
        figure = figure_of(SCENES[page], "dark" if dark else "light")
        return tuple(
            draw({"figure": figure, "format": "png", "frames": [k]}) for k in range(len(AMOUNTS))
        )


def pixels(picture: bytes) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))


def distance(picture: Pixels, other: Pixels) -> NDArray[np.int16]:
    """Returns the difference of each pixel's colours, in the channel where it is largest."""
    return np.abs(picture.astype(np.int16) - other).max(axis=-1)


def read_gif(content: bytes) -> tuple[list[Pixels], list[int]]:
    frames = ImageSequence.Iterator(Image.open(io.BytesIO(content)))
    read = [(np.asarray(frame.convert("RGB")), frame.info["duration"]) for frame in frames]
    return [pixels for pixels, _ in read], [duration for _, duration in read]


def read_mp4(content: bytes) -> tuple[list[Pixels], tuple[object, ...]]:
    """Reads every frame, and how it is to be shown."""
    with av.open(io.BytesIO(content)) as container:
        stream = container.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        codec = stream.codec_context
        colours = (
            codec.color_range,
            codec.colorspace,
            codec.color_primaries,
            codec.color_trc,
        )
        return frames, (
            codec.name,
            codec.pix_fmt,
            codec.profile,
            colours,
            stream.average_rate,
        )


def areas(image: Pixels) -> NDArray[np.bool_]:
    """Returns the pixels of colours that fill more than the edge of a letter.

    Cells, bars, steps of a colour bar.
    """
    packed = image.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    _, inverse, counts = np.unique(packed, return_inverse=True, return_counts=True)
    return (counts[inverse] >= AREA).reshape(packed.shape)


@pytest.mark.parametrize("page", ["compare", "sentences"])
def test_a_film_has_each_frame_in_its_colours_and_holds_the_last(
    page: str,
) -> None:
    pngs = frames_of(page, dark=page == "compare")
    frames, durations = read_gif(gif(pngs))
    assert durations == [MILLISECONDS, MILLISECONDS, MILLISECONDS * LAST_HOLDS]
    for before, after in zip(map(pixels, pngs), frames, strict=True):
        assert distance(before, after)[areas(before)].max() <= 14, (
            "of 255; two colour bars and 27 cells share 256"
        )
        assert (after[2, 2] == before[2, 2]).all(), "the paper is exact"
    still = pixels(pngs[MIDDLE])
    other = pixels(pngs[0])
    assert (other != still).any(axis=-1)[areas(still)].any(), "something moves"
    played, shown = read_mp4(mp4(pngs[: MIDDLE + 1]))
    assert shown == ("h264", "yuv420p", "High", (1, 1, 1, 1), RATE), "BT.709, as slides play it"
    assert len(played) / RATE == (1 + LAST_HOLDS) * MILLISECONDS / 1000
    for film in (frames[MIDDLE], played[-1]):
        moved, astray = (distance(film, picture) for picture in (still, other))
        assert moved[areas(still)].mean() < 4, "of 255"
        assert moved.sum() < astray.sum(), "it is this amount and no other"
