"""One layer in close-up: its similarity to every layer over the amounts, and how much of each layer is removed."""

import altair as alt
import numpy as np

from core.charts import grammar as g
from core.charts.layers import layer_of
from core.charts.layout import Layout, in_column
from core.charts.overview import player_frames
from core.charts.strips import cell_rows, edges, removed_title, strip_layers, worded_axis
from core.charts.view import Scene, View
from core.findings.words.numbers import percent
from core.results.names import PointLabel, amount_name, origins, point_names, whose_units
from core.results.schema import SweepResult

CELL = (0.02, 0.98)  # bottom and top of a cell, in a layer's row
ROW_HEIGHT, HEIGHT_BESIDE_ROWS, LOWEST = 1.4, 5.0, 16.0  # in rem: the least of a row, of title and axis, of all


def close_up_scene(result: SweepResult, reduction: str, chosen: PointLabel) -> Scene:
    """Show one layer of the unpruned model against every layer of the pruned one, and what is removed of each.

    Args:
        result: A whole sweep or the first frames of one.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        chosen: The label of the layer's point.

    Returns:
        The pictures `row` and `sparsity`, and what stands beside them.
    """
    names, removed = point_names(result.points), whose_units(result)
    i = [name.label for name in names].index(chosen)
    values = np.array([frame.matrix(reduction)[i] for frame in result.frames], dtype=np.float64)
    amounts, borders = g.amount_rows(result.amounts), edges(result.amounts)
    own = [{"x": borders[0], "x2": borders[-1], "y": i, "y2": i + 1}]
    rows = {"amounts": amounts, "row": cell_rows(result, values, CELL), "own": own}
    layers = [
        {
            "layer": f"Layer {layer + 1}",
            "k": k,
            "amount": frame.amount,
            "removed": amount_name(frame.amount),
            "sparsity": g.rounded(frame.layer_sparsity[layer]),
            "text": percent(frame.layer_sparsity[layer]),
            "chosen": layer == layer_of(result.points[i]),
        }
        for layer in range(result.checkpoint.num_layers)
        for k, frame in enumerate(result.frames)
    ]
    total = [{"amount": frame.amount, "sparsity": g.rounded(frame.prunable_sparsity)} for frame in result.frames]
    shares = {"amounts": amounts, "layers": layers, "all": total}
    title = f"{names[i].title} of the unpruned model, compared with every pruned layer (outlined: itself)"
    views = {
        "row": View(_row, (result.points, removed), rows, title),
        "sparsity": View(_removed, (removed,), shares, "Share of each layer's weights removed (dashed: of all)"),
    }
    layout, heading = _layout(len(names)), f"{names[i].title}, in close-up"
    return Scene(heading, origins((result,), reduction), views, player_frames(result), layout)


def _layout(rows: int) -> Layout:
    """Place the row of the heatmap above what is removed of each layer."""
    high = f"{max(ROW_HEIGHT * rows + HEIGHT_BESIDE_ROWS, LOWEST)}rem"
    return Layout(
        "close-up",
        wide=f'"row" {high} "bar" auto "sparsity" 15rem / minmax(0, 1fr)',
        slide='"row sparsity" minmax(0, 1fr) / minmax(0, 1fr) minmax(0, 1fr)',
        narrow=in_column({"row": high, "bar": "auto", "sparsity": "14rem"}),
    )


def _row(points: tuple[str, ...], removed: str) -> g.LayerChart:
    """Draw one row of the heatmap over the amounts."""
    style = g.layers_axis(points, sum(CELL) / 2, minExtent=g.MARGIN, maxExtent=g.MARGIN)
    y = alt.Y("y:Q", title=f"Layer of the pruned model{g.labels_note(points)}", **style)
    marker, own = g.current_amount_rule(), g.data("own").encode(x="x:Q", x2="x2:Q", y=y, y2="y2:Q")
    return alt.layer(
        *strip_layers("row", "cka", {removed_title(removed): "amount:N"}),
        own.mark_rect(filled=False, stroke=g.OUTLINE_COLOUR, strokeWidth=2),
        marker.mark_rule(style="halo", strokeWidth=4),
        marker.encode(x=worded_axis(removed, 0)),
    )


def _removed(removed: str) -> g.LayerChart:
    """Draw how much of each layer is removed; the chosen layer stands out, all together are dashed."""
    x, y = worded_axis(removed, 0), g.share_axis("sparsity:Q", "Share removed")
    layers, total = (g.data(name).encode(x=x, y=y) for name in ("layers", "all"))
    chosen = layers.transform_filter("datum.chosen")
    fields = {removed_title(removed): "removed:N", "This layer's weights removed": "text:N"}
    return alt.layer(
        layers.mark_line(style="chance", strokeWidth=1.25).encode(detail="layer:N"),
        total.mark_line(style="reference"),
        chosen.mark_line(style="series"),
        g.current_amount_rule(),
        g.current_amount_marker(chosen),
        layers.mark_point(opacity=0, size=120).encode(tooltip=g.told({"Layer": "layer:N", **fields})),
    )
