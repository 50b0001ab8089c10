"""Several verdicts at once: which results have one, Holm's correction for their number, their words in a table."""

from collections.abc import Iterable, Sequence

from core.findings.claim import Verdict
from core.findings.comparable import own_sweeps
from core.findings.spread import NONE, mean_and_deviation
from core.findings.words import render
from core.request.catalog import CONFIDENCE, METHODS
from core.results.names import pruned_layer
from core.results.schema import SweepResult
from core.sweep.control_contrast import DIFFERENT, Direction


def corrected(verdict: Verdict, adjusted: float | None) -> Direction:
    """Return a verdict after Holm's correction: a difference must survive it.

    Args:
        verdict: Alone.
        adjusted: Its p-value, from `adjusted_p_values`.
    """
    alone = verdict.direction
    survives = adjusted is not None and adjusted < 1 - CONFIDENCE
    return alone if survives or alone not in DIFFERENT else "cannot be told"


def adjusted_p_values(verdicts: Sequence[Verdict]) -> list[float | None]:
    """Correct the p-values of all verdicts in a table for their number, by Holm; None where there is none."""
    from core.sweep.paired_tests import holm  # here: statsmodels takes a second, which no first picture waits for

    adjusted = iter(holm(tuple(known.contrast.p_value for known in verdicts if known.contrast and _is_tested(known))))
    return [next(adjusted) if known.contrast and _is_tested(known) else None for known in verdicts]


def _is_tested(verdict: Verdict) -> bool:
    """Whether nothing but a wide interval keeps it from being told."""
    return verdict.reason in (None, "wide")


def with_rows(results: Iterable[SweepResult]) -> list[SweepResult]:
    """Return the results that verdicts are given about: methods at attention points over all amounts, on all layers.

    Of several results of one pruning only the first is among them.
    """
    rows: list[SweepResult] = []
    for result in filter(_has_row, results):
        if own_sweeps(result, rows) == [result]:
            rows.append(result)
    return rows


def _has_row(result: SweepResult) -> bool:
    method = METHODS.get(result.pruning.method)
    return (
        method is not None
        and method.control is not None
        and result.against is None
        and pruned_layer(result) is None
        and result.pruning.stop is None
        and all(point.endswith(".attention") for point in result.points)
    )


def control_shares(verdict: Verdict) -> str:
    """Write the shares under random removal, and whether it still works there."""
    shares = mean_and_deviation(verdict.control_shares)
    return shares if shares == NONE or verdict.control_works else f"{shares} (beyond its working range)"


def verdict_cell(verdict: Verdict, direction: Direction) -> str:
    """Say a verdict in a cell of a table, and why it cannot be told.

    Args:
        verdict: Alone.
        direction: What is told of it: see `corrected`.
    """
    return render("claim", "cell", verdict=verdict, direction=direction)
