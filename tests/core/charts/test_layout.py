"""Layouts: the boxes of a figure stand as the browser's grid would put them."""

import pytest

from core.charts.layout import Box, Layout
from core.charts.profiles import _layout
from core.charts.view import Scene
from tests.scenes import SCENES

LAYOUT = Layout(
    "test",
    wide="""
        "left right" clamp(10rem, 50vh, 20rem)
        "bar bar" auto
        "left below" 10rem / 10rem minmax(0, 1fr)""",
    narrow='"left" 10rem / 1fr',
    gap=(1.0, 1.0),
)
NAMES = ("left", "right", "below")


def test_lengths_are_read_as_the_browser_reads_them() -> None:
    assert LAYOUT.height(NAMES) == 320 + 160 + 16, "half of a window of 800 pixels is more than 20 rem"
    assert LAYOUT.height(("below",)) == 160
    lower = Layout("test", wide='"left" clamp(10rem, 20vh - 1rem, 20rem) / minmax(0, 1fr)', narrow="")
    assert lower.height(("left",)) == 160, "less than the least"


def test_a_picture_may_span_rows_and_the_bar_takes_no_room() -> None:
    boxes = LAYOUT.boxes(NAMES, 800, 496)
    assert boxes == {
        "left": Box(0, 0, 160, 496),
        "right": Box(176, 0, 624, 320),
        "below": Box(176, 336, 624, 160),
    }


def test_fixed_lengths_grow_with_the_height_and_shares_take_the_rest() -> None:
    boxes = LAYOUT.boxes(NAMES, 1000, 2 * 480 + 16)
    assert boxes["left"] == Box(0, 0, 320, 976)
    assert boxes["below"] == Box(336, 656, 664, 320)


def test_shares_of_the_height_fill_it() -> None:
    screen = Layout("test", wide='"left" minmax(0, 1fr) "right" minmax(0, 3fr) / minmax(0, 1fr)', narrow="", gap=(0, 0))
    assert screen.height(NAMES[:2]) is None
    assert screen.boxes(NAMES[:2], 500, 400) == {"left": Box(0, 0, 500, 100), "right": Box(0, 100, 500, 300)}


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
def test_the_pictures_of_every_page_fill_a_slide_and_do_not_overlap(scene: Scene) -> None:
    width, height = 1280.0, 600.0
    boxes = scene.layout.boxes(scene.views, width, height)
    assert set(boxes) == set(scene.views)
    assert max(box.x + box.width for box in boxes.values()) == pytest.approx(width)
    assert max(box.y + box.height for box in boxes.values()) == pytest.approx(height)
    assert all(box.width > 100 and box.height > 60 and box.x >= 0 and box.y >= 0 for box in boxes.values())
    placed = list(boxes.values())
    for k, one in enumerate(placed):
        for other in placed[k + 1 :]:
            beside = one.x + one.width <= other.x + 1e-9 or other.x + other.width <= one.x + 1e-9
            above = one.y + one.height <= other.y + 1e-9 or other.y + other.height <= one.y + 1e-9
            assert beside or above


@pytest.mark.parametrize("count", [0, 1, 4, 7])
def test_all_profiles_stand_beside_and_below_the_costs(count: int) -> None:
    names = ["cost", *(f"profile-{k}" for k in range(1, count + 1))]
    layout = _layout(names[1:])
    boxes = layout.boxes(names, 900, 700)
    assert set(boxes) == set(names)
    assert all(name in layout.narrow for name in names)
