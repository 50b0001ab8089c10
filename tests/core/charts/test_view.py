"""Pictures of all pages stand still while they play, fill their layout and can be drawn."""

import json
import re
from itertools import combinations

import pytest
import vl_convert

from core.charts.result import result_scene
from core.charts.theme import STYLE, THEMES, styled
from core.charts.view import Scene, reduction_choices
from core.request.catalog import REDUCTIONS, ROOT
from tests.builders import make_result
from tests.pictures import at_frame, axes, drawn, specs
from tests.scenes import RESULT, SCENES, TOLD

ALL = TOLD | SCENES


@pytest.mark.parametrize("scene", ALL.values(), ids=ALL)
def test_every_picture_keeps_its_size_and_its_place(
    scene: Scene, capfd: pytest.CaptureFixture[str]
) -> None:
    for view in scene.views.values():
        frames = range(len(scene.frames))
        pictures = [drawn(view.spec, frame) for frame in frames]
        places = {(picture.get("viewBox"), picture[-1].get("transform")) for picture in pictures}
        assert len(places) == 1
        small = {**at_frame(view.spec, 1), "width": 300, "height": 120}
        assert "<svg" in vl_convert.vegalite_to_svg(small)
        marks = json.dumps(
            {
                **view.spec,
                "datasets": None,
                "config": None,
            }
        )
        styles = re.findall(r'"style": ("[^"]*"|\[[^\]]*\])', marks)
        assert set(
            re.findall(
                r'[^"\[\], ]+',
                " ".join(styles),
            )
        ) <= set(STYLE["style"])
        written = json.loads(view.written)
        assert written["datasets"].keys() == view.datasets.keys(), "written without NaN"
    assert "WARN" not in capfd.readouterr().err


@pytest.mark.parametrize("scene", ALL.values(), ids=ALL)
def test_pictures_fill_their_layout_and_do_not_overlap(scene: Scene) -> None:
    boxes = scene.layout.boxes(scene.views, 1280, 600).values()
    assert max(box.x + box.width for box in boxes) == pytest.approx(1280)
    assert max(box.y + box.height for box in boxes) == pytest.approx(600)
    assert all(box.width > 100 and box.height > 60 and min(box) >= 0 for box in boxes)
    for box, after in combinations(sorted(boxes), 2):
        is_beside = box.x + box.width <= after.x + 1e-9
        is_above = box.y + box.height <= after.y + 1e-9
        is_below = after.y + after.height <= box.y + 1e-9
        assert is_beside or is_above or is_below


def test_new_frames_and_other_reductions_are_new_data_in_the_same_pictures() -> None:
    whole = make_result(num_layers=3)
    late = specs(result_scene(whole, "mean"))
    part = whole.model_copy(
        update={
            "frames": whole.frames[:1],
            "key": "",
        }
    )
    for name, early in specs(result_scene(part, "mean")).items():
        assert early["layer"] is late[name]["layer"]
        assert axes(early) == axes(late[name])
    scenes = {name: result_scene(RESULT, name) for name in REDUCTIONS}
    assert [choice["views"] for choice in reduction_choices(scenes)] == [
        scene.written for scene in scenes.values()
    ]


def test_a_theme_fills_every_colour_and_size() -> None:
    light = styled(THEMES["light"], 13)
    dark = styled(THEMES["dark"], 13)
    assert "$" not in json.dumps([light, dark])
    note = light["style"]["note"]
    assert (note["color"], note["fontSize"]) == (THEMES["light"].text, 13)
    styles = (ROOT / "core" / "charts" / "player.css").read_text("utf-8")
    assert [colour for colour in THEMES["light"] if f", {colour})" not in styles] == [], (
        "on no page"
    )
