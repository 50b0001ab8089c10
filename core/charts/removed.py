"""How much of each layer is removed over the amounts: one layer stands out, all together are dashed."""

import altair as alt

from core.charts import grammar as g
from core.charts.result import player_frames
from core.charts.strips import removed_title, worded_axis
from core.charts.view import Layout, Scene, View, in_column
from core.findings.words.numbers import percent
from core.results.names import amount_name, origins, whose_units
from core.results.schema import SweepResult

LAYOUT = Layout(
    "removed",
    wide='"sparsity" 15rem "bar" auto / minmax(0, 1fr)',
    narrow=in_column({"sparsity": "14rem", "bar": "auto"}),
)


def removed_scene(result: SweepResult, reduction: str, layer: int) -> Scene:
    """Show what is removed of each layer, `sparsity`.

    Args:
        result: A whole sweep or the first frames of one.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        layer: The layer that stands out, counted from 1.
    """
    removed = whose_units(result)
    layers = [
        {
            "layer": f"Layer {k}",
            "k": at,
            "amount": frame.amount,
            "removed": amount_name(frame.amount),
            "sparsity": g.rounded(share),
            "text": percent(share),
            "chosen": k == layer,
        }
        for at, frame in enumerate(result.frames)
        for k, share in enumerate(frame.layer_sparsity, start=1)
    ]
    total = [{"amount": frame.amount, "sparsity": g.rounded(frame.prunable_sparsity)} for frame in result.frames]
    shares = {"amounts": g.amount_rows(result.amounts), "layers": layers, "all": total}
    view = View(_removed, (removed,), shares, "Share of each layer's weights removed (dashed: of all)")
    heading = f"What is removed of layer {layer}"
    return Scene(heading, origins((result,), reduction), {"sparsity": view}, player_frames(result), LAYOUT)


def _removed(removed: str) -> g.LayerChart:
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
