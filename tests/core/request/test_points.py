"""Points: names in depth order, and back."""

import pytest

from core.request.points import point_names, points_of


def test_point_names_are_in_depth_order() -> None:
    assert point_names("attention", 2) == ("layer.0.attention", "layer.1.attention")
    assert point_names("layer", 1) == ("layer.0.output",)
    assert point_names("both", 2) == ("layer.0.attention", "layer.0.output", "layer.1.attention", "layer.1.output")


@pytest.mark.parametrize("points", ["attention", "layer", "both"])
def test_names_lead_back_to_the_kind_of_points(points: str) -> None:
    assert points_of(point_names(points, 3), 3) == points
    assert points_of(point_names(points, 3), 4) is None, "a layer is missing"
    assert points_of(point_names(points, 3)[::-1], 3) is None, "not in depth order"
