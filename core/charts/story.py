"""The story of one result in scenes, each with one picture: what happens to the layers, and why."""

from collections.abc import Sequence
from dataclasses import replace
from math import isnan
from typing import Any, NamedTuple

import numpy as np

from core.charts import grammar as g
from core.charts.accuracy import AT_RANDOM, chance_view
from core.charts.cut import cut_scene
from core.charts.matrix import NEAREST, heatmap_view
from core.charts.recovery import recover_scene
from core.charts.result import player_frames
from core.charts.stack import shares_view, stack_view
from core.charts.vega import text_of
from core.charts.view import Layout, Scene, View
from core.findings.accuracy import beyond_from, working_to
from core.findings.cut import chosen, frontier_of
from core.findings.layers import LayerOrder, layers_of, own_similarity, towards
from core.findings.matching import chance_beside, damages_of, with_frame_at_damage
from core.findings.passed import passed_on
from core.findings.recovery import returned
from core.findings.words import Finding
from core.findings.words import story as words
from core.findings.words.numbers import percent_range, unbroken
from core.findings.words.passed import ENDS
from core.request.catalog import DAMAGE
from core.request.pages import LOSS
from core.results.cached_call import cached_call
from core.results.cut import CutStudy
from core.results.names import ReductionKey, amount_name, brief_name, origins
from core.results.recovery import Recovery
from core.results.schema import SweepResult

DRAWING = text_of("steps.html")  # of the scene on similarity
HANDED_ON = "This layer alone pruned, at the end"
TOO_FAR = "random removal: not measured this far"
PLAY = Layout(
    "story",
    wide='"stack heatmap" 23 "bar bar" auto / 1fr 1fr',
    narrow='"stack" 7.5rem "bar" auto "heatmap" 20.75rem / 1fr',
)
CHANCE, ALONE = (
    Layout(
        "story",
        wide=f'"shares {second}" 23 "bar bar" auto / 1fr 1fr',
        narrow=f'"shares" 16.5rem "{second}" 11.5rem "bar" auto / 1fr',
    )
    for second in ("accuracy", "ends")
)
TOWARDS = Layout(
    "story",
    '". heatmap ." 23 "bar bar bar" auto / 1fr 2fr 1fr',
    '"heatmap" 21rem "bar" auto / 1fr',
)
AGAIN = Layout(
    "story",
    '"cka score" 23 "bar bar" auto / 1fr 1fr',
    '"cka" 18rem "bar" auto "score" 10rem / 1fr',
)


class Step(NamedTuple):
    """A scene of the story.

    Attributes:
        name: One of watch, similar, chance, alone, towards, again, cut.
        finding: Its heading and sentences.
        scene: Its picture; None for `similar`, whose drawing is core/charts/steps.html, and if data
            are missing.
        start: The amount shown first.
        still: The amount shown on paper if the picture has not been played.
        asked: What stands in the place of the finding until the picture has been played.
    """

    name: str
    finding: Finding
    scene: Scene | None = None
    start: float | None = None
    still: float | None = None
    asked: Finding | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes, and the figures behind the sentences; none without the picture."""
        if self.scene or self.name == "similar":
            return (*words.NOTES[self.name], *self.finding.notes)
        return ()


def story(
    result: SweepResult,
    reduction: ReductionKey,
    near: Sequence[SweepResult],
    study: CutStudy | None = None,
    recovery: Recovery | None = None,
) -> tuple[Step, ...]:
    """Tell what a result shows, scene by scene.

    Args:
        result: A whole sweep.
        reduction: A key of REDUCTIONS.
        near: The results that it is judged beside, and its layers pruned alone: see
            `core.findings.choices`.
        study: The study of cuts of its model, if there is one.
        recovery: Its model, pruned and trained again, if there is one.

    Returns:
        All seven.
    """
    return (
        _watch(result, reduction, near),
        Step("similar", words.SIMILAR),
        _chance(result, reduction, near),
        _alone(result, reduction, near),
        _towards(result, reduction),
        _again(result, recovery),
        _cut(result, study),
    )


def _watch(result: SweepResult, reduction: ReductionKey, near: Sequence[SweepResult]) -> Step:
    """Show the bands and all pairs of layers, before what they show is said."""
    finding = words.watch_finding(result, near, reduction)
    frames = player_frames(result)
    stack = stack_view(result, reduction, has_floor=False)
    asked = None
    if len(result.points) > 1 and len(frames) > 1:
        asked = words.watch_question(result)
        stack = _to_guess(stack, layers_of(result, reduction))
    views = {
        "stack": stack,
        "heatmap": heatmap_view(result, result.frames, reduction),
    }
    scene = Scene(finding.heading, origins((result,), reduction), views, frames, PLAY)
    still = working_to(result) or result.amounts[-1]
    return Step("watch", finding, scene, result.amounts[0], still, asked)


def _to_guess(stack: View, layers: LayerOrder) -> View:
    """Let the layers of a stack be picked; each row's `answer` is what becomes of it."""
    rows = []
    for row, layer in zip(stack.datasets["stack"], layers.every, strict=True):
        is_first = layer in layers.first
        picked = {
            "pick": layer.label,
            "y2": row["y"] + 1,
            "answer": words.guess_answer(layer.label, row["words"][-1], is_first),
        }
        rows.append(row | picked)
    return replace(stack, datasets={"stack": rows}, picks="stack")


