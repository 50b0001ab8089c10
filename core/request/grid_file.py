"""A grid of sweeps as a file: YAML whose lists are multiplied out into requests; no torch.

    checkpoints: [embedded:sst2, embedded:cola]   # each on the task that it was fine-tuned on, unless `tasks` are given
    methods: [magnitude, wanda]
    controls: [verdict]                           # and all the random sweeps that a verdict about a method needs

A file with `grids`, a list of such products, sets in its other keys what all of them have in common.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice, product
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from core.errors import PrunescopeError
from core.request.amounts import DEFAULT_AMOUNTS, parse_amounts
from core.request.catalog import DEFAULT_MEASURES, METHODS
from core.request.controls import coarser_controls, controls, judged_beside
from core.request.sweep_request import RangeExamples, SweepRequest, choose, usual_scope
from core.request.tasks import usual_task

ControlSet = Literal["amounts", "verdict", "coarser"]
MAX_FILE_BYTES = 100_000
MAX_VALUES = 100_000  # with aliases written out; the shipped grids have some 500
MAX_SWEEPS = 20_000  # the shipped grids have some 630

Value = TypeVar("Value")


def _listed(given: Any) -> Any:
    return given if isinstance(given, list) else [given]


_Any = Annotated[list[Value], BeforeValidator(_listed)]
_Several = Annotated[list[Value], Field(min_length=1), BeforeValidator(_listed)]


class _Product(BaseModel):
    """One product; a single value may stand for a list of one.

    Attributes:
        checkpoints: As `--checkpoint` of core.precompute takes them.
        tasks: Names from TASKS, or `auto`; none: each checkpoint's own.
        data: As `--data` takes them; null depends on the checkpoint.
        source_name: What the results call the data.
        against: Checkpoints whose unpruned layers the pruned ones are compared with; null compares each checkpoint with
            itself.
        methods: Names from METHODS.
        controls: Which random sweeps each method gets besides: `amounts`, over the same amounts, one for each of the
            seeds; `verdict`, those that a verdict about it needs: none against another checkpoint; `coarser`, as many
            in coarser steps, and no further sweep of the method itself: for smaller files.
        scopes: What weight methods prune; neuron methods have no scope and come once.
        points: Names from POINTS.
        amounts: Of every sweep.
        seeds: Of random methods and controls.
        examples: Numbers of evaluation examples; null is the default.
        measures: Of every sweep.
        until_damage: Where every sweep stops.
        range_examples: What the working range of every sweep is judged on; that of a control, on the eval subset.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    checkpoints: _Several[str]
    tasks: _Several[str] = []
    data: _Several[str | None] = [None]
    source_name: str | None = None
    against: _Several[str | None] = [None]
    methods: _Several[str] = ["magnitude"]
    controls: _Any[ControlSet] = []
    scopes: _Several[str] = ["encoder"]
    points: _Several[str] = ["attention"]
    amounts: _Several[float] = list(DEFAULT_AMOUNTS)
    seeds: _Several[int] = [0]
    examples: _Several[int | None] = [None]
    measures: _Several[str] = list(DEFAULT_MEASURES)
    until_damage: float | None = None
    range_examples: RangeExamples = "subset"


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Refuses a file with too many values, an alias counted as all that it stands for, before they are built."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.values, self.sizes = 0, dict[yaml.Node, int]()

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node:
        before, is_alias = self.values, self.check_event(yaml.AliasEvent)
        node = super().compose_node(parent, index)
        self.values += self.sizes.get(node, MAX_VALUES if is_alias else 1)  # of what it is within, an alias has no end
        self.sizes[node] = self.values - before
        if self.values > MAX_VALUES:
            raise yaml.YAMLError(f"more than {MAX_VALUES:,} values with its aliases written out")
        return node


