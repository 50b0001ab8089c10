"""The Overview's sentences, which Present has a speaker say and the Lab repeats; and cautions about any result."""

from collections.abc import Iterable, Mapping, Sequence

from core.findings.accuracy import beyond_from, label_doubt, lowest_until, metric_of, rare_labels, working_to
from core.findings.choices import family_of, task_title
from core.findings.claim import Verdict, verdict
from core.findings.comparable import controls_of
from core.findings.grid import GridRow, comparable_rows
from core.findings.words import Said, layers_named, numbered, share_span
from core.findings.words import numbers as num
from core.findings.words.layers import against_heading
from core.findings.words.verdict import POINTS, reason_named, state
from core.request.catalog import DAMAGE, FEW_EXAMPLES, METRICS, REDUCTION, SURVIVAL_THRESHOLD
from core.results import names as n
from core.results.schema import SweepResult
from core.sweep.control_contrast import DIFFERENT

MAX_NAMED = 6  # rare labels
QUORA = (
    "The pretrained model behind this checkpoint has seen Quora's duplicate questions, so its scores on QQP may be "
    "optimistic."
)
# Why labels may be in another order: likely, and possibly. A visitor who has just matched values is told of that.
MATCHED = (
    "The values of the label column are probably matched with the wrong labels: check what each of them means.",
    "values of the label column are matched with the wrong labels",
    "what each value of the label column means",
)
NUMBERED = (
    "The checkpoint probably numbers its labels differently from the task: check id2label in its config.json.",
    "its labels may be numbered differently",
    "the order of its labels (id2label in config.json)",
)


def overview_said(
    result: SweepResult, companions: Sequence[SweepResult], reduction: n.ReductionKey, metric: str | None = None
) -> Said:
    """Say where a result changes the model, how far that works, and what chance does.

    Args:
        result: A whole sweep.
        companions: What it is judged beside.
        reduction: By which layers have changed; a verdict has its own.
        metric: By which the model works; None is the task's main one.
    """
    heading = overview_heading([result], [companions], reduction)
    judged = () if result.against else (verdict_sentence(result, companions),)
    return Said(heading, (holding_sentence(result, reduction, metric, companions), *judged))


# ---------------------------------------------------------------- where it changes


def overview_heading(
    results: Sequence[SweepResult], companions: Sequence[Sequence[SweepResult]], reduction: n.ReductionKey = REDUCTION
) -> str:
    """Say the finding that results of one method on different tasks support together; see `heading_of`.

    Of one against another checkpoint, it is no claim about layers but which of them are most similar.
    """
    if len(results) == 1 and results[0].against:
        return against_heading(results[0], reduction)
    pruning = n.method_name(results[0]).removesuffix(" of the encoder")
    if all(n.pruned_layers(result.pruning) for result in results):
        return f"{pruning} can change only what it prunes and the layers above."
    pairs = zip(results, companions, strict=True)
    return heading_of({task_title(result.task.name): verdict(result, beside) for result, beside in pairs}, pruning)


def heading_of(verdicts: Mapping[str, Verdict], pruning: str) -> str:
    """Say in one plain sentence where a method changes one model or several, and whether chance does the same.

    Args:
        verdicts: The verdicts, by what tells the models apart, such as their tasks.
        pruning: The method's name at the head of a sentence.
    """
    known, under = list(verdicts.values()), n.in_sentence(pruning)
    if all(found.method is None for found in known):
        why = f" ({reason_named(known[0])})" if known[0].reason else ""
        return f"In which layers {under} changes a model most is not known here{why}."
    first, every = known[0], " on every task" if len(known) > 1 else ""
    is_one = all((found.lead, found.state) == (first.lead, first.state) for found in known)
    most = f"Neither half of the layers is shown to change more{every} under {under}"
    if first.lead and all(found.lead == first.lead for found in known):
        most = f"{pruning} changes the {first.lead} layers most"
    if all(found.state is None for found in known):
        return f"{most}."
    if not is_one or (every and not first.lead):
        states = "; ".join(f"{title}, {state(found.state)}" for title, found in verdicts.items())
        return f"{most}. Compared with random removal: {states}."
    if first.state == "equivalent":
        return f"{most}; random removal does about the same."
    if first.state == "inconclusive":
        if first.lead and all(found.control_lead == first.lead for found in known):
            return f"{most}; so does random removal, but whether to the same degree is inconclusive."
        return f"{most}; whether random removal does the same is inconclusive."
    more = "more" if (first.state == "steeper") == (first.lead != "lower") else "less"
    if first.lead is None:
        return f"{most}; the upper half changes {more} than under random removal."
    return f"{most}, {more} so than random removal."


