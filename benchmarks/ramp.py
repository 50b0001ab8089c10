"""Pruning along a ramp against global magnitude pruning: the same checkpoints, examples and amounts.

The ratio of changed predictions has a paired percentile bootstrap over the examples of one checkpoint. Over several,
its geometric mean and the mean difference of the scores have Student's interval.
"""

from collections.abc import Iterable, Sequence
from itertools import product

import numpy as np

from benchmarks.pooled import QUANTILE, margin_of_mean
from core.findings.choices import task_title
from core.findings.comparable import same_checkpoint, same_examples
from core.findings.words import NONE, Table, with_interval
from core.findings.words.numbers import decimals, percent
from core.request.catalog import TASKS
from core.results.names import listed
from core.results.schema import Frame, SweepResult
from core.sweep.statistics import Array

AMOUNTS = (0.1, 0.2, 0.3, 0.4, 0.5)
FEWEST_CHANGED = 5  # predictions under magnitude pruning, below which there is no ratio
TUNED = ("sst2", "cola")  # a search of the layers' shares, since removed, was tried on these
DRAWS = 9_999

Pair = tuple[SweepResult, SweepResult]  # along the ramp, by magnitude


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
        return np.exp(_mean(np.log(ratios))).tolist() if len(ratios) > 1 else []
    ramp, magnitude = (np.not_equal(_at(sweep, amount).predictions, sweep.frames[0].predictions) for sweep in judged[0])
    if magnitude.sum() < FEWEST_CHANGED:
        return []
    joint = np.bincount(2 * ramp + magnitude, minlength=4)  # (4,) examples; changed: none, by magnitude, ramp, both
    draws = np.random.default_rng(0).multinomial(len(ramp), joint / len(ramp), DRAWS).T  # (4, draws)
    ratios = (draws[2] + draws[3]) / np.maximum(draws[1] + draws[3], 1)  # (draws,)
    return [float(ramp.sum() / magnitude.sum()), *np.quantile(ratios, [1 - QUANTILE, QUANTILE]).tolist()]


def gain(judged: Sequence[Pair], amount: float) -> list[float]:
    """Return by how many points the task's main metric is higher along the ramp; of several the mean, its interval."""
    scores = [[_at(sweep, amount).metrics[sweep.task.main_metric] or 0.0 for sweep in pair] for pair in judged]
    gains = [100 * (ramp - magnitude) for ramp, magnitude in scores]
    return _mean(gains).tolist() if len(gains) > 1 else gains


def _at(sweep: SweepResult, amount: float) -> Frame:
    return sweep.frames[sweep.amounts.index(amount)]


def _mean(values: Sequence[float] | Array) -> Array:
    return np.mean(values) + margin_of_mean(values) * np.array([0, -1, 1])  # (3,) and Student's interval


def ramp_table(judged: Sequence[Pair]) -> tuple[str, Table]:
    """Say at which amounts fewer predictions change, and tabulate ratios and scores.

    Args:
        judged: From `pairs`.
    """
    groups = {f"{task_title(pair[0].task.name)}, {len(pair[0].task.examples)} examples": [pair] for pair in judged}
    groups["Mean"] = [*judged]
    groups["Mean without SST-2 and CoLA"] = [pair for pair in judged if pair[0].task.name not in TUNED]
    table = [
        {"Changed predictions, ratio; score, points more": name}
        | {
            percent(amount): f"{_cell(changed_ratio(group, amount), 2)}; {_cell(gain(group, amount), 1)}"
            for amount in AMOUNTS
        }
        | {"Works up to (magnitude)": _ends(group)}
        for name, group in groups.items()
    ]
    fewer, elsewhere = (_fewer(group) for group in [*groups.values()][-2:])
    return f"Fewer predictions change on average at {fewer}, and without SST-2 and CoLA at {elsewhere}.", table


def _fewer(judged: Sequence[Pair]) -> str:
    ratios = {amount: changed_ratio(judged, amount) for amount in AMOUNTS}
    below = [percent(amount) for amount, ratio in ratios.items() if ratio and ratio[2] < 1]
    return f"{listed(below)} removed" if below else "no amount"


def _ends(judged: Sequence[Pair]) -> str:
    if len(judged) > 1:
        return NONE
    ends = [sweep.working_range.to if sweep.working_range else None for sweep in judged[0]]
    return "{} ({})".format(*(NONE if end is None else percent(end) for end in ends))


def _cell(values: Sequence[float], places: int) -> str:
    if len(values) < 2:
        return decimals(values[0], places) if values else NONE
    value, low, high = values
    return with_interval(value, low, high, places)
