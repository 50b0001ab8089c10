"""Plausible results for tests, computed by formula from a seed, without a model."""

import gzip
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from core.inputs.examples import Examples, open_examples
from core.inputs.prepare import prepare, pruning_record
from core.request.amounts import stepped_amounts
from core.request.catalog import (
    DEFAULT_CONTROLLED,
    ENGINE_VERSION,
    METHODS,
    REDUCTIONS,
    SINGLE_BATCH,
    TASKS,
)
from core.request.scope import point_names
from core.request.sweep_request import AUTO, SweepRequest, made_task
from core.results.cut import Result
from core.results.key import digest, key_of, sealed
from core.results.library import MANIFEST, entry_of, list_in
from core.results.schema import (
    CheckpointRecord,
    ColumnsRecord,
    FileRecord,
    Frame,
    RecipeRecord,
    Statistics,
    SweepResult,
)
from core.results.store import save
from core.sweep.metrics import evaluate
from core.sweep.statistics import layer_statistics

OwnCka = Callable[[float, int, int], float | None]
"""(amount, point, number of points) -> CKA of a point with its own baseline."""
Hole = tuple[float, int, int]
"""(amount, row, column) of a cell without a value."""

Matrix = tuple[tuple[float | None, ...], ...]


def open_preset(task: str, data: str, source_name: str | None = None) -> Examples:
    """Open the labelled data of a GLUE task."""
    return open_examples(
        SweepRequest("embedded:sst2", task, data=data, source_name=source_name),
        (),
    )


@lru_cache(maxsize=128)  # results are immutable, and tests share them
def make_result(
    *,
    task: str = "sst2",
    num_layers: int = 6,
    amounts: tuple[float, ...] = stepped_amounts(0.05, 0.95),
    points: str = "attention",
    own_cka: OwnCka | None = None,
    accuracy: Callable[[float], float] = lambda amount: 0.5 + 0.4 * _logistic(amount, 0.6, 0.05),
    num_examples: int = 200,
    method: str = "magnitude",
    scope: str | None = "encoder",
    seed: int = 0,
    controls: str | None = None,
    until_damage: float | None = None,
    prunable_sparsity: Callable[[float], float] = float,
    statistics: bool = True,
    source: str = "hub",
    holes: tuple[Hole, ...] = (),
) -> SweepResult:
    """Build the sealed result of a sweep that never ran.

    Args:
        task: A two-label task; its checkpoint is the embedded one.
        num_layers: Encoder layers.
        amounts: Ascending pruning amounts, 0 first.
        points: A name from catalog.POINTS.
        own_cka: The diagonal, for all reductions; None for a decline that begins earlier in deeper
            points.
        accuracy: The accuracy at an amount.
        num_examples: Evaluation examples, gold labels half and half.
        method: A name from METHODS.
        scope: The scope of the pruning.
        seed: The seed of the pruning.
        controls: The method that a random one controls; None for the default.
        until_damage: The damage at which the sweep stopped.
        prunable_sparsity: The sparsity at an amount, the same in every layer.
        statistics: Whether to compute statistics, for mean and cls.
        source: The source of the examples: hub, folder or written.
        holes: Cells without a value, for all reductions.
    """
    names = point_names(points, num_layers)
    gold = tuple(k % 2 for k in range(num_examples))

    def frame(amount: float) -> Frame:
        correct = round(accuracy(amount) * num_examples)
        share = correct / num_examples
        half_width = 1.96 * np.sqrt(share * (1 - share) / num_examples)
        cells = {(row, column) for at, row, column in holes if at == amount}
        changed = {"share": amount / 2, "interval": None}
        if amount:
            changed["interval"] = amount / 3, amount / 1.5
        return Frame(
            amount=amount,
            sparsity=round(amount * 0.53, 6),
            prunable_sparsity=prunable_sparsity(amount),
            layer_sparsity=(prunable_sparsity(amount),) * num_layers,
            metrics={"accuracy": share},
            intervals={
                "accuracy": (
                    max(0.0, share - half_width),
                    min(1.0, share + half_width),
                )
            },
            similarity={
                "cka": {
                    name: _matrix(
                        amount,
                        len(names),
                        own_cka or _deeper_falls_earlier(name),
                        cells,
                    )
                    for name in REDUCTIONS
                }
            },
            predictions=tuple(label if k < correct else 1 - label for k, label in enumerate(gold)),
            changed=changed,
        )

    frames = tuple(map(frame, amounts))
    size = len(names)
    result = SweepResult(
        checkpoint={
            "id": f"embedded:{task}",
            "source": "embedded",
            "architecture": "bert",
            "num_layers": num_layers,
            "hidden_size": 384,
            "num_parameters": 20_000_000,
            "num_prunable": 10_616_832,
            "revision": f"{num_layers:064x}",  # another depth is another checkpoint
        },
        task={
            "name": task,
            "source": source,
            "source_name": "written for Prunescope" if source == "written" else "GLUE",
            "split": "validation",
            "gold": gold,
            "examples": range(num_examples),
            "label_names": TASKS[task].label_names,
            "main_metric": "accuracy",
            "max_length": 128,
            "fingerprint": digest([task, source]),
        },
        pruning={
            "method": method,
            "granularity": METHODS[method].granularity,
            "scope": scope,
            "seed": seed,
            "controls": controls or DEFAULT_CONTROLLED.get(method),
            "stop": until_damage and {"damage": until_damage, "amounts": amounts},
        },
        similarity={"points": names},
        floor={
            "cka": {
                "mean": tuple(0.9 - 0.8 * k / size for k in range(size)),
                "cls": (None,) * size,
            }
        },
        frames=frames,
        statistics=_statistics(frames, num_examples) if statistics and num_examples > 4 else None,
        environment={
            "torch": "none",
            "threads": 1,
            "engine": ENGINE_VERSION,
            "dtype": "float32",
        },
        seconds=1.0,
        created_at="2026-01-01T00:00:00+00:00",
    )
    return with_own_key(result)


