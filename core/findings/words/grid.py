"""The words of All results: what all checkpoints say together, as the documents open with it, and every sweep."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from core.findings.accuracy import metric_of
from core.findings.choices import task_title
from core.findings.claim import Verdict, corrected, listed_with_verdicts
from core.findings.pooled import ALL, WHOLE, Pooled
from core.findings.words import NONE, Finding, Table, numbered, points, points_span
from core.findings.words.lab import columns_name, key_figures, meanings_name
from core.findings.words.numbers import decimals, percent
from core.findings.words.verdict import STATES, verdict_cells
from core.request.catalog import DAMAGE, METHODS, METRICS, REDUCTION
from core.request.scope import at_attention, run_of
from core.results import names as n
from core.results.schema import Pruning, SweepResult
from core.sweep.control_contrast import DIFFERENT, MARGIN, Contrast, State

LEAST, PERCENTAGE = decimals(100 * MARGIN, 0), "percentage point"  # how many of them count
WHERE = "the upper half of the layers"
MEANING = (
    "Points are percentage points of the change in the layers that lies in their upper half, the method's minus random "
    f"removal's, where the overall change is {decimals(DAMAGE, 2)}. Intervals are 95 %. Checkpoints that differ only "
    f"in the seed are averaged. Differences within ±{LEAST} points are too small to count. Six layers are MiniLM, "
    "twelve MPNet: a difference between depths may be one between pretrained models. An interval is about the mean "
    "of the draws; a verdict also asks whether one draw differs as much, and is corrected for the number of verdicts."
)
SHARES: Mapping[State, str] = {  # of the overall change, by what the interval of the difference shows
    "equivalent": "random removal puts about the same share of it there",
    "inconclusive": "whether random removal puts the same share of it there is inconclusive",
    "steeper": "random removal puts a smaller share of it there",
    "flatter": "random removal puts a larger share of it there",
}
AMOUNT = 0.5  # whose metric stands beside the unpruned model's


# ---------------------------------------------------------------- all checkpoints together


def claim_finding(pooled: Pooled) -> Finding:
    """Say where a method changes all checkpoints and whether random removal does the same, then how sure that is.

    Args:
        pooled: The method.
    """
    estimate, count = pooled.estimates[ALL], len(pooled.keys)
    holds = "This holds on all" if pooled.upper == pooled.control_upper == count else "Measured on"
    where = f"{holds} {count} fine-tunes of {numbered(pooled.encoders, 'pretrained encoder')}"
    difference = f"{points(estimate.value, is_signed=True)}, 95 % interval {points_span(*estimate.interval)}"
    beside = f"({n.in_sentence(n.brief_name(pooled.pruning))}: {difference})"
    return Finding(claim_heading(pooled), (f"{where}; at equal overall change, {SHARES[estimate.state]} {beside}.",))


def claim_heading(pooled: Pooled) -> str:
    """Say on which checkpoints a method changes the upper layers most, and on which random removal does."""
    count, most = len(pooled.keys), "In fine-tuned BERTs the upper layers change most under pruning"
    if pooled.upper == pooled.control_upper == count:
        return f"{most}, also when weights go at random"
    return f"{most} on {pooled.upper} of {count} fine-tunes, and on {pooled.control_upper} when weights go at random"


def pooled_table(table: Sequence[Pooled]) -> Table:
    """Tabulate what all checkpoints together say of each method, in percentage points."""
    return [
        {
            "Method": n.name_of(pooled.pruning),
            "Over": name,
            "Tasks and depths": str(estimate.cells),
            "Difference in points": f"{decimals(100 * estimate.value, 1)} ({points_span(*estimate.interval, 1)})",
            "By the draws alone": points_span(*estimate.within, 1) if estimate.within else NONE,
            "SD between them (τ)": decimals(100 * estimate.deviation, 1),
            "I²": percent(estimate.inconsistency),
            "Expected in another": points_span(*estimate.predicted, 1) if estimate.predicted else NONE,
        }
        for pooled in table
        for name, estimate in pooled.estimates.items()
        if name != WHOLE or estimate.cells < pooled.estimates[ALL].cells
    ]


# ---------------------------------------------------------------- every sweep


@dataclass(frozen=True)
class GridRow:
    """One sweep in the table of all results, without the result: the rows of hundreds are kept.

    Attributes:
        key: The result's key.
        checkpoint: Its checkpoint's id.
        pruning: How it was pruned.
        place: The order of rows: by checkpoint, by method, then from the whole encoder to single layers.
        cells: The cells of the table by column, without the verdict's.
        verdict: The verdict, corrected once the rows are arranged; None for a sweep that has none.
    """

    key: str
    checkpoint: str
    pruning: Pruning
    place: tuple[str, str, int, int, bool, str]
    cells: dict[str, str]
    verdict: Verdict | None


def grid_rows(results: Sequence[SweepResult]) -> list[GridRow]:
    """Describe each sweep of a grid: see `core.findings.claim.listed_with_verdicts`."""
    return [_row(result, verdict) for result, verdict in listed_with_verdicts(results)]


def _row(result: SweepResult, verdict: Verdict | None) -> GridRow:
    task, metric = result.task, metric_of(result)
    scores = {frame.amount: frame.metrics[metric] for frame in result.frames}
    unpruned, half = (NONE if (score := scores.get(amount)) is None else decimals(score, 3) for amount in (0.0, AMOUNT))
    points = "" if at_attention(result.points) else f", {n.points_name(result.points)}"
    pruning, (first, _, holds) = n.pruning_name(result) + points, key_figures(result, REDUCTION)
    run, checkpoint = run_of(result.pruning.scope), n.checkpoint_name(result)
    examples = n.data_name(result), columns_name(task.columns), meanings_name(task.label_map)
    order = [*METHODS].index(result.pruning.method), run.start if run else -1, result.pruning.scope == "all-linear"
    cells = {
        "Pruning": pruning,
        "Checkpoint": checkpoint,
        "Task": f"{task_title(task.name)}, {len(task.examples)} examples",
        **verdict_cells(None),
        "First to change": first,
        "Holds": holds,
        "Metric": METRICS[metric].title,
        "Unpruned": unpruned,
        f"At {percent(AMOUNT)}": half,
        "Examples": ", ".join(filter(None, examples)),
        "Revision": result.checkpoint.revision[:7],
    }
    place = checkpoint, task_title(task.name), *order, pruning
    return GridRow(result.key, result.checkpoint.id, result.pruning, place, cells, verdict)


def arranged(rows: Sequence[GridRow], shown: Collection[str] | None = None) -> list[GridRow]:
    """Sort the rows of a grid, with their verdicts corrected for the number of verdicts.

    Args:
        rows: All rows, each of which counts, whatever is shown.
        shown: The keys of the rows to return; None stands for all.
    """
    verdicts = {row.key: row.verdict for row in rows if row.verdict}
    by_key = dict(zip(verdicts, corrected(list(verdicts.values())), strict=True))
    kept = (replace(row, verdict=by_key.get(row.key)) for row in rows if shown is None or row.key in shown)
    return sorted(kept, key=lambda row: row.place)


def own_marks(rows: Iterable[GridRow]) -> dict[tuple[str, str | None], list[tuple[str, Contrast]]]:
    """Return a visitor's results for the forest plot, by method and scope: the checkpoint's id, and the contrast."""
    marks = defaultdict(list)
    for row in rows:
        if row.verdict and row.verdict.contrast:
            marks[row.pruning.method, row.pruning.scope].append((row.checkpoint, row.verdict.contrast))
    return marks


def grid_heading(rows: Sequence[GridRow]) -> str:
    """Say whether a verdict on show shows a difference, and how they are spread over the four states."""
    counts = Counter(row.verdict.state for row in rows if row.verdict)
    if not counts:
        return f"{numbered(len(rows), 'sweep')} at a glance, without a verdict"
    parts = [f"{counts[state]} {words}" for state, words in STATES.items() if counts[state]]
    none = "" if counts.keys() & DIFFERENT else ", none shows a difference"
    return f"Of {numbered(counts.total(), 'verdict')}{none}: {n.listed(parts)}"


def grid_table(rows: Sequence[GridRow]) -> Table:
    """Tabulate the rows of a grid."""
    return [row.cells | verdict_cells(row.verdict) for row in rows]
