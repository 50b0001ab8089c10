"""The words of All results: what all checkpoints say together, and every sweep.

The documents open with the same claim.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from core.findings.choices import task_title
from core.findings.claim import Verdict, corrected, listed_with_verdicts
from core.findings.pooled import ALL, WHOLE, Pooled, estimate
from core.findings.rounding import to_places
from core.findings.words import (
    Finding,
    mean_and_deviation,
    numbered,
    points,
    points_span,
)
from core.findings.words.lab import columns_name, first_to_change, meanings_name
from core.findings.words.numbers import decimals, part_name
from core.findings.words.verdict import STATES, verdict_cell
from core.request.catalog import DAMAGE, METHODS, REDUCTION
from core.request.scope import at_attention
from core.results import names as n
from core.results.schema import SweepResult
from core.sweep.control_contrast import DIFFERENT, MARGIN, State

Value = str | float | None  # of a cell
LEAST = decimals(100 * MARGIN, 0)  # percentage points that count
MEANING = (
    "Points are percentage points of the change in the layers that lies in their upper half, the "
    "method's minus random removal's, where the overall change is "
    f"{decimals(DAMAGE, 2)}. Intervals are 95 %. Checkpoints that differ only in the seed are "
    "averaged. Differences say where models change, not how far they work; those within "
    f"±{LEAST} points are too small to count. Six layers are MiniLM, twelve MPNet: a difference "
    "between depths may be one between pretrained models."
)
STRICTER = (
    "An interval is about the mean of the draws. A verdict also asks whether a single draw differs "
    "as much, and is corrected for the number of verdicts: so it may be inconclusive where an "
    "interval excludes 0."
)
# Of the overall change, by what the interval of the difference shows.
SHARES: Mapping[State, str] = {
    "equivalent": "random removal puts about the same share of {}",
    "inconclusive": "whether random removal puts as much of {} is inconclusive",
    "steeper": "random removal puts a smaller share of {}",
    "flatter": "random removal puts a larger share of {}",
}
NAMING = 4  # columns that say what a sweep is and how far it works; links follow, then the verdict


# ---------------------------------------------------------------- all checkpoints together

# `tests.core.test_shipped` checks it on the shipped table.
CLAIM = (
    "In fine-tuned BERTs the upper layers change most under pruning, also when weights go at random"
)


def claim_finding(pooled: Pooled) -> Finding:
    """Say that a method and random removal change the upper layers most, and how sure that is."""
    depths = {cell.layers for cell in pooled.cells}  # checkpoints of one come from one encoder
    difference = pooled.estimates[ALL]
    share = SHARES[difference.state].format("it there")
    method = n.in_sentence(n.brief_name(pooled.pruning))
    control = METHODS[pooled.method].control or ""
    removed = estimate("removed", "change", DAMAGE, control, pooled.method)
    after = f", after removing {part_name(removed.value)} as many weights" if removed else ""
    sentence = (
        f"This holds on all {len(pooled.keys)} fine-tunes of "
        f"{numbered(len(depths), 'pretrained encoder')}; at equal overall change, {share} "
        f"({method}: {points(difference.value, is_signed=True)}, 95 % interval "
        f"{points_span(*difference.interval)}){after}."
    )
    return Finding(CLAIM, (sentence,))


def difference_sentence(pooled: Pooled) -> str:
    """Say by how much a method that differs from random removal over all cells does."""
    all_cells = pooled.estimates[ALL]
    whole = pooled.estimates[WHOLE]
    low, high = sorted(map(abs, all_cells.interval))
    more = "more" if all_cells.state == "steeper" else "less"
    doubt = "" if low >= MARGIN else f", which may be less than the {LEAST} that we treat as real"
    if whole.state != all_cells.state:  # some of the cells lack seeds
        doubt += (
            "; the tasks with all seeds of random removal leave it inconclusive (difference "
            f"{points_span(*whole.interval)})"
        )
    return (
        f"{n.brief_name(pooled.pruning)} puts {points(abs(all_cells.value))} {more} of the change "
        "into the upper half of the layers than random removal (95 % interval "
        f"{points_span(low, high)}){doubt}."
    )


def differences(table: Sequence[Pooled]) -> tuple[str, ...]:
    """Say which methods differ from random removal everywhere, and why a verdict may not say so."""
    sentences = [
        difference_sentence(pooled) for pooled in table if pooled.estimates[ALL].state in DIFFERENT
    ]
    if sentences:
        sentences.append(f"These intervals are not corrected for the {len(table)} methods.")
    return (*sentences, STRICTER)


# ---------------------------------------------------------------- every sweep


class GridRow(NamedTuple):
    """One sweep in the table of all results, without the result: rows of hundreds are kept.

    Attributes:
        key: The result's key.
        cells: The cells of the table by column, without the verdict's.
        verdict: The verdict, corrected once the rows are arranged; None for a sweep that has none.
    """

    key: str
    cells: dict[str, Value]
    verdict: Verdict | None


def grid_rows(results: Sequence[SweepResult]) -> list[GridRow]:
    """Describe each sweep of a grid: see `core.findings.claim.listed_with_verdicts`."""
    return [
        GridRow(result.key, _cells(result), verdict)
        for result, verdict in listed_with_verdicts(results)
    ]


def _cells(result: SweepResult) -> dict[str, Value]:
    task = result.task
    works = result.working_range
    measured = (
        n.data_name(result),
        columns_name(task.columns),
        meanings_name(task.label_map),
        "" if at_attention(result.points) else n.points_name(result.points),
    )
    return {
        "Checkpoint": n.checkpoint_name(result),
        "Task": task_title(task.name),
        "Method": n.pruning_name(result),
        "Works up to (%)": _percent(works.to if works else None),
        **_verdict_cells(None),
        "First to change": first_to_change(result, REDUCTION),
        "Measured on": ", ".join(filter(None, measured)),
    }


def _verdict_cells(judged: Verdict | None) -> dict[str, Value]:
    return {
        "Verdict": verdict_cell(judged),
        "In the upper half (%)": _percent(judged.share if judged else None),
        "Random, mean ± SD": mean_and_deviation(judged.control_shares if judged else ()),
    }


def _percent(share: float | None) -> int | None:
    return None if share is None else int(to_places(100 * share, 0))


def arranged(rows: Sequence[GridRow], shown: Collection[str] | None = None) -> list[GridRow]:
    """Sort the rows of a grid by their cells, their verdicts corrected for their number.

    Args:
        rows: All rows, each of which counts, whatever is shown.
        shown: The keys of the rows to return; None stands for all.
    """
    verdicts = {row.key: row.verdict for row in rows if row.verdict}
    by_key = dict(zip(verdicts, corrected(list(verdicts.values())), strict=True))
    kept = [
        row._replace(verdict=by_key.get(row.key))
        for row in rows
        if shown is None or row.key in shown
    ]
    return sorted(kept, key=lambda row: list(map(str, row.cells.values())))


def grid_heading(rows: Sequence[GridRow]) -> str:
    """Say whether a verdict shows a difference, and how they are spread over the four states."""
    counts = Counter(row.verdict.state for row in rows if row.verdict)
    if not counts:
        return f"{numbered(len(rows), 'sweep')} at a glance, without a verdict"
    parts = [f"{counts[state]} {words}" for state, words in STATES.items() if counts[state]]
    none = "" if counts.keys() & DIFFERENT else ", none shows a difference"
    return f"Of {numbered(counts.total(), 'verdict')}{none}: {n.listed(parts)}"


def grid_table(rows: Sequence[GridRow]) -> list[dict[str, Value]]:
    """Tabulate the rows of a grid: texts, numbers, and None for what is not known."""
    return [row.cells | _verdict_cells(row.verdict) for row in rows]
