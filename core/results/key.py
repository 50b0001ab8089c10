"""The key of a result: what decides its numbers; and its checksum: what its file holds."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from core.request.amounts import amount_text
from core.request.catalog import DEFAULT_CONTROLLED, MEASURES
from core.request.sweep_request import SweepRequest
from core.results.cut import CutStudy
from core.results.digest import digest
from core.results.fields import Record
from core.results.provenance import request_of
from core.results.schema import PruningRecord, SweepResult, TaskRecord

AnyResult = TypeVar("AnyResult", bound=Record)
MadeBy = Mapping[str, str | int]  # what an environment says of the `dtype` and the `engine` of a computation


def result_key(
    asked: SweepRequest,
    revision: str,
    task: TaskRecord,
    pruning: PruningRecord,
    made_by: MadeBy,
    measures: Iterable[str] = MEASURES,
) -> str:
    """Compute a result's key: a digest of everything that decides its numbers (not threads, environment or time).

    What is null or at its default is left out, so that a part added later changes no existing key. The scope and the
    calibration examples stay in as null: the first keys had them.

    Args:
        asked: Points, and all amounts.
        revision: The digest of the checkpoint's content.
        task: The examples.
        pruning: The method and its settings.
        made_by: The dtype of the computation, such as `float32`, and the engine version.
        measures: Names from MEASURES; older files may have fewer than all.
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
        "points": asked.points,
        "amounts": [*map(amount_text, asked.amounts)],
        "max_length": task.max_length,
        "dtype": str(made_by["dtype"]),
        "engine": str(made_by["engine"]),
        **({} if {*measures} == {*MEASURES} else {"measures": sorted(measures)}),
    }
    return digest(parts)


def key_of(result: SweepResult | CutStudy) -> str:
    """Compute the key of a whole result from its content, of a study from all that decides its predictions.

    Raises:
        ValueError: The content lacks something that the key depends on.
    """
    made_by = result.environment
    if (isinstance(result, SweepResult) and not result.frames) or not {"dtype", "engine"} <= set(made_by):
        raise ValueError("it has no frames, dtype or engine")
    if isinstance(result, CutStudy):
        examples = {"task": result.task, "calibration": result.calibration}
        parts = {
            "kind": result.kind,
            "checkpoint": result.checkpoint.revision,
            **{name: [record.fingerprint, record.examples] for name, record in examples.items()},
            "search": result.search,
            "max_length": result.task.max_length,
            **{name: str(made_by[name]) for name in ("dtype", "engine")},
        }
        return digest(parts)
    revision, pruning = result.checkpoint.revision, result.pruning
    return result_key(request_of(result), revision, result.task, pruning, made_by, result.measures)


def sealed(result: AnyResult) -> AnyResult:
    """Return the result with its checksum."""
    return result.model_copy(update={"checksum": digest(result.model_dump(mode="json", exclude={"checksum"}))})