def _chance(result: SweepResult, reduction: ReductionKey, near: Sequence[SweepResult]) -> Step:
    """Show where a method and random removal change the layers, both equally changed."""
    finding = words.chance_finding(result, near)
    shown = with_frame_at_damage(result, near, reduction)  # where a verdict reads it
    beside = chance_beside(shown, near, reduction)
    if not beside:
        return Step("chance", finding)
    damages = damages_of(shown, reduction)  # (frames,)
    losses = {
        brief_name(result.pruning): 1 - own_similarity(shown, reduction),
        AT_RANDOM: 1 - beside.own,
    }
    title = "Where the change lies: each layer's share of it"
    views = {
        "shares": shares_view(result.points, losses, title),
        "accuracy": chance_view(shown, damages, beside.scores, beyond_from(result)),
    }
    spans = zip(player_frames(shown), beside.amounts.tolist(), strict=True)
    frames = [_at_random(frame, *span) for frame, span in spans]
    scene = Scene(finding.heading, origins((result,), reduction), views, frames, CHANCE)
    # The first frame that has changed as much as a verdict asks.
    reached = int((damages < DAMAGE - 1e-9).sum())
    return Step("chance", finding, scene, shown.amounts[min(reached, len(damages) - 1)])


def _at_random(frame: dict[str, Any], least: float, most: float) -> dict[str, Any]:
    """Say which amounts, over its seeds, random removal takes to change layers as much."""
    if isnan(least):
        return frame | {"detail": f"{frame['detail']} · {TOO_FAR}"}
    return frame | {"name": f"{frame['name']}, or {percent_range(least, most)} at random"}


def _alone(result: SweepResult, reduction: ReductionKey, near: Sequence[SweepResult]) -> Step:
    """Show which layers change most pruned one at a time, and what each hands on."""
    passed = passed_on(result, near, reduction)
    finding = words.alone_finding(result, passed)
    if not passed:
        return Step("alone", finding)
    losses = np.array(list(passed.losses.values()))  # (frames, layers, 3)
    outputs = [f"layer.{k}.output" for k in range(losses.shape[1])]
    compared = {
        "All layers pruned": losses[..., 0],
        "This layer alone pruned": losses[..., 1],
    }
    at_the_end = {HANDED_ON: losses[..., 2]}
    title = f"Share of the change that reaches {ENDS[passed.is_read]}"
    views = {
        "shares": shares_view(
            outputs,
            compared,
            "Each layer's share of the lost similarity",
        ),
        "ends": shares_view(outputs, at_the_end, title, len(compared)),
    }
    frames = [
        g.step(
            amount,
            f"{amount_name(amount)} of weights removed",
            "",
        )
        for amount in passed.losses
    ]
    scene = Scene(finding.heading, origins((result,), reduction), views, frames, ALONE)
    return Step("alone", finding, scene, frames[0]["amount"])


def _towards(result: SweepResult, reduction: ReductionKey) -> Step:
    """Mark in the heatmap what each pruned layer is most similar to."""
    resembled = towards(result, reduction)
    finding = words.towards_finding(result, resembled)
    if not resembled:
        return Step("towards", finding)
    nearest = resembled.nearest
    working = result.frames[: len(nearest)]
    views = {"heatmap": heatmap_view(result, working, reduction, NEAREST, nearest)}
    frames = player_frames(result)[: len(nearest)]
    scene = Scene(
        finding.heading,
        origins((result,), reduction),
        views,
        frames,
        TOWARDS,
    )
    return Step("towards", finding, scene, still=frames[-1]["amount"])


def _again(result: SweepResult, recovery: Recovery | None) -> Step:
    """Show what comes back when the pruned model is trained again."""
    if not recovery:
        return Step("again", words.again_finding(result, None, None))
    finding = words.again_finding(result, recovery, cached_call(returned, recovery))
    scene = recover_scene(recovery, finding.heading)._replace(layout=AGAIN)
    return Step("again", finding, scene, still=recovery.steps[-1])


def _cut(result: SweepResult, study: CutStudy | None) -> Step:
    """Show which layers can go if the usual share of the score may be lost."""
    if not study:
        return Step("cut", words.cut_finding(result, None, 0.0))
    frontier = cached_call(frontier_of, study)
    most = float(LOSS.default)
    finding = words.cut_finding(result, frontier, most)
    choice = chosen(frontier, most)
    return Step(
        "cut",
        finding,
        cut_scene(frontier, choice, finding.heading, can_pick=False),
    )


def mounted(steps: Sequence[Step], vega: str | None) -> list[dict[str, Any]]:
    """Return the steps as core/charts/story.js takes them.

    Args:
        steps: See `story`.
        vega: The URL of Vega, see player.js.
    """
    return [
        {
            "name": step.name,
            **said(step.finding),
            "asked": step.asked and said(step.asked),
            "notes": [*map(unbroken, step.notes)],
            "go": step.finding.button and vars(step.finding.button),
            "player": step.scene
            and {
                **step.scene.mounted,
                "views": step.scene.written,
                "layout": step.scene.layout.css("wide", "narrow"),
                "vega": vega,
                "group": f"story-{step.name}",
                "start": step.start,
                "still": step.still,
            },
            "drawing": DRAWING if step.name == "similar" else None,
        }
        for step in steps
    ]


def said(finding: Finding) -> dict[str, Any]:
    """Return a finding as core/charts/story.js and core/charts/site.js take it."""
    return {
        "heading": unbroken(finding.heading),
        "sentences": [*map(unbroken, finding.sentences)],
    }
