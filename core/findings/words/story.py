"""The story's sentences: what each scene says, what a presenter adds, what a result may lack."""

from collections.abc import Sequence
from dataclasses import replace

from core.findings.accuracy import beyond_from
from core.findings.claim import Verdict, verdict
from core.findings.comparable import controls_of
from core.findings.cut import Frontier
from core.findings.layers import Towards, layers_of
from core.findings.passed import PassedOn
from core.findings.pooled import ALL, WHOLE, Pooled, estimate, shipped
from core.findings.recovery import Returned
from core.findings.words import (
    Button,
    Finding,
    cut,
    passed,
    points,
    points_span,
    works_words,
)
from core.findings.words import numbers as num
from core.findings.words.grid import SHARES
from core.findings.words.layers import layers_heading
from core.findings.words.recovery import came_back, recover_finding
from core.findings.words.verdict import DECIDE_IT, why_inconclusive
from core.request.catalog import DAMAGE, METHODS, RECIPE
from core.request.scope import run_of
from core.results import names as n
from core.results.recovery import Recovery
from core.results.schema import SweepResult
from core.sweep.control_contrast import DIFFERENT, State

SIMILAR = Finding(
    "Similar layers keep the same sentences together",
    (
        "Similarity (CKA) compares how a layer arranges sentences, pruned and unpruned: 1 is "
        "equal, near 0 is chance.",
    ),
)
HOW_TO_READ = """
**In the stack**, each bar is one layer: its length and colour say how much the layer still
resembles its unpruned self. A layer's output also reflects the pruning of every layer below it. By
convention, a layer is **intact** from a similarity of 0.9. **In the heatmap**, each cell compares
one layer of the pruned model with one of the unpruned model. **In bars of two colours**, each layer
has its share of what all layers lose. **Random removal** is compared at the amount where the
overall change is equal: what differs then is which layers have changed. **Shaded** is everything
where the model no longer works: it has lost 10 % of its advantage over always guessing the
commonest label.
"""
SECOND = "The same story of a model of {} layers"  # a button
NOTES = {  # for a presenter
    "watch": (
        "Pruning sets weights to zero. Scores say what that costs; we look inside.",
        "Let the room vote, then play. Do not conclude yet: the scene on chance says what this "
        "order is worth.",
    ),
    "similar": (
        "Turning the whole picture changes nothing. Losing one's neighbours does.",
        "Every layer starts out fully similar to itself.",
    ),
    "chance": (
        "Random removal is shown at the amount at which it has changed the layers as much, not at "
        "the same amount.",
        "While the changes are small, how much has changed says more than what removed the "
        "weights.",
    ),
    "alone": (
        "So far, all layers were pruned. Now one at a time, and all others are left as they are.",
        "A layer that looks intact still feeds all those above it. Play on: where models break, "
        "some tasks turn back.",
    ),
    "towards": (
        "Each disc marks what a pruned layer is most similar to: at first itself, then layers "
        "below it.",
        "The likely reason: each block adds less to what passes by it, so that layers become "
        "alike.",
    ),
    "again": (
        "Hardly anybody uses a model as pruning leaves it: it is trained again. The zeros stay "
        "zeros here.",
        "Judge the end: a dip on the way may be gone in another order of the rows, and the thin "
        "line dips, too.",
    ),
    "cut": (
        "Zeros in place make nothing faster. Layers that are gone do.",
        "The layers that stay were refitted briefly; the judged rows took no part in that.",
    ),
}
HINT = "← → step · ↑ ↓ other result · space play · F full screen"  # on the stage of Present
OWN = Button("Try your own model", "own")
CHANGE = "the change into the upper half"


def watch_question(result: SweepResult) -> Finding:
    """Ask which layers change first."""
    return Finding(
        f"Which layers change first as pruning sets {n.whose_units(result)} to zero?",
        (
            "A cell compares a pruned with an unpruned layer: 1 if both put the same sentences "
            "close together. Outlined, as in the bars: each layer and its unpruned self.",
            "Guess which bar shortens first and click it, or just press Play.",
        ),
    )


