"""Sentences of the Lab (`words/lab.jinja`): the outcome of checking a frame."""

from collections.abc import Iterable, Mapping
from typing import Any

from core.findings.words import render


def check_in_words(deviations: Mapping[str, Any]) -> str:
    """Say how far a frame is from two new computations of it, given `core.sweep.recompute.Deviations.to_json()`."""
    return render(
        "lab",
        "check",
        amount=deviations["amount"],
        confirmed=deviations["within_tolerance"],
        own_deviation=_largest([*deviations["engine"].values(), deviations["accuracy"]]),
        torch_cka_deviation=_largest(deviations["torch_cka"].values()),
    )


def _largest(deviations: Iterable[float | None]) -> str:
    """Write the largest deviation; None stands for a value that only one of the two computations has."""
    known = [float("inf") if deviation is None else deviation for deviation in deviations]
    return f"{max(known):.1g}"
