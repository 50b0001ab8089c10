"""Numbers on screen: rounded once, with a true minus sign; None and NaN are in words."""

import re
from math import isfinite

from core.findings.rounding import hundredths, to_places
from core.request.amounts import amount_text
from core.request.catalog import METRICS
from core.results.schema import Measured, TaskRecord

UNDEFINED = "undefined"  # in the place of a number
# Shares of one over these numbers.
PARTS = {
    2: "half",
    3: "a third",
    4: "a quarter",
    5: "a fifth",
    6: "a sixth",
    7: "a seventh",
    8: "an eighth",
}
# A line must not end between a number and its sign or its word.
_WITHIN = re.compile(r"(?<=\d) (?=[%×])|(?<=[%\d]) (?=±)|(?<=±) |(?<=\bseed) (?=\d)")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def unbroken(text: str) -> str:
    """Keep every number on a line with its signs and its word: `90 % ± 1`, `4 ×`, `seed 3`."""
    return _WITHIN.sub("\u00a0", text)


def place_name(value: float) -> str:
    """Write a place on a scale, such as an overall change, with two decimals or more."""
    return max(decimals(value, 2), amount_text(value), key=len)


def decimals(value: float, places: int) -> str:
    """Round a number to decimal places, with a true minus sign and without a negative zero."""
    if isfinite(value):
        return f"{to_places(value, places):zf}".replace("-", "−")
    return str(value)


def two_places(value: float | None) -> str:
    """Write a number with two decimals; None and NaN are UNDEFINED."""
    return UNDEFINED if value is None or value != value else decimals(value, 2)


def main_score(task: TaskRecord, measured: Measured) -> str:
    """Write a task's main metric of a model: `MCC 0.38`."""
    return f"{METRICS[task.main_metric].symbol} {two_places(measured.metrics[task.main_metric])}"


def small(value: float) -> str:
    """Write a number of any size to one digit: `0.02`, `3 × 10⁻⁷`."""
    digit, _, power = f"{value:.1g}".partition("e")
    if power:
        return f"{digit} × 10{str(int(power)).translate(_RAISED)}"
    return digit.replace("inf", "∞")


def percentage(share: float) -> str:
    """Write a share in whole percent, without the sign."""
    return decimals(100 * hundredths(share), 0)


def percent(share: float) -> str:
    """Write a share in whole percent."""
    return f"{percentage(share)} %"


def percent_range(*shares: float) -> str:
    """Write the range of shares in whole percent, `48 to 52 %`, or one where all read alike."""
    low = percentage(min(shares))
    high = percent(max(shares))
    if high == f"{low} %":
        return high
    return f"{low} to {high}"


def duration(seconds: float) -> str:
    """Write a duration, rounded as an estimate should be: `40 s`, `12 min`, `5 h 3 min`."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def p_value(value: float) -> str:
    """Write a p-value to three decimals."""
    return "< 0.001" if value < 0.001 else decimals(value, 3)


def part_name(share: float) -> str:
    """Name a share, such as "a seventh", by the nearest unit fraction."""
    return PARTS.get(round(1 / share), percent(share))
