"""The tables of the pages: facts with their numbers as shown, a row of texts for each."""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from core.findings.accuracy import accuracy_course, majority_of, smallest_drop
from core.findings.against import closest_cell, closest_layers
from core.findings.choices import seed_groups
from core.findings.claim import SENSITIVITY, Verdict, verdict
from core.findings.compare import Tested
from core.findings.grid import Grid, GridRow, comparable_rows, corrected_verdicts
from core.findings.harm import Harm
from core.findings.pooled import ALL, WHOLE, Pooled
from core.findings.survival import THRESHOLDS, floor_of, interval_text, layer_survivals, own_similarity
from core.findings.words import NONE, points_span, with_interval
from core.findings.words import numbers as num
from core.findings.words.passed import CELLS, ENDS
from core.findings.words.verdict import REASONS, counted, flags_cell, verdict_cell
from core.findings.yardstick import Yardstick
from core.request.catalog import DAMAGE, METRICS, REDUCTION, SURVIVAL_THRESHOLD
from core.results import names as n
from core.results.schema import SweepResult
from core.sweep.control_contrast import profile_distance
from core.sweep.statistics import depth_correlation

Table = list[dict[str, str]]


def narrow(table: Table, naming: int = 1) -> list[Table]:
    """Cut a table into such as a telephone has room for: three columns each beside those that name a row.

    No part has a row of nothing; an empty table has no part.

    Args:
        table: The rows.
        naming: How many columns name a row; they come first.
    """
    titles = list(table[0] if table else ())
    parts = [titles[k : k + 3] for k in range(naming, len(titles), 3)]
    return [
        [{title: row[title] for title in (*titles[:naming], *part)} for row in table if any(map(row.get, part))]
        for part in parts
    ]


# ---------------------------------------------------------------- layers


def survival_table(
    result: SweepResult,
    reduction: n.ReductionKey,
    threshold: float = SURVIVAL_THRESHOLD,
    measure: str = "cka",
    twins: Yardstick | None = None,
) -> Table:
    """Tabulate how far each layer stays intact, with intervals, floor and seed twins where they are known."""
    layers, largest = layer_survivals(result, reduction, threshold, measure), result.amounts[-1]
    others = {other: layer_survivals(result, reduction, other, measure) for other in THRESHOLDS if other != threshold}
    own, floor = own_similarity(result, reduction, measure), floor_of(result, reduction, measure)
    intact, rows = f"Intact (similarity ≥ {threshold}) up to", []
    for k, layer in enumerate(layers):
        row = {"Layer": layer.title, intact: layer.text}
        if any(known.interval for known in layers):
            row["95 % interval"] = interval_text(layer.interval, largest)
        if floor:
            row["With everything removed"] = num.two_places(floor[k])
        row |= {f"≥ {other} up to": known[k].text for other, known in others.items()}
        row[f"Similarity at {n.amount_name(largest)} removed"] = num.two_places(own[-1, k])
        if twins:
            less = twins.less_from(result.amounts, own[:, k], k)
            row[f"Other seeds ({twins.checkpoints} checkpoints)"] = twins.words(k) or num.UNDEFINED
            row["Less similar than these from"] = "never" if less is None else n.amount_name(less)
        rows.append(row)
    tau = depth_correlation([min(layer.rank, 1.0) for layer in layers if layer.is_defined])
    if tau is not None:
        last = {"Layer": "Kendall's tau-b with depth", intact: num.decimals(tau, 2)}
        rows.append(dict.fromkeys(rows[0], "") | last)
    return rows


def closest_table(result: SweepResult, reduction: n.ReductionKey) -> Table:
    """Tabulate each layer's closest ones in another checkpoint, unpruned and at the end of the working range."""
    end = result.working_range.to if result.working_range else None
    frame = result.amounts.index(end) if end else len(result.frames) - 1
    columns = {"Most similar, unpruned": closest_layers(result, reduction)}
    if frame:
        columns[f"With {n.removed_name(result.amounts[frame], result)}"] = closest_layers(result, reduction, frame)
    own, known = result.frames[0].own(reduction), result.statistics_of(reduction)
    rows = []
    for k, name in enumerate(n.point_names(result.points)):
        row = {"Layer": name.title} | {title: closest_cell(layers[k]) for title, layers in columns.items()}
        if result.has_own:
            value, bounds = own[k] if own else None, known.own[0][k] if known and known.own else None
            cell = with_interval(value, *bounds, 2) if value is not None and bounds else num.two_places(value)
            row["Same number, unpruned"] = cell
        rows.append(row)
    return rows


