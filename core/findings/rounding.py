"""Round numbers once, half away from zero, so that facts and words agree on what is shown."""

from decimal import ROUND_HALF_UP, Decimal


def to_places(value: float, places: int) -> Decimal:
    """Round a finite number to decimal places as a browser does."""
    return Decimal(float(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def hundredths(value: float) -> float:
    """Round a number to the two decimals, or a share to the whole percent, that are on screen."""
    return float(to_places(value, 2)) + 0.0  # -0.0 becomes 0.0