def with_own_key(result: SweepResult, **changes: object) -> SweepResult:
    """Change fields of a result, and update its key and checksum."""
    changed = result.model_copy(update=changes)
    return sealed(changed.model_copy(update={"key": key_of(changed)}))


def made_by_recipe(checkpoint: CheckpointRecord, family: str, seed: int) -> CheckpointRecord:
    """Turn a checkpoint into one whose weights are made by a recipe."""
    fields = {
        "id": f"recipe:{family}-seed-{seed}",
        "source": "folder",
        "revision": digest([family, seed]),
        "recipe": RecipeRecord(family=family, seed=seed),
    }
    return checkpoint.model_copy(update=fields)


def with_own_labels(result: SweepResult, labels: Sequence[str]) -> SweepResult:
    """Move a result to a file and to a classifier with labels of its own."""
    random = np.random.default_rng(0)
    count = len(result.task.examples)
    gold = tuple(random.integers(0, len(labels), count).tolist())
    metrics = made_task(("review",), labels).metrics
    frames = []
    for frame in result.frames:
        is_kept = random.random(count) > frame.amount
        others = random.integers(0, len(labels), count)
        predictions = tuple(np.where(is_kept, gold, others).tolist())
        values, intervals = evaluate(metrics, gold, predictions)
        fields = {
            "predictions": predictions,
            "metrics": values,
            "intervals": intervals,
        }
        frames.append(frame.model_copy(update=fields))
    task = {
        "name": AUTO,
        "source": "file",
        "source_name": "moods.csv",
        "split": "all",
        "gold": gold,
        "label_names": tuple(labels),
        "main_metric": "macro_f1",
        "fingerprint": digest([AUTO, labels]),
        "columns": ColumnsRecord(text=("review",), label="mood"),
        "label_map": {"meh": None},
        "files": (FileRecord(name="moods.csv", sha256="0" * 64, rows=(0, 2 * count)),),
        "guessed": ("text",),
    }
    return with_own_key(
        result,
        task=result.task.model_copy(update=task),
        checkpoint=result.checkpoint.model_copy(update={"id": "moods", "source": "folder"}),
        frames=tuple(frames),
    )