# ---------------------------------------------------------------- one verdict


def criteria_table(result: SweepResult, companions: Iterable[SweepResult]) -> Table:
    """Tabulate the verdict and those by other criteria, with the numbers behind them."""
    companions, rows = list(companions), []
    for reduction, damage in ((REDUCTION, DAMAGE), *SENSITIVITY):
        found = verdict(result, companions, reduction, damage)
        gap, beside = found.method.gap if found.method else None, found.contrast
        points = [num.decimals(100 * x, 1) for x in (beside.difference, beside.mean_half_width())] if beside else []
        rows.append(
            {
                "Overall change": f"{num.decimals(damage, 2)}, {n.reduction_name(reduction)}",
                **beside_random([found]),
                "Reached at": num.percent(gap.amount) if gap else NONE,
                "Minus random, points (90 %)": " ± ".join(points) or NONE,
                "Marks": flags_cell(found),
            }
        )
    return rows


def numbers_table(result: SweepResult, companions: Iterable[SweepResult]) -> Table:
    """Tabulate what else is known of a result, under the statistics' names."""
    found, statistics = verdict(result, companions), result.statistics_of(REDUCTION)
    numbers: dict[str, str] = {}
    if found.contrast:
        numbers["Shares of the seeds: standard deviation"] = num.decimals(found.contrast.seed_deviation, 3)
        numbers["Share minus random: standard error over examples"] = num.decimals(found.contrast.standard_error, 3)
        numbers["Layer that differs most from random"] = layer_cell(result, found)
    if found.method:
        numbers["Gap beyond the emptied model"] = beyond_cell(found)
    if gap := statistics.depth_gap if statistics else None:
        numbers["Depth gap D over all amounts"] = with_interval(gap.value, gap.low, gap.high)
    metrics, intervals, course = result.frames[0].metrics, result.frames[0].intervals, accuracy_course(result)
    if course and (accuracy := metrics.get("accuracy")) is not None and (interval := intervals["accuracy"]):
        inside_up_to, since = course
        numbers["Accuracy, unpruned"] = with_interval(accuracy, *interval, 2)
        numbers["Accuracy stays within that interval up to"] = n.amount_name(inside_up_to)
        numbers["Accuracy of the majority class"] = num.decimals(majority_of(result, "accuracy"), 2)
        numbers["No longer shown to be above it from"] = NONE if since is None else n.amount_name(since)
    if known := result.working_range:
        title, broken = METRICS[known.metric].title, known.shown_broken_from
        numbers[f"{title} keeps 90 % of its advantage up to"] = NONE if known.to is None else n.amount_name(known.to)
        numbers["Any drop in it is statistically significant from"] = NONE if broken is None else n.amount_name(broken)
        numbers["Examples that this is judged on"] = str(known.examples)
        drop = smallest_drop(result)
        numbers["Smallest drop that they can show"] = NONE if drop is None else num.decimals(drop, 2)
    return [{"Number": name, "Value": value} for name, value in numbers.items()]


def beside_random(verdicts: Sequence[Verdict]) -> dict[str, str]:
    """Write the shares in the upper half and the verdict: of one beside its seeds, of several over the mean of each."""
    one = verdicts[0] if len(verdicts) == 1 else None
    shares = [found.share for found in verdicts if found.share is not None]
    means = [float(np.mean(found.control_shares)) for found in verdicts if found.control_shares]
    return {
        "In the upper half": num.percent(shares[0]) if one and shares else _mean_and_deviation(shares, len(verdicts)),
        "Random, mean ± SD": _mean_and_deviation(one.control_shares if one else means, len(verdicts)),
        "Verdict": verdict_cell(one) if one else counted(verdicts),
    }


def _mean_and_deviation(known: Sequence[float], count: int) -> str:
    """Write the mean of shares and their standard deviation in percentage points; a dash for fewer than two."""
    if len(known) < 2:
        return NONE
    part = f" ({len(known)} of {count})" if len(known) < count else ""
    return f"{num.percent(float(np.mean(known)))} ± {num.decimals(100 * float(np.std(known, ddof=1)), 0)}{part}"


