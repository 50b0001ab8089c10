"""Plausible studies of cuts and recoveries for tests, computed by formula from a seed, without a model."""

from functools import lru_cache

import numpy as np

from core.results.cut import TRAINING, CutStudy, Depth, Size, Worth
from core.results.key import key_of, sealed
from core.results.recovery import RECOVERY, Moment, Recovery
from core.results.schema import Header, RefitRecord, TaskRecord
from core.results.statistics import EstimateRecord
from core.sweep.metrics import evaluate
from tests.builders import make_result, with_own_key

REFIT = RefitRecord(
    source_name="nyu-mll/glue",
    split="train",
    refit=160,
    stop=40,
    labelled=200,
    fingerprint="c",
    training=TRAINING,
)


@lru_cache(maxsize=16)
def make_study(
    *,
    task: str = "sst2",
    num_layers: int = 4,
    num_examples: int = 200,
    seed: int = 0,
    loss: float = 0.4,
) -> CutStudy:
    """Build a sealed study that never ran: each removed layer costs some accuracy, `loss` all of them together."""
    random = np.random.default_rng(seed)
    swept = make_result(task=task, num_layers=num_layers, num_examples=num_examples)

    def predicting(left: int) -> Worth:
        wrong = random.random(num_examples) < 0.1 + loss * (1 - left / num_layers)
        return worth_of(
            swept.task,
            tuple(np.where(wrong, 1 - np.array(swept.task.gold), swept.task.gold).tolist()),
        )

    full = predicting(num_layers)
    depths = [
        made_depth(k, num_layers, predicting(k), predicting(k))
        for k in range(num_layers - 1, 0, -1)
    ]
    study = CutStudy(
        checkpoint=swept.checkpoint,
        task=swept.task,
        refit=REFIT,
        full=full,
        full_size=Size(bytes=10**6 * num_layers, parameters=10**5 * num_layers),
        depths=tuple(depths),
        environment={**swept.environment, "threads": 2, "processor": "a processor"},
        seconds=60.0,
        created_at=swept.created_at,
    )
    return sealed(study.model_copy(update={"key": key_of(study)}))


def worth_of(task: TaskRecord, predictions: tuple[int, ...]) -> Worth:
    """Evaluate predictions."""
    metrics, intervals = evaluate(sorted({"accuracy", task.main_metric}), task.gold, predictions)
    return Worth(predictions=predictions, metrics=metrics, intervals=intervals)


def made_depth(left: int, num_layers: int, held: Worth, saved: Worth, gain: float = 0.15) -> Depth:
    """Describe a depth; each removed layer gains so much speed."""
    times = 1 + gain * (num_layers - left)
    speed = EstimateRecord(value=times, low=times - 0.02, high=times + 0.02)
    size = Size(bytes=10**6 * left, parameters=10**5 * left, speeds={1: speed, 32: speed})
    return Depth(layers=left, held=held, saved=saved, size=size, steps=150)


def by_hand(*wrong: int, full: int = 0, rows: int = 200, num_layers: int = 3) -> CutStudy:
    """Build a study of which each depth, the deepest last, gets so many rows wrong, the first ones; its probe none."""
    known = make_study(num_layers=num_layers, num_examples=rows)

    def worth(count: int) -> Worth:
        predictions = (1 - label if k < count else label for k, label in enumerate(known.task.gold))
        return worth_of(known.task, tuple(predictions))

    left = range(num_layers - 1, 0, -1)
    depths = (
        made_depth(k, num_layers, worth(0), worth(count))
        for k, count in zip(left, wrong, strict=False)
    )
    return known.model_copy(update={"full": worth(full), "depths": tuple(depths)})


def make_recovery(before: float = 0.6) -> Recovery:
    """Build a sealed recovery of 10 steps that never ran, from results at amounts that are as similar."""
    swept, how, moments = make_result(), RECOVERY.model_copy(update={"steps": 10}), []
    for step, amount, score in ((0, 0.9, before), (10, 0.5, 0.75), (0, 0.01, 0.9), (10, 0.2, 0.88)):
        frame = make_result(amounts=(0.0, amount), accuracy=lambda _, score=score: score).frames[-1]  # type: ignore[misc]
        values = {
            name: getattr(frame, name)
            for name in ("metrics", "intervals", "predictions", "changed")
        }
        moments.append(Moment(step=step, **values, similarity=frame.similarity))
    known = {
        name: getattr(swept, name) for name in (*Header.model_fields, "environment", "created_at")
    }
    rows = REFIT.model_copy(update={"training": how})
    return with_own_key(
        Recovery(**known, amount=0.9, rows=rows, frames=moments[:2], unpruned=moments[2:])
    )
