"""The tables of the pages: facts with their numbers as shown, a row of texts for each."""

from collections.abc import Iterable, Sequence

import numpy as np

from core.findings.accuracy import accuracy_course
from core.findings.against import closest_layers
from core.findings.claim import SENSITIVITY, Verdict, verdict
from core.findings.compare import AccuracyComparison
from core.findings.grid import Grid, GridRow, row_spreads, told_verdicts
from core.findings.isolated import IsolatedOrder
from core.findings.layers import layers_of
from core.findings.replication import Replication
from core.findings.survival import THRESHOLDS, floor_of, interval_text, layer_survivals, own_similarity
from core.findings.verdicts import Told, told
from core.findings.words import NONE, counted, reason_named, state, with_interval
from core.findings.yardstick import Yardstick
from core.request.catalog import DAMAGE, METHODS, REDUCTION, SURVIVAL_THRESHOLD
from core.results.names import (
    ReductionKey,
    amount_name,
    decimals,
    percent,
    point_names,
    reduction_name,
    removed_name,
)
from core.results.schema import SweepResult

Table = list[dict[str, str]]


def narrow(table: Table) -> list[Table]:
    """Cut a table into such as a telephone has room for: three columns each beside the first, no row of nothing."""
    first, *others = table[0]
    parts = [others[k : k + 3] for k in range(0, len(others), 3)]
    return [
        [{name: row[name] for name in (first, *part)} for row in table if any(map(row.get, part))] for part in parts
    ]


# ---------------------------------------------------------------- layers


def survival_table(
    result: SweepResult,
    reduction: ReductionKey,
    threshold: float = SURVIVAL_THRESHOLD,
    measure: str = "cka",
    twins: Yardstick | None = None,
) -> Table:
    """Tabulate how far each layer stays intact, with intervals, floor and seed twins where they are known."""
    largest, found = result.amounts[-1], layers_of(result, reduction, threshold, measure)
    others = {other: layer_survivals(result, reduction, other, measure) for other in THRESHOLDS if other != threshold}
    own, floor = own_similarity(result, reduction, measure), floor_of(result, reduction, measure)
    intact, rows = f"Intact (similarity ≥ {threshold}) up to", []
    for k, layer in enumerate(found.every):
        row = {"Layer": layer.title, intact: layer.text}
        if any(known.interval for known in found.every):
            row["95 % interval"] = interval_text(layer.interval, largest)
        if floor:
            row["With everything removed"] = _similarity(floor[k])
        row |= {f"≥ {other} up to": known[k].text for other, known in others.items()}
        row[f"Similarity at {amount_name(largest)} removed"] = _similarity(own[-1, k])
        if twins:
            less = twins.less_from(result.amounts, own[:, k], k)
            row[f"Other seeds ({twins.checkpoints} checkpoints)"] = twins.words(k) or "undefined"
            row["Less similar than these from"] = "never" if less is None else amount_name(less)
        rows.append(row)
    if found.depth_correlation is not None:
        tau = {"Layer": "Kendall's tau-b with depth", intact: decimals(found.depth_correlation, 2)}
        rows.append(dict.fromkeys(rows[0], "") | tau)
    return rows


def _similarity(value: float | None) -> str:
    return "undefined" if value is None or np.isnan(value) else decimals(value, 2)


def closest_table(result: SweepResult, reduction: ReductionKey) -> Table:
    """Tabulate each layer's closest ones in another checkpoint, unpruned and at the end of the working range."""
    end = result.working_range.to if result.working_range else None
    frame = result.amounts.index(end) if end else len(result.frames) - 1
    columns = {"Most similar, unpruned": closest_layers(result, reduction)}
    if frame:
        columns[f"With {removed_name(result.amounts[frame], result)}"] = closest_layers(result, reduction, frame)
    own, known = result.frames[0].own(reduction), result.statistics_of(reduction)
    rows = []
    for k, name in enumerate(point_names(result.points)):
        cells = ((title, layers[k]) for title, layers in columns.items())
        row = {"Layer": name.title} | {title: layer.cell if layer else "undefined" for title, layer in cells}
        if result.has_own:
            value, bounds = own[k] if own else None, known.own[0][k] if known and known.own else None
            row["Same number, unpruned"] = (
                with_interval(value, *bounds, 2) if value is not None and bounds else _similarity(value)
            )
        rows.append(row)
    return rows


