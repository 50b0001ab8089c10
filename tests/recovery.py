"""Recoveries of a tiny checkpoint for tests."""

from pathlib import Path
from typing import Any

from tiny import make_cut_inputs, swept

from core.results.schema import SweepResult
from core.sweep.origin import RecoveryInputs, find_recovery


def tiny_sweep(folder: Path, **options: Any) -> SweepResult:
    """Save a checkpoint of three layers and 100 rows, and sweep it on half of the rows."""
    make_cut_inputs(folder)
    return swept(
        folder / "base",
        folder / "rows.csv",
        points="layer",
        amounts=(0.0, 0.6),
        **options,
    )


def found(folder: Path, result: SweepResult, rate: float = 1e-3, **options: Any) -> RecoveryInputs:
    """Find the inputs of a recovery of `tiny_sweep`, in batches of 8."""
    options.setdefault("checkpoint", str(folder / "base"))
    options.setdefault("data", str(folder / "rows.csv"))
    inputs = find_recovery(result, lambda *_: None, **options)
    rows = inputs.start.rows
    training = rows.training.model_copy(update={"batch": 8, "rate": rate})
    rows = rows.model_copy(update={"training": training})
    return inputs._replace(start=inputs.start.model_copy(update={"rows": rows}))
