"""The story of one result in six scenes, each with one picture: what a layer does, a guess, what happens, and why.

The stack of layers stands in all scenes but the first, so that one picture turns into the next. Marks come one by one:
first the bands alone, then the floor, then random removal.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.charts import grammar as g
from core.charts.accuracy import accuracy_view, metric_title
from core.charts.matrix import heatmap_view
from core.charts.passed import halves_scene
from core.charts.result import player_frames
from core.charts.stack import NUMBER_ROOM, stack_view
from core.charts.vega import text_of
from core.charts.view import Layout, Numbers, Scene, View
from core.findings import passed, pooled
from core.findings.accuracy import metric_of, working_to
from core.findings.claim import verdict
from core.findings.comparable import controls_of, isolated_controls_of, isolated_of
from core.findings.words import Finding
from core.findings.words import story as words
from core.findings.words.numbers import unbroken
from core.results.names import ReductionKey, origins
from core.results.schema import SweepResult

DRAWING = text_of("steps.html")  # of the first scene
PLAY = Layout(
    "story",
    wide='"stack heatmap" 23 "stack accuracy" 11.5 "bar bar" auto / 5fr 4fr',
    narrow='"stack" 9.5rem "heatmap" 10.5rem "accuracy" 6.5rem "bar" auto / 1fr',
)
BESIDE = Layout(
    "story",
    wide='"stack accuracy" 23 "bar bar" auto / 1fr 1fr',
    narrow='"stack" 15rem "accuracy" 11rem "bar" auto / 1fr',
)
GUESS = Layout("story", wide='"stack" 20rem "bar" auto / 1fr')


@dataclass(frozen=True)
class Step:
    """A scene of the story.

    Attributes:
        name: One of similar, guess, play, limits, chance, matters.
        said: Its heading and sentences.
        scene: Its picture; None of `similar`, whose drawing is core/charts/steps.html, and where data are missing.
        start: The amount shown first.
        notes: What a presenter says.
    """

    name: str
    finding: Finding
    scene: Scene | None
    start: float | None = None
    notes: tuple[str, ...] = ()


def story(
    result: SweepResult,
    reduction: ReductionKey,
    near: Sequence[SweepResult],
    metric: str | None = None,
) -> tuple[Step, ...]:
    """Tell what a result shows, scene by scene.

    Args:
        result: A whole sweep.
        reduction: A key of REDUCTIONS.
        near: What it is judged beside, and both halves of its layers pruned alone: see `core.findings.choices`.
        metric: By which the model works; None is the task's main one.

    Returns:
        All six steps.
    """
    metric, table = metric_of(result, preferred=metric), pooled.shipped()
    controls, to = controls_of(result, near), working_to(result, metric)

    def curves(*drawn: SweepResult) -> View:
        return accuracy_view(result, result.frames, metric_title(metric), metric, controls=drawn)

    def step(name: str, told: Finding, layout: Layout, views: dict[str, View], start: float | None = None) -> Step:
        frames = player_frames(result, metric) if len(views) > 1 else [g.step(0.0, "", "")]
        scene = Scene(told.heading, origins((result,), reduction), views, frames, layout) if views else None
        return _step(name, told, scene, start)

    pairs = heatmap_view(result, result.frames, reduction, annotated=True)
    shown = {"stack": stack_view(result, reduction, (), has_floor=False), "heatmap": pairs, "accuracy": curves()}
    limits = {"stack": stack_view(result, reduction, ()), "accuracy": shown["accuracy"]}
    stack = stack_view(result, reduction, near, has_floor=False)
    chance = {"stack": stack, "accuracy": curves(*controls)} if controls else {}
    guess = {"stack": _whole(shown["stack"])} if len(result.points) > 1 else {}
    start = to or result.amounts[0]
    return (
        step("similar", words.similar_finding(table), PLAY, {}),
        step("guess", words.guess_finding(result), GUESS, guess),
        step("play", words.play_finding(result, near, reduction), PLAY, shown),
        step("limits", words.limits_finding(result, reduction, metric), BESIDE, limits, start),
        step("chance", words.chance_finding(result, near, table, metric), BESIDE, chance, start),
        _matters(result, reduction, near),
    )


def mounted(steps: Sequence[Step], vega: str | None) -> list[dict[str, Any]]:
    """Return what core/charts/story.js takes as its steps.

    Args:
        steps: See `story`.
        vega: Where a browser gets Vega, see player.js.
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


def _step(name: str, told: Finding, scene: Scene | None, start: float | None = None) -> Step:
    """Describe a scene; one that lacks its data starts nowhere, and leaves a presenter nothing to say."""
    notes = words.NOTES[name] if scene or name == "similar" else ()
    return Step(name, told, scene, start if scene else None, notes)


def _whole(stack: View) -> View:
    """Leave of a stack what it shows at first, and let its layers be picked; what becomes of one is its `answer`."""
    rows = [
        {
            **{**row, "words": "", "pick": row["layer"], "chosen": False, "y2": row["y"] + 1, "v": row["v"][:1]},
            "answer": words.guess_answer(row["layer"], row["words"], row["first"]),
        }
        for row in stack.datasets["stack"]
    ]
    numbers = Numbers("stack", "layer", {"Similarity": "v"}, named="Layer")
    wider = replace(stack, arguments=(*stack.arguments, NUMBER_ROOM))
    return replace(wider, datasets={**stack.datasets, "stack": rows}, numbers=numbers, picks="stack")


def _matters(result: SweepResult, reduction: ReductionKey, near: Sequence[SweepResult]) -> Step:
    """Show which layers fade, beside the harm of pruning either half; by what is measured of halves alone."""
    alone, drawn = isolated_of(result, near), list(isolated_controls_of(result, near).values())
    found, scene = passed.harm_of(alone, result), None
    told = words.matters_finding(result, verdict(result, near, reduction), found, passed.shipped())
    if found:
        scene = halves_scene(result, reduction, alone, drawn, told.heading)
    return _step("matters", told, scene, found.removed if found else None)
