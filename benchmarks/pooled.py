"""Pool all shipped checkpoints: methods against random removal, a ramp against magnitude, and training again.

What a method is compared by is its share of the change in the upper half of the layers, minus random removal's.

A *cell* is a task at a depth. Seed twins read the same sentences and are pruned by the same random draws, so they
count once: their shares and jackknife replicates are averaged first, seed by seed of the control. Over the cells, a
random-effects estimate (Paule and Mandel) has the interval of Hartung, Knapp, Sidik and Jonkman. It treats cells as
independent, but the control's draws repeat over checkpoints of one architecture. So the same weighted contrast is also
taken seed by seed, and the wider of the two intervals counts.

The ramp and global magnitude pruning are compared on the same checkpoints, examples and amounts. Over several
checkpoints, the geometric mean of the ratios of changed predictions and the mean difference of scores have Student's
interval.

What training again returns is judged by the ratio of two means over tasks, so that no task which lost little decides.
Its interval is Student's, of the linearised ratio (Cochran 1977, Sampling Techniques, section 6.4).
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
        name = result.checkpoint.num_layers, task_title(result.task.name)
        by_method[result.pruning.method, result.pruning.scope][name][result.key] = verdict
    table = []
    for (method, scope), by_cell in by_method.items():
        cells = [cell for name, twins in sorted(by_cell.items()) if (cell := _cell(*name, twins))]
        groups = {
            f"{depth} layers": [cell for cell in cells if cell.layers == depth]
            for depth, _ in sorted(by_cell)
        }
        groups |= {WHOLE: [cell for cell in cells if len(cell.by_seed) >= cell.needed], ALL: cells}
        estimates = {name: estimate(group) for name, group in groups.items() if len(group) > 1}
        if estimates:
            table.append(Pooled(method, scope, tuple(cells), estimates))
    return tuple(table)


def _order(judged: tuple[SweepResult, Verdict]) -> tuple[int, bool, str]:
    """Sort by method, and by key, on which the last digits of averages depend."""
    result, _ = judged
    return (
        list(METHODS).index(result.pruning.method),
        result.pruning.scope == "all-linear",
        result.key,
    )


def _cell(layers: int, task: str, twins: Mapping[str, Verdict]) -> Cell | None:
    """Average the checkpoints of a cell; None if they have fewer than FEWEST_SEEDS seeds in common."""
    twins = {key: verdict for key, verdict in twins.items() if verdict.method}
    differences = [  # by seed, (1 + n,): the method's share minus the seed's, and the same without each example
        dict(
            zip(
                (seed.seed for seed in twin.controls),
                np.column_stack(twin.apart or ((), ())),
                strict=True,
            )
        )
        for twin in twins.values()
    ]
    seeds = sorted(set.intersection(*map(set, differences))) if differences else []
    if len(seeds) < FEWEST_SEEDS:
        return None
    mean = np.mean(
        [[by_seed[seed] for seed in seeds] for by_seed in differences], axis=0
    )  # (k, 1 + n)
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
    variances = np.array(
        [diff.seed_deviation**2 / diff.seeds + diff.standard_error**2 for diff in contrasts]
    )
    combined = combine_effects(effects, variances, method_re="pm", use_t=True)
    value, variance, count = float(combined.mean_effect_re), float(combined.tau2), len(cells)
    low, high = map(
        float, combined.conf_int(alpha=1 - CONFIDENCE, use_t=True)[3]
    )  # "random effect wls"
    within, seeds = None, sorted(set.intersection(*(set(cell.by_seed) for cell in cells)))
    if len(seeds) >= FEWEST_SEEDS:
        by_seed = [[cell.by_seed[seed] for cell in cells] for seed in seeds]  # (k, cells)
        weighted = np.average(by_seed, axis=1, weights=1 / (variances + variance))  # (k,)
        within = mean_with_interval(weighted)[1:]
    predicted = None
    if count >= FEWEST_PREDICTED:
        margin = float(stdtrit(count - 2, QUANTILE) * np.sqrt(combined.var_hksj_re + variance))
        predicted = value - margin, value + margin
    interval = max(
        ((low, high), within or (value, value)), key=lambda bounds: bounds[1] - bounds[0]
    )
    deviation, inconsistency = float(np.sqrt(variance)), max(0.0, float(combined.i2))
    return PooledEstimate(
        count, value, interval, (low, high), within, deviation, inconsistency, predicted
    )


def with_interval(values: Sequence[float], places: int = 3) -> str:
    """Write a number, and its 95 % interval if it has one: `0.080 (0.071 to 0.089)`; no number is a dash."""
    value, *interval = [decimals(number, places) for number in values] or [NONE]
    return f"{value} ({' to '.join(interval)})" if interval else value


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
            "Expected in another": points_span(*estimate.predicted, 1)
            if estimate.predicted
            else NONE,
        }
        for pooled in table
        for name, estimate in pooled.estimates.items()
        if name != WHOLE or estimate.cells < pooled.estimates[ALL].cells
    ]


# ---------------------------------------------------------------- the ramp beside magnitude pruning


def pairs(results: Iterable[SweepResult]) -> list[Pair]:
    """Pair results of whole encoders on the same examples, for each checkpoint those on most examples."""
    whole = [
        result
        for result in results
        if result.pruning.scope == "encoder" and result.pruning.stop is None
    ]
    ramps, magnitudes = (
        [row for row in whole if row.pruning.method == name] for name in ("ramp", "magnitude")
    )
    alike = [
        (a, b)
        for a, b in product(ramps, magnitudes)
        if same_checkpoint(a, b) and same_examples(a, b)
    ]
    alike.sort(
        key=lambda pair: (
            [*TASKS].index(pair[0].task.name),
            len(pair[0].task.examples),
            pair[1].key,
        )
    )
    return [*{ramp.checkpoint.revision: (ramp, magnitude) for ramp, magnitude in alike}.values()]


def changed_ratio(judged: Sequence[Pair], amount: float) -> Sequence[float]:
    """Divide the predictions that change along the ramp by those that change by magnitude; of several the mean."""
    frames = [
        [(_at(sweep, amount).predictions, sweep.frames[0].predictions) for sweep in pair]
        for pair in judged
    ]
    changed = [[np.not_equal(*both).sum() for both in pair] for pair in frames]
    ratios = [float(ramp / magnitude) for ramp, magnitude in changed if magnitude >= FEWEST_CHANGED]
    return np.exp(mean_with_interval(np.log(ratios))).tolist() if len(ratios) > 1 else ratios


def gain(judged: Sequence[Pair], amount: float) -> Sequence[float]:
    """Return by how many points the task's main metric is higher along the ramp; of several the mean, its interval."""
    scores = [
        [_at(sweep, amount).metrics[sweep.task.main_metric] or 0.0 for sweep in pair]
        for pair in judged
    ]
    gains = [100 * (ramp - magnitude) for ramp, magnitude in scores]
    return mean_with_interval(gains) if len(gains) > 1 else gains