def verdict_sentence(result: SweepResult, companions: Iterable[SweepResult]) -> str:
    """Say the verdict and the shares behind it."""
    found = verdict(result, companions)
    said = state(found.state) + (f" ({reason_named(found)})" if found.reason else "")
    said += f" (within {POINTS})" if found.state == "equivalent" else ""
    said = f"Judged alone, {said}" if found.state in DIFFERENT else n.capitalised(said) if found.state else "No verdict"
    if found.share is None:
        return f"{said}."
    said += (
        f": under {n.in_sentence(n.method_name(result))}, {num.percent(found.share)} of an overall change of "
        f"{num.decimals(found.damage, 2)} lies in the upper half of the layers"
    )
    if not found.controls:
        return f"{said}."
    drawn = f"{share_span(found.control_shares)} under random removal at the same overall change"
    beyond = "random removal beyond its working range" in found.flags
    broken = ", which leaves models outside their working range" if beyond else ""
    return f"{said}, and {drawn} ({numbered(len(found.controls), 'seed')}){broken}."


# ---------------------------------------------------------------- how far it works


def holding_sentence(
    result: SweepResult, reduction: n.ReductionKey, metric: str | None = None, companions: Iterable[SweepResult] = ()
) -> str:
    """Say up to where the model works, also under random removal, and which layers have changed by then.

    The result may be unfinished; its random control is picked from the companions.
    """
    metric, amounts = metric_of(result, asked=metric), result.amounts
    to = working_to(result, metric)
    title, last = METRICS[metric].title, amounts[-1]
    values = {frame.amount: num.two_places(frame.metrics.get(metric)) for frame in result.frames}
    unpruned = values[amounts[0]]
    if len(amounts) < 2:
        return f"{title} is {unpruned} unpruned."
    if to is None and result.working_range:
        shown = "is not shown to be better than always guessing the commonest label"
        return f"Even unpruned, the model {shown} ({n.in_sentence(title)} {unpruned})."
    if to is None:
        return f"{title} is {unpruned} unpruned and {values[last]} with {n.removed_name(last, result)}."
    if to == 0:
        step = f"{n.in_sentence(title)} is {values[amounts[1]]} with {n.removed_name(amounts[1], result)}"
        return f"The model fails at the first step: {step}, and {unpruned} unpruned."
    kept = f"{n.in_sentence(title)} {values[to]}, unpruned {unpruned}"
    ends = [beyond_from(control, metric) for control in controls_of(result, companions)]
    drawn = [end for end in ends if end is not None]
    if drawn and len(drawn) == len(ends):  # a range that goes on past what was measured has no end to tell
        kept += f"; under random removal, up to {share_span(drawn)}"
    works = f"The model still works with {n.removed_name(to, result)} ({kept})"
    lowest, labels = lowest_until(result, reduction, to), n.point_labels(result.points)
    if not lowest:
        return f"{works}."
    fallen = [label for label in lowest if lowest[label] < SURVIVAL_THRESHOLD]
    shown = num.decimals(min(lowest.values()), 2)
    if not fallen:
        every = "every layer" if len(lowest) == len(labels) else "every layer whose similarity is defined"
        return f"{works}; {every} is still intact there (similarity at least {shown})."
    if shown == num.decimals(SURVIVAL_THRESHOLD, 2):  # what is rounded up to it would not read as changed
        shown = f"just under {SURVIVAL_THRESHOLD}"
    have = f"{layers_named(fallen, labels)} {'has' if len(fallen) == 1 else 'have'} fallen"
    return f"{works}, though {have} below {SURVIVAL_THRESHOLD} by then (similarity down to {shown})."