def make_result_of(request: SweepRequest) -> SweepResult:
    """Build a result with the key of a request, and numbers that were never computed."""
    inputs = prepare(request)
    record = inputs.subset.record
    result = make_result(amounts=request.amounts, num_examples=len(record.examples))
    frames = tuple(frame.model_copy(update={"predictions": record.gold}) for frame in result.frames)
    checkpoint = result.checkpoint.model_copy(update={"revision": inputs.resolved.revision})
    pruning = pruning_record(request, inputs.calibration)
    return with_own_key(
        result,
        checkpoint=checkpoint,
        task=record,
        pruning=pruning,
        frames=frames,
    )


def _statistics(frames: tuple[Frame, ...], num_examples: int) -> Statistics:
    """Let CKA without an example differ a little, the more so the further it has fallen."""
    amounts = [frame.amount for frame in frames]
    by_reduction = {}
    for reduction in SINGLE_BATCH:
        own = np.array([frame.own(reduction) for frame in frames], np.float64)[..., None]
        random = np.random.default_rng(0)
        wobble = random.normal(scale=0.003, size=(own.shape[1], num_examples))  # (points, n)
        without = own + (1 - own) * wobble  # (frames, points, n)
        by_reduction[reduction] = layer_statistics(amounts, own[..., 0], without)
    return Statistics(cka=by_reduction)


def _logistic(amount: float, middle: float, width: float) -> float:
    """Fall from 1 at amount 0 towards 0."""
    return float((1 + np.exp(-middle / width)) / (1 + np.exp((amount - middle) / width)))


@lru_cache(maxsize=128)  # one function a share, which `make_result` finds in its cache
def declining(share: float) -> OwnCka:
    """Return a decline whose damage is the amount, with a share of it in the upper half."""
    return lambda amount, point, size: 1 - amount * 2 * (share if point >= size / 2 else 1 - share)


# By reduction, the amounts at which the first and the last point have lost half.
_HALF_LOST = {
    "mean": (0.95, 0.45),
    "cls": (0.70, 0.40),
    "tokens": (1.30, 0.60),
}


def _deeper_falls_earlier(reduction: str) -> OwnCka:
    """Return a decline like that of magnitude pruning."""
    first, last = _HALF_LOST[reduction]

    def own_cka(amount: float, point: int, size: int) -> float:
        middle = first + (last - first) * point / max(size - 1, 1)
        return _logistic(amount, middle, 0.07)

    return own_cka


def _matrix(amount: float, size: int, own_cka: OwnCka, holes: set[tuple[int, int]]) -> Matrix:
    """Return a matrix whose neighbours are alike; distant points may be slightly below zero."""

    def cell(row: int, column: int) -> float | None:
        own = own_cka(amount, column, size)
        if own is None or (row, column) in holes:
            return None
        if row == column:
            return float(own)
        distance = abs(row - column) * 6 / size
        return float(0.97 * own * np.exp(-distance / 3) - 0.01 * distance * (1 - own))

    return tuple(tuple(cell(row, column) for column in range(size)) for row in range(size))


def ship(folder: Path, *results: Result) -> None:
    """Store results in a folder as shipped ones, with their manifest beside it."""
    for result in results:
        save(result, folder)
    (folder.parent / MANIFEST).unlink(missing_ok=True)
    list_in(folder.parent / MANIFEST, map(entry_of, results))


def compress(path: Path) -> Path:
    """Replace a result's file by a compressed one."""
    compressed = path.with_name(f"{path.name}.gz")
    compressed.write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    return compressed
