"""Points: names in depth order, and back."""

import pytest

from core.request.points import first_emptied_point, point_names, points_of, pruned_point
from core.request.scope import layer_of


def test_point_names_are_in_depth_order() -> None:
    assert point_names("attention", 2) == ("layer.0.attention", "layer.1.attention")
    assert point_names("layer", 1) == ("layer.0.output",)
    assert point_names("both", 2) == ("layer.0.attention", "layer.0.output", "layer.1.attention", "layer.1.output")


@pytest.mark.parametrize("points", ["attention", "layer", "both"])
def test_names_lead_back_to_the_kind_of_points(points: str) -> None:
    assert points_of(point_names(points, 3), 3) == points
    assert points_of(point_names(points, 3), 4) is None, "a layer is missing"
    assert points_of(point_names(points, 3)[::-1], 3) is None, "not in depth order"


@pytest.mark.parametrize(
    ("scope", "layer"),
    [("layer:0", 0), ("layer:11", 11), ("encoder", None), ("all-linear", None), (None, None), ("layer:", None)],
)
def test_one_layer_or_all(scope: str | None, layer: int | None) -> None:
    assert layer_of(scope) == layer


def test_points_of_the_pruned_layer() -> None:
    points = point_names("both", 3)
    assert points[pruned_point(points, "layer:1") or 0] == "layer.1.output"
    assert points[first_emptied_point(points, "layer:1")] == "layer.1.output", "its attention hands on what came in"
    assert (pruned_point(points, "encoder"), first_emptied_point(points, None)) == (None, 0)
