"""Pool all shipped checkpoints: a method against random removal, and pruning along a ramp against magnitude pruning.

What a method is compared by is its share of the change in the upper half of the layers, minus random removal's.

A *cell* is a task at a depth. Seed twins read the same sentences and are pruned by the same random draws, so they
count once: their shares and jackknife replicates are averaged first, seed by seed of the control. Over the cells, a
random-effects estimate (Paule and Mandel) has the interval of Hartung, Knapp, Sidik and Jonkman. It treats cells as
independent, but the control's draws repeat over checkpoints of one architecture. So the same weighted contrast is also
taken seed by seed, and the wider of the two intervals counts.

The ramp and global magnitude pruning are compared on the same checkpoints, examples and amounts. The ratio of changed
predictions has a paired percentile bootstrap over the examples of one checkpoint. Over several, its geometric mean and
the mean difference of the scores have Student's interval.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import product

import numpy as np
from scipy.special import stdtrit
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.weightstats import DescrStatsW

from core.findings.choices import task_title
from core.findings.claim import FEWEST_SEEDS, Verdict
from core.findings.comparable import same_checkpoint, same_examples
from core.findings.pooled import ALL, WHOLE, Cell, Pooled, PooledEstimate
from core.findings.words import NONE, Table, points_span
from core.findings.words.numbers import decimals, percent
from core.request.catalog import CONFIDENCE, METHODS, TASKS
from core.results.names import listed, name_of
from core.results.schema import Frame, SweepResult
from core.sweep.control_contrast import contrast
from core.sweep.statistics import Array

FEWEST_PREDICTED = 4  # cells from which the difference in another one is predicted
QUANTILE = (1 + CONFIDENCE) / 2
AMOUNTS = (0.1, 0.2, 0.3, 0.4, 0.5)  # along the ramp
FEWEST_CHANGED = 5  # predictions under magnitude pruning, below which there is no ratio
TUNED = ("sst2", "cola")  # a search of the layers' shares, since removed, was tried on these
DRAWS = 9_999

Pair = tuple[SweepResult, SweepResult]  # along the ramp, by magnitude
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
        within = mean_with_interval(weighted)[1:]
    predicted = None
    if count >= FEWEST_PREDICTED:
        margin = float(stdtrit(count - 2, QUANTILE) * np.sqrt(combined.var_hksj_re + variance))
        predicted = value - margin, value + margin
    interval = max(((low, high), within or (value, value)), key=lambda bounds: bounds[1] - bounds[0])
    deviation, inconsistency = float(np.sqrt(variance)), max(0.0, float(combined.i2))
    return PooledEstimate(count, value, interval, (low, high), within, deviation, inconsistency, predicted)


def with_interval(value: float, low: float, high: float, places: int = 3) -> str:
    """Write a number and its 95 % interval: `0.080 (0.071 to 0.089)`."""
    return "{} ({} to {})".format(*(decimals(number, places) for number in (value, low, high)))


def mean_with_interval(values: Sequence[float] | Array) -> tuple[float, float, float]:
    """Compute the mean of two or more independent values, and Student's 95 % interval of it."""
    described = DescrStatsW(values)
    low, high = described.tconfint_mean(1 - CONFIDENCE)
    return float(described.mean), float(low), float(high)


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


# ---------------------------------------------------------------- the ramp beside magnitude pruning


def pairs(results: Iterable[SweepResult]) -> list[Pair]:
    """Pair results of whole encoders on the same examples, for each checkpoint those on most examples."""
    whole = [result for result in results if result.pruning.scope == "encoder" and result.pruning.stop is None]
    ramps, magnitudes = ([row for row in whole if row.pruning.method == name] for name in ("ramp", "magnitude"))
    alike = [(a, b) for a, b in product(ramps, magnitudes) if same_checkpoint(a, b) and same_examples(a, b)]
    alike.sort(key=lambda pair: ([*TASKS].index(pair[0].task.name), len(pair[0].task.examples), pair[1].key))
    return [*{ramp.checkpoint.revision: (ramp, magnitude) for ramp, magnitude in alike}.values()]


def changed_ratio(judged: Sequence[Pair], amount: float) -> list[float]:
    """Divide the predictions that change along the ramp by those that change under magnitude pruning.

    Returns:
        The ratio, or the mean of several, and its interval; nothing where too few predictions change.
    """
    if len(judged) > 1:
        ratios = [ratio[0] for pair in judged if (ratio := changed_ratio([pair], amount))]
        return np.exp(mean_with_interval(np.log(ratios))).tolist() if len(ratios) > 1 else []
    ramp, magnitude = (np.not_equal(_at(sweep, amount).predictions, sweep.frames[0].predictions) for sweep in judged[0])
    if magnitude.sum() < FEWEST_CHANGED:
        return []
    joint = np.bincount(2 * ramp + magnitude, minlength=4)  # (4,) examples; changed: none, by magnitude, ramp, both
    draws = np.random.default_rng(0).multinomial(len(ramp), joint / len(ramp), DRAWS).T  # (4, draws)
    ratios = (draws[2] + draws[3]) / np.maximum(draws[1] + draws[3], 1)  # (draws,)
    return [float(ramp.sum() / magnitude.sum()), *np.quantile(ratios, [1 - QUANTILE, QUANTILE]).tolist()]


def gain(judged: Sequence[Pair], amount: float) -> Sequence[float]:
    """Return by how many points the task's main metric is higher along the ramp; of several the mean, its interval."""
    scores = [[_at(sweep, amount).metrics[sweep.task.main_metric] or 0.0 for sweep in pair] for pair in judged]
    gains = [100 * (ramp - magnitude) for ramp, magnitude in scores]
    return mean_with_interval(gains) if len(gains) > 1 else gains


def _at(sweep: SweepResult, amount: float) -> Frame:
    return sweep.frames[sweep.amounts.index(amount)]


def ramp_table(judged: Sequence[Pair]) -> tuple[str, Table]:
    """Say at which amounts fewer predictions change, and tabulate ratios and scores.

    Args:
        judged: From `pairs`.
    """
    groups = {f"{task_title(pair[0].task.name)}, {len(pair[0].task.examples)} examples": [pair] for pair in judged}
    groups["Mean"] = [*judged]
    groups["Mean without SST-2 and CoLA"] = [pair for pair in judged if pair[0].task.name not in TUNED]
    table, fewer = [], []
    for name, group in groups.items():
        ratios = {percent(amount): changed_ratio(group, amount) for amount in AMOUNTS}
        gains = {percent(amount): gain(group, amount) for amount in AMOUNTS}
        cells = {amount: f"{_number(ratios[amount], 2)}; {_number(gains[amount], 1)}" for amount in ratios}
        below = [amount for amount, ratio in ratios.items() if ratio and ratio[2] < 1]
        fewer.append(f"{listed(below)} removed" if below else "no amount")
        table.append({"Changed predictions, ratio; score, points more": name} | cells)
    return f"Fewer predictions change on average at {fewer[-2]}, and without SST-2 and CoLA at {fewer[-1]}.", table


def _number(values: Sequence[float], places: int) -> str:
    if len(values) < 2:
        return decimals(values[0], places) if values else NONE
    value, low, high = values
    return with_interval(value, low, high, places)
