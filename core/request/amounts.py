"""Pruning amounts: parsing, printing, and the default ones."""

from collections.abc import Iterable
from decimal import Decimal
from math import nan

from core.errors import PrunescopeError


def amount_text(amount: float) -> str:
    """Write an amount as its shortest decimal of at most six places: 0.1 + 0.2 as 0.3."""
    return format(Decimal(str(round(amount, 6))).normalize(), "f")


def parse_amounts(texts: Iterable[str | float]) -> tuple[float, ...]:
    """Read pruning amounts; return them ascending, each once, always with 0, the baseline.

    Raises:
        PrunescopeError: An amount is not a number, or outside [0, 1).
    """
    amounts = {0.0}
    for text in texts:
        try:
            amount = round(float(text), 6)
        except (TypeError, ValueError, OverflowError):
            amount = nan
        if not 0 <= amount < 1:
            raise PrunescopeError(
                f"amount '{text}' is not a number in [0, 1), such as 0.9, which removes 90 %"
            )
        amounts.add(amount)
    return tuple(sorted(amounts))


def stepped_amounts(step: float, largest: float) -> tuple[float, ...]:
    """Return the multiples of a step in (0, 1), from 0 up to the largest amount in [0, 1)."""
    size = Decimal(amount_text(step))
    count = int(Decimal(amount_text(largest)) / size)
    return parse_amounts(str(number * size) for number in range(count + 1))


DEFAULT_AMOUNTS = parse_amounts(k / 10 for k in range(10))
