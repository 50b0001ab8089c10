"""The story's sentences: what each of its scenes says, what a presenter adds, and what a result may lack."""

from collections.abc import Sequence
from dataclasses import replace

from core.findings.accuracy import ends_by_chance, working_to
from core.findings.claim import Verdict, verdict
from core.findings.comparable import controls_of
from core.findings.layers import layers_of
from core.findings.passed import HalvesHarm, Harm
from core.findings.pooled import ALL, Pooled, shipped
from core.findings.words import Button, Finding, points, points_span
from core.findings.words import layers as layers_words
from core.findings.words import numbers as num
from core.findings.words.grid import LEAST, difference_sentence
from core.findings.words.passed import apart_sentence, halves_finding
from core.findings.words.verdict import DECIDE_IT, why_inconclusive
from core.request.catalog import DAMAGE, METHODS, RECIPE
from core.request.scope import run_of
from core.results import names as n
from core.results.schema import SweepResult
from core.sweep.control_contrast import DIFFERENT

SIMILAR = Finding(
    "Similar layers keep the same sentences together",
    (
        "Similarity (CKA) compares how a layer arranges sentences before and after pruning: 1 is the same arrangement, "
        "near 0 is no more alike than chance.",
    ),
)
HOW_TO_READ = """
**In the stack**, each band is one layer: its length and colour say how much the layer still resembles its unpruned
self. A layer's output also reflects the pruning of every layer below it. By convention, a layer is **intact** from a
similarity of 0.9. **In the heatmap**, each cell compares one layer of the pruned model with one of the unpruned model.
**Random removal** is compared at the amount where the overall change is equal: what differs then is which layers have
changed. **Shaded** is everything beyond the working range, where the model has lost 10 % of its advantage over always
guessing the commonest label: what changes there says little about how it worked.
"""
SECOND = "The same story of a model of {} layers"  # a button
NOTES = {  # for a presenter
    "watch": (
        "Pruning sets weights to zero. Scores say what that costs; we look inside.",
        "Let the room vote: the first layers, the last, or all together? Then play.",
        "Do not conclude yet: the scene on chance says what this order is worth.",
    ),
    "similar": (
        "Turning the whole picture changes nothing. Losing one's neighbours does.",
        "Every layer starts out fully similar to itself.",
    ),
    "chance": (
        "Each layer hands its change on to the next, so a decline with depth is expected whatever is removed.",
        "That is why the method is compared with weights removed at random.",
        "The marks compare layers where both have changed equally; the curves, where both have lost as much.",
    ),
    "matters": (
        "So far, all layers were pruned. Now one half of them, and then the other.",
        "A layer that looks intact still feeds all those above it.",
    ),
}
OWN = Button("Try your own model", "own")
UNKNOWN = "How far the model works is not known here"


def watch_question(result: SweepResult) -> Finding:
    """Ask which layers change first."""
    cell = (
        "A cell says how similar (1: alike) a layer of the pruned model is to one of the unpruned model; the outlined "
        "cells, each layer with itself, are the bands."
    )
    heading = f"Which layers change first when {n.whose_units(result)} are removed?"
    return Finding(heading, (cell, "Click the band that you think shortens first, or just press Play."))


def guess_answer(label: str, intact: str, is_first: bool) -> str:
    """Say of the layer that was guessed how far it is intact, and whether it is the one that falls first."""
    return f"Your guess, layer {label}: {intact or 'not judged here'}{', the first to fall' if is_first else ''}."


def spoken_summary(result: SweepResult, companions: Sequence[SweepResult], reduction: n.ReductionKey) -> str:
    """Say the findings on one pruning as a speaker would."""
    watch = watch_finding(result, companions, reduction)
    return " ".join((f"{watch.heading}.", *watch.sentences, f"{chance_finding(result, companions, ()).heading}."))


def watch_finding(
    result: SweepResult, companions: Sequence[SweepResult], reduction: n.ReductionKey, metric: str | None = None
) -> Finding:
    """Say where a result changes the model, which layer falls first, and up to which amount the model works."""
    sentences = f"{layers_words.layers_heading(result, reduction)}.", f"{working_text(result, metric)}."
    return Finding(where_heading(result, verdict(result, companions), reduction), sentences)


def where_heading(result: SweepResult, judged: Verdict, reduction: n.ReductionKey) -> str:
    """Say which half of the layers a method is shown to change most, and whether the first to fall are among these."""
    pruning = n.brief_name(result.pruning)
    if n.pruned_layers(result.pruning):
        return f"{pruning} can change only what it prunes and the layers above"
    if judged.method is None:
        return f"Where {n.in_sentence(pruning)} changes the model most is not known here{why_inconclusive(judged)}"
    if judged.lead:
        order, half = layers_of(result, reduction), len(result.points) // 2
        is_upper = {layer in order.every[half:] for layer in order.first}
        is_first = is_upper == {judged.lead == "upper"}
        return f"{pruning} changes the {judged.lead} layers {'first and most' if is_first else 'most'}"
    return f"Neither half of the layers is shown to change more under {n.in_sentence(pruning)}"


def working_text(result: SweepResult, metric: str | None = None) -> str:
    """Say up to which amount the model works by a metric, by default the task's main one."""
    to = working_to(result, metric)
    if len(result.amounts) < 2:
        return "Nothing has been removed"
    if to is None:
        is_judged = result.working_range is not None
        return "Even unpruned, the model is not shown to beat guessing" if is_judged else UNKNOWN
    most = ", the most that was measured" if to == result.amounts[-1] else ""
    return f"The model works up to {n.removed_name(to, result)}{most}" if to else "The model fails at the first step"