def read_grid(path: Path) -> list[SweepRequest]:
    """Read a grid's file; return its requests, none twice, before `checked` fills in their defaults.

    Raises:
        PrunescopeError: It cannot be read, is too large, has an unknown key or value, or an empty product.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise PrunescopeError(f"{path.name} has more than {MAX_FILE_BYTES:,} bytes: give the YAML file of a grid")
        values = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except OSError as error:
        raise PrunescopeError(f"{path} cannot be read ({error.strerror}): give the YAML file of a grid") from error
    except RecursionError:
        raise PrunescopeError(
            f"{path.name} is nested too deeply: give products, their keys and lists of values"
        ) from None
    except (yaml.YAMLError, ValueError) as error:
        reason = " ".join(str(error).split())[:160]
        raise PrunescopeError(f"{path.name} is not readable as YAML ({reason}): correct it") from error
    return grid_requests(values, path.name)


def grid_requests(values: Any, name: str) -> list[SweepRequest]:
    """Multiply out the values of a grid's file.

    Args:
        values: The parsed YAML.
        name: The file's name, for messages.

    Raises:
        PrunescopeError: An unknown key or value, an empty product, or too many sweeps.
    """
    if not isinstance(values, dict) or not values:
        raise PrunescopeError(f"{name} is not a grid: give keys such as checkpoints, methods and controls")
    common = {key: value for key, value in values.items() if key != "grids"}
    grids = values.get("grids", [{}])
    if not isinstance(grids, list) or not grids or not all(isinstance(grid, dict) for grid in grids):
        raise PrunescopeError(f"{name}: grids: give a list of products, each with keys such as checkpoints and methods")
    shared = sum(len(_listed(value)) for value in common.values())
    if len(grids) * shared > MAX_VALUES:
        raise PrunescopeError(
            f"{name}: grids: {len(grids):,} products share {shared:,} values, more than {MAX_VALUES:,} in all: "
            "split it into several files"
        )
    places = [f"grids.{number}." if "grids" in values else "" for number in range(1, len(grids) + 1)]
    listed = (
        request
        for place, grid in zip(places, grids, strict=True)
        for request in _requests(_checked({**common, **grid}, f"{name}: {place}"), f"{name}: {place}")
    )
    found = list(islice(listed, MAX_SWEEPS + 1))
    if len(found) > MAX_SWEEPS:
        raise PrunescopeError(f"{name} lists more than {MAX_SWEEPS:,} sweeps: split it into several files")
    return list(dict.fromkeys(found))


def _checked(values: Mapping[str, Any], place: str) -> _Product:
    """Check one product.

    Raises:
        PrunescopeError: It has an unknown key or a value of the wrong type.
    """
    try:
        return _Product.model_validate({"checkpoints": [], **values})
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0])
        reason = {
            "extra_forbidden": f"unknown key, choose one of {', '.join(_Product.model_fields)}",
            "too_short": "empty, so that there is no sweep: list at least one",
        }.get(first["type"], f"{first['msg']}, not {str(first['input'])[:60]!r}")
        raise PrunescopeError(f"{place}{key}: {reason}") from None


def _requests(grid: _Product, place: str) -> Iterator[SweepRequest]:
    """Yield the requests of one product: each method, and after it what it is judged beside.

    Raises:
        PrunescopeError: An unknown method, or an amount out of its bounds.
    """
    try:
        amounts = parse_amounts(grid.amounts)
        for method in grid.methods:
            choose(method, METHODS, "method")
    except PrunescopeError as error:
        raise PrunescopeError(f"{place}{error}") from None
    measures = tuple(grid.measures)
    for checkpoint, against, data, examples, points in product(
        grid.checkpoints, grid.against, grid.data, grid.examples, grid.points
    ):
        for task in grid.tasks or [usual_task(checkpoint)]:
            common = SweepRequest(
                checkpoint,
                task,
                points=points,
                amounts=amounts,
                num_examples=examples,
                measures=measures,
                until_damage=grid.until_damage,
                data=data,
                source_name=grid.source_name,
                against=against,
            )
            for method, scope in product(grid.methods, grid.scopes):
                usual = usual_scope(method)
                yield from _with_controls(replace(common, method=method, scope=usual and scope), grid)


def _with_controls(request: SweepRequest, grid: _Product) -> Iterator[SweepRequest]:
    method = METHODS[request.method]
    for seed in grid.seeds if method.is_control else (0,):
        yield replace(request, seed=seed, range_examples=grid.range_examples)
    if method.control and "amounts" in grid.controls:
        yield from controls(request, grid.seeds)
    if "verdict" in grid.controls:
        yield from judged_beside(request)
    if "coarser" in grid.controls:
        yield from coarser_controls(request)
