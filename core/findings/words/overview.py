"""The Overview's sentences, which Present has a speaker say and the Lab repeats; and cautions about any result."""

from collections.abc import Iterable, Mapping, Sequence

from core.findings.cautions import label_doubt, rare_labels
from core.findings.claim import Verdict, verdict
from core.findings.overview import holding
from core.findings.replication import Replication
from core.findings.words import Said, capitalised, layers_named, numbered, reason_named, share_span, state
from core.findings.words.layers import against_heading
from core.request.catalog import DAMAGE, FAMILY_NOTES, FEW_EXAMPLES, METRICS, REDUCTION, SURVIVAL_THRESHOLD
from core.results.choices import family_of, task_title
from core.results.names import (
    ReductionKey,
    decimals,
    in_sentence,
    label_words,
    listed,
    method_name,
    percent,
    point_labels,
    pruned_layer,
    removed_name,
)
from core.results.schema import SweepResult

MAX_NAMED = 6  # rare labels


def overview_said(result: SweepResult, companions: Sequence[SweepResult], reduction: ReductionKey) -> Said:
    """Say where a result changes the model, how far that works, and what chance does.

    Args:
        result: A whole sweep.
        companions: What it is judged beside.
        reduction: By which layers have changed; a verdict has its own.
    """
    heading = overview_heading([result], [companions], reduction)
    judged = () if result.against else (verdict_sentence(result, companions),)
    return Said(heading, (holding_sentence(result, reduction), *judged))


# ---------------------------------------------------------------- where it changes


def overview_heading(
    results: Sequence[SweepResult], companions: Sequence[Sequence[SweepResult]], reduction: ReductionKey = REDUCTION
) -> str:
    """Say the finding that results of one method on different tasks support together; see `heading_of`.

    Of one against another checkpoint, it is no claim about layers but which of them are most similar.
    """
    if len(results) == 1 and results[0].against:
        return against_heading(results[0], reduction)
    pairs = zip(results, companions, strict=True)
    verdicts = {task_title(result.task.name): verdict(result, beside) for result, beside in pairs}
    alone = all(pruned_layer(result) for result in results)
    return heading_of(verdicts, method_name(results[0]).removesuffix(" of the encoder"), alone)


def heading_of(verdicts: Mapping[str, Verdict], pruning: str, alone: bool = False) -> str:
    """Say in one plain sentence where a method changes one model or several, and whether chance does the same.

    Args:
        verdicts: The verdicts, by what tells the models apart, such as their tasks.
        pruning: The method's name at the head of a sentence.
        alone: Whether it prunes a single layer, so that those below cannot change.
    """
    if alone:
        return f"{pruning} can change only that layer and those above it."
    known, under = list(verdicts.values()), in_sentence(pruning)
    if all(verdict.method is None for verdict in known):
        return f"In which layers {under} changes a model most cannot be told here ({reason_named(known[0])})."
    leads, directions = {verdict.lead for verdict in known}, {verdict.direction for verdict in known}
    lead = leads.pop() if len(leads) == 1 else None
    every = " on every task" if len(known) > 1 else ""
    most = f"Neither half of the layers is shown to change more{every} under {under}"
    if lead:
        most = f"{pruning} changes the {lead} layers most"
    if all(verdict.reason == "random control" for verdict in known):
        return f"{most} in {'these random draws' if len(known) > 1 else 'this random draw'}."
    if len(directions) > 1 or (len(known) > 1 and not lead):
        states = "; ".join(f"{title}, {state(verdict.direction)}" for title, verdict in verdicts.items())
        return f"{most}. Compared with random removal: {states}."
    direction = directions.pop()
    if direction == "as by chance":
        return f"{most}; random removal does about the same."
    if direction == "cannot be told":
        if lead and all(verdict.control_lead == lead for verdict in known):
            return f"{most}; so does random removal, but whether to the same degree cannot be told here."
        return f"{most}; whether random removal does the same cannot be told here."
    if lead is None:
        more = "more" if direction == "steeper" else "less"
        return f"{most}; the upper half changes {more} than under random removal."
    more = "more" if (direction == "steeper") == (lead == "upper") else "less"
    return f"{most}, {more} so than random removal."


def verdict_sentence(result: SweepResult, companions: Iterable[SweepResult]) -> str:
    """Say the verdict and the shares behind it."""
    found = verdict(result, companions)
    told = f"{state(found.direction)} ({reason_named(found)})" if found.reason else state(found.direction)
    alone = f"Judged alone, {told}" if found.direction in ("steeper", "flatter") else capitalised(told)
    if found.share is None:
        return f"{alone}."
    share, damage = percent(found.share), decimals(found.damage, 2)
    told = f"{alone}: under {in_sentence(method_name(result))}, {share} of an overall change of {damage} lies in the "
    told += "upper half of the layers"
    if not found.controls:
        return f"{told}."
    drawn = f"{share_span(found.control_shares)} under random removal at the same overall change"
    broken = "" if found.control_works else ", which leaves models outside their working range"
    return f"{told}, and {drawn} ({numbered(len(found.controls), 'seed')}){broken}."


