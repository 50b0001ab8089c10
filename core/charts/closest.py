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
    """Draw each layer's similarity to its closest layer, and to the one of the same number where there is one."""
    rows = closest_rows(result, reduction)
    notes = ["number: that layer"] if len(rows) <= MAX_NUMBERED else []
    notes += ["line: layer of the same number"] if result.has_own else []
    title = [f"Most similar layer of {unpruned_name(result)}", *filter(None, ["; ".join(notes)])]
    values = {"Similarity": "v", "Most similar layer": "closest", **({"Same number": "own"} if result.has_own else {})}
    numbers = Numbers("closest", "layer", values, named="Layer")
    return View(_closest, (result.points, result.has_own), {"closest": rows}, title, numbers=numbers)


def closest_rows(result: SweepResult, reduction: str) -> g.Rows:
    """Return one row per layer: over the frames its closest layer, that similarity, and that to the same number."""
    found = [closest_layers(result, reduction, k) for k in range(len(result.frames))]  # (frames, points)
    values = [[ranked[0][1] if ranked else None for ranked in row] for row in found]
    rows = g.layer_rows(result.points, v=values, own=(frame.own(reduction) for frame in result.frames))
    return [
        {**row, "closest": [ranked[0][0] if ranked else "" for ranked in column]}
        for row, column in zip(rows, zip(*found, strict=True), strict=True)
    ]


def _closest(points: tuple[str, ...], has_own: bool) -> g.LayerChart:
    order = point_labels(points)
    x, y = g.depth_axis(order, "Pruned model, layer"), g.share_axis("value:Q", "Similarity", DOMAIN)
    layers = (
        g.moving("closest", value="v", same="own", nearest="closest")
        .transform_calculate(text=g.value_text("datum.value"), same_text=g.value_text("datum.same"))
        .encode(x=x)
    )
    tooltip = {"Layer": "name:N", "Most similar layer": "nearest:N", "Similarity": "text:N"}
    tooltip |= {"To the same number": "same_text:N"} if has_own else {}
    on_show = layers.transform_filter("isValid(datum.value)").encode(y=y)
    numbers = g.haloed_text(on_show.encode(text="nearest:N"), dy=-12, dx=-4)
    return alt.layer(
        *([layers.encode(y="same:Q").mark_line(color=g.UNDEFINED_COLOUR)] if has_own else []),
        on_show.mark_point(style="marker", filled=True, opacity=1, size=70).encode(tooltip=g.told(tooltip)),
        *(numbers if len(order) <= MAX_NUMBERED else []),
    )
