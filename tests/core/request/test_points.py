"""Points: names in depth order, and back."""

import pytest

from core.request.points import first_emptied_point, point_names, points_of, pruned_point
from core.request.scope import canonical, layer_of


@pytest.mark.parametrize("points", ["attention", "layer", "both"])
def test_names_in_depth_order_lead_back_to_the_kind_of_points(points: str) -> None:
    names = point_names(points, 3)
    assert [name.split(".")[1] for name in names] == sorted(name.split(".")[1] for name in names)
    assert (points_of(names, 3), points_of(names, 4), points_of(names[::-1], 3)) == (points, None, None)


def test_one_layer_or_all() -> None:
    scopes = ("layer:0", "layer:11", "layers:2-2", "layers:1-2", "encoder", "all-linear", None, "layer:", "layer:01")
    assert [layer_of(scope) for scope in scopes] == [0, 11, 2, None, None, None, None, None, None]
    assert [canonical(scope) for scope in ("layers:2-2", "layers:1-2", None)] == ["layer:2", "layers:1-2", None]
    points = point_names("both", 3)
    assert points[first_emptied_point(points, "layers:1-2")] == "layer.1.output"
    assert points[pruned_point(points, "layer:1") or 0] == "layer.1.output"
    assert points[first_emptied_point(points, "layer:1")] == "layer.1.output", "its attention hands on what came in"
    assert (pruned_point(points, "encoder"), first_emptied_point(points, None)) == (None, 0)
