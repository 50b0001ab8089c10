"""What holds of every page: its pictures stand still while they play, share their data and can all be drawn."""

import json

import pytest
import vl_convert

from core.charts.overview import result_scene
from core.charts.view import Scene, reduction_choices, specs
from core.request.catalog import REDUCTIONS
from core.results.schema import SweepResult
from tests.builders import make_result
from tests.pictures import at_frame, axes, drawn
from tests.scenes import RESULT, SCENES

every_page = pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)


@every_page
def test_nothing_changes_its_size_while_it_plays(scene: Scene) -> None:
    for view in scene.views.values():
        pictures = [drawn(view.spec, frame) for frame in range(len(scene.frames))]
        assert len({(picture.get("viewBox"), picture[1].get("transform")) for picture in pictures}) == 1


@every_page
def test_a_name_means_the_same_data_in_all_views_of_a_page_and_none_holds_nan(scene: Scene) -> None:
    known: dict[str, object] = {}
    for view in scene.views.values():
        assert json.loads(view.written)["datasets"].keys() == view.datasets.keys(), "written without NaN"
        for name, rows in view.datasets.items():
            assert known.setdefault(name, rows) == rows, name


@every_page
def test_vega_draws_them_all_without_a_warning(scene: Scene, capfd: pytest.CaptureFixture[str]) -> None:
    for view in scene.views.values():
        assert "<svg" in vl_convert.vegalite_to_svg({**at_frame(view.spec, 1), "width": 300, "height": 120})
    assert "WARN" not in capfd.readouterr().err


def test_new_frames_are_new_data_in_the_same_template_and_do_not_move_the_axes() -> None:
    def views(result: SweepResult) -> list[dict[str, object]]:
        return list(specs(result_scene(result, "mean").views).values())

    whole = make_result(num_layers=3)
    for count in (1, 4):
        part = whole.model_copy(update={"frames": whole.frames[:count], "key": ""})
        for early, late in zip(views(part), views(whole), strict=True):
            assert early["layer"] is late["layer"]
            assert {**early, "datasets": None} == {**late, "datasets": None}
            assert axes(early, count - 1) == axes(late, count - 1)


def test_a_viewer_can_switch_between_all_reductions() -> None:
    scenes = {name: result_scene(RESULT, name) for name in REDUCTIONS}
    choices = reduction_choices(scenes)
    assert [choice["name"] for choice in choices] == list(REDUCTIONS)
    assert [choice["views"] for choice in choices] == [specs(scene.views) for scene in scenes.values()]
