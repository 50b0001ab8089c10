"""Pool what all shipped checkpoints say of a method: its share of the change in the upper half, less random removal's.

A *cell* is a task at a depth. Seed twins read the same sentences and are pruned by the same random draws, so that they
count once: shares and jackknife replicates are averaged over them, seed by seed of the control, before anything else.
Over the cells, a random-effects estimate (Paule and Mandel) has the interval of Hartung, Knapp, Sidik and Jonkman. It
takes cells as independent, but the control's draws repeat over checkpoints of one architecture. So the same weighted
contrast is also taken seed by seed, and the wider of both intervals counts.

It is computed once, when the table of all verdicts is written, and shipped beside the manifest: see `shipped`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import TypeAdapter
from scipy.special import stdtrit

from core.findings.choices import task_title
from core.findings.claim import FEWEST_SEEDS, Verdict
from core.findings.grid import GridRow
from core.request.catalog import CONFIDENCE, METHODS
from core.results.fields import Bounds
from core.results.library import TableFile
from core.results.names import method_name
from core.results.schema import SweepResult
from core.sweep.control_contrast import MARGIN, Contrast, State, contrast, margin_of_mean

FEWEST_PREDICTED = 4  # cells from which the difference in another one is predicted
ALL, WHOLE = "all", "all seeds usable"  # names of estimates, beside those of each depth
QUANTILE = (1 + CONFIDENCE) / 2


@dataclass(frozen=True)
class Cell:
    """A method on the checkpoints of one task and depth.

    Attributes:
        task: The task's title.
        layers: The depth.
        keys: Of the results, one a checkpoint.
        upper: On how many of them the upper half of the layers is shown to change more.
        control_upper: The same under random removal.
        needed: The seeds of random removal that a verdict takes.
        by_seed: The method's share less that of each seed which is usable on all these checkpoints.
        contrast: The method against the mean of these seeds.
    """

    task: str
    layers: int
    keys: tuple[str, ...]
    upper: int
    control_upper: int
    needed: int
    by_seed: Mapping[int, float]
    contrast: Contrast


@dataclass(frozen=True)
class Estimate:
    """A method's share less random removal's over several cells.

    Attributes:
        cells: How many.
        value: By random effects.
        interval: The wider one of `between` and `within`.
        between: The 95 % interval of random effects, cells taken as independent.
        within: The 95 % interval of the same contrast over the seeds that all cells have; None for fewer than two.
        deviation: τ, the standard deviation of the differences between cells.
        inconsistency: I², the share of their variance that the errors within the cells do not explain.
        predicted: Where the difference in another cell is expected, 95 %; None for fewer than four cells.
    """

    cells: int
    value: float
    interval: Bounds
    between: Bounds
    within: Bounds | None
    deviation: float
    inconsistency: float
    predicted: Bounds | None

    @property
    def state(self) -> State:
        """Whether the interval leaves out what counts as a difference, or none at all."""
        low, high = self.interval
        if max(-low, high) <= MARGIN:
            return "equivalent"
        return "steeper" if low > 0 else "flatter" if high < 0 else "inconclusive"


@dataclass(frozen=True)
class Pooled:
    """A method over all checkpoints.

    Attributes:
        title: The name of the pruning.
        cells: Those in which at least two seeds of random removal are usable.
        estimates: By `ALL`, `WHOLE` or a depth, where there are two cells or more.
    """

    title: str
    cells: tuple[Cell, ...]
    estimates: Mapping[str, Estimate]

    @property
    def keys(self) -> set[str]:
        """The results that count, one a checkpoint."""
        return {key for cell in self.cells for key in cell.keys}


_FILE = TableFile("pooled.json", TypeAdapter(tuple[Pooled, ...]))
write, shipped = _FILE.write, _FILE.read


def pooled(judged: Iterable[tuple[SweepResult, Verdict]]) -> tuple[Pooled, ...]:
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
    from statsmodels.stats.meta_analysis import combine_effects  # here: no first picture waits for it

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


def marks(rows: Iterable[GridRow]) -> dict[str, list[tuple[str, Contrast]]]:
    """Return results that do not count, by the title of their method: the name of the checkpoint, and the contrast."""
    found: dict[str, list[tuple[str, Contrast]]] = defaultdict(list)
    for row in rows:
        if row.verdict and row.verdict.contrast:
            found[row.setting].append((row.column.checkpoint, row.verdict.contrast))
    return found
