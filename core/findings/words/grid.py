"""The sentences of All results: what all checkpoints say together, as the documents open with it, and verdicts."""

from collections import Counter
from collections.abc import Sequence

from core.findings.choices import seed_groups
from core.findings.grid import Grid, GridRow, comparable_rows, corrected_verdicts
from core.findings.pooled import ALL, WHOLE, Pooled
from core.findings.words import NONE, Finding, Table, numbered, points, points_span, share_span
from core.findings.words.numbers import decimals, percent
from core.findings.words.verdict import REASONS, STATES, beside_random, verdict_cell
from core.request.catalog import DAMAGE
from core.results.names import in_sentence, listed
from core.sweep.control_contrast import DIFFERENT, MARGIN

LEAST, PERCENTAGE = decimals(100 * MARGIN, 0), "percentage point"  # how many of them count
WHERE = "the upper half of the layers"
MEANING = (
    "Points are percentage points of the change in the layers that lies in their upper half, the method's minus random "
    f"removal's, where the overall change is {decimals(DAMAGE, 2)}. Intervals are 95 %. Checkpoints that differ only "
    f"in the seed are averaged. Differences within ±{LEAST} points are too small to count. Six layers are MiniLM, "
    "twelve MPNet: a difference between depths may be one between pretrained models. An interval is about the mean "
    "of the draws; a verdict also asks whether one draw differs as much, and is corrected for the number of verdicts."
)
OVER_SEEDS = f"The share of an overall change of {DAMAGE} in the upper half of the layers, mean over checkpoints ± SD."


def claim_finding(known: Pooled, table: Sequence[Pooled] = ()) -> Finding:
    """Say where a method changes all checkpoints and whether random removal does the same, then by how much it differs.

    Args:
        known: The method.
        table: All methods: those that differ are named as well.
    """
    different = [other for other in table if other is not known and other.estimates[ALL].state in DIFFERENT]
    return Finding(claim_heading(known), tuple(map(difference_sentence, (known, *different))))


def claim_heading(known: Pooled) -> str:
    """Say where a method changes all checkpoints, and whether random removal does the same."""
    state, count = known.estimates[ALL].state, len(known.keys)
    upper, drawn = (sum(getattr(cell, name) for cell in known.cells) for name in ("upper", "control_upper"))
    changes = "change most, on all" if upper == count else f"are shown to change most on {upper} of"
    pruning = in_sentence(known.title).removesuffix(" of the encoder")
    where = f"Under {pruning}, the upper layers {changes} {count} checkpoints"
    if state in DIFFERENT:
        return f"{where}, {'more' if state == 'steeper' else 'less'} so than under random removal"
    if state == "inconclusive":
        return f"{where}; whether random removal does the same is inconclusive"
    if drawn < upper:
        return f"{where}, under random removal on {drawn}; on average, both do about the same"
    return f"{where}. Random removal does the same"


def difference_sentence(known: Pooled) -> str:
    """Say by how much a method differs from random removal over all cells."""
    found, title = known.estimates[ALL], known.title
    between = f"(difference {points(found.value, '+', PERCENTAGE)}, 95 % interval {points_span(*found.interval)})"
    if found.state == "equivalent":
        return f"{title} puts about as much of the change into {WHERE} as random removal {between}."
    if found.state == "inconclusive":
        said = f"{in_sentence(title)} puts as much of the change into {WHERE} as random removal"
        return f"Whether {said} is inconclusive {between}."
    least, most = sorted(map(abs, found.interval))
    more = f"{points(abs(found.value), noun=PERCENTAGE)} {'more' if found.state == 'steeper' else 'less'}"
    doubt = "" if least >= MARGIN else f", which may be less than the {LEAST} that we treat as real"
    span, whole = points_span(least, most), known.estimates.get(WHOLE)
    if whole is None or whole.state != found.state:  # some of the cells lack seeds
        interval = f" (difference {points_span(*whole.interval)})" if whole else ""
        doubt += f"; the tasks with all seeds of random removal leave it inconclusive{interval}"
    return f"{title} puts {more} of the change into {WHERE} than random removal (95 % interval {span}){doubt}."


