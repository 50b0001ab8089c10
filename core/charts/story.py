"""The story of one result in scenes, each with one picture: what happens to the layers, what that means, and why."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isnan
from typing import Any

from core.charts.accuracy import accuracy_view
from core.charts.grammar import Rows
from core.charts.matrix import heatmap_view
from core.charts.passed import halves_scene
from core.charts.result import player_frames
from core.charts.stack import stack_view
from core.charts.vega import text_of
from core.charts.view import Layout, Scene, View
from core.findings import passed, pooled
from core.findings.accuracy import metric_of, working_to
from core.findings.claim import verdict
from core.findings.comparable import controls_of, isolated_controls_of, isolated_of
from core.findings.matching import chance_beside
from core.findings.words import Finding
from core.findings.words import story as words
from core.findings.words.numbers import percent_range, unbroken
from core.results.names import ReductionKey, origins
from core.results.schema import SweepResult

DRAWING = text_of("steps.html")  # of the first scene
TOO_FAR = "random removal: not measured this far"
PLAY = Layout(
    "story",
    wide='"stack heatmap" 23 "bar bar" auto / 1fr 1fr',
    narrow='"stack" 7.5rem "bar" auto "heatmap" 20.75rem / 1fr',
)
BESIDE = Layout(
    "story", '"stack accuracy" 23 "bar bar" auto / 1fr 1fr', '"stack" 15rem "accuracy" 11rem "bar" auto / 1fr'
)


@dataclass(frozen=True)
class Step:
    """A scene of the story.

    Attributes:
        name: One of watch, similar, chance, matters.
        finding: Its heading and sentences.
        scene: Its picture; None for `similar`, whose drawing is core/charts/steps.html, and if data are missing.
        start: The amount shown first.
        asked: What stands in the place of the finding until the picture has been played.
    """

    name: str
    finding: Finding
    scene: Scene | None
    start: float | None = None
    asked: Finding | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """The presenter's notes; a scene without its picture has none."""
        return words.NOTES[self.name] if self.scene or self.name == "similar" else ()


def story(
    result: SweepResult, reduction: ReductionKey, near: Sequence[SweepResult], metric: str | None = None
) -> tuple[Step, ...]:
    """Tell what a result shows, scene by scene.

    Args:
        result: A whole sweep.
        reduction: A key of REDUCTIONS.
        near: The results that it is judged beside, and both halves of its layers pruned alone: see
            `core.findings.choices`.
        metric: The metric by which the model works; None is the task's main one.

    Returns:
        All steps.
    """
    metric, table = metric_of(result, preferred=metric), pooled.shipped()
    origin, start = origins((result,), reduction), working_to(result, metric) or result.amounts[0]
    frames, chance = player_frames(result, metric), chance_beside(result, near, reduction)

    def scene(finding: Finding, layout: Layout, frames: Rows, **views: View) -> Scene:
        return Scene(finding.heading, origin, views, frames, layout)

    watch = words.watch_finding(result, near, reduction, metric)
    bands = stack_view(result, reduction, has_floor=False)
    pairs = heatmap_view(result, result.frames, reduction)
    by_chance, drawn = words.chance_finding(result, near, table, metric), None
    if chance:
        marked = stack_view(result, reduction, has_floor=False, chance=chance)
        curves = accuracy_view(result, metric, controls_of(result, near))
        spans = chance[1].tolist()
        matched = [_at_random(frame, *span) for frame, span in zip(frames, spans, strict=True)]
        drawn = scene(by_chance, BESIDE, matched, stack=marked, accuracy=curves)
    asked = words.watch_question(result) if len(result.points) > 1 and len(frames) > 1 else None
    bands = _to_guess(bands) if asked else bands
    return (
        Step("watch", watch, scene(watch, PLAY, frames, stack=bands, heatmap=pairs), result.amounts[0], asked),
        Step("similar", words.SIMILAR, None),
        Step("chance", by_chance, drawn, start if drawn else None),
        _matters(result, reduction, near),
    )


def _at_random(frame: dict[str, Any], least: float, most: float) -> dict[str, Any]:
    """Say beside a frame which amounts, over its seeds, random removal takes to change the layers as much."""
    amounts = TOO_FAR if isnan(least) else f"random removal: {percent_range(least, most)} for the same change"
    return {**frame, "detail": f"{frame['detail']} · {amounts}"}


def mounted(steps: Sequence[Step], vega: str | None) -> list[dict[str, Any]]:
    """Return the steps as core/charts/story.js takes them.

    Args:
        steps: See `story`.
        vega: The URL of Vega, see player.js.
    """
    return [
        {
            "name": step.name,
            **_said(step.finding),
            "asked": step.asked and _said(step.asked),
            "notes": step.notes,
            "go": step.finding.button and vars(step.finding.button),
            "player": step.scene
            and {
                **step.scene.mounted,
                "views": step.scene.written,
                "layout": step.scene.layout.whole,
                "vega": vega,
                "group": f"story-{step.name}",
                "start": step.start,
            },
            "drawing": DRAWING if step.name == "similar" else None,
        }
        for step in steps
    ]


def _said(finding: Finding) -> dict[str, Any]:
    return {"heading": unbroken(finding.heading), "sentences": [*map(unbroken, finding.sentences)]}


def _to_guess(stack: View) -> View:
    """Let the layers of a stack be picked; each row's `answer` is what becomes of it."""
    rows = [
        {
            **{**row, "pick": row["layer"], "chosen": False, "y2": row["y"] + 1},
            "answer": words.guess_answer(row["layer"], row["words"][-1], row["first"]),
        }
        for row in stack.datasets["stack"]
    ]
    return replace(stack, datasets={**stack.datasets, "stack": rows}, picks="stack")


def _matters(result: SweepResult, reduction: ReductionKey, near: Sequence[SweepResult]) -> Step:
    """Show which layers fade, beside the harm of pruning either half, if halves alone were measured."""
    alone, drawn = isolated_of(result, near), list(isolated_controls_of(result, near).values())
    harm, scene = passed.harm_of(alone, result), None
    finding = words.matters_finding(result, verdict(result, near, reduction), harm, passed.shipped())
    if harm:
        scene = halves_scene(result, reduction, alone, drawn, finding.heading)
    return Step("matters", finding, scene, harm.removed if harm else None)
