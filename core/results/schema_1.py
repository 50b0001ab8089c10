"""Read result files of schema version 1, which an earlier version of this program wrote.

Their values are laid out as in version 2 and keep their key. What they lack stays empty: floor, working range,
changed predictions, divergence, intervals of own CKA, and everything at equal damage. Nothing is guessed.
"""

from typing import Any

from core.request.catalog import DEFAULT_CONTROLLED, TASKS

VERSION = 1


def upgraded(values: dict[str, Any]) -> dict[str, Any]:
    """Lay the values of a file of version 1 out as in version 2.

    Args:
        values: The parsed JSON.

    Raises:
        KeyError: A part is missing.
        TypeError: A part is of another type.
    """
    cka, task, pruning = values["cka"], values["task"], values["pruning"]
    name = task["name"]
    statistics = values["statistics"]
    return {
        **{key: value for key, value in values.items() if key != "cka"},
        "schema_version": 2,
        "task": {**task, "main_metric": TASKS[name].main_metric if name in TASKS else "accuracy"},
        "pruning": {**pruning, "controls": DEFAULT_CONTROLLED.get(pruning["method"])},
        "similarity": {
            "points": cka["points"],
            "measures": {"cka": {"estimators": cka["estimators"]}},
            "length_control": cka["length_control"],
        },
        "frames": [_frame(frame) for frame in values["frames"]],
        "statistics": statistics and {"cka": statistics},
    }


def _frame(frame: dict[str, Any]) -> dict[str, Any]:
    return {**{key: value for key, value in frame.items() if key != "cka"}, "similarity": {"cka": frame["cka"]}}
