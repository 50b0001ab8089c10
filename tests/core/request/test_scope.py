"""What a scope prunes alone."""

import pytest

from core.request.points import first_emptied_point, point_names, pruned_point
from core.request.scope import layer_of


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
