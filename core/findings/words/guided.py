"""What guided shares are worth, on the pages that show such a result."""

from collections.abc import Sequence

from core.findings.guided import AMOUNTS, GLOBAL, METHODS, Place
from core.findings.words import Table, points_span
from core.findings.words import numbers as num
from core.request import catalog
from core.results.fields import Bounds
from core.results.names import amount_name, capitalised, listed
from core.results.schema import SweepResult

TITLES = {GLOBAL: "Global magnitude"} | {
    name: capitalised(catalog.METHODS[name].title.partition(", ")[2]) for name in METHODS if name != GLOBAL
}


def places_table(table: Sequence[Place]) -> Table:
    """Tabulate what each method changes on every checkpoint at every amount, and how guided pruning differs."""
    return [
        {
            "Checkpoint": place.checkpoint,
            "Predictions changed, %": f"{amount_name(place.amount)} removed",
            **{TITLES[name]: _points(known.share, known.interval) for name, known in place.changed.items()},
            "Ratio to global": num.decimals(place.beside[GLOBAL].ratio, 2),
            "Difference in points": _points(place.beside[GLOBAL].difference, place.beside[GLOBAL].interval),
            "p": num.p_value(place.beside[GLOBAL].p_value),
        }
        for place in table
    ]


def _points(share: float, interval: Bounds | None) -> str:
    """Write a share, or a difference of shares, with its interval, in percentage points."""
    return num.decimals(100 * share, 1) + (f" ({points_span(*interval, 1)})" if interval else "")


def shares_sentence(result: SweepResult) -> str:
    """Say what the shares of a result were chosen on, and what each layer loses; empty where none were chosen."""
    by, known = result.pruning.calibration, result.pruning.allocation
    if by is None or known is None:
        return ""
    frame = min(result.frames, key=lambda frame: abs(frame.amount - AMOUNTS[-1]))
    lost = listed([num.decimals(100 * share, 0) for share in frame.layer_sparsity])
    return (
        f"Shares chosen on {by.num_examples} examples without their labels ({by.source_name}), in "
        f"{num.decimals(known.passes, 0)} passes: with {amount_name(frame.amount)} removed, the layers lose {lost} %."
    )