# ---------------------------------------------------------------- chance


def chance_finding(
    result: SweepResult, companions: Sequence[SweepResult], table: Sequence[Pooled], metric: str | None = None
) -> Finding:
    """Say whether chance does the same, and how soon it breaks the model.

    Args:
        result: A whole sweep.
        companions: What it is judged beside.
        table: See `core.findings.pooled.shipped`.
        metric: By which the model works; None is the task's main one.
    """
    own = result.pruning.method, result.pruning.scope
    pooled = next((pooled for pooled in table if (pooled.method, pooled.scope) == own), None)
    if not controls_of(result, companions):
        return _without_control(result, pooled)
    judged, to = verdict(result, companions), working_to(result, metric)
    ends, sentences, sooner = ends_by_chance(result, companions, metric), list[str](), ""
    if to and ends:
        reaches = f"The working range reaches {n.removed_name(to, result)}"
        sentences.append(f"{reaches}; under random removal, it ends at {num.percent_range(*ends)} (light shade).")
        if max(ends) < to:
            sooner = f"breaks the model {'far ' if max(ends) <= to / 2 else ''}sooner"
    if judged.share is not None and judged.control_shares:
        sentences.append(_shares_sentence(judged, pooled))
    elif judged.reason:
        sentences.append(f"No verdict is possible{why_inconclusive(judged)}.")
    button = Button(DECIDE_IT.format(judged.remedy), judged.remedy) if judged.remedy else None
    return _unmeasured(_chance_heading(judged, sooner), sentences, button, result)


def chance_text(result: SweepResult, companions: Sequence[SweepResult]) -> str:
    """Say whether chance does the same, here and over all shipped checkpoints."""
    return chance_finding(result, companions, shipped()).text


def _chance_heading(judged: Verdict, sooner: str) -> str:
    also, besides = (f", and {sooner}", f"; it {sooner}") if sooner else ("", "")
    if judged.state in DIFFERENT:
        less = "less" if judged.state == "steeper" else "more"
        return f"Judged alone, random removal changes the upper half of the layers {less}{also}"
    if judged.state == "equivalent":
        return f"Random removal changes the upper half of the layers about as much{also}"
    if judged.state is None:
        return f"Random removal is not judged here{besides}"
    if judged.lead and judged.control_lead == judged.lead:
        most = f"Random removal changes the {judged.lead} layers most, too"
        return f"{most} (whether to the same degree is inconclusive){also}"
    return f"Whether random removal does the same is inconclusive{besides}"


def _shares_sentence(judged: Verdict, pooled: Pooled | None) -> str:
    """Say the shares of the change in the upper half, here and over all shipped checkpoints."""
    counts = f"differences within {LEAST} percentage points are too small to count"
    if judged.state in DIFFERENT:
        counts = "corrected for the number of verdicts, this may be inconclusive"
    broken = ", beyond its working range" if "random removal beyond its working range" in judged.flags else ""
    overall = ""
    if pooled:
        estimate = pooled.estimates[ALL]
        difference = f"{points(estimate.value)} ({points_span(*estimate.interval)})"
        overall = f"; over {len(pooled.keys)} checkpoints, the difference is {difference}"
    return (
        f"Where both have changed the layers equally, by {num.decimals(DAMAGE, 2)}, {num.percent(judged.share or 0)} "
        "of the change lies in the upper half of the layers, under random removal "
        f"{num.percent_range(*judged.control_shares)}{broken}{why_inconclusive(judged)}; {counts}{overall}."
    )


def _without_control(result: SweepResult, pooled: Pooled | None) -> Finding:
    expected = "Some order of layers is expected whatever is removed, so a method is compared with random removal."
    if METHODS[result.pruning.method].is_random:
        return Finding("This is random removal itself", (expected,))
    if run_of(result.pruning.scope):
        why = "No verdict is given where layers are pruned alone."
        return Finding("Would chance do the same? Not asked here", (why,))
    sentences = [expected]
    if pooled:
        sentences.append(f"Over {len(pooled.keys)} checkpoints, {n.in_sentence(difference_sentence(pooled))}")
    button = Button("Measure random removal", "random removal")
    return _unmeasured("Would chance do the same? Not measured here", sentences, button, result)


def _unmeasured(heading: str, sentences: Sequence[str], button: Button | None, result: SweepResult) -> Finding:
    """Offer a button for what is missing, unless the weights are not shipped."""
    is_shipped = not result.checkpoint.id.startswith(RECIPE)
    return Finding(heading, tuple(sentences), button if is_shipped else None)


# ---------------------------------------------------------------- what matters


def matters_finding(result: SweepResult, judged: Verdict, harm: HalvesHarm | None, table: Sequence[Harm]) -> Finding:
    """Say whether the half of the layers that fades is the one that matters; see `core.findings.words.passed`."""
    if harm:
        return replace(halves_finding(judged.lead, harm, table), button=OWN)
    method = METHODS[result.pruning.controls or result.pruning.method]
    has_halves = method.granularity == "weight" and result.checkpoint.num_layers > 1
    if not has_halves or run_of(result.pruning.scope):
        why = "Halves are pruned alone only where weights of several layers are removed."
        return Finding("Is what changes most what matters most? Not asked here", (why,))
    takes = "That takes pruning each half of the layers alone, by the method and at random, which was not done here."
    sentences = takes, *apart_sentence(table)
    button = Button("Prune each half alone", "halves")
    return _unmeasured("Is what changes most what matters most? Not measured here", sentences, button, result)
