"""Compare's sentences."""

from collections import Counter
from collections.abc import Sequence

from core.findings import compare as facts
from core.findings.accuracy import metric_of
from core.findings.comparable import same_examples
from core.findings.compare import Two, distinguishing_names
from core.findings.words import Table, numbered, points_span, works_words
from core.findings.words.numbers import decimals, p_value, percent, place_name
from core.findings.words.verdict import verdict_cell
from core.request.catalog import CONFIDENCE, DAMAGE, METRICS
from core.results import names as n
from core.results.schema import SweepResult

HOW_TO_READ = """
At equal overall change, values are interpolated. Orange is the first result and blue the second; in
the difference, the colour says under which one layers are more similar. A model *works* while it
keeps 90 % of its advantage over always guessing the commonest label: an estimate, no interval.
"""
PAIRED = (
    "Accuracy: McNemar's exact test; other metrics: randomly exchanged predictions; Holm over all "
    "amounts."
)


def compare_sentences(
    two: Two,
    reduction: n.ReductionKey,
    companions: Sequence[SweepResult] = (),
    metric: str | None = None,
) -> tuple[str, ...]:
    """Say where in depth two models change and which does better, if they can be compared.

    Args:
        two: Whole sweeps.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        companions: What either is judged beside: see `core.findings.choices.companions`.
        metric: What both are judged by; None is each task's main one.
    """
    if two[0].key == two[1].key or not same_examples(*two):
        return ()
    return depth_sentence(two, reduction, companions), metric_sentence(two, metric)


def compare_heading(two: Two, metric: str | None = None) -> str:
    """Say up to which amount each of two models works; if that is unknown, only name both."""
    first, second = distinguishing_names(two)
    is_alike = n.whose_units(two[0]) == n.whose_units(two[1])
    ends = [
        works_words(two[0], metric_of(two[0], metric)),
        works_words(two[1], metric_of(two[1], metric), is_brief=is_alike),
    ]
    is_unpruned = any(len(result.frames) < 2 for result in two)
    if two[0].key == two[1].key or is_unpruned or not all(ends):
        return f"{n.capitalised(first)} beside {second}"
    return f"{n.capitalised(first)} works {ends[0]}, {second} {ends[1]}"


def equal_heading(two: Two, axis: facts.Axis, reduction: n.ReductionKey) -> str:
    """Say with how much removed two models have changed equally; empty at equal amounts."""
    together = facts.shown_together(two, axis, reduction)
    places = together.places
    if not together.is_interpolated or len(places) < 2 or two[0].key == two[1].key:
        return ""
    k = places.index(facts.START) if facts.START in places else len(places) // 2
    first, second = (
        f"{percent(frame.amount)} of {n.whose_units(result)} ({name})"
        for frame, result, name in zip(
            together.pairs[k], two, distinguishing_names(two), strict=True
        )
    )
    return f"Layers change equally ({place_name(places[k])}) with {first} and {second} removed"


def depth_sentence(
    two: Two,
    reduction: n.ReductionKey,
    companions: Sequence[SweepResult] = (),
) -> str:
    """Say which shares of the change lie in the upper half of the layers.

    Where one result is the control, the verdict follows.
    """
    depth = facts.depth_of(two, reduction, companions)
    if isinstance(depth, str):
        return f"Where in depth the two change is not compared ({depth})."
    first, second = distinguishing_names(two)
    shares = [percent(share) for share in depth.shares]
    by_seeds = f"; by all seeds: {verdict_cell(depth.verdict)}" if depth.verdict else ""
    return (
        f"Of an overall change of {decimals(DAMAGE, 2)}, {shares[0]} lies in the upper half of the "
        f"layers for {first} and {shares[1]} for {second} (difference "
        f"{points_span(depth.low, depth.high)} points, 95 % interval over examples){by_seeds}."
    )


def metric_sentence(two: Two, metric: str | None = None) -> str:
    """Say at how many amounts either does better by a metric, by paired tests."""
    metric = metric_of(two[0], metric)
    title = METRICS[metric].title
    tests = [test for *_, test in facts.paired_comparisons(two, metric)]
    if not tests:
        return (
            f"{title} is not compared: at no amount do the two remove the same share of the "
            "encoder's weights."
        )
    names = distinguishing_names(two)
    better = Counter(
        names[test.values[1] > test.values[0]] for test in tests if test.adjusted < 1 - CONFIDENCE
    )
    removed = f"With equally many weights removed, {n.in_sentence(title)}"
    tested = f"(paired tests, corrected for {numbered(len(tests), 'amount')})"
    if not better:
        return f"{removed} does not differ significantly {tested}."
    where = [
        f"for {name} at {better[name]} of {len(tests)} amounts" for name in names if better[name]
    ]
    return f"{removed} is significantly higher {n.listed(where)} {tested}."


def compare_notes(two: Two, axis: facts.Axis, reduction: n.ReductionKey) -> list[str]:
    """Say why a picture or a test of two results is missing; none if only their pruning differs."""
    first, second = two
    notes = []
    if first.key == second.key:
        notes.append(
            "First and second are the same result: choose another one to see a difference."
        )
    if len(facts.shown_together(two, axis, reduction).pairs) < 2:
        notes.append("The two have only the unpruned model in common, so there is nothing to play.")
    if first.points != second.points:
        notes.append("Their layers are not the same, so there is no picture of their difference.")
    if not same_examples(first, second):
        notes.append("Their examples are not the same, so no paired test is possible.")
    return notes


def paired_table(tests: Sequence[facts.Tested], metric: str, names: tuple[str, str]) -> Table:
    """Tabulate the paired tests of two named results by a metric, one row per amount."""
    titles = [f"{METRICS[metric].title}, {name}" for name in names]
    return [
        {
            "Encoder weights removed": percent(sparsity),
            "Pruned by": " and ".join(dict.fromkeys(map(n.amount_name, amounts))),
            **{title: decimals(value, 2) for title, value in zip(titles, test.values, strict=True)},
            "p": p_value(test.p_value),
            "p (after Holm)": p_value(test.adjusted),
        }
        for amounts, sparsity, test in tests
    ]
