"""The words of a verdict: its state, why it is inconclusive and what would decide it, and what else to know of it."""

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
    """Say in brackets why a verdict is inconclusive, and what may decide it; nothing for other verdicts."""
    usable = (
        f", {len(judged.controls)} of {judged.needed}" if judged.reason == "too few seeds" else ""
    )
    return (
        f" ({judged.reason}{usable}; {judged.remedy or 'more seeds'} may decide it)"
        if judged.reason
        else ""
    )


def verdict_cell(judged: Verdict | None) -> str:
    """Say a verdict in a cell, and where it is inconclusive why, and what may decide it; a dash without a verdict."""
    return STATES[judged.state] + why_inconclusive(judged) if judged and judged.state else NONE


def verdict_cells(judged: Verdict | None) -> dict[str, str]:
    """Write the shares of the change in the upper half, the method's and its control's, and the verdict."""
    return {
        "In the upper half": NONE
        if judged is None or judged.share is None
        else num.percent(judged.share),
        "Random, mean ± SD": mean_and_deviation(judged.control_shares if judged else ()),
        "Verdict": verdict_cell(judged),
    }


def flags_cell(judged: Verdict) -> str:
    """List in a cell what else to know of a verdict."""
    return ", ".join(judged.flags) or NONE


# ---------------------------------------------------------------- tables


def criteria_table(result: SweepResult, companions: Iterable[SweepResult]) -> Table:
    """Tabulate the verdict and those by other criteria, with the numbers behind them."""
    companions, rows = list(companions), []
    for reduction, damage in ((REDUCTION, DAMAGE), *SENSITIVITY):
        judged = verdict(result, companions, reduction, damage)
        contrast, change = (
            judged.contrast,
            f"{num.decimals(damage, 2)}, {n.in_sentence(REDUCTIONS[reduction].title)}",
        )
        points = [contrast.difference, contrast.mean_half_width()] if contrast else []
        rows.append(
            {
                "Overall change": change,
                **verdict_cells(judged),
                "Reached at": num.percent(judged.method.gap.amount) if judged.method else NONE,
                "Minus random, points (90 %)": " ± ".join(num.decimals(100 * x, 1) for x in points)
                or NONE,
                "Marks": flags_cell(judged),
            }
        )
    return rows


def range_table(result: SweepResult) -> Table:
    """Tabulate how far the model works, how sure that is, and on how many examples it was judged."""
    working, drop = result.working_range, smallest_drop(result)
    if not working:
        return []
    numbers = {
        f"{METRICS[working.metric].title} keeps 90 % of its advantage up to": _amount(working.to),
        "A drop, however small, is statistically significant from": _amount(
            working.shown_broken_from
        ),
        "Examples that both are judged on": str(working.examples),
        "Smallest drop that they can show": NONE if drop is None else num.decimals(drop, 2),
    }
    return [{"Number": name, "Value": value} for name, value in numbers.items()]


def _amount(amount: float | None) -> str:
    return NONE if amount is None else n.amount_name(amount)
