"""Pool all shipped checkpoints: methods against random removal, a ramp, and training again.

What a method is compared by is its share of the change in the upper half of the layers, minus
random removal's.

A *cell* is a task at a depth. Seed twins read the same sentences and are pruned by the same random
draws, so they count once: their shares and jackknife replicates are averaged first, seed by seed of
the control. Over the cells, a random-effects estimate (Paule and Mandel) has the interval of
Hartung, Knapp, Sidik and Jonkman. It treats cells as independent, but the control's draws repeat
over checkpoints of one architecture. So the same weighted contrast is also taken seed by seed, and
the wider of the two intervals counts.

The ramp and global magnitude pruning are compared on the same checkpoints, examples and amounts.
Over several checkpoints, the geometric mean of the ratios of changed predictions and the mean
difference of scores have Student's interval.

What training again returns is judged by the ratio of two means over tasks, so that no task which
lost little decides. Its interval is Student's, of the linearised ratio (Cochran 1977, Sampling
Techniques, section 6.4).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from operator import attrgetter

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
from core.request.catalog import CONFIDENCE, METHODS, REDUCTION, TASKS
from core.results.names import name_of
from core.results.recovery import Recovery
from core.results.schema import Frame, SweepResult
from core.sweep.control_contrast import contrast
from core.sweep.statistics import Array

FEWEST_PREDICTED = 4  # cells from which the difference in another one is predicted
QUANTILE = (1 + CONFIDENCE) / 2
AMOUNTS = (0.1, 0.2, 0.3, 0.4, 0.5)  # along the ramp
FEWEST_CHANGED = 5  # predictions under magnitude pruning, below which there is no ratio
TUNED = ("sst2", "cola")  # a search of the layers' shares, since removed, was tried on these

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
        place = result.checkpoint.num_layers, task_title(result.task.name)
        by_method[result.pruning.method, result.pruning.scope][place][result.key] = verdict
    table = []
    for (method, scope), by_cell in by_method.items():
        averaged = (_cell(*place, twins) for place, twins in sorted(by_cell.items()))
        cells = [cell for cell in averaged if cell]
        groups = {
            f"{depth} layers": [cell for cell in cells if cell.layers == depth]
            for depth, _ in sorted(by_cell)
        }
        groups[WHOLE] = [cell for cell in cells if len(cell.by_seed) >= cell.needed]
        groups[ALL] = cells
        estimates = {name: estimate(group) for name, group in groups.items() if len(group) > 1}
        if estimates:
            table.append(Pooled(method, scope, tuple(cells), estimates))
    return tuple(table)


def _order(judged: tuple[SweepResult, Verdict]) -> tuple[int, bool, str]:
    """Sort by method, and by key, on which the last digits of averages depend."""
    result, _ = judged
    method = list(METHODS).index(result.pruning.method)
    return method, result.pruning.scope == "all-linear", result.key


def _cell(layers: int, task: str, twins: Mapping[str, Verdict]) -> Cell | None:
    """Average the checkpoints of a cell; None without FEWEST_SEEDS seeds in common."""
    twins = {key: verdict for key, verdict in twins.items() if verdict.method}
    # By seed, (1 + n,): the method's share minus the seed's, and the same without each example.
    differences: list[dict[int, Array]] = []
    for twin in twins.values():
        apart = () if twin.apart is None else twin.apart  # (k, 1 + n)
        differences.append(dict(zip((seed.seed for seed in twin.controls), apart, strict=True)))
    seeds = sorted(set.intersection(*map(set, differences))) if differences else []
    if len(seeds) < FEWEST_SEEDS:
        return None
    shared = [[by_seed[seed] for seed in seeds] for by_seed in differences]
    mean = np.mean(shared, axis=0)  # (k, 1 + n)
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
    count = len(cells)
    effects = np.array([diff.difference for diff in contrasts])
    variances = np.array(
        [diff.seed_deviation**2 / diff.seeds + diff.standard_error**2 for diff in contrasts]
    )
    combined = combine_effects(effects, variances, method_re="pm", use_t=True)
    value = float(combined.mean_effect_re)
    variance = float(combined.tau2)
    intervals = combined.conf_int(alpha=1 - CONFIDENCE, use_t=True)
    low, high = map(float, intervals[3])  # "random effect wls"
    widest = low, high
    within = predicted = None
    seeds = sorted(set.intersection(*(set(cell.by_seed) for cell in cells)))
    if len(seeds) >= FEWEST_SEEDS:
        by_seed = [[cell.by_seed[seed] for cell in cells] for seed in seeds]  # (k, cells)
        weighted = np.average(by_seed, axis=1, weights=1 / (variances + variance))  # (k,)
        within = mean_with_interval(weighted)[1:]
        widest = max(widest, within, key=lambda bounds: bounds[1] - bounds[0])
    if count >= FEWEST_PREDICTED:
        deviation = np.sqrt(combined.var_hksj_re + variance)
        margin = float(stdtrit(count - 2, QUANTILE) * deviation)
        predicted = value - margin, value + margin
    return PooledEstimate(
        count,
        value,
        interval=widest,
        within=within,
        deviation=float(np.sqrt(variance)),
        inconsistency=max(0.0, float(combined.i2)),
        predicted=predicted,
    )


def with_interval(values: Sequence[float], places: int = 3) -> str:
    """Write a number with its 95 % interval, `0.080 (0.071 to 0.089)`, alone, or as a dash."""
    value, *interval = [decimals(number, places) for number in values] or [NONE]
    return f"{value} ({' to '.join(interval)})" if interval else value


def mean_with_interval(values: Sequence[float] | Array) -> tuple[float, float, float]:
    """Compute the mean of two or more independent values, and Student's 95 % interval of it."""
    described = DescrStatsW(values)
    low, high = described.tconfint_mean(1 - CONFIDENCE)
    return float(described.mean), float(low), float(high)


