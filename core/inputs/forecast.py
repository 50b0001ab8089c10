"""Forecast how long sweeps take from their work and the speed of the last one on this computer.

A forecast runs nothing: every sweep that ends notes its speed in a file of the user's cache
directory. Work is the number of tokens that the model reads, times its layers, times their squared
width.
"""

from collections.abc import Sequence
from contextlib import suppress
from itertools import takewhile
from math import inf
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from platformdirs import user_cache_path

from core.errors import PrunescopeError
from core.inputs.checkpoints import size_here
from core.inputs.prepare import Inputs, prepare
from core.request.catalog import (
    CALIBRATION_EXAMPLES,
    DEFAULT_EXAMPLES,
    METHODS,
)
from core.request.controls import likely_amounts
from core.request.cut_request import (
    MOST_JUDGED,
    MOST_REFIT,
    MOST_STOP,
    CutRequest,
    RecoveryRequest,
    depths_of,
)
from core.request.limits import device_asked, limits, source_of
from core.request.sweep_request import DataRequest, SweepRequest, check_scope
from core.results import library, store
from core.results.cut import TRAINING
from core.results.library import RecoveryEntry
from core.results.recovery import FRAMES, RECOVERY
from core.results.schema import TrainingRecord

SHIPPED_SPEED = 5e9  # work per second on two cores of a rented server: rough elsewhere
# Seconds of a sweep that notes its speed, here and at the shipped one: less is mostly other things.
SHORTEST = 1.0
# Average tokens of an example: its own, padding included, and 10 for what an example costs whatever
# its length; of examples at hand, these and those that mark its ends, and one for so many
# characters.
EXTRA_TOKENS = 12
TOKEN_CHARACTERS = 4.5
PASS_EXAMPLES = 16  # as many as cost what an amount costs whatever it reads
TOKENS = {
    "sst2": 36,
    "cola": 23,
    "mrpc": 65,
    "qqp": 48,
    "qnli": 68,
    "rte": 82,
    "mnli": 52,
    "messages": 33,
}
OTHER_TOKENS = 42
WRITTEN_ROWS = 192  # of a task
TIMED_ROWS = 1_000  # that a model reads in the time that it takes to save and to time it, measured
BACKWARD = 2  # the cost of a pass with gradients, in forward passes


class Forecast(NamedTuple):
    """How long some work will take.

    Attributes:
        seconds: The time; 0 if all results are stored.
        is_rough: Whether the speed is the shipped figure, because no sweep has ended here yet.
    """

    seconds: float
    is_rough: bool


def forecast(sweeps: Sequence[SweepRequest]) -> Forecast | None:
    """Forecast how long sweeps take, one after another.

    No table is read: a request that names no number of examples counts with the default number. Of
    sweeps on written examples, those whose results are stored take no time.

    Args:
        sweeps: Checked requests that differ in the pruning and the amounts alone.

    Returns:
        None if their checkpoint has yet to be downloaded.

    Raises:
        PrunescopeError: They do not fit their checkpoint, or one takes longer than a hosted server
            allows.
    """
    size = size_here(sweeps[0].checkpoint)
    if size is None:
        return None
    for sweep in sweeps:
        check_scope(sweep.scope, sweep.method, size[0])
    inputs = _inputs_here(sweeps)
    works = [
        work_of(sweep, size, inputs)
        for sweep in sweeps
        if not inputs or not store.find(inputs.key_of(sweep))
    ]
    _check_allowed(timed(max(works, default=0.0)), "choose fewer examples or amounts, or")
    return timed(sum(works))


def forecast_training(request: DataRequest) -> Forecast | None:
    """Forecast how long a study of cuts or a recovery takes; see `forecast`.

    Of a table, the most rows used count.

    Raises:
        PrunescopeError: It takes longer than a hosted server allows.
    """
    size = size_here(request.checkpoint)
    if size is None:
        return None
    layers, width = size
    tokens = _rows_read(request, layers) * TOKENS.get(request.task, OTHER_TOKENS)
    expected = timed(tokens * width**2)
    _check_allowed(expected, "choose a smaller checkpoint, or")
    return expected


def _rows_read(request: DataRequest, layers: int) -> int:
    """Count the rows that layers read during a training, those that only measure included."""
    if isinstance(request, RecoveryRequest):
        measured = layers * len(FRAMES) * (request.num_examples or DEFAULT_EXAMPLES)
        models = 1 if _has_control(request) else 2
        return models * (refit_rows(layers, RECOVERY) + measured)
    judged = min(request.num_examples or MOST_JUDGED, limits().examples)
    rows = WRITTEN_ROWS if request.data == "written" else MOST_REFIT + MOST_STOP + judged
    depths = depths_of(layers, isinstance(request, CutRequest) and request.every)
    trained = sum(refit_rows(depth, TRAINING) for depth in depths)
    return rows * layers + trained + TIMED_ROWS * (layers + sum(depths))


