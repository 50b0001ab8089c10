"""Pool what all shipped checkpoints say of a method: its share of the change in the upper half, minus random removal's.

A *cell* is a task at a depth. Seed twins read the same sentences and are pruned by the same random draws, so they
count once: their shares and jackknife replicates are averaged, seed by seed of the control, before anything else.
Over the cells, a random-effects estimate (Paule and Mandel) has the interval of Hartung, Knapp, Sidik and Jonkman. It
takes cells as independent, but the control's draws repeat over checkpoints of one architecture. So the same weighted
contrast is also taken seed by seed, and the wider of both intervals counts.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from scipy.special import stdtrit
from statsmodels.stats.meta_analysis import combine_effects

from core.findings.choices import task_title
from core.findings.claim import FEWEST_SEEDS, Verdict
from core.findings.pooled import ALL, FEWEST_PREDICTED, WHOLE, Cell, Estimate, Pooled
from core.request.catalog import CONFIDENCE, METHODS
from core.results.names import method_name
from core.results.schema import SweepResult
from core.sweep.control_contrast import contrast
from core.sweep.statistics import Array

QUANTILE = (1 + CONFIDENCE) / 2


def pool(judged: Iterable[tuple[SweepResult, Verdict]]) -> tuple[Pooled, ...]:
    """Pool verdicts by method, each that has two cells or more.

    Args:
        judged: All results that `core.findings.claim.with_rows` returns, with their verdicts.
    """
    by_method: dict[str, dict[tuple[int, str], dict[str, Verdict]]] = defaultdict(lambda: defaultdict(dict))
    for result, verdict in sorted(judged, key=_order):
        place = result.checkpoint.num_layers, task_title(result.task.name)
        by_method[method_name(result)][place][result.key] = verdict
    table = []
    for title, places in by_method.items():
        cells = [cell for place, twins in sorted(places.items()) if (cell := _cell(*place, twins))]
        groups = {f"{depth} layers": [cell for cell in cells if cell.layers == depth] for depth, _ in sorted(places)}
        groups |= {WHOLE: [cell for cell in cells if len(cell.by_seed) >= cell.needed], ALL: cells}
        estimates = {name: estimate(group) for name, group in groups.items() if len(group) > 1}
        if estimates:
            table.append(Pooled(title, tuple(cells), estimates))
    return tuple(table)


def _order(judged: tuple[SweepResult, Verdict]) -> tuple[int, bool, str]:
    """Order methods, and what is averaged, whose last digits depend on it."""
    result, _ = judged
    return list(METHODS).index(result.pruning.method), result.pruning.scope == "all-linear", result.key


def _cell(layers: int, task: str, twins: Mapping[str, Verdict]) -> Cell | None:
    """Average the checkpoints of a cell, by the keys of their results; None where they share fewer than two seeds."""
    twins = {key: verdict for key, verdict in twins.items() if verdict.method}
    drawn = [  # by seed (1 + n,) the method's share minus the seed's, and that without each example
        dict(zip((seed.seed for seed in twin.controls), np.column_stack(twin.apart or ((), ())), strict=True))
        for twin in twins.values()
    ]
    seeds = sorted(set.intersection(*map(set, drawn))) if drawn else []
    if len(seeds) < FEWEST_SEEDS:
        return None
    apart = np.mean([[of[seed] for seed in seeds] for of in drawn], axis=0)  # (k, 1 + n)
    needed, by_seed = min(twin.needed for twin in twins.values()), dict(zip(seeds, apart[:, 0].tolist(), strict=True))
    upper = sum(twin.lead == "upper" for twin in twins.values())
    control_upper = sum(twin.control_lead == "upper" for twin in twins.values())
    return Cell(task, layers, tuple(twins), upper, control_upper, needed, by_seed, contrast(apart[:, 0], apart[:, 1:]))


def estimate(cells: Sequence[Cell]) -> Estimate:
    """Estimate the difference over at least two cells."""
    known = [cell.contrast for cell in cells]
    effects = np.array([diff.difference for diff in known])
    variances = np.array([diff.seed_deviation**2 / diff.seeds + diff.standard_error**2 for diff in known])
    found = combine_effects(effects, variances, method_re="pm", use_t=True)
    value, variance, count = float(found.mean_effect_re), float(found.tau2), len(cells)
    low, high = map(float, found.conf_int(alpha=1 - CONFIDENCE, use_t=True)[3])  # "random effect wls"
    within, seeds = None, sorted(set.intersection(*(set(cell.by_seed) for cell in cells)))
    if len(seeds) >= FEWEST_SEEDS:
        drawn = [[cell.by_seed[seed] for cell in cells] for seed in seeds]  # (k, cells)
        contrasts = np.average(drawn, axis=1, weights=1 / (variances + variance))  # (k,)
        mean, margin = float(contrasts.mean()), margin_of_mean(contrasts)
        within = mean - margin, mean + margin
    predicted = None
    if count >= FEWEST_PREDICTED:
        error = np.hypot((high - value) / stdtrit(count - 1, QUANTILE), np.sqrt(variance))
        margin = float(stdtrit(count - 2, QUANTILE) * error)
        predicted = value - margin, value + margin
    interval = max(((low, high), within or (value, value)), key=lambda bounds: bounds[1] - bounds[0])
    deviation, inconsistency = float(np.sqrt(variance)), max(0.0, float(found.i2))
    return Estimate(count, value, interval, (low, high), within, deviation, inconsistency, predicted)


def margin_of_mean(values: Sequence[float] | Array) -> float:
    """Compute half the width of Student's 95 % interval of the mean of two or more independent values."""
    n = len(values)
    return float(stdtrit(n - 1, QUANTILE) * np.std(values, ddof=1) / np.sqrt(n))