def pooled_table(table: Sequence[Pooled]) -> Table:
    """Tabulate what all checkpoints together say of each method, in percentage points."""
    rows = Table()
    for pooled in table:
        for name, estimate in pooled.estimates.items():
            if name == WHOLE and estimate.cells == pooled.estimates[ALL].cells:
                continue
            difference = decimals(100 * estimate.value, 1)
            rows.append(
                {
                    "Method": name_of(pooled.pruning),
                    "Over": name,
                    "Tasks and depths": str(estimate.cells),
                    "Difference in points": f"{difference} ({_points(estimate.interval)})",
                    "By the draws alone": _points(estimate.within),
                    "SD between them (τ)": decimals(100 * estimate.deviation, 1),
                    "I²": percent(estimate.inconsistency),
                    "Expected in another": _points(estimate.predicted),
                }
            )
    return rows


def _points(bounds: Sequence[float] | None) -> str:
    if bounds is None:
        return NONE
    low, high = bounds
    return points_span(low, high, 1)


# ---------------------------------------------------------------- the ramp beside magnitude pruning


def pairs(results: Iterable[SweepResult]) -> list[Pair]:
    """Pair results of whole encoders, for each checkpoint those on most examples."""
    by_method = defaultdict[str, list[SweepResult]](list)
    for result in results:
        if result.pruning.scope == "encoder" and result.pruning.stop is None:
            by_method[result.pruning.method].append(result)
    alike = [
        (ramp, magnitude)
        for ramp, magnitude in product(by_method["ramp"], by_method["magnitude"])
        if same_checkpoint(ramp, magnitude) and same_examples(ramp, magnitude)
    ]

    def order(pair: Pair) -> tuple[int, int, str]:
        task = pair[0].task
        return [*TASKS].index(task.name), len(task.examples), pair[1].key

    last = {pair[0].checkpoint.revision: pair for pair in sorted(alike, key=order)}
    return [*last.values()]


def changed_ratio(judged: Sequence[Pair], amount: float) -> Sequence[float]:
    """Divide the predictions changed along the ramp by those by magnitude; of several the mean."""
    ratios = []
    for pair in judged:
        ramp, magnitude = (
            np.not_equal(_at(sweep, amount).predictions, sweep.frames[0].predictions).sum()
            for sweep in pair
        )
        if magnitude >= FEWEST_CHANGED:
            ratios.append(float(ramp / magnitude))
    return np.exp(mean_with_interval(np.log(ratios))).tolist() if len(ratios) > 1 else ratios