def guess_answer(label: str, intact: str, is_first: bool) -> str:
    """Say how far the layer that was guessed is intact, and whether it falls first."""
    first = ", the first to fall" if is_first else ""
    return f"Your guess, layer {label}: {intact or 'not judged here'}{first}."


def watch_finding(
    result: SweepResult,
    companions: Sequence[SweepResult],
    reduction: n.ReductionKey,
) -> Finding:
    """Say where a result changes the model, which layer falls first, how far the model works."""
    heading = where_heading(result, verdict(result, companions), reduction)
    breaks = beyond_from(result) is not None and not n.pruned_layers(result.pruning)
    stripes = "; stripes mean that all pruned layers look alike" if breaks else ""
    works = f"{working_text(result)}{stripes}."
    return Finding(heading, (f"{layers_heading(result, reduction)}.", works))


def where_heading(result: SweepResult, judged: Verdict, reduction: n.ReductionKey) -> str:
    """Say which half of the layers a method is shown to change most, and whether also first."""
    method = n.brief_name(result.pruning)
    if n.pruned_layers(result.pruning):
        return f"{method} can change only what it prunes and the layers above"
    in_sentence = n.in_sentence(method)
    if judged.method is None:
        doubt = why_inconclusive(judged)
        return f"Where {in_sentence} changes the model most is not known here{doubt}"
    if judged.lead is None:
        return f"Neither half of the layers is shown to change more under {in_sentence}"
    order = layers_of(result, reduction)
    upper_half = order.every[len(order.every) // 2 :]
    is_upper = {layer in upper_half for layer in order.first}
    first = "first and most" if is_upper == {judged.lead == "upper"} else "most"
    return f"{method} changes the {judged.lead} layers {first}"


def working_text(result: SweepResult) -> str:
    """Say up to which amount the model works."""
    if len(result.amounts) < 2:
        return "Nothing has been removed"
    works = works_words(result)
    if works:
        return f"The model works {works}"
    if result.working_range:
        return "Even unpruned, the model is not shown to beat guessing"
    return "How far the model works is not known here"


# ---------------------------------------------------------------- chance


def chance_finding(result: SweepResult, companions: Sequence[SweepResult]) -> Finding:
    """Say whether chance changes the same layers, here and over all shipped checkpoints.

    Args:
        result: A whole sweep.
        companions: What it is judged beside.
    """
    own = result.pruning.method, result.pruning.scope
    pooled = next(
        (pooled for pooled in shipped() if (pooled.method, pooled.scope) == own),
        None,
    )
    if not controls_of(result, companions):
        return _without_control(result, pooled)
    judged = verdict(result, companions)
    doubt = why_inconclusive(judged)
    if "random removal beyond its working range" in judged.flags:
        doubt = f", beyond its working range{doubt}"
    share_of = CHANGE
    sentences = []
    if judged.method and judged.share is not None and judged.control_shares:
        share_of = "it there"
        drawn = num.percent_range(*(seed.gap.amount for seed in judged.controls))
        sentences.append(
            f"The upper half of the layers carries {num.percent(judged.share)} of the change at "
            f"{num.percent(judged.method.gap.amount)} removed, under random removal "
            f"{num.percent_range(*judged.control_shares)} at {drawn}{doubt}."
        )
    elif judged.reason:
        sentences.append(f"No verdict is possible{doubt}.")
    button = Button(DECIDE_IT.format(judged.remedy), judged.remedy) if judged.remedy else None
    overall = _pooled_words(pooled, share_of, with_weights=not doubt)
    return _unmeasured(_chance_heading(judged), sentences, button, result, *overall)


def _chance_heading(judged: Verdict) -> str:
    if judged.state in DIFFERENT:
        less = "less" if judged.state == "steeper" else "more"
        return f"Judged alone, random removal changes the upper half of the layers {less}"
    if judged.state == "equivalent":
        return (
            "At equal overall change, random removal changes the upper half of the layers about as "
            "much"
        )
    if judged.state is None:
        return "Random removal is not judged here"
    if judged.lead and judged.control_lead == judged.lead:
        return (
            f"Random removal changes the {judged.lead} layers most, too (whether to the same "
            "degree is inconclusive)"
        )
    return "Whether random removal does the same is inconclusive"


def _pooled_words(
    pooled: Pooled | None,
    share_of: str,
    with_weights: bool = False,
) -> Sequence[str]:
    """Say whether a method and random removal differ over all checkpoints, and by how much."""
    if pooled is None:
        return ()
    difference = pooled.estimates[ALL]
    is_settled = pooled.estimates[WHOLE].state == difference.state
    state: State = difference.state if is_settled else "inconclusive"
    apart = f"{points(difference.value)} (95 % interval {points_span(*difference.interval)})"
    after = ""
    control = METHODS[pooled.method].control
    if control and pooled.scope in (
        "encoder",
        None,
    ):  # others are not measured so
        changed = estimate("changed", "change", DAMAGE, control, pooled.method)
        removed = estimate("removed", "change", DAMAGE, control, pooled.method)
        if changed and removed:
            times, low, high = (num.decimals(end, 2) for end in (changed.value, *changed.interval))
            apart += (
                f"; on average, random removal takes {num.part_name(removed.value)} as many "
                f"weights for it, and changes {times} times as many predictions ({low} to {high})"
            )
            if with_weights and state == "equivalent" and removed.value < 0.5:
                after = ", after removing far fewer weights"
    where = f"On {len(pooled.keys)} checkpoints"
    return (
        f"{where}, {SHARES[state].format(share_of)}{after}.",
        f"{where}, at an overall change of {num.decimals(DAMAGE, 2)}, the difference is {apart}.",
    )


def _without_control(result: SweepResult, pooled: Pooled | None) -> Finding:
    if METHODS[result.pruning.method].is_random:
        compared = "Methods are compared with it, at equal overall change."
        return Finding("This is random removal itself", (compared,))
    if run_of(result.pruning.scope):
        why = "No verdict is given where layers are pruned alone."
        return Finding("Would chance do the same? Not asked here", (why,))
    return _unmeasured(
        "Would chance do the same? Not measured here",
        ["Some order of layers is expected whatever is removed: compare it with random removal."],
        Button("Measure random removal", "random removal"),
        result,
        *_pooled_words(pooled, CHANGE),
    )


def _unmeasured(
    heading: str,
    sentences: Sequence[str],
    button: Button | None,
    result: SweepResult,
    more: str = "",
    *notes: str,
) -> Finding:
    """Offer a button for what is missing, unless the weights are not shipped."""
    if result.checkpoint.id.startswith(RECIPE):
        button = None
    return Finding(heading, tuple(filter(None, (*sentences, more))), button, notes)


# ---------------------------------------------------------------- alone, and towards what


def alone_finding(result: SweepResult, losses: PassedOn | None) -> Finding:
    """Say which layers change most, pruned alone; see `core.findings.words.passed`."""
    if losses:
        return passed.alone_finding(losses)
    question = "Which layers change most when pruned alone?"
    is_whole = METHODS[result.pruning.controls or result.pruning.method].granularity == "weight"
    if not is_whole or result.checkpoint.num_layers < 2 or run_of(result.pruning.scope):
        why = "Layers are pruned alone only where weights of several layers are removed."
        return Finding(f"{question} Not asked here", (why,))
    takes = (
        "A layer hands its change on to those above: its own shows if it is pruned alone, which "
        "was not done here."
    )
    button = Button("Prune each layer alone", "layers")
    return _unmeasured(f"{question} Not measured here", [takes], button, result)


def towards_finding(result: SweepResult, towards: Towards | None) -> Finding:
    """Say whether pruned layers come to resemble earlier ones, here and on all checkpoints."""
    if towards is None:
        why = (
            "The model is not shown to work pruned: beyond the working range, what is most similar "
            "is noise."
        )
        return Finding("What do pruned layers come to resemble? Not known here", (why,))
    nearest = towards.nearest[-1].tolist()
    turn = "do not turn to"
    if towards.earlier > max(towards.later, 0.005):  # which is 0.01 on screen
        turn = "come to resemble" if _sunk(nearest) else "come closer to"
    removed = n.removed_name(result.amounts[len(towards.nearest) - 1], result)
    sentences = [f"With {removed}, {_earlier_words(result.points, nearest)}."]
    note = (
        "The similarity of upper layers to earlier ones has then changed by "
        f"{num.decimals(towards.earlier, 2)}"
    )
    grown = estimate("earlier", "change", DAMAGE)
    drawn = estimate("earlier", "change", DAMAGE, "random")
    if grown and drawn:
        sentences.append(
            f"Upper layers come closer to earlier ones on {grown.above} of {grown.checkpoints} "
            f"checkpoints under magnitude pruning, on {drawn.above} under random removal."
        )
        by, low, high = (num.decimals(end, 2) for end in (grown.value, *grown.interval))
        note += (
            f", on average over all by {by} at an overall change of {num.decimals(DAMAGE, 2)} "
            f"under magnitude pruning (95 % interval {low} to {high}), by "
            f"{num.decimals(drawn.value, 2)} at random"
        )
    return Finding(
        f"Pruned layers {turn} earlier ones",
        tuple(sentences),
        notes=(f"{note}.",),
    )


def _sunk(nearest: Sequence[int]) -> list[int]:
    """Return the layers whose nearest unpruned layer is an earlier one."""
    return [k for k, place in enumerate(nearest) if 0 <= place < k]


def _earlier_words(names: Sequence[str], nearest: Sequence[int]) -> str:
    """Say how many pruned layers are most like an earlier unpruned one, and name the last."""
    labels = n.point_labels(names)
    sunk = _sunk(nearest)
    if not sunk:
        return "no layer is most like an earlier unpruned one"
    last = sunk[-1]
    are = "is" if len(sunk) == 1 else "are"
    return (
        f"{len(sunk)} of {len(labels)} layers {are} most like an earlier unpruned one, layer "
        f"{labels[last]} like layer {labels[nearest[last]]}"
    )


# ---------------------------------------------------------------- trained again, and cut


def again_finding(
    result: SweepResult,
    recovery: Recovery | None,
    returned: Returned | None,
) -> Finding:
    """Say what comes back in training again; see `core.findings.words.recovery`."""
    if recovery and returned:
        heading = f"Trained again: {n.in_sentence(came_back(recovery, returned))}"
        trained, *notes = recover_finding(recovery, returned).sentences
        still = f"Afterwards, {_earlier_words(recovery.points, returned.nearest.tolist())}."
        return Finding(heading, (trained, still), notes=tuple(notes))
    why = (
        "A pruned model is usually trained again, its zeros held; how much of score and similarity "
        "returns varies."
    )
    button = Button("Train it again", "again")
    return _unmeasured("Trained again, what comes back? Not tried here", [why], button, result)


def cut_finding(result: SweepResult, frontier: Frontier | None, most: float) -> Finding:
    """Say which layers can go if at most so much of the score may be lost.

    Args:
        result: A whole sweep.
        frontier: What the study of its model offers; None if there is none.
        most: How much of the score may be lost.
    """
    if frontier:
        answer = cut.cut_finding(frontier, most)
        first, *notes = answer.sentences
        return replace(answer, sentences=(first,), button=OWN, notes=tuple(notes))
    why = (
        "Without its upper layers, a model is smaller and faster; how much worse it is, once "
        "refitted, is not known."
    )
    button = Button("Study which layers can go", "cut")
    return _unmeasured("Which layers can go? Not studied here", [why], button, result)