def _has_control(request: RecoveryRequest) -> bool:
    """Whether the unpruned model, trained as long, is stored, by the names of model and task."""
    if request.train:
        return False
    return any(
        entry.is_control
        and entry.training.steps == RECOVERY.steps
        and (entry.checkpoint, entry.task) == (request.checkpoint, request.task)
        for entry in (*library.shipped(RecoveryEntry), *library.own(RecoveryEntry))
    )


def refit_rows(layers: int, how: TrainingRecord) -> int:
    """Count the rows that a layer reads while so many are refitted; gradients cost more."""
    return min(layers, how.layers) * how.steps * how.batch * (1 + BACKWARD)


def _check_allowed(expected: Forecast, remedy: str) -> None:
    """Refuse work that takes longer than a hosted server allows."""
    minutes = expected.seconds / 60
    most = limits().job_seconds / 60
    if minutes > most:
        raise PrunescopeError(
            f"a run would take about {minutes:.0f} minutes here, at most {most:.0f} are allowed: "
            f"{remedy} run it on your own computer"
        )


def stored_first(sweeps: Sequence[SweepRequest]) -> list[str]:
    """Return the keys of the stored results with which a row of sweeps begins; see `forecast`."""
    inputs = _inputs_here(sweeps)
    return [*takewhile(store.stored, map(inputs.key_of, sweeps))] if inputs else []


def _inputs_here(sweeps: Sequence[SweepRequest]) -> Inputs | None:
    """Find the inputs that sweeps share; None if that downloads or reads a visitor's table."""
    if {sweep.data for sweep in sweeps} != {"written"} or source_of(sweeps[0].checkpoint) == "hub":
        return None
    return prepare(max(sweeps, key=lambda sweep: METHODS[sweep.method].calibrated))


def work_of(
    request: SweepRequest,
    size: tuple[int, int],
    inputs: Inputs | None,
    passes: int | None = None,
) -> float:
    """Return the work of a sweep.

    Args:
        request: A checked request.
        size: The number of the encoder's layers, and their width.
        inputs: The inputs of the request, or of one that differs in the pruning and the amounts;
            None takes as many examples as it asks for, or the default number.
        passes: How often the examples were run; None takes the likely number: once for each amount
            and once for the emptied model.
    """
    layers, width = size
    examples = request.num_examples or DEFAULT_EXAMPLES
    calibration = CALIBRATION_EXAMPLES
    tokens: float = TOKENS.get(request.task, OTHER_TOKENS)
    if inputs:
        texts = inputs.subset.texts
        examples = len(texts)
        if inputs.rest and request.range_examples == "all":
            examples += len(inputs.rest.texts)
        calibration = len(inputs.calibration.texts) if inputs.calibration else 0
        characters = fmean(sum(map(len, example)) for example in texts)
        tokens = EXTRA_TOKENS + characters / TOKEN_CHARACTERS
    passes = likely_amounts(request) + 1 if passes is None else passes
    rows = (examples + PASS_EXAMPLES) * passes
    method = METHODS[request.method]
    if method.calibrated:
        rows += calibration * (BACKWARD if method.granularity == "neuron" else 1)
    return rows * tokens * layers * width**2


# ---------------------------------------------------------------- speed


def note_speed(work: float, seconds: float) -> None:
    """Keep the speed of a sweep that has ended; if it cannot be written, the last one stays."""
    if min(seconds, work / SHIPPED_SPEED) >= SHORTEST:
        with suppress(OSError):
            store.write_atomically(_speed_file(), f"{work / seconds:.3e}\n")


def timed(work: float) -> Forecast:
    """Forecast how long work takes here, at the speed of the last sweep or the shipped one."""
    speed = 0.0
    with suppress(OSError, ValueError):  # there was no sweep, or the file is damaged
        speed = float(_speed_file().read_text(encoding="utf-8"))
    is_rough = not 0 < speed < inf
    return Forecast(work / (SHIPPED_SPEED if is_rough else speed), is_rough)


def _speed_file() -> Path:
    """Return the file of the requested device: what `auto` is here, only PyTorch knows."""
    device = device_asked().replace(":", "-")
    return user_cache_path("prunescope") / f"speed-{device}.txt"
