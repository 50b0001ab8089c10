"""The key of a result: what decides its numbers; and its checksum: what its file holds."""

from collections.abc import Sequence

from core.request.amounts import amount_text
from core.request.catalog import DEFAULT_CONTROLLED, DEFAULT_MEASURES, ENGINE_VERSION
from core.request.points import points_of
from core.results.digest import digest
from core.results.schema import PruningRecord, SweepResult, TaskRecord


def result_key(
    revision: str,
    task: TaskRecord,
    pruning: PruningRecord,
    points: str,
    measures: Sequence[str],
    amounts: tuple[float, ...],
    dtype: str,
    engine: str = ENGINE_VERSION,
    against: str | None = None,
) -> str:
    """Compute a result's key: a digest of everything that decides its numbers (not threads, environment or time).

    What is null or at its default is left out, so that a part added later changes no existing key. The scope and the
    calibration examples stay in as null: the first keys had them.

    Args:
        revision: The digest of the checkpoint's content.
        task: The examples.
        pruning: The method and its settings.
        points: A name from POINTS.
        measures: Names from MEASURES.
        amounts: The pruning amounts asked for, ascending.
        dtype: The dtype of the computation, such as `float32`.
        engine: The engine version that computed the numbers.
        against: The digest of another checkpoint's content; None without one.
    """
    calibration, stop = pruning.calibration, pruning.stop
    optional = {
        "controls": pruning.controls if pruning.controls != DEFAULT_CONTROLLED.get(pruning.method) else None,
        "until_damage": stop and stop.damage,
    }
    parts = {
        "checkpoint": revision,
        "task": [task.fingerprint, task.examples],
        "pruning": {
            **pruning.model_dump(mode="json", include={"method", "granularity", "scope", "seed"}),
            "calibration": calibration and calibration.fingerprint,
            **{name: value for name, value in optional.items() if value is not None},
        },
        "points": points,
        "amounts": [amount_text(amount) for amount in amounts],
        "max_length": task.max_length,
        "dtype": dtype,
        "engine": engine,
        **({"against": against} if against else {}),
    }
    return digest(parts if set(measures) == set(DEFAULT_MEASURES) else {**parts, "measures": sorted(measures)})


def key_of(result: SweepResult) -> str:
    """Compute the key of a whole result from its content.

    Raises:
        ValueError: The content lacks something that the key depends on.
    """
    layers, pruning, environment = result.checkpoint.num_layers, result.pruning, result.environment
    points = points_of(result.points, layers)
    if points is None or not result.frames or not {"dtype", "engine"} <= set(environment):
        raise ValueError(f"its points are not those of {layers} layers, or it has no frames, dtype or engine")
    return result_key(
        result.checkpoint.revision,
        result.task,
        pruning,
        points,
        result.measures,
        pruning.stop.amounts if pruning.stop else result.amounts,
        str(environment["dtype"]),
        str(environment["engine"]),
        result.against.revision if result.against else None,
    )


def sealed(result: SweepResult) -> SweepResult:
    """Return the result with its checksum."""
    return result.model_copy(update={"checksum": digest(result.model_dump(mode="json", exclude={"checksum"}))})
