"""The story of one result in six scenes, each with one picture: what a layer does, a guess, what happens, and why.

The stack of layers stands in all scenes but the first, so that one picture turns into the next. Marks come one by one:
first the bands alone, then the floor, then random removal.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isnan
from typing import Any

from core.charts.accuracy import accuracy_view
from core.charts.grammar import Rows
from core.charts.matrix import heatmap_view
from core.charts.passed import halves_scene
from core.charts.result import player_frames
from core.charts.stack import NUMBER_ROOM, stack_view
from core.charts.vega import text_of
from core.charts.view import STILL, Layout, Numbers, Scene, View
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
    wide='"stack heatmap" 23 "stack accuracy" 11.5 "bar bar" auto / 5fr 4fr',
    narrow='"stack" 9.5rem "heatmap" 10.5rem "accuracy" 6.5rem "bar" auto / 1fr',
)
BESIDE = Layout(
    "story", '"stack accuracy" 23 "bar bar" auto / 1fr 1fr', '"stack" 15rem "accuracy" 11rem "bar" auto / 1fr'
)
GUESS = Layout("story", wide='"stack" 20rem "bar" auto / 1fr')


@dataclass(frozen=True)
class Step:
    """A scene of the story.

    Attributes:
        name: One of similar, guess, play, limits, chance, matters.
        finding: Its heading and sentences.
        scene: Its picture; None for `similar`, whose drawing is core/charts/steps.html, and if data are missing.
        start: The amount shown first.
    """

    name: str
    finding: Finding
    scene: Scene | None
    start: float | None = None

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
        All six steps.
    """
    metric, table = metric_of(result, preferred=metric), pooled.shipped()
    origin, start = origins((result,), reduction), working_to(result, metric) or result.amounts[0]
    frames, chance = player_frames(result, metric), chance_beside(result, near, reduction)

    def scene(finding: Finding, layout: Layout, frames: Rows, **views: View) -> Scene:
        return Scene(finding.heading, origin, views, frames, layout)

    bands, curve = stack_view(result, reduction, has_floor=False), accuracy_view(result, metric)
    guess, play = words.guess_finding(result), words.play_finding(result, near, reduction)
    limits = words.limits_finding(result, reduction, metric)
    by_chance, drawn = words.chance_finding(result, near, table, metric), None
    if chance:
        marked = stack_view(result, reduction, has_floor=False, chance=chance)
        curves = accuracy_view(result, metric, controls_of(result, near))
        spans = chance[1].tolist()
        matched = [_at_random(frame, *span) for frame, span in zip(frames, spans, strict=True)]
        drawn = scene(by_chance, BESIDE, matched, stack=marked, accuracy=curves)
    pairs, floored = heatmap_view(result, result.frames, reduction), stack_view(result, reduction)
    return (
        Step("similar", words.similar_finding(table), None),
        Step("guess", guess, scene(guess, GUESS, STILL, stack=_to_guess(bands)) if len(result.points) > 1 else None),
        Step("play", play, scene(play, PLAY, frames, stack=bands, heatmap=pairs, accuracy=curve)),
        Step("limits", limits, scene(limits, BESIDE, frames, stack=floored, accuracy=curve), start),
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
            "heading": unbroken(step.finding.heading),
            "sentences": [*map(unbroken, step.finding.sentences)],
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


def _to_guess(stack: View) -> View:
    """Leave a stack as it is before pruning, its layers to be picked; each row's `answer` is what becomes of it."""
    rows = [
        {
            **{**row, "words": "", "pick": row["layer"], "chosen": False, "y2": row["y"] + 1, "v": row["v"][:1]},
            "answer": words.guess_answer(row["layer"], row["words"], row["first"]),
        }
        for row in stack.datasets["stack"]
    ]
    return replace(
        stack,
        arguments=(*stack.arguments, NUMBER_ROOM),
        datasets={**stack.datasets, "stack": rows},
        numbers=Numbers("stack", "layer", {"Similarity": "v"}, named="Layer"),
        picks="stack",
    )


def _matters(result: SweepResult, reduction: ReductionKey, near: Sequence[SweepResult]) -> Step:
    """Show which layers fade, beside the harm of pruning either half, if halves alone were measured."""
    alone, drawn = isolated_of(result, near), list(isolated_controls_of(result, near).values())
    harm, scene = passed.harm_of(alone, result), None
    finding = words.matters_finding(result, verdict(result, near, reduction), harm, passed.shipped())
    if harm:
        scene = halves_scene(result, reduction, alone, drawn, finding.heading)
    return Step("matters", finding, scene, harm.removed if harm else None)
