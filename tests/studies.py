"""Plausible studies of cuts and recoveries, computed by formula, without a model."""

from functools import lru_cache

import numpy as np

from core.results.cut import TRAINING, CutStudy, Depth, Size
from core.results.key import key_of, sealed
from core.results.recovery import RECOVERY, Moment, Recovery
from core.results.schema import Header, RefitRecord, TaskRecord, Worth
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
    """Build a sealed study that never ran; all removed layers together cost `loss` of accuracy."""
    random = np.random.default_rng(seed)
    swept = make_result(task=task, num_layers=num_layers, num_examples=num_examples)
    gold = np.array(swept.task.gold)

    def predicting(left: int) -> Worth:
        is_wrong = random.random(num_examples) < 0.1 + loss * (1 - left / num_layers)
        return worth_of(swept.task, tuple((gold ^ is_wrong).tolist()))

    full = predicting(num_layers)
    depths = [
        made_depth(left, num_layers, predicting(left), predicting(left))
        for left in range(num_layers - 1, 0, -1)
    ]
    study = CutStudy(
        checkpoint=swept.checkpoint,
        task=swept.task,
        refit=REFIT,
        full=full,
        full_size=Size(bytes=10**6 * num_layers, parameters=10**5 * num_layers),
        depths=tuple(depths),
        environment={
            **swept.environment,
            "threads": 2,
            "processor": "a processor",
        },
        seconds=60.0,
        created_at=swept.created_at,
    )
    return sealed(study.model_copy(update={"key": key_of(study)}))


def worth_of(task: TaskRecord, predictions: tuple[int, ...]) -> Worth:
    """Evaluate predictions."""
    metrics, intervals = evaluate(sorted({"accuracy", task.main_metric}), task.gold, predictions)
    return Worth(predictions=predictions, metrics=metrics, intervals=intervals)


def made_depth(left: int, num_layers: int, held: Worth, saved: Worth) -> Depth:
    """Describe a depth; each removed layer gains as much speed."""
    times = 1 + 0.15 * (num_layers - left)
    speed = EstimateRecord(value=times, low=times - 0.02, high=times + 0.02)
    size = Size(
        bytes=10**6 * left,
        parameters=10**5 * left,
        speeds={1: speed, 32: speed},
    )
    return Depth(layers=left, held=held, saved=saved, size=size, steps=150)


def by_hand(*wrong: int, full: int = 0, rows: int = 200, num_layers: int = 3) -> CutStudy:
    """Build a study whose depths, the deepest last, get so many of the first rows wrong."""
    study = make_study(num_layers=num_layers, num_examples=rows)

    def worth(count: int) -> Worth:
        gold = study.task.gold
        return worth_of(
            study.task,
            (*(1 - label for label in gold[:count]), *gold[count:]),
        )

    depths = tuple(
        made_depth(num_layers - removed, num_layers, worth(0), worth(count))
        for removed, count in enumerate(wrong[: num_layers - 1], 1)
    )
    return study.model_copy(update={"full": worth(full), "depths": depths})


def make_recovery(before: float = 0.6) -> Recovery:
    """Build a sealed recovery of 10 steps that never ran, from results that are as similar."""
    swept = make_result()
    training = RECOVERY.model_copy(update={"steps": 10})

    def moment(step: int, amount: float, score: float) -> Moment:
        frame = make_result(amounts=(0.0, amount), accuracy=lambda _: score).frames[-1]
        return Moment(
            step=step,
            metrics=frame.metrics,
            intervals=frame.intervals,
            predictions=frame.predictions,
            changed=frame.changed,
            similarity=frame.similarity,
        )

    header = {name: getattr(swept, name) for name in Header.model_fields}
    recovery = Recovery(
        **header,
        environment=swept.environment,
        created_at=swept.created_at,
        amount=0.9,
        rows=REFIT.model_copy(update={"training": training}),
        frames=[moment(0, 0.9, before), moment(10, 0.5, 0.75)],
        unpruned=[moment(0, 0.01, 0.9), moment(10, 0.2, 0.88)],
    )
    return with_own_key(recovery)
