"""Forecast how long sweeps take from their work and the speed of the last one on this computer; no torch.

Nothing is run for a forecast: every sweep that ends notes its speed in a file of the user's cache directory. Work is
counted in tokens that the model reads, times its layers, times their squared width.
"""

from collections.abc import Sequence
from contextlib import suppress
from math import inf
from pathlib import Path
from typing import NamedTuple

from platformdirs import user_cache_path

from core.errors import PrunescopeError
from core.inputs.checkpoint_files import encoder_size
from core.inputs.checkpoints import config_here
from core.inputs.prepare import Inputs, prepare
from core.request.catalog import CALIBRATION_EXAMPLES, DEFAULT_EXAMPLES, METHODS
from core.request.controls import likely_amounts
from core.request.limits import limits, source_of
from core.request.sweep_request import SweepRequest, check_scope
from core.results import store

SHIPPED_SPEED = 5e9  # work per second on two cores of a rented server: rough elsewhere
SHORTEST = 1.0  # seconds of a sweep that notes its speed: shorter ones take most of their time for other things
# About how many tokens an example costs: those that it has, padding included, and 10 whatever its length.
TOKENS = {"sst2": 36, "cola": 23, "mrpc": 65, "qqp": 48, "qnli": 68, "rte": 82, "mnli": 52, "messages": 33}
OTHER_TOKENS = 42
BACKWARD = 2  # forward passes that a pass with gradients takes as long as


class Forecast(NamedTuple):
    """How long some work will take.

    Attributes:
        seconds: The time; 0 if all results are stored.
        is_rough: Whether no sweep has ended on this computer yet, so that the speed is the shipped figure.
    """

    seconds: float
    is_rough: bool


def forecast(sweeps: Sequence[SweepRequest]) -> Forecast | None:
    """Forecast how long sweeps take, one after another.

    No table is read: without a number of examples, their work is that of the usual number. Of written examples the
    stored results are left out.

    Args:
        sweeps: Checked requests that differ in the pruning and the amounts alone.

    Returns:
        None if their checkpoint has yet to be downloaded.

    Raises:
        PrunescopeError: They do not fit their checkpoint, or one takes longer than a hosted server allows.
    """
    first = sweeps[0]
    config = config_here(first.checkpoint)
    if config is None:
        return None
    size = encoder_size(config)
    for sweep in sweeps:
        check_scope(sweep.scope, sweep.method, size[0])
    if first.data == "written" and source_of(first.checkpoint) != "hub":
        inputs = prepare(max(sweeps, key=lambda sweep: METHODS[sweep.method].calibrated))
        works = [work_of(inputs, sweep) for sweep in sweeps if not store.find(inputs.key_of(sweep))]
    else:
        works = [usual_work(sweep, size) for sweep in sweeps]
    if (longest := timed(max(works, default=0.0)).seconds) > (most := limits().job_seconds):
        fault = f"a run would take about {longest / 60:.0f} minutes here, at most {most / 60:.0f} are allowed"
        raise PrunescopeError(f"{fault}: choose fewer examples or amounts, or run it on your own computer")
    return timed(sum(works))


def timed(work: float) -> Forecast:
    """Forecast how long work takes on this computer."""
    speed = last_speed()
    return Forecast(work / (speed or SHIPPED_SPEED), speed is None)


# ---------------------------------------------------------------- work


def work(
    request: SweepRequest, size: tuple[int, int], examples: int, calibration: int, passes: int | None = None
) -> float:
    """Return the work of a sweep.

    Args:
        request: A checked request.
        size: The number of the encoder's layers, and their width.
        examples: Those that every pass runs.
        calibration: Those that a method scores on, if the request's scores on any.
        passes: How often the examples were run; None for as often as is likely: for each amount and the emptied model.
    """
    method, (layers, width) = METHODS[request.method], size
    scoring = calibration * method.calibrated * (BACKWARD if method.granularity == "neuron" else 1)
    read = examples * (likely_amounts(request) + 1 if passes is None else passes) + scoring
    return read * TOKENS.get(request.task, OTHER_TOKENS) * layers * width**2


def usual_work(request: SweepRequest, size: tuple[int, int]) -> float:
    """Return the work of a sweep on as many examples as it asks for, or as is usual; see `work`."""
    return work(request, size, request.num_examples or DEFAULT_EXAMPLES, CALIBRATION_EXAMPLES)


def work_of(inputs: Inputs, request: SweepRequest, passes: int | None = None) -> float:
    """Return the work of a sweep on inputs of its own, or of a request that differs in the pruning and the amounts."""
    sizes = (len(some.texts) if some else 0 for some in (inputs.subset, inputs.calibration, inputs.rest))
    examples, calibration, rest = sizes
    examples += rest * (request.range_examples == "all")
    return work(request, inputs.resolved.size, examples, calibration, passes)


# ---------------------------------------------------------------- speed


def note_speed(work: float, seconds: float) -> None:
    """Keep the speed of a sweep that has ended, for the next forecast; without room for it, the last one stays."""
    if seconds >= SHORTEST:
        with suppress(OSError):
            store.write_atomically(_speed_file(), f"{work / seconds:.3e}\n")


def last_speed() -> float | None:
    """Return the work per second of the last sweep on this computer; None if there was none, or its file is damaged."""
    with suppress(OSError, ValueError):
        speed = float(_speed_file().read_text(encoding="utf-8"))
        return speed if 0 < speed < inf else None
    return None


def _speed_file() -> Path:
    return user_cache_path("prunescope") / "speed.txt"