def layer_cell(result: SweepResult, found: Verdict) -> str:
    """Write the layer that differs most from the mean of the control's seeds, by how much, and whether a seed does."""
    if not found.contrast or not found.method:
        return NONE
    profile, seeds = np.array(found.method.profile.value), np.array([seed.profile.value for seed in found.controls])
    differences, (_, p_value) = profile - seeds.mean(0), profile_distance(profile, seeds)  # (points,)
    layer = int(np.abs(differences).argmax())
    beyond = "beyond every seed" if p_value <= 1 / (len(seeds) + 1) else "within the seeds"
    return f"{n.point_names(result.points)[layer].label}: {differences[layer]:+.3f}, {beyond}".replace("-", "−")


def beyond_cell(found: Verdict) -> str:
    """Write what is left beyond the emptied model."""
    beyond = found.method.beyond if found.method else None
    if beyond is None:
        return num.UNDEFINED
    said = "some is left" if beyond.low > 0 else "reversed" if beyond.high < 0 else "none shown"
    return f"{said}: {with_interval(beyond.value, beyond.low, beyond.high)}"


# ---------------------------------------------------------------- several verdicts


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
        {
            "Checkpoint": row.cells["Checkpoint"] + whose,
            "Layers": str(row.own.shape[1]),
            **beside_random([found]),
        }
        for row, found, whose in shown
    ]


def seeds_table(grid: Grid) -> Table:
    """Tabulate a grid's verdicts over checkpoints that differ only in the seed; empty where none do."""
    rows = {row.key: row for rows in grid.cells.values() for row in rows}
    places = {key: (rows[key].checkpoint, rows[key].column.fingerprint, rows[key].setting) for key in grid.verdicts}
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


def grid_table(rows: Sequence[GridRow]) -> Table:
    """Tabulate all rows of a grid; their verdicts are corrected for their number."""
    known = corrected_verdicts(rows)
    return [row.cells | {"Verdict": verdict_cell(known[row.key]) if row.key in known else NONE} for row in rows]


def pooled_table(table: Sequence[Pooled]) -> Table:
    """Tabulate what all checkpoints together say of each method, in percentage points."""
    return [
        {
            "Method": known.title,
            "Over": name,
            "Tasks and depths": str(found.cells),
            "Difference in points": f"{num.decimals(100 * found.value, 1)} ({points_span(*found.interval, 1)})",
            "By the draws alone": points_span(*found.within, 1) if found.within else NONE,
            "SD between them (τ)": num.decimals(100 * found.deviation, 1),
            "I²": num.percent(found.inconsistency),
            "Expected in another": points_span(*found.predicted, 1) if found.predicted else NONE,
        }
        for known in table
        for name, found in known.estimates.items()
        if name != WHOLE or found.cells < known.estimates[ALL].cells
    ]


def harm_table(table: Sequence[Harm]) -> Table:
    """Tabulate what harm follows over layers, and what either half of them costs: means over cells, with intervals."""
    titles = {
        "own": "Rank correlation of harm with a layer's own loss",
        "early": "… with how early it stands",
        "end": f"… with the loss at the end ({ENDS[all(harm.is_read for harm in table)]})",
        "beyond": "… the latter, less that with its own loss",
        "apart": "Harm of the lower half alone, less that of the upper half",
    }
    mean = f"Mean over {CELLS} (95 % interval), their number"
    known = {harm.name: harm.estimates for harm in table}
    return [
        {mean: title}
        | {
            n.capitalised(method): f"{with_interval(means[name].value, *means[name].interval, 2)}, {means[name].cells}"
            if name in means
            else NONE
            for method, means in known.items()
        }
        for name, title in titles.items()
    ]


# ---------------------------------------------------------------- two results


def paired_table(tests: Sequence[Tested], metric: str, names: tuple[str, str]) -> Table:
    """Tabulate the paired tests of two named results by a metric, one row per amount."""
    titles = [f"{METRICS[metric].title} under {name}" for name in names]
    return [
        {
            "Encoder weights removed": num.percent(sparsity),
            "Pruned by": " and ".join(dict.fromkeys(map(n.amount_name, amounts))),
            **{title: num.decimals(value, 2) for title, value in zip(titles, test.values, strict=True)},
            "p": num.p_value(test.p_value),
            "p (after Holm)": num.p_value(test.adjusted),
        }
        for amounts, sparsity, test in tests
    ]