# ---------------------------------------------------------------- how far it works


def holding_sentence(result: SweepResult, reduction: ReductionKey) -> str:
    """Say up to where the model works, and which layers have changed by then; the result may be unfinished."""
    found = holding(result, reduction)
    metric, removed = METRICS[found.metric].title, removed_name(found.amount, result)
    values = ("undefined" if value is None else decimals(value, 2) for value in (found.unpruned, found.kept))
    unpruned, kept = values
    if found.state == "unpruned":
        return f"{metric} is {unpruned} unpruned."
    if found.state == "no lead":
        return "Unpruned, the model is not shown to be better than always answering the majority class."
    if found.state == "unknown":
        return f"{metric} is {unpruned} unpruned and {kept} with {removed}."
    metric = in_sentence(metric)
    if found.state == "fails at once":
        return f"The model fails at the first step: {metric} is {kept} with {removed}, and {unpruned} unpruned."
    works = f"The model still works with {removed} ({metric} {kept}, unpruned {unpruned})"
    if not found.lowest:
        return f"{works}."
    labels, lowest = point_labels(result.points), min(found.lowest.values())
    if not found.changed:
        every = "every layer" if len(found.lowest) == len(labels) else "every layer whose similarity is defined"
        return f"{works}; {every} is still intact there (similarity at least {decimals(lowest, 2)})."
    fallen = f"{layers_named(found.changed, labels)} {'has' if len(found.changed) == 1 else 'have'} fallen"
    shown = decimals(lowest, 2)
    if shown == decimals(SURVIVAL_THRESHOLD, 2):  # what is rounded up to it would not read as changed
        shown = f"just under {SURVIVAL_THRESHOLD}"
    return f"{works}, though {fallen} below {SURVIVAL_THRESHOLD} by then (similarity down to {shown})."


# ---------------------------------------------------------------- other checkpoints


def replication_sentences(found: Replication, pruning: str) -> tuple[str, str]:
    """Say where the change lies on all checkpoints, and whether the method decides it.

    Args:
        found: The checkpoints, with verdicts that stand alone.
        pruning: The pruning's name inside a sentence.
    """
    count, shares = found.checkpoints, [verdict.share or 0.0 for verdict in found.verdicts]
    where = "changes most on all" if found.upper == count else f"is shown to change most on {found.upper} of"
    depths = listed([str(depth) for depth in sorted({row.own.shape[1] for row in found.rows})])
    points = numbered(round(100 * found.from_chance), "percentage point")
    others = f"; {found.others} more cannot be compared with random removal" if found.others else ""
    return (
        f"The upper half of the layers {where} {count} checkpoints with {depths} layers: {share_span(shares)} of an "
        f"overall change of {decimals(DAMAGE, 2)} lies there under {pruning}{others}.",
        f"Judged alone, {found.differing or 'none'} of them {'shows' if found.differing < 2 else 'show'} a difference "
        f"from random removal, whose mean share is at most {points} away.",
    )


# ---------------------------------------------------------------- what to be careful about


def length_sentence(result: SweepResult) -> str:
    """Say how similar sentence length alone is to the unpruned model's flattened tokens."""
    known = [decimals(value, 2) for value in result.similarity.length_control if value is not None]
    if not known:
        return "How much of it is sentence length alone is not known here."
    return f"Here the padding alone has a similarity (CKA) of {min(known)} to {max(known)} with the unpruned layers."


def caution(result: SweepResult) -> str:
    """Warn about few examples, rare or doubtful labels, and what the catalog says; else return an empty text."""
    said, count = [], len(result.task.examples)
    if count < FEW_EXAMPLES:
        said.append(f"{count} examples are few: below {FEW_EXAMPLES}, small differences may be noise.")
    if rare := rare_labels(result.task):
        named = ", ".join(rare[:MAX_NAMED]) + (f" and {len(rare) - MAX_NAMED} more" if rare[MAX_NAMED:] else "")
        said.append(f"Labels with fewer than 2 evaluation examples, of which no score says much: {named}.")
    if doubt := label_doubt(result):
        known = result.checkpoint.source == "embedded"
        accuracy, better = decimals(doubt.accuracy, 2), decimals(doubt.better, 2)
        said.append(
            f"The unpruned model's accuracy is {accuracy}; with its labels in the order "
            f"{', '.join(map(label_words, doubt.order))} it would be {better}. The checkpoint probably numbers its "
            "labels differently from the task: check id2label in its config.json."
            if doubt.order
            else f"The unpruned model's accuracy, {accuracy}, is below the majority class's, {better}: these examples "
            f"may be unlike those it was fine-tuned on{'' if known else ', or its labels may be numbered differently'}."
        )
    return " ".join(filter(None, (*said, FAMILY_NOTES.get(family_of(result.checkpoint.id)))))