def gain(judged: Sequence[Pair], amount: float) -> Sequence[float]:
    """Return by how many points the main metric is higher along the ramp; of several the mean."""
    gains = []
    for pair in judged:
        ramp, magnitude = (
            _at(sweep, amount).metrics[sweep.task.main_metric] or 0.0 for sweep in pair
        )
        gains.append(100 * (ramp - magnitude))
    return mean_with_interval(gains) if len(gains) > 1 else gains


def _at(sweep: SweepResult, amount: float) -> Frame:
    return sweep.frames[sweep.amounts.index(amount)]


def ramp_table(judged: Sequence[Pair]) -> Table:
    """Tabulate the ratios of changed predictions, and the differences of scores.

    Args:
        judged: From `pairs`.
    """
    groups: dict[str, Sequence[Pair]] = {}
    for pair in judged:
        task = pair[0].task
        groups[f"{task_title(task.name)}, {len(task.examples)} examples"] = [pair]
    groups["Mean"] = judged
    groups["Mean without SST-2 and CoLA"] = [
        pair for pair in judged if pair[0].task.name not in TUNED
    ]
    table = Table()
    for name, group in groups.items():
        line = {"Changed predictions, ratio; score, points more": name}
        for amount in AMOUNTS:
            ratio = with_interval(changed_ratio(group, amount), 2)
            line[percent(amount)] = f"{ratio}; {with_interval(gain(group, amount), 1)}"
        table.append(line)
    return table


# ---------------------------------------------------------------- training again


def returned(recovery: Recovery) -> Array:
    """Return how pruning and training change main metric and own CKA: (2, 1 + points)."""
    moments = recovery.unpruned[0], recovery.frames[0], recovery.frames[-1]
    numbers = [
        [moment.metrics[recovery.task.main_metric], *(moment.own(REDUCTION) or ())]
        for moment in moments
    ]
    return np.diff(np.array(numbers, np.float64), axis=0)


def shares(changes: Array) -> Array:
    """Linearise the shares that return: (tasks, 2, …) -> (tasks, …).

    The mean over the tasks is a ratio of means.
    """
    down, up = changes.swapaxes(0, 1)
    share = -up.mean(0) / down.mean(0)
    return np.asarray(share - (up + share * down) / down.mean(0))


def recovery_table(results: Iterable[object]) -> Table:
    """Tabulate the shares that return over GLUE's tasks, at two amounts each."""
    glue = [
        recovery
        for recovery in results
        if isinstance(recovery, Recovery)
        and recovery.amount
        and TASKS[recovery.task.name].dataset_id
    ]
    glue.sort(key=attrgetter("task.name", "pruning.seed", "amount"))
    changes = defaultdict[tuple[str, int], dict[str, list[Array]]](lambda: defaultdict(list))
    for recovery in glue:
        side = recovery.pruning.method, recovery.rows.training.seed
        changes[side][recovery.task.name].append(returned(recovery))

    def of(method: str, seed: int) -> Array:  # (tasks, amounts, numbers)
        draws = changes[method, seed].values()  # of each draw, the two amounts
        means = [(np.mean(draw[::2], 0), np.mean(draw[1::2], 0)) for draw in draws]
        return shares(np.swapaxes(means, 1, 2))

    first = of("magnitude", 0)
    second = of("magnitude", 1)
    random = of("random", 0)
    table = Table()
    for level, k in np.ndindex(first.shape[1:]):
        magnitude = first[:, level, k]
        beside = magnitude - random[:, level, k]
        apart = np.abs(magnitude - second[:, level, k]).mean()
        table.append(
            {
                "Removed": f"{'Far' if level else 'Just'} beyond the working range",
                "Share that returns": f"Own CKA of layer {k}" if k else "Main metric",
                "Magnitude pruning": with_interval(mean_with_interval(magnitude), 2),
                "Less random removal's": with_interval(mean_with_interval(beside), 2),
                "Apart in two orders": decimals(float(apart), 2),
            }
        )
    return table
