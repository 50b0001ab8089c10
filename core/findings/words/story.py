"""The story's sentences: what each of its six scenes says, what a presenter adds, and what a result may lack."""

from collections.abc import Sequence
from dataclasses import replace

from core.findings.accuracy import ends_by_chance, metric_of, working_to
from core.findings.claim import Verdict, verdict
from core.findings.comparable import controls_of
from core.findings.layers import floor_of
from core.findings.passed import HalvesHarm, Harm
from core.findings.pooled import ALL, Pooled, shipped
from core.findings.words import Button, Finding, numbered, points, points_span
from core.findings.words import layers as layers_words
from core.findings.words import numbers as num
from core.findings.words.grid import LEAST, claim_heading, difference_sentence
from core.findings.words.passed import apart_sentence, halves_finding
from core.findings.words.verdict import DECIDE_IT, why_inconclusive
from core.request.catalog import DAMAGE, METHODS, METRICS, RECIPE, SURVIVAL_THRESHOLD
from core.request.scope import run_of
from core.results import names as n
from core.results.schema import SweepResult
from core.sweep.control_contrast import DIFFERENT
from core.sweep.working_range import RETAINED

SIMILAR = (
    "Similarity (CKA) compares how a layer arranges sentences before and after pruning, which sets weights to zero: 1 "
    "is the same arrangement, near 0 is no more alike than chance.",
    "Random removal is compared where it has changed the layers as much overall, not at the same amount.",
)
HOW_TO_READ = """
**In the stack**, each band is one layer: its length and colour say how much the layer still resembles its unpruned
self. A layer's output also reflects the pruning of every layer below it. **In the heatmap**, each cell compares one
layer of the pruned model with one of the unpruned model. **Random removal** is marked at the amount where the overall
change is equal: what differs then is which layers have changed. **Everything removed** is the similarity left when all
that can be pruned is gone; a layer *intact even at 100 %* says little. **Shaded** is everything beyond the working
range.
"""
SECOND = "The same story of a model of {} layers"  # a button
NOTES = {  # for a presenter
    "similar": (
        "Pruning sets weights to zero. Scores say what that costs; we look inside.",
        "Turning the whole picture changes nothing. Losing one's neighbours does.",
    ),
    "guess": (
        "Every layer starts out fully similar to itself.",
        "Let the room vote: the first layers, the last, or all together?",
    ),
    "play": (
        "Watch which bands shorten first, and what the accuracy does meanwhile.",
        "In the heatmap, the outlined cells are each layer with itself.",
        "Do not conclude yet: the next two scenes say what this order is worth.",
    ),
    "limits": (
        "In the shade the model loses what it could do: what changes there says little about how it worked.",
        "A band that ends near its mark keeps no more than that emptied model does.",
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


def similar_finding(table: Sequence[Pooled]) -> Finding:
    """Open with what all shipped checkpoints say; the picture and the sentences explain similarity."""
    return Finding(claim_heading(table[0]) if table else "Similar layers keep the same sentences together", SIMILAR)


def guess_finding(result: SweepResult) -> Finding:
    """Ask which layers change first."""
    if len(result.points) < 2:
        return Finding("There is nothing to guess", ("The layers are too few.",))
    heading = f"Which layers change first when {n.whose_units(result)} are removed?"
    convention = f"By convention, a layer is intact from a similarity of {SURVIVAL_THRESHOLD}."
    depth = numbered(result.checkpoint.num_layers, "layer")
    ask = f"Of the {depth}, the first lies at the bottom: pick the one that you think changes first, or go on."
    return Finding(heading, (f"{METHODS[result.pruning.method].explanation} {convention}", ask))


def guess_answer(label: str, intact: str, is_first: bool) -> str:
    """Say of the layer that was guessed how far it is intact, and whether it is the one that falls first."""
    return f"Your guess, layer {label}: {intact or 'not judged here'}{', the first to fall' if is_first else ''}."


def spoken_summary(result: SweepResult, companions: Sequence[SweepResult], reduction: n.ReductionKey) -> str:
    """Say the findings of all scenes on one pruning, as a speaker would."""
    findings = (
        play_finding(result, companions, reduction),
        limits_finding(result, reduction),
        chance_finding(result, companions, ()),
    )
    return " ".join(f"{finding.heading}." for finding in findings)


def play_finding(result: SweepResult, companions: Sequence[SweepResult], reduction: n.ReductionKey) -> Finding:
    """Say where a result changes the model, and which layer falls first."""
    first = layers_words.layers_heading(result, reduction)
    reading = "Each layer hands its change on to those above. Outlined cells repeat the bands."
    return Finding(where_heading(result, verdict(result, companions)), (f"{first}.", reading))


def where_heading(result: SweepResult, judged: Verdict) -> str:
    """Say in which half of the layers a method is shown to change a model most."""
    pruning = n.brief_name(result.pruning)
    if n.pruned_layers(result.pruning):
        return f"{pruning} can change only what it prunes and the layers above"
    if judged.method is None:
        return f"Where {n.in_sentence(pruning)} changes the model most is not known here{why_inconclusive(judged)}"
    if judged.lead:
        return f"{pruning} changes the {judged.lead} layers most"
    return f"Neither half of the layers is shown to change more under {n.in_sentence(pruning)}"


def limits_finding(result: SweepResult, reduction: n.ReductionKey, metric: str | None = None) -> Finding:
    """Say up to which amount the model works, and what an emptied one keeps."""
    metric, (first, *pruned) = metric_of(result, preferred=metric), result.amounts
    to, title = working_to(result, metric), METRICS[metric].title
    values = {frame.amount: num.two_places(frame.metrics.get(metric)) for frame in result.frames}

    def change(amount: float) -> str:
        return f"{title} is {values[first]} unpruned and {values[amount]} with {n.removed_name(amount, result)}"

    if not pruned:
        heading, kept = "Nothing has been removed", f"{title} is {values[first]} unpruned"
    elif to is None:
        heading, kept = "How far the model works is not known here", change(pruned[-1])
        if result.working_range:
            heading = "Even unpruned, the model is not shown to beat guessing"
    elif to == 0:
        heading, kept = "The model fails at the first step", change(pruned[0])
    else:
        numbers = f"{n.in_sentence(title)} {values[to]}, unpruned {values[first]}"
        shown, judged = len(result.task.examples), result.working_range
        if judged and judged.metric == metric and judged.examples != shown:
            numbers += f", on {shown} of the {judged.examples} examples that this was judged on"
        kept = f"Up to there, it keeps {num.percent(RETAINED)} or more of its advantage over {n.GUESSING} ({numbers})"
        most = ", the most that was measured" if to == pruned[-1] else ""
        heading = f"The model works up to {n.removed_name(to, result)}{most}"
    return Finding(heading, (f"{kept}.", *_floor_sentence(result, reduction)))


def _floor_sentence(result: SweepResult, reduction: n.ReductionKey) -> tuple[str, ...]:
    """Say what similarity is left with everything removed; nothing where that is unknown, or known of other layers."""
    labelled = zip(floor_of(result, reduction) or (), n.point_labels(result.points), strict=False)
    floors = [(value, label) for value, label in labelled if value is not None]
    if not floors:
        return ()
    most, label = max(floors)
    kept = f"With everything removed, layer {label} keeps a similarity of {num.decimals(most, 2)}"
    return (
        f"{kept}: a band near its dotted mark says little of pruning; a better yardstick is random removal (next).",
    )


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