def _at(sweep: SweepResult, amount: float) -> Frame:
    return sweep.frames[sweep.amounts.index(amount)]


def ramp_table(judged: Sequence[Pair]) -> Table:
    """Tabulate the ratios of changed predictions, and the differences of scores.

    Args:
        judged: From `pairs`.
    """
    groups = {
        f"{task_title(pair[0].task.name)}, {len(pair[0].task.examples)} examples": [pair]
        for pair in judged
    }
    groups["Mean"] = [*judged]
    groups["Mean without SST-2 and CoLA"] = [
        pair for pair in judged if pair[0].task.name not in TUNED
    ]
    table = []
    for name, group in groups.items():
        ratios, gains = ([of(group, amount) for amount in AMOUNTS] for of in (changed_ratio, gain))
        both = zip(AMOUNTS, ratios, gains, strict=True)
        cells = {
            percent(at): f"{with_interval(ratio, 2)}; {with_interval(points, 1)}"
            for at, ratio, points in both
        }
        table.append({"Changed predictions, ratio; score, points more": name} | cells)
    return table


# ---------------------------------------------------------------- training again


def returned(recovery: Recovery) -> Array:
    """Return the changes by pruning and by training, of the main metric and each own CKA: (2, 1 + points)."""
    three = recovery.unpruned[0], recovery.frames[0], recovery.frames[-1]
    numbers = [
        [moment.metrics[recovery.task.main_metric], *(moment.own(REDUCTION) or ())]
        for moment in three
    ]
    return np.diff(np.array(numbers, np.float64), axis=0)


def shares(changes: Array) -> Array:
    """Linearise the shares that return, whose mean over tasks is a ratio of means: (tasks, 2, …) -> (tasks, …)."""
    down, up = changes.swapaxes(0, 1)
    share = -up.mean(0) / down.mean(0)
    return np.asarray(share - (up + share * down) / down.mean(0))


def recovery_table(results: Iterable[object]) -> Table:
    """Tabulate the shares that return over GLUE's tasks, at the smaller and the larger amount of each."""
    glue = [
        one
        for one in results
        if isinstance(one, Recovery) and one.amount and TASKS[one.task.name].dataset_id
    ]
    glue.sort(key=lambda one: (one.task.name, one.pruning.seed, one.amount))
    changes = defaultdict[tuple[str, int], dict[str, list[Array]]](lambda: defaultdict(list))
    for one in glue:  # of each draw, the two amounts
        changes[one.pruning.method, one.rows.training.seed][one.task.name].append(returned(one))
    sides = (changes[side].values() for side in (("magnitude", 0), ("magnitude", 1), ("random", 0)))
    means = (
        [(np.mean(draws[::2], 0), np.mean(draws[1::2], 0)) for draws in side] for side in sides
    )
    first, second, random = (
        shares(np.swapaxes(mean, 1, 2)) for mean in means
    )  # each (tasks, amounts, numbers)
    return [
        {
            "Removed": f"{'Far' if level else 'Just'} beyond the working range",
            "Share that returns": f"Own CKA of layer {k}" if k else "Main metric",
            "Magnitude pruning": with_interval(mean_with_interval(first[:, level, k]), 2),
            "Less random removal's": with_interval(
                mean_with_interval((first - random)[:, level, k]), 2
            ),
            "Apart in two orders": decimals(float(np.abs(first - second)[:, level, k].mean()), 2),
        }
        for level, k in np.ndindex(first.shape[1:])
    ]
