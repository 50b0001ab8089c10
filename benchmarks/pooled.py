"""Pool all shipped checkpoints by method: its share of the change in the upper half, minus random removal's.

A *cell* is a task at a depth. Seed twins read the same sentences and are pruned by the same random draws, so they
count once: their shares and jackknife replicates are averaged first, seed by seed of the control. Over the cells, a
random-effects estimate (Paule and Mandel) has the interval of Hartung, Knapp, Sidik and Jonkman. It treats cells as
independent, but the control's draws repeat over checkpoints of one architecture. So the same weighted contrast is also
taken seed by seed, and the wider of the two intervals counts.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from scipy.special import stdtrit
from statsmodels.stats.meta_analysis import combine_effects

from core.findings.choices import task_title
from core.findings.claim import FEWEST_SEEDS, Verdict
from core.findings.pooled import ALL, WHOLE, Cell, Pooled, PooledEstimate
from core.findings.words import NONE, Table, points_span
from core.findings.words.numbers import decimals, percent
from core.request.catalog import CONFIDENCE, METHODS
from core.results.names import name_of
from core.results.schema import SweepResult
from core.sweep.control_contrast import contrast
from core.sweep.statistics import Array

FEWEST_PREDICTED = 4  # cells from which the difference in another one is predicted
QUANTILE = (1 + CONFIDENCE) / 2
# By method and scope, then by depth and task: verdicts by the key of their result.
Groups = dict[tuple[str, str | None], dict[tuple[int, str], dict[str, Verdict]]]


def pool(judged: Iterable[tuple[SweepResult, Verdict]]) -> tuple[Pooled, ...]:
    """Pool the verdicts of each method with at least two cells.

    Args:
        judged: The results that `core.findings.claim.with_rows` returns, with their verdicts.
    """
    by_method: Groups = defaultdict(lambda: defaultdict(dict))
    for result, verdict in sorted(judged, key=_order):
        name = result.checkpoint.num_layers, task_title(result.task.name)
        by_method[result.pruning.method, result.pruning.scope][name][result.key] = verdict
    table = []
    for (method, scope), by_cell in by_method.items():
        cells = [cell for name, twins in sorted(by_cell.items()) if (cell := _cell(*name, twins))]
        groups = {f"{depth} layers": [cell for cell in cells if cell.layers == depth] for depth, _ in sorted(by_cell)}
        groups |= {WHOLE: [cell for cell in cells if len(cell.by_seed) >= cell.needed], ALL: cells}
        estimates = {name: estimate(group) for name, group in groups.items() if len(group) > 1}
        if estimates:
            table.append(Pooled(method, scope, tuple(cells), estimates))
    return tuple(table)


def _order(judged: tuple[SweepResult, Verdict]) -> tuple[int, bool, str]:
    """Sort by method, and by key, on which the last digits of averages depend."""
    result, _ = judged
    return list(METHODS).index(result.pruning.method), result.pruning.scope == "all-linear", result.key


def _cell(layers: int, task: str, twins: Mapping[str, Verdict]) -> Cell | None:
    """Average the checkpoints of a cell; None if they have fewer than FEWEST_SEEDS seeds in common."""
    twins = {key: verdict for key, verdict in twins.items() if verdict.method}
    differences = [  # by seed, (1 + n,): the method's share minus the seed's, and the same without each example
        dict(zip((seed.seed for seed in twin.controls), np.column_stack(twin.apart or ((), ())), strict=True))
        for twin in twins.values()
    ]
    seeds = sorted(set.intersection(*map(set, differences))) if differences else []
    if len(seeds) < FEWEST_SEEDS:
        return None
    mean = np.mean([[by_seed[seed] for seed in seeds] for by_seed in differences], axis=0)  # (k, 1 + n)
    return Cell(
        task,
        layers,
        keys=tuple(twins),
        upper=sum(twin.lead == "upper" for twin in twins.values()),
        control_upper=sum(twin.control_lead == "upper" for twin in twins.values()),
        needed=min(twin.needed for twin in twins.values()),
        by_seed=dict(zip(seeds, mean[:, 0].tolist(), strict=True)),
        contrast=contrast(mean[:, 0], mean[:, 1:]),
    )


def estimate(cells: Sequence[Cell]) -> PooledEstimate:
    """Estimate the difference over at least two cells."""
    contrasts = [cell.contrast for cell in cells]
    effects = np.array([diff.difference for diff in contrasts])
    variances = np.array([diff.seed_deviation**2 / diff.seeds + diff.standard_error**2 for diff in contrasts])
    combined = combine_effects(effects, variances, method_re="pm", use_t=True)
    value, variance, count = float(combined.mean_effect_re), float(combined.tau2), len(cells)
    low, high = map(float, combined.conf_int(alpha=1 - CONFIDENCE, use_t=True)[3])  # "random effect wls"
    within, seeds = None, sorted(set.intersection(*(set(cell.by_seed) for cell in cells)))
    if len(seeds) >= FEWEST_SEEDS:
        by_seed = [[cell.by_seed[seed] for cell in cells] for seed in seeds]  # (k, cells)
        weighted = np.average(by_seed, axis=1, weights=1 / (variances + variance))  # (k,)
        mean, margin = float(weighted.mean()), margin_of_mean(weighted)
        within = mean - margin, mean + margin
    predicted = None
    if count >= FEWEST_PREDICTED:
        error = np.hypot((high - value) / stdtrit(count - 1, QUANTILE), np.sqrt(variance))
        margin = float(stdtrit(count - 2, QUANTILE) * error)
        predicted = value - margin, value + margin
    interval = max(((low, high), within or (value, value)), key=lambda bounds: bounds[1] - bounds[0])
    deviation, inconsistency = float(np.sqrt(variance)), max(0.0, float(combined.i2))
    return PooledEstimate(count, value, interval, (low, high), within, deviation, inconsistency, predicted)


def margin_of_mean(values: Sequence[float] | Array) -> float:
    """Compute half the width of Student's 95 % interval of the mean of two or more independent values."""
    n = len(values)
    return float(stdtrit(n - 1, QUANTILE) * np.std(values, ddof=1) / np.sqrt(n))


def pooled_table(table: Sequence[Pooled]) -> Table:
    """Tabulate what all checkpoints together say of each method, in percentage points."""
    return [
        {
            "Method": name_of(pooled.pruning),
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
