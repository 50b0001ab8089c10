"""The pictures of one result: every pair of layers, how well the model still does, and the layers themselves."""

from dataclasses import replace

from core.charts import grammar as g
from core.charts.accuracy import accuracy_view, metric_title
from core.charts.matrix import heatmap_view
from core.charts.stack import stack_view
from core.charts.view import Layout, Scene, in_column
from core.findings.accuracy import metric_of
from core.findings.words.numbers import two_places
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
