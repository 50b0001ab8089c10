"""Views: a template is drawn once, and the views of a page can stand in one figure."""

import pytest

from core.charts.compare import compare_scene
from core.charts.layers import layer_scene
from core.charts.overview import pair_scene, result_scene
from core.charts.sentences import flip_scene
from core.charts.view import View
from core.findings.sentences import examples_of
from core.results.schema import SweepResult
from tests.builders import make_result

RESULT = make_result(num_layers=3, amounts=(0.0, 0.5))
CONTROL = make_result(num_layers=3, amounts=(0.0, 0.25, 0.5), method="random")


def test_new_frames_are_new_data_in_the_same_template() -> None:
    def templates(result: SweepResult) -> list[object]:
        return [view.spec["layer"] for view in result_scene(result, "mean").views.values()]

    whole = make_result(num_layers=3)
    part = whole.model_copy(update={"frames": whole.frames[:2], "key": ""})
    assert all(early is late for early, late in zip(templates(part), templates(whole), strict=True))


@pytest.mark.parametrize(
    "views",
    [
        result_scene(RESULT, "mean").views,
        pair_scene((RESULT, CONTROL), "mean", ("first", "second")).views,
        compare_scene(RESULT, CONTROL, "mean").views,
        layer_scene(RESULT, "mean", "1").views,
        flip_scene(RESULT, examples_of(RESULT)).views,
    ],
    ids=["overview", "pair", "compare", "layers", "sentences"],
)
def test_a_name_means_the_same_data_in_all_views_of_a_page(views: dict[str, View]) -> None:
    known: dict[str, object] = {}
    for view in views.values():
        for name, rows in view.datasets.items():
            assert known.setdefault(name, rows) == rows, name