def pooled_table(table: Sequence[Pooled]) -> Table:
    """Tabulate what all checkpoints together say of each method, in percentage points."""
    return [
        {
            "Method": known.title,
            "Over": name,
            "Tasks and depths": str(found.cells),
            "Difference in points": f"{decimals(100 * found.value, 1)} ({points_span(*found.interval, 1)})",
            "By the draws alone": points_span(*found.within, 1) if found.within else NONE,
            "SD between them (τ)": decimals(100 * found.deviation, 1),
            "I²": percent(found.inconsistency),
            "Expected in another": points_span(*found.predicted, 1) if found.predicted else NONE,
        }
        for known in table
        for name, found in known.estimates.items()
        if name != WHOLE or found.cells < known.estimates[ALL].cells
    ]


# ---------------------------------------------------------------- verdicts, one by one


def grid_heading(grid: Grid) -> str:
    """Say whether a verdict on show shows a difference, and how they are spread over the four states."""
    counts = Counter(verdict.state for verdict in grid.verdicts.values())
    if not counts:
        return f"{numbered(len(grid.rows), 'sweep')} at a glance, without a verdict"
    parts = [f"{counts[known]} {words}" for known, words in STATES.items() if counts[known]]
    none = "" if counts.keys() & DIFFERENT else ", none shows a difference"
    return f"Of {numbered(counts.total(), 'verdict')}{none}: {listed(parts)}"


def replication_sentences(rows: Sequence[GridRow], pruning: str) -> tuple[str, ...]:
    """Say where the change lies on all checkpoints, and whether the method decides it; nothing of a single one.

    Args:
        rows: Of one pruning, each on another checkpoint or task.
        pruning: Its name inside a sentence.
    """
    found = comparable_rows(rows)
    if not found:
        return ()
    checkpoints = {row.name for row, _ in found}
    upper = len(checkpoints - {row.name for row, known in found if known.lead != "upper"})
    differing = len({row.name for row, known in found if known.state in DIFFERENT})
    others = len({row.name for row in rows} - checkpoints)
    shares = [known.share for _, known in found if known.share is not None]
    farthest = max(abs(known.contrast.difference) for _, known in found if known.contrast)
    where = "changes most on all" if upper == len(checkpoints) else f"is shown to change most on {upper} of"
    depths = listed([str(depth) for depth in sorted({row.layers for row, _ in found})])
    lacking = f"; on {others} more, too little was measured for a verdict" if others else ""
    return (
        f"The upper half of the layers {where} {len(checkpoints)} checkpoints with {depths} layers: "
        f"{share_span(shares)} of an overall change of {decimals(DAMAGE, 2)} lies there "
        f"under {pruning}{lacking}.",
        f"Judged alone, {differing or 'none'} of them {'shows' if differing < 2 else 'show'} a difference from random "
        f"removal, whose mean share is at most {numbered(round(100 * farthest), PERCENTAGE)} away.",
    )


def replication_table(rows: Sequence[GridRow], own: Sequence[GridRow] = ()) -> Table:
    """Tabulate the shares and the verdicts of one pruning on several checkpoints, corrected for their number.

    Args:
        rows: Those that a claim counts.
        own: A visitor's, which stand below them and are judged alone.
    """
    known = corrected_verdicts([row for row, _ in comparable_rows(rows)])
    shown = [(row, known[row.key], "") for row in rows if row.key in known]
    shown += [(row, row.verdict, " (yours)") for row in own if row.verdict]
    return [
        {"Checkpoint": row.name + whose, "Layers": str(row.layers), **beside_random([found])}
        for row, found, whose in shown
    ]


def seeds_table(grid: Grid) -> Table:
    """Tabulate a grid's verdicts over checkpoints that differ only in the seed; empty where none do."""
    rows = {row.key: row for row in grid.rows if row.key in grid.verdicts}
    places = {key: (row.checkpoint, row.fingerprint, row.setting) for key, row in rows.items()}
    return [
        {"Checkpoints": name, "Pruning": rows[keys[0]].setting, **beside_random([grid.verdicts[key] for key in keys])}
        for name, keys in seed_groups(places)
    ]


def reasons_table(grid: Grid) -> Table:
    """Count the reasons of a grid's inconclusive verdicts, the commonest first, and say what each takes."""
    counts = Counter(known.reason for known in grid.verdicts.values() if known.reason)
    return [
        {"Why a verdict is inconclusive": why, "Verdicts": str(count), "What would decide it": REASONS[why]}
        for why, count in counts.most_common()
    ]


def grid_table(grid: Grid) -> Table:
    """Tabulate a grid, a row a sweep."""
    verdicts = {key: {"Verdict": verdict_cell(found)} for key, found in grid.verdicts.items()}
    return [row.cells | verdicts.get(row.key, {}) for row in grid.rows]