# ---------------------------------------------------------------- other checkpoints


def replication_sentences(rows: Sequence[GridRow], pruning: str) -> tuple[str, ...]:
    """Say where the change lies on all checkpoints, and whether the method decides it; nothing of a single one.

    Args:
        rows: Of one pruning, each on another checkpoint or task.
        pruning: Its name inside a sentence.
    """
    found = comparable_rows(rows)
    if not found:
        return ()
    checkpoints = {row.column.checkpoint for row, _ in found}
    upper = len(checkpoints - {row.column.checkpoint for row, known in found if known.lead != "upper"})
    differing = len({row.column.checkpoint for row, known in found if known.state in DIFFERENT})
    others = len({row.column.checkpoint for row in rows} - checkpoints)
    shares = [known.share for _, known in found if known.share is not None]
    farthest = max(abs(known.contrast.difference) for _, known in found if known.contrast)
    where = "changes most on all" if upper == len(checkpoints) else f"is shown to change most on {upper} of"
    depths = n.listed([str(depth) for depth in sorted({row.own.shape[1] for row, _ in found})])
    lacking = f"; {others} more cannot be compared with random removal" if others else ""
    return (
        f"The upper half of the layers {where} {len(checkpoints)} checkpoints with {depths} layers: "
        f"{share_span(shares)} of an overall change of {num.decimals(DAMAGE, 2)} lies there "
        f"under {pruning}{lacking}.",
        f"Judged alone, {differing or 'none'} of them {'shows' if differing < 2 else 'show'} a difference from random "
        f"removal, whose mean share is at most {numbered(round(100 * farthest), 'percentage point')} away.",
    )


# ---------------------------------------------------------------- what to be careful about


def length_sentence(result: SweepResult) -> str:
    """Say how similar sentence length alone is to the unpruned model's flattened tokens."""
    known = [num.decimals(value, 2) for value in result.similarity.length_control if value is not None]
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
    accuracy, better, labels = label_doubt(result) or (0.0, 0.0, ())
    likely, possible, where = MATCHED if any((result.task.label_map or {}).values()) else NUMBERED
    if labels:
        said.append(
            f"The unpruned model's accuracy is {num.decimals(accuracy, 2)}; with its labels in the order "
            f"{', '.join(map(n.label_words, labels))} it would be {num.decimals(better, 2)}. {likely}"
        )
    elif result.working_range and result.working_range.to is None:
        said.append(_no_lead(result, where))
    elif better:
        said.append(
            f"The unpruned model's accuracy, {num.decimals(accuracy, 2)}, is below the majority class's, "
            f"{num.decimals(better, 2)}: these examples may be unlike those it was fine-tuned on, or {possible}."
        )
    if family_of(result.checkpoint.id).endswith("-qqp"):
        said.append(QUORA)
    return " ".join(said)


def _no_lead(result: SweepResult, labels: str) -> str:
    """Say that a model does no better than one label, and what to check: where its labels may be wrong, and more."""
    task, answers = result.task, set(result.frames[0].predictions)
    only = f"always answers “{n.label_words(task.label_names[min(answers)])}”" if len(answers) == 1 else ""
    columns = ["the columns that are read"] if task.columns else []
    checks = [labels, *columns, "whether the checkpoint is fine-tuned for this task"]
    does = only or "is not shown to be better than guessing"
    return f"Unpruned, the model {does}, so what pruning costs cannot be told. Check {n.listed(checks)}."
