"""Compare floats to 1e-9, and rounded numbers to their last digit: processors differ."""

import math
import re
from collections.abc import Mapping
from dataclasses import is_dataclass

# With decimals, a percentage, or the end of an interval; other whole numbers are counts, compared
# exactly.
ROUNDED = re.compile(r"−?\d+\.\d+|−?\d+(?= (?:%|percentage|to |\())|(?<= to )−?\d+")


def near(first: object, second: object) -> bool:
    """Whether two trees of mappings, sequences and dataclasses are equal, floats to 1e-9."""
    match first, second:
        case float(), float():
            return math.isclose(first, second, rel_tol=0, abs_tol=1e-9)
        case Mapping(), Mapping():
            if first.keys() != second.keys():
                return False
            return all(near(value, second[key]) for key, value in first.items())
        case ((list() | tuple()), (list() | tuple())):
            if len(first) != len(second):
                return False
            return all(map(near, first, second))
    if is_dataclass(first) and type(first) is type(second):
        return near(vars(first), vars(second))
    return first == second


def near_text(first: str, second: str) -> bool:
    """Whether two texts are equal, rounded numbers to one in the last digit."""
    if ROUNDED.sub("#", first) != ROUNDED.sub("#", second):
        return False
    pairs = zip(_digits(first), _digits(second), strict=True)
    return all(abs(a - b) <= 1 for a, b in pairs)


def _digits(text: str) -> list[int]:
    """Return the rounded numbers of a text, in units of their last digits."""
    digits = []
    for number in ROUNDED.findall(text):
        plain = number.replace("−", "-").replace(".", "")
        digits.append(int(plain))
    return digits
