"""To which layer of another checkpoint each layer is most similar at the amount on show, with that layer's number."""

import altair as alt

from core.charts import grammar as g
from core.charts.view import Numbers, View
from core.findings.layers import closest_layers
from core.results.names import point_labels, unpruned_name
from core.results.schema import SweepResult

DOMAIN = (-0.05, 1.12)  # of similarity; above 1 is room for a number
MAX_NUMBERED = 14  # points; with more, there is no room for numbers


def closest_view(result: SweepResult, reduction: str) -> View:
    """Draw each layer's similarity to its closest layer, with that layer's number."""
    found = [closest_layers(result, reduction, k) for k in range(len(result.frames))]  # (frames, points)
    values = [[ranked[0][1] if ranked else None for ranked in row] for row in found]
    rows = g.layer_rows(result.points, v=values)
    for row, column in zip(rows, zip(*found, strict=True), strict=True):
        row["closest"] = [ranked[0][0] if ranked else "" for ranked in column]
    title = [f"Most similar layer of {unpruned_name(result)}"]
    title += ["number: that layer"] if len(rows) <= MAX_NUMBERED else []
    numbers = Numbers("closest", "layer", {"Similarity": "v", "Most similar layer": "closest"}, named="Layer")
    return View(_closest, (result.points,), {"closest": rows}, title, numbers=numbers)


def _closest(points: tuple[str, ...]) -> g.LayerChart:
    order = point_labels(points)
    x, y = g.depth_axis(order, "Pruned model, layer"), g.share_axis("value:Q", "Similarity", DOMAIN)
    layers = (
        g.moving("closest", value="v", nearest="closest")
        .transform_calculate(text=g.value_text("datum.value"))
        .transform_filter("isValid(datum.value)")
        .encode(x=x, y=y)
    )
    tooltip = {"Layer": "name:N", "Most similar layer": "nearest:N", "Similarity": "text:N"}
    numbers = g.haloed_text(layers.encode(text="nearest:N"), dy=-12, dx=-4)
    return alt.layer(
        layers.mark_point(style="marker", filled=True, opacity=1, size=70).encode(tooltip=g.told(tooltip)),
        *(numbers if len(order) <= MAX_NUMBERED else []),
    )
