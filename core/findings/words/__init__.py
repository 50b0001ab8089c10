"""The sentences of the pages, one file a page, filled in from facts; and what these files share.

Nothing is escaped here: a page escapes a finished sentence with `ui.text.plain`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.findings.accuracy import working_to
from core.findings.rounding import to_places
from core.findings.words.numbers import decimals, percent, percent_range
from core.results.names import PointLabel, amount_name, removed_name, spanned
from core.results.schema import SweepResult
from core.results.statistics import EstimateRecord

NONE = "–"  # in a table
Table = list[dict[str, str]]  # a row of texts for each fact, by the titles of the columns


@dataclass(frozen=True)
class Button:
    """A button: its label, and the name of what it does."""

    label: str
    action: str


@dataclass(frozen=True)
class Finding:
    """What a page says: a heading, the answer; at most two sentences beside its picture.

    A button follows, if any helps. What is more, such as the figures behind a plain sentence,
    stands in `notes`, which the story shows on request.
    """

    heading: str
    sentences: tuple[str, ...] = ()
    button: Button | None = None
    notes: tuple[str, ...] = ()


def numbered(count: int, noun: str) -> str:
    """Write a number of things: `1 seed`, `5 seeds`."""
    return f"{count} {noun if count == 1 else f'{noun}s'}"


def layers_named(labels: Sequence[PointLabel], among: Sequence[PointLabel]) -> str:
    """Name some of all layers, at least one: `layer 2`, `layers 1, 3 and 7 to 12`."""
    return f"{'layer' if len(labels) == 1 else 'layers'} {spanned(labels, among)}"


def works_words(result: SweepResult, metric: str | None = None, is_brief: bool = False) -> str:
    """Say up to which amount a model works, as the end of a sentence; empty if unknown.

    Args:
        result: A whole sweep or the first frames of one.
        metric: The metric by which it works; None is the task's main one.
        is_brief: Whether to leave out what is removed.
    """
    to = working_to(result, metric)
    if to is None:
        return ""
    if to == 0:
        return "at no amount measured"
    least = "at least " if to == result.amounts[-1] else ""
    return f"up to {least}{amount_name(to) if is_brief else removed_name(to, result)}"


def share_with_interval(share: float, interval: Sequence[float] | None) -> str:
    """Write a share and its 95 % interval, where there is one: `11 % (8 to 15 %)`."""
    if interval:
        return f"{percent(share)} ({percent_range(*interval)})"
    return percent(share)


def mean_and_deviation(shares: Sequence[float]) -> str:
    """Write the mean and standard deviation of shares; a dash for fewer than two."""
    if len(shares) < 2:
        return NONE
    mean = float(np.mean(shares))
    deviation = float(np.std(shares, ddof=1))
    return f"{percent(mean)} ± {decimals(100 * deviation, 0)}"


def signed_points(share: float, places: int = 0) -> str:
    """Write a difference of shares as a number of percentage points: `+1`, `−8`, `0`."""
    sign = "+" if to_places(100 * share, places) > 0 else ""
    return sign + decimals(100 * share, places)


def points(share: float, places: int = 0, is_signed: bool = False) -> str:
    """Write a difference of shares in percentage points: `1 point`, `−8 points`, or `+1 point`."""
    number = signed_points(share, places) if is_signed else decimals(100 * share, places)
    return f"{number} {'point' if abs(to_places(100 * share, places)) == 1 else 'points'}"


def points_span(low: float, high: float, places: int = 0) -> str:
    """Write the range of a difference of shares: `−2 to 4`."""
    return f"{decimals(100 * low, places)} to {decimals(100 * high, places)}"


def points_with_interval(difference: EstimateRecord) -> str:
    """Write a difference of scores with its interval: `−1.2 points (−2.6 to 0.2)`."""
    value = points(difference.value, 1, is_signed=True)
    return f"{value} ({points_span(difference.low, difference.high, 1)})"


def narrow(table: Table) -> list[Table]:
    """Cut a table into parts that fit a telephone: three columns each, beside the first.

    The first names a row. An empty table has no parts.
    """
    name, *titles = table[0] if table else [""]
    tables = []
    for k in range(0, len(titles), 3):
        part = [name, *titles[k : k + 3]]
        tables.append([{title: row[title] for title in part} for row in table])
    return tables
