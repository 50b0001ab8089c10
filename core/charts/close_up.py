"""One layer in close-up: its similarity to every layer over the amounts, and how much of each layer is removed."""

from collections.abc import Mapping

import altair as alt
import numpy as np

from core.charts.grammar import (
    OUTLINE_COLOUR,
    UNDEFINED_COLOUR,
    LayerChart,
    Rows,
    amount_rows,
    capitalised,
    current_amount_marker,
    current_amount_rule,
    rounded,
    share_axis,
)
from core.charts.layers import layer_of
from core.charts.layout import Layout
from core.charts.overview import player_frames
from core.charts.strips import (
    AMOUNTS_SHOWN,
    cell_rows,
    edges,
    hatches,
    layers_axis,
    strip_layers,
    worded_axis,
)
from core.charts.view import Scene, View
from core.request.catalog import MEASURES
from core.results.names import PointLabel, amount_name, origins, percent, point_names, whose_units
from core.results.schema import SweepResult

CELL = (0.02, 0.98)  # bottom and top of a cell, in a layer's row
ROW_HEIGHT, HEIGHT_BESIDE_ROWS, LOWEST = 1.4, 5.0, 16.0  # in rem: the least of a row, of title and axis, of all


def close_up_scene(
    result: SweepResult,
    reduction: str,
    chosen: PointLabel,
    measure: str = "cka",
    beside: Mapping[str, View] | None = None,
) -> Scene:
    """Show one layer of the unpruned model against every layer of the pruned one, and what is removed of each.

    Args:
        result: A whole sweep or the first frames of one.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        chosen: The label of the layer's point.
        measure: What similarity is measured by; one that has no heatmap leaves it to CKA.
        beside: The picture `alone`, see `core.charts.isolated.isolated_view`.

    Returns:
        The pictures `row` and `sparsity`, and what stands beside them.
    """
    names, removed = point_names(result.points), whose_units(result)
    in_cells = "cka" if MEASURES[measure].own_only else measure
    i = [name.label for name in names].index(chosen)
    values = np.array([frame.matrix(reduction, in_cells)[i] for frame in result.frames], dtype=np.float64)
    cells, amounts = cell_rows(result, values, CELL), amount_rows(result.amounts)
    borders = edges(result.amounts)
    own = [{"x": borders[0], "x2": borders[-1], "y": i, "y2": i + 1}]
    rows = {"amounts": amounts, "row": cells, "row_hatches": hatches(cells), "own_row": own}
    shares = {"amounts": amounts, "layers": _removed_rows(result, i), "all": _total_rows(result)}
    views = {
        "row": View(
            _row,
            (result.points, in_cells, removed),
            rows,
            f"{names[i].title} of the unpruned model, compared with every pruned layer (outlined: itself)",
        ),
        "sparsity": View(_removed, (removed,), shares, "Share of each layer's weights removed (dashed: of all)"),
        **(beside or {}),
    }
    title = f"{names[i].title}, in close-up"
    return Scene(title, origins((result,), reduction), views, player_frames(result), _layout(len(names), bool(beside)))


def _layout(rows: int, alone_too: bool) -> Layout:
    """Place the row of the heatmap above what is removed of each layer, and beside that each layer pruned alone."""
    high = f"{max(ROW_HEIGHT * rows + HEIGHT_BESIDE_ROWS, LOWEST)}rem"
    last = "alone" if alone_too else "sparsity"
    return Layout(
        "close-up",
        wide=f"""
            "row row" {high}
            "bar bar" auto
            "{last} sparsity" 15rem / minmax(0, 1fr) minmax(0, 1fr)""",
        narrow=f"""
            "row" {high}
            "bar" auto
            {'"alone" 16rem' if alone_too else ""}
            "sparsity" 14rem / minmax(0, 1fr)""",
    )


# ---------------------------------------------------------------- data


def _removed_rows(result: SweepResult, chosen: int) -> Rows:
    """Return one row per encoder layer and amount: the share of its weights that is removed."""
    return [
        {
            "layer": f"Layer {layer + 1}",
            "k": k,
            "amount": frame.amount,
            "removed": amount_name(frame.amount),
            "sparsity": rounded(frame.layer_sparsity[layer]),
            "text": percent(frame.layer_sparsity[layer]),
            "chosen": layer == layer_of(result.points[chosen]),
        }
        for layer in range(result.checkpoint.num_layers)
        for k, frame in enumerate(result.frames)
    ]


def _total_rows(result: SweepResult) -> Rows:
    return [{"amount": frame.amount, "sparsity": rounded(frame.prunable_sparsity)} for frame in result.frames]


# ---------------------------------------------------------------- drawings


def _amounts(field: str, removed: str) -> alt.X:
    return worded_axis(field, removed, AMOUNTS_SHOWN[1])


def _row(points: tuple[str, ...], measure: str, removed: str) -> LayerChart:
    """Draw one row of the heatmap over the amounts."""
    x, y = _amounts("x:Q", removed), layers_axis("y:Q", points, sum(CELL) / 2, "Layer of the pruned model")
    told = [alt.Tooltip("amount:N", title=f"{capitalised(removed)} removed")]
    marker = current_amount_rule(_amounts("amount:Q", removed))
    own = alt.Chart(alt.NamedData("own_row"))
    return alt.layer(
        *strip_layers("row", "row_hatches", x, y, measure, told),
        own.mark_rect(filled=False, stroke=OUTLINE_COLOUR, strokeWidth=2).encode(x=x, x2="x2:Q", y=y, y2="y2:Q"),
        marker.mark_rule(style="halo", strokeWidth=4),
        marker,
    )


def _removed(removed: str) -> LayerChart:
    """Draw how much of each layer is removed; the chosen layer stands out, all together are dashed."""
    x, y = _amounts("amount:Q", removed), share_axis("sparsity:Q", "Share removed")
    tooltip = [
        alt.Tooltip("layer:N", title="Layer"),
        alt.Tooltip("removed:N", title=f"{capitalised(removed)} removed"),
        alt.Tooltip("text:N", title="This layer's weights removed"),
    ]
    layers, total = (alt.Chart(alt.NamedData(name)).encode(x=x, y=y) for name in ("layers", "all"))
    chosen = layers.transform_filter("datum.chosen")
    return alt.layer(
        layers.mark_line(color=UNDEFINED_COLOUR, strokeWidth=1.25).encode(detail="layer:N"),
        total.mark_line(style="reference"),
        chosen.mark_line(style="series"),
        current_amount_rule(x),
        current_amount_marker(chosen),
        layers.mark_point(opacity=0, size=120).encode(tooltip=tooltip),
    )
