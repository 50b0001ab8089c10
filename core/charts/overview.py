"""The pictures of one result, and of two beside each other: every pair of layers, accuracy, survival."""

from core.charts.accuracy import accuracy_view, metric_title
from core.charts.compare import compare_frames, heatmap_pair
from core.charts.grammar import Rows, amount_rows, two_places
from core.charts.matrix import heatmap_view
from core.charts.survival import survival_view
from core.charts.view import View
from core.findings.compare import shown_together
from core.findings.overview import metric_of
from core.request.catalog import METRICS
from core.results.names import amount_name, in_sentence
from core.results.schema import SweepResult


def player_views(result: SweepResult, reduction: str) -> dict[str, View]:
    """Draw a whole sweep or the first frames of one: `heatmap`, `accuracy` and `survival`."""
    amounts, metric = amount_rows(result.amounts), metric_of(result)
    return {
        "heatmap": heatmap_view(result.frames, result.points, reduction),
        "accuracy": accuracy_view(result, result.frames, amounts, metric_title(metric), "accuracy", metric),
        "survival": survival_view(result, reduction, amounts),
    }


def player_frames(result: SweepResult) -> Rows:
    """Return what the player says about each frame: `amount`, its `name`, and `detail`, the numbers beside it."""
    metric = metric_of(result)
    return [
        {
            "amount": frame.amount,
            "name": f"Pruning amount {amount_name(frame.amount)}",
            "detail": f"sparsity {frame.sparsity:.2f} · {METRICS[metric].symbol} {two_places(frame.metrics[metric])}",
        }
        for frame in result.frames
    ]


def pair_views(
    results: tuple[SweepResult, SweepResult], reduction: str, titles: tuple[str, str], metric: str | None = None
) -> tuple[dict[str, View], Rows]:
    """Draw two results beside each other at the amounts that both have: their heatmaps and their accuracy.

    Args:
        results: Both results.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        titles: What stands above each.
        metric: The metric to draw; None is each task's main one.

    Returns:
        The pictures `left`, `right`, `left-accuracy` and `right-accuracy`, and what the player says about each frame.
    """
    together = shown_together(*results)
    amounts = amount_rows(first.amount for first, _ in together.pairs)
    metrics = (metric_of(results[0], asked=metric), metric_of(results[1], asked=metric))
    views: dict[str, View] = {}
    sides = ("left", "right")
    heatmaps = heatmap_pair(results, together.pairs, reduction, titles)
    for side, result, frames, title, heatmap, shown in zip(
        sides, results, zip(*together.pairs, strict=True), titles, heatmaps, metrics, strict=True
    ):
        views[side] = heatmap
        name = f"{title}: {in_sentence(METRICS[shown].title)}, 95 % interval"
        views[f"{side}-accuracy"] = accuracy_view(result, frames, amounts, name, f"{side}-accuracy", shown)
    return views, compare_frames(results, together, titles, metrics)
