"""Sentences of the Lab: what a check of a frame found."""

from collections.abc import Iterable, Mapping
from typing import Any

from core.results.names import amount_name


def check_in_words(deviations: Mapping[str, Any]) -> str:
    """Says how far a frame is from two new computations of it.

    Args:
        deviations: As `core.sweep.recompute.Deviations.to_json` gives them.
    """
    ours = _largest([*deviations["engine"].values(), deviations["accuracy"]])
    theirs = _largest(deviations["torch_cka"].values())
    verdict = "The frame is confirmed" if deviations["within_tolerance"] else "The frame is not confirmed"
    again = "gives the same numbers to the last digit" if ours == "0" else f"differs by {ours} at most"
    return (
        f"{verdict} at amount {amount_name(deviations['amount'])}: computing it again {again}; "
        f"the CKA of torch-cka differs by {theirs} at most."
    )


def _largest(values: Iterable[float | None]) -> str:
    """Writes the largest deviation; None stands for a value that only one of two computations has."""
    known = [float("inf") if value is None else value for value in values]
    return f"{max(known):.1g}"