def isolated_table(result: SweepResult, orders: Sequence[IsolatedOrder]) -> Table:
    """Tabulate what each layer changes when pruned alone, a column per amount; below, how depth orders the layers."""
    titles = [f"{amount_name(order.amount)} removed" for order in orders]
    rows = [
        {"Layer": str(effects[0].layer)}
        | {
            title: with_interval(effect.value, effect.low, effect.high)
            for title, effect in zip(titles, effects, strict=True)
        }
        for effects in zip(*(order.effects for order in orders), strict=True)
    ]
    if METHODS[result.pruning.method].control is None:  # random removal has no order that is its doing
        return rows
    return [*rows, {"Layer": "Order"} | {title: order.state for title, order in zip(titles, orders, strict=True)}]


# ---------------------------------------------------------------- one verdict


def criteria_table(result: SweepResult, companions: Iterable[SweepResult]) -> Table:
    """Tabulate the verdict and those by other criteria, with the numbers behind them."""
    companions, rows = list(companions), []
    for reduction, damage in ((REDUCTION, DAMAGE), *SENSITIVITY):
        found = verdict(result, companions, reduction, damage)
        gap, beside = found.method.gap if found.method else None, found.contrast
        rows.append(
            {
                "Overall change": f"{decimals(damage, 2)}, {reduction_name(reduction)}",
                "In the upper half": NONE if found.share is None else percent(found.share),
                "Random, mean ± SD": control_shares([found]),
                "Verdict": verdict_cell(Told(found, found.direction)),
                "Reached at": percent(gap.amount) if gap else NONE,
                "Gap": with_interval(gap.value, gap.low, gap.high) if gap else NONE,
                "Minus random": f"{decimals(beside.difference, 3)} ± {decimals(beside.half_width(), 3)}"
                if beside
                else NONE,
            }
        )
    return rows


def numbers_table(result: SweepResult, companions: Iterable[SweepResult]) -> Table:
    """Tabulate what else is known of a result, under the statistics' names."""
    found, statistics = verdict(result, companions), result.statistics_of(REDUCTION)
    numbers: dict[str, str] = {}
    if found.contrast and found.layer:
        numbers["Gaps of the seeds: standard deviation"] = decimals(found.contrast.seed_deviation, 3)
        numbers["Gap minus random: standard error over examples"] = decimals(found.contrast.standard_error, 3)
        beyond = ", beyond every seed" if found.layer.beyond_seeds else ", within the seeds"
        numbers["Layer that differs most from random"] = layer_cell(found) + beyond
    if found.method:
        numbers["Gap beyond the emptied model"] = beyond_cell(found)
    if gap := statistics.depth_gap if statistics else None:
        numbers["Depth gap D over all amounts"] = with_interval(gap.value, gap.low, gap.high)
    if course := accuracy_course(result):
        numbers["Accuracy, unpruned"] = with_interval(course.baseline, *course.interval, 2)
        numbers["Accuracy stays within that interval up to"] = amount_name(course.inside_up_to)
        numbers["Accuracy of the majority class"] = decimals(course.majority, 2)
        since = course.majority_from
        numbers["No longer shown to be above it from"] = "–" if since is None else amount_name(since)
    if known := result.working_range:
        broken = known.shown_broken_from
        numbers["Loss beyond sampling error from"] = NONE if broken is None else amount_name(broken)
        numbers["Examples that this is judged on"] = str(known.examples)
        numbers["Smallest drop that they can show"] = decimals(known.smallest_drop, 2)
    return [{"Number": name, "Value": value} for name, value in numbers.items()]


def verdict_cell(known: Told) -> str:
    """Say a verdict in a cell, why it cannot be told, and whether its control no longer works."""
    said, alone = state(known.direction), known.verdict
    if alone.reason:
        said += f": {reason_named(alone)}"
    elif known.direction != alone.direction:
        said += f" in this table; alone {state(alone.direction)}"
    return said if alone.control_works else f"{said}; random removal beyond its working range"


def control_shares(verdicts: Sequence[Verdict]) -> str:
    """Write the share under random removal: of one verdict over its seeds, of several over the means of each."""
    if len(verdicts) == 1:
        return _mean_and_deviation(verdicts[0].control_shares)
    return _over_twins([float(np.mean(known.control_shares)) for known in verdicts if known.control_shares], verdicts)


