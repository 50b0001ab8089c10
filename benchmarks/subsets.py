"""Tabulate which of six layers may stay, once the others are gone and the rest is refitted.

The scores in `cached_results/subsets-of-layers.json` were measured once, on four bundled
checkpoints. README.md defines them and names the commit whose code measures them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from pydantic import TypeAdapter

from core.findings.choices import task_title
from core.findings.words import Table
from core.findings.words.numbers import decimals
from core.results.library import read_table

LAYERS = "012345"  # a subset is named by the layers that stay, such as `0123`
COUNTS = (4, 3)  # of layers that stay under the rules


@dataclass(frozen=True)
class Row:
    """The subsets of a checkpoint's layers.

    Attributes:
        task: The task's name.
        cosines: (layers,) the mean cosine of what enters a layer and what leaves it, over tokens of
            the rows to fit.
        scores: By subset, scores by the task's main metric. `left`: of the model as it was left,
            whose classifier reads what it never saw. `held`: of a linear probe on the mean of the
            tokens. `saved`: of the refitted model, if a rule chooses the subset.
    """

    task: str
    cosines: list[float]
    scores: dict[str, dict[str, float]]


measured = partial(read_table, "subsets-of-layers.json", TypeAdapter(tuple[Row, ...]))


def choices(row: Row, count: int) -> dict[str, str]:
    """Choose layers that stay, by four rules; the last one knows the judged rows."""
    skipped = LAYERS[::-2][: len(LAYERS) - count]
    ranked = sorted(LAYERS, key=lambda layer: row.cosines[int(layer)])  # from the least alike
    of_size = (subset for subset in row.scores if len(subset) == count)
    return {
        "Lowest stay": LAYERS[:count],
        "Every second goes": "".join(layer for layer in LAYERS if layer not in skipped),
        "Most alike go": "".join(sorted(ranked[:count])),
        "Best in hindsight": max(of_size, key=lambda subset: row.scores[subset]["held"]),
    }


def table(rows: Sequence[Row]) -> Table:
    """Tabulate what the rules choose: the layers, and their scores as left, held and saved."""
    lines = []
    for row in rows:
        full = decimals(row.scores[LAYERS]["left"], 3)
        for count in COUNTS:
            line = {"Task": task_title(row.task), "Full model": full, "Layers": str(count)}
            for rule, subset in choices(row, count).items():
                layers = " ".join(str(int(layer) + 1) for layer in subset)
                scores = ", ".join(decimals(score, 3) for score in row.scores[subset].values())
                line[rule] = f"{layers}: {scores}"
            lines.append(line)
    return lines
