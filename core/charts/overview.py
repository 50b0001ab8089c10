"""The pictures of one result, and of two beside each other: layers, every pair of them, accuracy."""

from collections.abc import Iterable
from dataclasses import replace

from core.charts import grammar as g
from core.charts.accuracy import accuracy_view, metric_title
from core.charts.closest import closest_view
from core.charts.compare import compare_frames, on_telephone
from core.charts.layout import Layout, in_column
from core.charts.matrix import heatmap_view
from core.charts.stack import stack_view
from core.charts.view import Scene
from core.findings.accuracy import metric_of
from core.findings.comparable import controls_of
from core.findings.compare import Two, shown_together
from core.findings.layers import Yardstick
from core.findings.words.numbers import two_places
from core.request.catalog import METRICS
from core.results.names import in_sentence, origins, pruning_name, removed_name
from core.results.schema import SweepResult

# The layers as a stack, beside every pair of them, above how well the model still does.
FINDING = Layout(
    "finding",
    wide="""
        "stack heatmap" clamp(15rem, 40vh, 34rem)
        "bar bar" auto
        "accuracy accuracy" clamp(8rem, 17vh, 12rem) / minmax(0, 1fr) clamp(15.5rem, 42vh, 36rem)""",
    narrow=in_column({"stack": "18.5rem", "bar": "auto", "accuracy": "11rem", "heatmap": "min(108cqw, 28rem)"}),
    slide='"stack heatmap" minmax(0, 1fr) / minmax(0, 4fr) minmax(0, 3fr)',
)
# The heatmap beside accuracy and the stack; on a slide the bands of twelve layers are high enough for a line each.
SINGLE = Layout(
    "single",
    wide="""
        "heatmap accuracy" clamp(10.625rem, 29vh - 0.375rem, 19.625rem)
        "heatmap stack" clamp(10.625rem, 29vh - 0.375rem, 19.625rem)
        "bar bar" auto / clamp(19.5rem, 58vh - 2.5rem, 37.5rem) minmax(0, 1fr)""",
    narrow=in_column({"heatmap": "min(108cqw, 28rem)", "bar": "auto", "accuracy": "13rem", "stack": "18.5rem"}),
    slide='"heatmap accuracy" minmax(0, 10fr) "heatmap stack" minmax(0, 21fr) / minmax(0, 1fr) minmax(0, 1fr)',
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


def finding_scene(
    result: SweepResult,
    reduction: str,
    companions: Iterable[SweepResult],
    title: str,
    metric: str | None = None,
    twins: Yardstick | None = None,
) -> Scene:
    """Show what pruning does to the layers of one model, and what that costs.

    Args:
        result: A whole sweep.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        companions: Results from which its random control is picked.
        title: The finding.
        metric: The metric to draw; None is the task's main one.
        twins: How similar seed twins are, see `core.findings.layers`.
    """
    shown, companions = metric_of(result, asked=metric), list(companions)
    against = result.against is not None
    views = {
        "stack": closest_view(result, reduction) if against else stack_view(result, reduction, companions, twins),
        "heatmap": heatmap_view(result, result.frames, reduction, annotated=not against),
        "accuracy": accuracy_view(
            result, result.frames, metric_title(shown), shown, controls=controls_of(result, companions)
        ),
    }
    return Scene(title, origins((result,), reduction), views, player_frames(result, shown), FINDING)


def result_scene(result: SweepResult, reduction: str, layout: Layout = SINGLE) -> Scene:
    """Show a whole sweep or the first frames of one, at least one, as the Lab and Present do.

    Returns:
        The pictures `heatmap`, `accuracy` and `stack`. Against another checkpoint no layer counts as intact: instead
        stands which of its layers each is most similar to.
    """
    metric = metric_of(result)
    views = {
        "heatmap": heatmap_view(result, result.frames, reduction),
        "accuracy": accuracy_view(result, result.frames, metric_title(metric), metric),
        "stack": closest_view(result, reduction) if result.against else stack_view(result, reduction, ()),
    }
    return Scene(pruning_name(result), origins((result,), reduction), views, player_frames(result), layout)


def player_frames(result: SweepResult, metric: str | None = None) -> g.Rows:
    """Return what the player says about each frame: `amount`, its `name`, and `detail`, the numbers beside it."""
    metric = metric or metric_of(result)
    details = (f"{METRICS[metric].symbol} {two_places(frame.metrics[metric])}" for frame in result.frames)
    return [g.step(a, removed_name(a, result), detail) for a, detail in zip(result.amounts, details, strict=True)]


def pair_scene(results: Two, reduction: str, titles: tuple[str, str]) -> Scene:
    """Show two results beside each other: their heatmaps and their accuracy.

    Args:
        results: Both results.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        titles: What stands above each.

    Returns:
        The pictures `left`, `right`, `left-accuracy` and `right-accuracy`, at the amounts that both results have.
    """
    together, metrics, views = shown_together(results), (metric_of(results[0]), metric_of(results[1])), {}
    for side, result, frames, title, metric in zip(
        ("left", "right"), results, zip(*together.pairs, strict=True), titles, metrics, strict=True
    ):
        name = f"{title}: {in_sentence(METRICS[metric].title)}, 95 % interval"
        views[side] = heatmap_view(result, frames, reduction, title)
        views[f"{side}-accuracy"] = accuracy_view(result, frames, name, metric)
    below = '"left-accuracy left-accuracy" 12rem "right-accuracy right-accuracy" 12rem'
    layout = Layout(
        "pair",
        wide="""
            "left right" clamp(16rem, 44vh, 34rem)
            "bar bar" auto
            "left-accuracy right-accuracy" 11rem / minmax(0, 1fr) minmax(0, 1fr)""",
        narrow=on_telephone(("left", "right"), results, below),
        slide='"left right" minmax(0, 1fr) / minmax(0, 1fr) minmax(0, 1fr)',
    )
    title = " and ".join(dict.fromkeys(map(pruning_name, results)))
    return Scene(title, origins(results, reduction), views, compare_frames(results, together, metrics, titles), layout)
