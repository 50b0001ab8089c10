"""The pictures of one result, and of two beside each other: every pair of layers, accuracy, survival."""

from core.charts.accuracy import TITLE, accuracy_view
from core.charts.compare import compare_frames, heatmap_pair
from core.charts.grammar import Rows, amount_rows, two_places
from core.charts.matrix import heatmap_view
from core.charts.survival import survival_view
from core.charts.view import View
from core.findings.compare import shown_together
from core.results.names import amount_name
from core.results.schema import SweepResult


def player_views(result: SweepResult, reduction: str) -> dict[str, View]:
    """Draw a whole sweep or the first frames of one: `heatmap`, `accuracy` and `survival`."""
    amounts = amount_rows(result.amounts)
    return {
        "heatmap": heatmap_view(result.frames, result.points, reduction),
        "accuracy": accuracy_view(result, result.frames, amounts, TITLE, "accuracy"),
        "survival": survival_view(result, reduction, amounts),
    }


def player_frames(result: SweepResult) -> Rows:
    """Return what the player says about each frame: `amount`, its `name`, and `detail`, the numbers beside it."""
    return [
        {
            "amount": frame.amount,
            "name": f"Pruning amount {amount_name(frame.amount)}",
            "detail": f"sparsity {frame.sparsity:.2f} · accuracy {two_places(frame.metrics.get('accuracy'))}",
        }
        for frame in result.frames
    ]


def pair_views(
    results: tuple[SweepResult, SweepResult], reduction: str, titles: tuple[str, str]
) -> tuple[dict[str, View], Rows]:
    """Draw two results beside each other at the amounts that both have: their heatmaps and their accuracy.

    Returns:
        The pictures `left`, `right`, `left-accuracy` and `right-accuracy`, and what the player says about each frame.
    """
    pairs = shown_together(*results)
    amounts = amount_rows(first.amount for first, _ in pairs)
    views: dict[str, View] = {}
    sides = ("left", "right")
    heatmaps = heatmap_pair(results, pairs, reduction, titles)
    for side, result, frames, title, heatmap in zip(
        sides, results, zip(*pairs, strict=True), titles, heatmaps, strict=True
    ):
        views[side] = heatmap
        views[f"{side}-accuracy"] = accuracy_view(
            result, frames, amounts, f"{title}: accuracy, 95 % interval", f"{side}-accuracy"
        )
    return views, compare_frames(pairs, "amount", titles)
