"""Tabulate whether pruning regularises, and how much less each block of a layer adds under it.

The numbers in `cached_results/regularising.json` were measured once, on the bundled checkpoints.
README.md defines them and names the commit whose code measures them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from pydantic import TypeAdapter

from benchmarks.pooled import with_interval
from core.findings.choices import task_title
from core.findings.words import Table
from core.findings.words.numbers import decimals
from core.results.library import read_table

TITLES = {
    "score": "Accuracy (SST-2), MCC (CoLA)",
    "gap": "Training rows less held-out",
    "log_loss": "Log loss",
    "tempered": "… at one temperature",
    "bag": "R² of a bag of words",
    "beyond": "… beyond equal spread",
}


@dataclass(frozen=True)
class Row:
    """A model; under random removal, means over the seeds.

    Attributes:
        task: The task's name.
        method: `magnitude`, `random` or `unpruned`.
        amount: The share of the encoder's weights removed.
        change: The overall change on the shipped results' eval subset.
        updates: (layers, 2) of attention and feed-forward: the mean over tokens of
            ‖block(x)‖ / ‖x‖.
        estimates: By the names of TITLES, the number, its difference from the unpruned model, and
            the 95 % interval of that; empty where the whole split was not run.
    """

    task: str
    method: str
    amount: float
    change: float
    updates: tuple[tuple[float, float], ...]
    estimates: Mapping[str, tuple[float, float, float, float]]


measured = partial(read_table, "regularising.json", TypeAdapter(tuple[Row, ...]))


def tables(rows: Sequence[Row]) -> list[Table]:
    """Tabulate what models do with held-out rows, and what their blocks add."""
    behaviour = Table()
    blocks = Table()
    for row in rows:
        place = {
            "Task": task_title(row.task),
            "Model": row.method,
            "Removed": f"{decimals(100 * row.amount, 1)} %",
            "Overall change": decimals(row.change, 3),
        }
        if row.estimates:
            cells = {
                TITLES[name]: f"{decimals(value, 3)}; {with_interval(difference)}"
                for name, (value, *difference) in row.estimates.items()
            }
            behaviour.append(place | cells)
        attention, feed_forward = zip(*row.updates, strict=True)
        blocks.append(
            place
            | {"Attention adds": _by_layer(attention), "Feed-forward adds": _by_layer(feed_forward)}
        )
    return [behaviour, blocks]


def _by_layer(values: Sequence[float]) -> str:
    return " ".join(decimals(value, 2) for value in values)
