"""The key of a result, a digest of what decides its numbers; its checksum, a digest of its file."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.request.amounts import amount_text
from core.request.catalog import DEFAULT_CONTROLLED
from core.results.cut import CutStudy, R, Result
from core.results.schema import (
    PruningRecord,
    RefitRecord,
    SweepResult,
    TaskRecord,
)


def canonical_json(value: Any) -> bytes:
    """Serialise plain JSON values in one canonical form: sorted keys, no spaces, no NaN."""
    return json.dumps(
        value,
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
    ).encode()


def digest(value: Any) -> str:
    """Return the SHA-256 of the canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def fingerprint_of(task: str, texts: Sequence[Sequence[str]], gold: Sequence[int | None]) -> str:
    """Return the digest of examples.

    Args:
        task: The task's name.
        texts: One or two texts for each example.
        gold: Their label indices; None for a row without a label.
    """
    return digest({"task": task, "texts": texts, "gold": gold})


def result_key(
    points: str,
    amounts: Iterable[float],
    revision: str,
    task: TaskRecord,
    pruning: PruningRecord,
    environment: Mapping[str, str | int],
    measures: Iterable[str] = (),
) -> str:
    """Compute a sweep's key, a digest of everything that decides its numbers.

    Threads, processor and time don't. What is null or at its default is left out, so that a part
    added later changes no existing key. Only the scope and the calibration examples stay in as
    null, as in the first keys.

    Args:
        points: The kind of the points, a name from POINTS.
        amounts: All amounts asked for, also those beyond where a stopped sweep ended.
        revision: The digest of the checkpoint's content.
        task: The examples.
        pruning: The method and its settings.
        environment: The `dtype` of the computation, such as `float32`, and the `engine` version.
        measures: The names of the measures in an older file without partial CKA.
    """
    settings = _settings(pruning)
    if pruning.stop:
        settings["until_damage"] = pruning.stop.damage
    parts = {
        "pruning": settings,
        "points": points,
        "amounts": [*map(amount_text, amounts)],
    }
    if measures:
        parts["measures"] = sorted(measures)
    return _key(revision, task, environment, **parts)


def _settings(pruning: PruningRecord) -> dict[str, Any]:
    """Return what decides what a pruning removes at an amount."""
    settings = pruning.model_dump(mode="json", include={"method", "granularity", "scope", "seed"})
    settings["calibration"] = pruning.calibration and pruning.calibration.fingerprint
    if pruning.controls not in (None, DEFAULT_CONTROLLED.get(pruning.method)):
        settings["controls"] = pruning.controls
    return settings


def training_key(
    kind: str,
    revision: str,
    task: TaskRecord,
    refit: RefitRecord,
    environment: Mapping[str, str | int],
    **parts: Any,
) -> str:
    """Compute the key of a result for which models were trained.

    Args:
        kind: The kind of the result.
        revision: The digest of the checkpoint's content.
        task: The judged rows.
        refit: The rows to train on, and the training.
        environment: See `result_key`.
        parts: What else decides its numbers: of a study, the layers that stay at each depth; of a
            recovery, the pruning, the amount and the points.
    """
    rows = refit.model_dump(mode="json", include={"refit", "stop", "fingerprint", "training"})
    return _key(revision, task, environment, kind=kind, refit=rows, **parts)


def _key(
    revision: str,
    task: TaskRecord,
    environment: Mapping[str, str | int],
    **parts: Any,
) -> str:
    """Return the digest of what decides the numbers of any result, and of further parts."""
    parts |= {
        "checkpoint": revision,
        "task": [task.fingerprint, task.examples],
        "max_length": task.max_length,
    }
    return digest(parts | {name: str(environment[name]) for name in ("dtype", "engine")})


def key_of(result: Result) -> str:
    """Compute a whole result's key from its content; see `result_key` and `training_key`.

    Raises:
        ValueError: It lacks its dtype or the engine version.
    """
    environment = result.environment
    revision = result.checkpoint.revision
    task = result.task
    if not {"dtype", "engine"} <= environment.keys():
        raise ValueError("it has no dtype or engine")
    if isinstance(result, CutStudy):
        layers = [depth.layers for depth in result.depths]
        return training_key(result.kind, revision, task, result.refit, environment, layers=layers)
    pruning = result.pruning
    points = result.points_kind
    if isinstance(result, SweepResult):
        amounts = pruning.stop.amounts if pruning.stop else result.amounts
        measures = result.similarity.measures or {}
        former = () if "partial_cka" in measures else measures
        return result_key(points, amounts, revision, task, pruning, environment, former)
    about = {
        "pruning": _settings(pruning) if result.amount else None,
        "amount": amount_text(result.amount),
        "points": points,
    }
    return training_key(result.kind, revision, task, result.rows, environment, **about)


def sealed(result: R) -> R:
    """Return the result with its checksum."""
    content = result.model_dump(mode="json", exclude={"checksum"})
    return result.model_copy(update={"checksum": digest(content)})
