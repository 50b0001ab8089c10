"""Compare floats to 1e-9, and rounded numbers to their last digit: processors differ."""

import re

FLOAT = re.compile(r"-?\d+(?:\.\d+(?:e-\d+)?|e-\d+)")
# With decimals, a percentage, or the end of an interval; other whole numbers are counts, compared
# exactly.
ROUNDED = re.compile(r"−?\d+\.\d+|−?\d+(?= (?:%|percentage|to |\())|(?<= to )−?\d+")


def near(first: object, second: object) -> bool:
    """Whether two objects are represented alike, floats to 1e-9."""
    return near_text(_rounded(first), _rounded(second))


def _rounded(content: object) -> str:
    """Represent an object, floats with nine decimals and a true minus sign."""
    return FLOAT.sub(
        lambda match: f"{float(match[0]):.9f}".replace("-", "−"),
        repr(content),
    )


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
