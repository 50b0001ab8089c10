"""Plausible studies of cuts for tests, computed by formula from a seed, without a model."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from core.results.cut import CutStudy, Size, SmallerModel, Worth
from core.results.key import key_of, sealed
from core.results.schema import TaskRecord
from core.results.statistics import EstimateRecord
from core.sweep.metrics import evaluate
from tests.builders import make_result


@lru_cache(maxsize=16)
def make_study(*, task: str = "sst2", num_layers: int = 4, num_examples: int = 200, seed: int = 0) -> CutStudy:
    """Build a sealed study that never ran: the lowest layers stay, and each removed layer costs some accuracy."""
    random = np.random.default_rng(seed)
    swept = make_result(task=task, num_layers=num_layers, num_examples=num_examples)
    changes = {"split": "train", "examples": tuple(range(100)), "gold": swept.task.gold[:100], "fingerprint": "c"}
    fewer = swept.task.model_copy(update=changes)

    def predicted(gold: tuple[int, ...], left: int) -> tuple[int, ...]:
        wrong = random.random(len(gold)) < 0.1 + 0.4 * (1 - left / num_layers)
        return tuple(np.where(wrong, 1 - np.array(gold), gold).tolist())

    left = range(num_layers, 0, -1)
    cuts = [made_cut(range(k), swept.task, predicted(fewer.gold, k), predicted(swept.task.gold, k)) for k in left]
    study = CutStudy(
        checkpoint=swept.checkpoint,
        task=swept.task,
        calibration=fewer,
        search="all",
        cuts=tuple(cuts),
        environment=swept.environment,
        seconds=60.0,
        created_at=swept.created_at,
    )
    return sealed(study.model_copy(update={"key": key_of(study)}))


def made_cut(
    layers: Sequence[int], task: TaskRecord, choosing: tuple[int, ...], judged: tuple[int, ...]
) -> SmallerModel:
    """Describe a smaller model by its layers and predictions."""
    metrics, intervals = evaluate(("accuracy",), task.gold, judged)
    worth = Worth(metrics=metrics, intervals=intervals)
    return SmallerModel(layers=tuple(layers), calibration=choosing, judged=judged, worth=worth)


def with_sizes(study: CutStudy, gain: float = 0.15) -> CutStudy:
    """Add sizes and speeds; each removed layer gains so much speed."""
    depth = study.checkpoint.num_layers

    def sized(cut: SmallerModel) -> SmallerModel:
        left = len(cut.layers)
        times = 1 + gain * (depth - left)
        speed = EstimateRecord(value=times, low=times - 0.02, high=times + 0.02)
        speeds = {1: speed, 32: speed} if left < depth else {}
        return cut.model_copy(update={"size": Size(bytes=10**6 * left, parameters=10**5 * left, speeds=speeds)})

    environment = {**study.environment, "threads": 2, "processor": "a processor"}
    return sealed(study.model_copy(update={"cuts": tuple(map(sized, study.cuts)), "environment": environment}))
