"""The frames of a film, their colours and durations."""

import io

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


@pytest.fixture(scope="module", params=[("compare", "dark"), ("sentences", "light")])
def pngs(request: pytest.FixtureRequest) -> tuple[bytes, ...]:
    """Draw the frames of a page's scene as PNG files, small ones, which become a film sooner."""
    page, theme = request.param
    figure = figure_of(SCENES[page], theme)
    order = {"figure": figure, "format": "png"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.renderer.SCALE", 0.5)
        return tuple(draw({**order, "frames": [k]}) for k in range(len(AMOUNTS)))


def pixels(picture: bytes) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))


def distance(picture: Pixels, other: Pixels) -> NDArray[np.int16]:
    """Return the difference of each pixel's colours, in the channel where it is largest."""
    return np.abs(picture.astype(np.int16) - other).max(axis=-1)


def read_gif(content: bytes) -> tuple[list[Pixels], list[int]]:
    """Read every frame, and how many milliseconds it is shown."""
    frames = []
    durations = []
    for frame in ImageSequence.Iterator(Image.open(io.BytesIO(content))):
        frames.append(np.asarray(frame.convert("RGB")))
        durations.append(frame.info["duration"])
    return frames, durations


def read_mp4(content: bytes) -> tuple[list[Pixels], tuple[object, ...]]:
    """Read every frame, and how it is to be shown."""
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
            colours,
            stream.average_rate,
        )


def areas(image: Pixels) -> NDArray[np.bool_]:
    """Return the pixels of colours that fill more than the edge of a letter.

    Cells, bars, steps of a colour bar.
    """
    packed = image.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    counts = np.bincount(packed.ravel())
    return counts[packed] >= AREA


def expect_frame(film: Pixels, still: Pixels, other: Pixels) -> None:
    """Expect the picture of one amount, and not that of another."""
    inside = areas(still)
    moved = distance(film, still)
    assert moved[inside].mean() < 4, "of 255"
    assert moved.sum() < distance(film, other).sum()


def test_a_gif_has_each_frame_in_its_colours_and_holds_the_last(pngs: tuple[bytes, ...]) -> None:
    pictures = [pixels(png) for png in pngs]

    content = gif(pngs)

    frames, durations = read_gif(content)
    assert durations == [MILLISECONDS, MILLISECONDS, MILLISECONDS * LAST_HOLDS]
    for before, after in zip(pictures, frames, strict=True):
        inside = areas(before)
        off = distance(before, after)
        assert off[inside].max() <= 14, "of 255; two colour bars and 27 cells share 256"
        assert off[2, 2] == 0, "the paper is exact"
    expect_frame(frames[MIDDLE], pictures[MIDDLE], pictures[0])


def test_an_mp4_plays_as_slides_do_and_holds_the_last(pngs: tuple[bytes, ...]) -> None:
    content = mp4(pngs[: MIDDLE + 1])

    played, shown = read_mp4(content)
    assert shown == ("h264", "yuv420p", (1, 1, 1, 1), RATE), "in BT.709"
    assert len(played) / RATE == (1 + LAST_HOLDS) * MILLISECONDS / 1000
    expect_frame(
        played[-1],
        still=pixels(pngs[MIDDLE]),
        other=pixels(pngs[0]),
    )
