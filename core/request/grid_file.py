"""The file of a grid of sweeps: YAML whose lists are multiplied out into requests.

    checkpoints: [embedded:sst2, embedded:cola]   # each on its own task, unless `tasks` are given
    methods: [magnitude, wanda]
    controls: [verdict]                           # adds the random sweeps that a verdict needs

A file may instead list several such products under `grids`, which share its other keys.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from core.errors import PrunescopeError
from core.request.catalog import METHODS
from core.request.controls import COARSER_STEPS, controls, judged_beside
from core.request.sweep_request import SweepRequest, choose, usual_scope

# The fields of a request by the keys that list their values, outermost loop first.
LISTED = {
    "checkpoints": "checkpoint",
    "data": "data",
    "examples": "num_examples",
    "points": "points",
    "tasks": "task",
    "methods": "method",
    "scopes": "scope",
}
# Keys of values that all sweeps share.
SHARED = ("source_name", "amounts", "until_damage", "range_examples", "dtype")
CONTROLS = ("amounts", "verdict", "coarser")  # the random sweeps beside each method
KEYS = (*LISTED, *SHARED, "controls", "seeds")


def read_grid(path: Path) -> list[SweepRequest]:
    """Read a grid's file; return its requests without repetition, not yet checked.

    Raises:
        PrunescopeError: It cannot be read, has an unknown key or value, or an empty product.
    """
    try:
        return grid_requests(yaml.safe_load(path.read_text(encoding="utf-8")), path.name)
    except (OSError, RecursionError, yaml.YAMLError, ValueError) as error:
        reason = " ".join(str(getattr(error, "strerror", error)).split())[:160]
        raise PrunescopeError(
            f"{path.name} is not readable as YAML ({reason}): give the file of a grid"
        ) from error


def grid_requests(values: Any, name: str) -> list[SweepRequest]:
    """Multiply out the values of a grid's file.

    Args:
        values: The parsed YAML.
        name: The file's name, for messages.

    Raises:
        PrunescopeError: An unknown key or value, or an empty product.
    """
    common = dict(values) if isinstance(values, dict) else {"grids": None}
    grids = common.pop("grids", [{}])
    if not isinstance(grids, list) or not grids or {*map(type, grids)} != {dict}:
        raise PrunescopeError(
            f"{name} is not a grid: give keys such as checkpoints, or a list of such grids"
        )
    requests: list[SweepRequest] = []
    for number, grid in enumerate(grids, 1):
        place = f"grids.{number}: " if "grids" in values else ""
        try:
            requests += _requests({**common, **grid})
        except PrunescopeError as error:
            raise PrunescopeError(f"{name}: {place}{error}") from None
    return list(dict.fromkeys(requests))


def _requests(values: Mapping[str, Any]) -> Iterator[SweepRequest]:
    """Yield the requests of one product: each method, followed by its controls.

    Raises:
        PrunescopeError: An unknown key, an empty list, or a value of the wrong type or out of its
            bounds.
    """
    lists = {
        choose(key, KEYS, "key"): value if isinstance(value, list) else [value]
        for key, value in values.items()
    }
    wanted = [choose(kind, CONTROLS, "controls") for kind in lists.pop("controls", [])]
    for key in ("checkpoints", *lists):
        if not lists.get(key):
            raise PrunescopeError(f"{key}: empty, so that there is no sweep: list at least one")
    shared = {key: values[key] for key in SHARED if key in values}
    listed = {field: lists[key] for key, field in LISTED.items() if key in lists}
    seeds = lists.get("seeds", [0])
    for combination in product(*listed.values()):
        fields = dict(zip(listed, combination, strict=True))
        if usual_scope(str(fields.get("method", SweepRequest.method))) is None:
            fields["scope"] = None  # a neuron method has none; repetitions are dropped later
        seeded = [SweepRequest.typed({**fields, **shared, "seed": seed}) for seed in seeds]
        request = replace(seeded[0], seed=0)
        if METHODS[request.method].is_random:
            yield from seeded
            continue
        yield request
        if "amounts" in wanted:
            yield from controls(request, [sweep.seed for sweep in seeded])
        for sweep in judged_beside(request):
            if "verdict" in wanted:
                yield sweep
            if "coarser" in wanted and sweep.control_of:
                yield replace(sweep, amounts=COARSER_STEPS)
