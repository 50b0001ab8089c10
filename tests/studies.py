"""Studies of cuts for tests, made by formula: plausible, seeded, without a model."""

from functools import lru_cache
from itertools import combinations

import numpy as np

from core.request.catalog import TASKS
from core.results.cut import Cut, CutStudy, LayerScores, MeasuredRecord, Narrow, Size, Speed, packed
from core.results.key import key_of, sealed
from core.results.statistics import Estimate
from core.sweep.cut_choices import Judge, choices, judged_cuts
from tests.builders import make_result


@lru_cache(maxsize=16)
def make_study(*, task: str = "sst2", num_layers: int = 4, num_examples: int = 200, seed: int = 0) -> CutStudy:
    """Builds a sealed study that never ran: every layer fewer costs some accuracy, upper ones more."""
    random = np.random.default_rng(seed)
    swept = make_result(task=task, num_layers=num_layers, num_examples=num_examples)
    fewer = swept.task.model_copy(
        update={"split": "train", "examples": tuple(range(100)), "gold": swept.task.gold[:100], "fingerprint": "c"}
    )
    scores = LayerScores(
        cosine=tuple(np.linspace(0.5, 0.9, num_layers).tolist()), cka=tuple(np.linspace(0.9, 0.6, num_layers).tolist())
    )

    def predicted(gold: tuple[int, ...], layers: tuple[int, ...]) -> tuple[int, ...]:
        wrong = 0.1 + 0.4 * (1 - sum(k + 2 for k in layers) / sum(range(2, num_layers + 2)))
        return tuple(np.where(random.random(len(gold)) < wrong, 1 - np.array(gold), gold).tolist())

    subsets = [kept for left in range(num_layers, -1, -1) for kept in combinations(range(num_layers), left)]
    cuts = [
        Cut(
            layers=kept,
            calibration=predicted(fewer.gold, kept),
            judged=predicted(swept.task.gold, kept),
            read=(len(kept) + random.random()) / (num_layers + 1) if kept != subsets[0] else 1.0,
        )
        for kept in subsets
    ]
    metric = swept.task.main_metric
    picks = [choices(metric, fewer.gold, scores, cuts, left) for left in range(num_layers - 1, 0, -1)]
    judge = Judge(swept.task, TASKS[task].metrics, cuts[0].judged or ())
    judged, steps = judged_cuts(judge, cuts, picks, subsets)
    study = CutStudy(
        checkpoint=swept.checkpoint,
        task=swept.task,
        calibration=fewer,
        search="all",
        scores=scores,
        cuts=judged,
        steps=steps,
        environment=swept.environment,
        seconds=60.0,
        created_at=swept.created_at,
    )
    return sealed(study.model_copy(update={"key": key_of(study)}))


def with_sizes(study: CutStudy, *shares: float, gain: float = 0.15) -> CutStudy:
    """Adds sizes and speeds of the measured choices, and of narrower ones that predict the same.

    Args:
        study: A study.
        shares: Of feed-forward units out.
        gain: Of speed, by each layer that is out.
    """
    layers = study.checkpoint.num_layers
    chosen = [study.measured_choice(left) for left in range(layers, 0, -1)]
    shared = ("layers", "calibration", "judged", "worth")
    widths = [
        Narrow(
            **{name: getattr(cut, name) for name in shared},
            share=share,
            units=4,
            kept=(packed(range(4), 8),) * len(cut.layers),
        )
        for cut in chosen
        for share in shares
    ]
    models = [(cut.layers, share) for cut in chosen for share in (0.0, *shares)]
    sizes = []
    for kept, share in models:
        times = 1 + gain * (layers - len(kept) + share)
        speeds = [
            Speed(batch=batch, times=Estimate(value=times, low=times - 0.02, high=times + 0.02)) for batch in (1, 32)
        ]
        size = Size(
            layers=kept, share=share, bytes=10**6 * len(kept), parameters=10**5 * len(kept), speeds=tuple(speeds)
        )
        sizes.append(size)
    measured = MeasuredRecord(threads=2, processor="a processor", models=tuple(sizes))
    return sealed(study.model_copy(update={"widths": tuple(widths) or None, "measured": measured}))
