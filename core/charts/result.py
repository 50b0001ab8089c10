"""The pictures of one result: every pair of layers, how well the model still does, and the layers themselves.

A picture of its own is what is removed of each layer.
"""

from dataclasses import replace

import altair as alt

from core.charts import grammar as g
from core.charts.accuracy import accuracy_view, metric_title
from core.charts.matrix import heatmap_view
from core.charts.stack import stack_view
from core.charts.strips import removed_title, worded_axis
from core.charts.view import Layout, Scene, View, in_column
from core.findings.accuracy import metric_of
from core.findings.words.numbers import percent, two_places
from core.request.catalog import METRICS
from core.results import names as n
from core.results.schema import SweepResult

# The heatmap beside accuracy and the stack; on a slide the bands of twelve layers are high enough for a line each.
SINGLE = Layout(
    "single",
    wide="""
        "heatmap accuracy" clamp(10.625rem, 29vh - 0.375rem, 19.625rem)
        "heatmap stack" clamp(10.625rem, 29vh - 0.375rem, 19.625rem)
        "bar bar" auto / clamp(19.5rem, 58vh - 2.5rem, 37.5rem) minmax(0, 1fr)""",
    narrow=in_column({"heatmap": "min(108cqw, 28rem)", "bar": "auto", "accuracy": "13rem", "stack": "18.5rem"}),
    slide='"heatmap accuracy" minmax(0, 10fr) "heatmap stack" minmax(0, 21fr) / minmax(0, 3fr) minmax(0, 4fr)',
)
# The same on a projector, where it fills the screen; the bar stands beside the caption there, in a file below.
STAGE = replace(
    SINGLE,
    name="present",
    wide="""
        "heatmap accuracy" minmax(10.5rem, 2fr)
        "heatmap stack" minmax(0, 3fr)
        "bar bar" auto / minmax(0, 1fr) minmax(0, 1fr)""",
)
REMOVED = Layout("removed", wide='"sparsity" 15rem "bar" auto / minmax(0, 1fr)')


def result_scene(result: SweepResult, reduction: str, layout: Layout = SINGLE) -> Scene:
    """Show a whole sweep or the first frames of one, at least one, as the Lab and Present do.

    Returns:
        The pictures `heatmap`, `accuracy` and `stack`.
    """
    metric = metric_of(result)
    views = {
        "heatmap": heatmap_view(result, result.frames, reduction),
        "accuracy": accuracy_view(result, result.frames, metric_title(metric), metric),
        "stack": stack_view(result, reduction, ()),
    }
    return Scene(n.pruning_name(result), n.origins((result,), reduction), views, player_frames(result), layout)


def player_frames(result: SweepResult, metric: str | None = None) -> g.Rows:
    """Return what the player says about each frame: `amount`, its `name`, and `detail`, the numbers beside it."""
    metric = metric or metric_of(result)
    details = (f"{METRICS[metric].symbol} {two_places(frame.metrics[metric])}" for frame in result.frames)
    return [g.step(a, n.removed_name(a, result), detail) for a, detail in zip(result.amounts, details, strict=True)]


def removed_scene(result: SweepResult, reduction: str, layer: int) -> Scene:
    """Show what is removed of each layer, `sparsity`.

    Args:
        result: A whole sweep or the first frames of one.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        layer: The layer that stands out, counted from 1.
    """
    removed = n.whose_units(result)
    layers = [
        {
            "layer": f"Layer {k}",
            "k": at,
            "amount": frame.amount,
            "removed": n.amount_name(frame.amount),
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
    return Scene(heading, n.origins((result,), reduction), {"sparsity": view}, player_frames(result), REMOVED)


def _removed(removed: str) -> g.LayerChart:
    """Draw one layer that stands out among thin ones; all together are dashed."""
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
