"""The file of a grid of sweeps: YAML whose lists are multiplied out into requests; no torch.

    checkpoints: [embedded:sst2, embedded:cola]   # each on the task of its fine-tuning, unless `tasks` are given
    methods: [magnitude, wanda]
    controls: [verdict]                           # adds all random sweeps that a verdict about a method needs

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
from core.request.controls import coarser_controls, controls, judged_beside
from core.request.sweep_request import SweepRequest, choose, usual_scope

# The keys that list values of the request's fields, outermost loop first.
FIELDS = ("checkpoint", "data", "num_examples", "points", "task", "method", "scope")
PLURALS = {"data": "data", "points": "points", "num_examples": "examples"}
LISTED = {PLURALS.get(field, f"{field}s"): field for field in FIELDS}
SHARED = (
    "source_name",
    "amounts",
    "until_damage",
    "range_examples",
    "dtype",
)  # the keys whose value all sweeps share
CONTROLS = ("amounts", "verdict", "coarser")  # the random sweeps that accompany each method
KEYS = (*LISTED, *SHARED, "controls", "seeds")


def read_grid(path: Path) -> list[SweepRequest]:
    """Read a grid's file; return its requests without repetition, before `checked` fills in their defaults.

    Raises:
        PrunescopeError: It cannot be read, has an unknown key or value, or an empty product.
    """
    if not path.is_file():  # reading a pipe or a device may never end
        raise PrunescopeError(f"{path.name} is not a file: give the file of a grid")
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
    grids = values.get("grids", [{}]) if isinstance(values, dict) else None
    if (
        not isinstance(grids, list)
        or not grids
        or not all(isinstance(grid, dict) for grid in grids)
    ):
        raise PrunescopeError(
            f"{name} is not a grid: give keys such as checkpoints, or a list of such grids"
        )
    common = {key: value for key, value in values.items() if key != "grids"}
    requests: list[SweepRequest] = []
    for number, grid in enumerate(grids, 1):
        try:
            requests += _requests({**common, **grid})
        except PrunescopeError as error:
            raise PrunescopeError(
                f"{name}: {f'grids.{number}: ' if 'grids' in values else ''}{error}"
            ) from None
    return list(dict.fromkeys(requests))


def _requests(values: Mapping[str, Any]) -> Iterator[SweepRequest]:
    """Yield the requests of one product: each method, followed by its controls.

    Raises:
        PrunescopeError: An unknown key, an empty list, or a value of the wrong type or out of its bounds.
    """
    lists = {
        choose(key, KEYS, "key"): value if isinstance(value, list) else [value]
        for key, value in values.items()
    }
    for key in ("checkpoints", *lists):
        if not lists.get(key) and key != "controls":
            raise PrunescopeError(f"{key}: empty, so that there is no sweep: list at least one")
    shared = {
        key: lists[key] if key == "amounts" else values[key] for key in SHARED if key in values
    }
    wanted = {choose(control, CONTROLS, "controls") for control in lists.get("controls", ())}
    listed = {field: lists[key] for key, field in LISTED.items() if key in lists}
    for values_of_one in product(*listed.values()):
        fields = dict(zip(listed, values_of_one, strict=True))
        if usual_scope(str(fields.get("method", SweepRequest.method))) is None:
            fields["scope"] = None  # a neuron method has none; repetitions are dropped later
        seeded = [
            SweepRequest.typed({**fields, **shared, "seed": seed})
            for seed in lists.get("seeds", [0])
        ]
        request = replace(seeded[0], seed=0)
        method = METHODS[request.method]
        yield from seeded if method.is_random else [request]
        if method.control and "amounts" in wanted:
            yield from controls(request, [sweep.seed for sweep in seeded])
        if "verdict" in wanted:
            yield from judged_beside(request)
        if method.control and "coarser" in wanted:
            yield from coarser_controls(request)
