"""The words of a verdict: its state, why it is inconclusive, what may decide it, its marks."""

from collections.abc import Iterable, Mapping

from core.findings.accuracy import smallest_drop
from core.findings.claim import SENSITIVITY, Verdict, verdict
from core.findings.words import NONE, Table, mean_and_deviation
from core.findings.words import numbers as num
from core.request.catalog import DAMAGE, METRICS, REDUCTION, REDUCTIONS
from core.results import names as n
from core.results.schema import SweepResult
from core.sweep.control_contrast import State

STATES: Mapping[State, str] = {
    "steeper": "more of the change in the upper half than under random removal",
    "flatter": "less of the change in the upper half than under random removal",
    "equivalent": "no different from random removal",
    "inconclusive": "inconclusive",
}
DECIDE_IT = "Decide it in the Lab: {}"  # a button


def why_inconclusive(judged: Verdict) -> str:
    """Say in brackets why a verdict is inconclusive, and what may decide it; else nothing."""
    if not judged.reason:
        return ""
    usable = ""
    if judged.reason == "too few seeds":
        usable = f", {len(judged.controls)} of {judged.needed}"
    return f" ({judged.reason}{usable}; {judged.remedy or 'more seeds'} may decide it)"


def verdict_cell(judged: Verdict | None) -> str:
    """Say a verdict in a cell, and why it is inconclusive; a dash without a verdict."""
    return STATES[judged.state] + why_inconclusive(judged) if judged and judged.state else NONE


def verdict_cells(judged: Verdict) -> dict[str, str]:
    """Write the shares of the change in the upper half, and the verdict.

    The shares are the method's and its control's.
    """
    return {
        "In the upper half": NONE if judged.share is None else num.percent(judged.share),
        "Random, mean ± SD": mean_and_deviation(judged.control_shares),
        "Verdict": verdict_cell(judged),
    }


def flags_cell(judged: Verdict) -> str:
    """List in a cell what else to know of a verdict."""
    return ", ".join(judged.flags) or NONE


# ---------------------------------------------------------------- tables


def criteria_table(result: SweepResult, companions: Iterable[SweepResult]) -> Table:
    """Tabulate the verdict and those by other criteria, with the numbers behind them."""
    companions = list(companions)
    table = []
    for reduction, damage in ((REDUCTION, DAMAGE), *SENSITIVITY):
        judged = verdict(result, companions, reduction, damage)
        difference = NONE
        if judged.contrast:
            points = (
                judged.contrast.difference,
                judged.contrast.mean_half_width(),
            )
            difference = " ± ".join(num.decimals(100 * point, 1) for point in points)
        title = n.in_sentence(REDUCTIONS[reduction].title)
        row = {
            "Overall change": f"{num.decimals(damage, 2)}, {title}",
            **verdict_cells(judged),
            "Reached at": num.percent(judged.method.gap.amount) if judged.method else NONE,
            "Minus random, points (90 %)": difference,
            "Marks": flags_cell(judged),
        }
        table.append(row)
    return table


def range_table(result: SweepResult) -> Table:
    """Tabulate how far the model works, how sure that is, and on how many examples."""
    working = result.working_range
    drop = smallest_drop(result)
    if not working:
        return []
    broken = _amount(working.shown_broken_from)
    numbers = {
        f"{METRICS[working.metric].title} keeps 90 % of its advantage up to": _amount(working.to),
        "A drop, however small, is statistically significant from": broken,
        "Examples that both are judged on": str(working.examples),
        "Smallest drop that they can show": NONE if drop is None else num.decimals(drop, 2),
    }
    return [{"Number": name, "Value": value} for name, value in numbers.items()]


def _amount(amount: float | None) -> str:
    return NONE if amount is None else n.amount_name(amount)