def shares(verdicts: Sequence[Verdict]) -> str:
    """Write the share in the upper half, of several verdicts over all: `62 % ± 2`; where few know one: `(3 of 5)`."""
    known = [found.share for found in verdicts if found.share is not None]
    return (percent(known[0]) if known else NONE) if len(verdicts) == 1 else _over_twins(known, verdicts)


def _over_twins(known: Sequence[float], verdicts: Sequence[Verdict]) -> str:
    part = f" ({len(known)} of {len(verdicts)})" if 1 < len(known) < len(verdicts) else ""
    return _mean_and_deviation(known) + part


def _mean_and_deviation(known: Sequence[float]) -> str:
    """Write the mean of shares and their standard deviation in percentage points; a dash for fewer than two."""
    if len(known) < 2:
        return NONE
    return f"{percent(float(np.mean(known)))} ± {decimals(100 * float(np.std(known, ddof=1)), 0)}"


def layer_cell(found: Verdict) -> str:
    """Write the layer that differs most, and by how much."""
    return f"{found.layer.label}: {found.layer.value:+.3f}".replace("-", "−") if found.layer else NONE


def beyond_cell(found: Verdict) -> str:
    """Write what is left beyond the emptied model."""
    beyond = found.beyond
    return (
        beyond.state
        if beyond.value is None
        else f"{beyond.state}: {with_interval(beyond.value, beyond.low, beyond.high)}"
    )


# ---------------------------------------------------------------- several verdicts


def replication_table(found: Replication) -> Table:
    """Tabulate the shares and the verdicts, corrected for their number; a row per checkpoint, one per seed twins."""
    known = told(found.verdicts)
    rows = [
        {
            "Checkpoint": row.cells["Checkpoint"],
            "Layers": str(row.own.shape[1]),
            "In the upper half": shares([one.verdict]),
            "Random, mean ± SD": control_shares([one.verdict]),
            "Verdict": verdict_cell(one),
        }
        for row, one in zip(found.rows, known, strict=True)
    ]
    alone = {row.key: Told(verdict, verdict.direction) for row, verdict in zip(found.rows, found.verdicts, strict=True)}
    for spread in row_spreads(found.rows, alone):
        twins = [one.verdict for one in spread.told.values()]
        cells = (spread.name, NONE, shares(twins), control_shares(twins), counted(spread.told.values()))
        rows.append(dict(zip(rows[0], cells, strict=True)))
    return rows


def seeds_table(grid: Grid) -> Table:
    """Tabulate a grid's verdicts over checkpoints that differ only in the seed; empty where none do."""
    rows = [row for rows in grid.cells.values() for row in rows]
    settings = {row.key: row.setting for row in rows}
    return [
        {
            "Checkpoints": spread.name,
            "Pruning": settings[next(iter(spread.told))],
            "In the upper half": shares(twins := [one.verdict for one in spread.told.values()]),
            "Random": control_shares(twins),
            "Verdicts": counted(spread.told.values()),
        }
        for spread in row_spreads(rows, grid.verdicts)
    ]


def grid_table(rows: Sequence[GridRow]) -> Table:
    """Tabulate all rows of a grid; their verdicts are corrected for their number."""
    known = told_verdicts(rows)
    return [row.cells | {"Verdict": verdict_cell(known[row.key]) if row.key in known else NONE} for row in rows]


# ---------------------------------------------------------------- two results


def paired_table(comparisons: Sequence[AccuracyComparison], names: tuple[str, str]) -> Table:
    """Tabulate the paired tests of two named results, one row per amount."""
    return [
        {
            "Encoder weights removed": percent(known.sparsity),
            "Pruned by": " and ".join(dict.fromkeys(map(amount_name, known.amounts))),
            f"Correct under {names[0]} only": str(known.test.only_first),
            f"Correct under {names[1]} only": str(known.test.only_second),
            "p (exact McNemar)": _p_value(known.test.p_value),
            "p (after Holm)": _p_value(known.test.adjusted),
        }
        for known in comparisons
    ]


def _p_value(value: float) -> str:
    return "< 0.001" if value < 0.001 else decimals(value, 3)
