"""Say what checking a frame in the Lab has found (`words/lab.jinja`)."""

from collections.abc import Iterable, Mapping
from typing import Any

from core.findings.words import render


def check_in_words(deviations: Mapping[str, Any]) -> str:
    """Say how far a frame deviates from two recomputations; takes `core.sweep.recompute.Deviations.to_json()`."""
    return render(
        "lab",
        "check",
        amount=deviations["amount"],
        confirmed=deviations["within_tolerance"],
        own_deviation=_largest(
            [*deviations["engine"].values(), *deviations["others"].values(), deviations["accuracy"]]
        ),
        torch_cka_deviation=_largest(deviations["torch_cka"].values()),
    )


def _largest(deviations: Iterable[float | None]) -> str:
    """Write the largest deviation; None stands for a value that only one computation has."""
    known = [float("inf") if deviation is None else deviation for deviation in deviations]
    return f"{max(known):.1g}"
