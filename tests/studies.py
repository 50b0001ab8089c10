"""Studies of cuts for tests, made by formula: plausible, seeded, without a model."""

from functools import lru_cache
from itertools import combinations

import numpy as np

from core.inputs.examples import EvalSubset
from core.request.catalog import TASKS
from core.request.criteria import MEASURED
from core.results.cut import Cut, CutStudy, LayerScores, Size, packed
from core.results.key import key_of, sealed
from core.results.statistics import Estimate
from core.sweep.cuts import worth_of
from core.sweep.search import search
from tests.builders import make_result


@lru_cache(maxsize=16)
def make_study(*, task: str = "sst2", num_layers: int = 4, num_examples: int = 200, seed: int = 0) -> CutStudy:
    """Builds a sealed study that never ran: every layer fewer costs some accuracy, upper ones more."""
    random = np.random.default_rng(seed)
    swept = make_result(task=task, num_layers=num_layers, num_examples=num_examples)
    known = {"split": "train", "examples": tuple(range(100)), "gold": swept.task.gold[:100], "fingerprint": "c"}
    fewer = swept.task.model_copy(update=known)
    cosine, similarity = (tuple(np.linspace(*ends, num_layers).tolist()) for ends in ((0.5, 0.9), (0.9, 0.6)))
    scores = LayerScores(cosine=cosine, cka=similarity)

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
    study = CutStudy.model_construct(
        checkpoint=swept.checkpoint,
        task=swept.task,
        calibration=fewer,
        search="all",
        scores=scores,
        cuts=tuple(cuts),
        environment=swept.environment,
        seconds=60.0,
        created_at=swept.created_at,
    )
    return with_choices(study)


def with_choices(study: CutStudy) -> CutStudy:
    """Lets each criterion choose among a study's cuts, all of which were judged."""

    class Known:
        """Stands for what runs subsets."""

        depth, full = study.checkpoint.num_layers, (study.scores, None)

        def run(self, subsets: set[tuple[int, ...]], _: object) -> dict[tuple[int, ...], object]:
            return {cut.layers: (cut.calibration, cut.read) for cut in study.cuts if cut.layers in subsets}

    _, steps = search(Known(), study.task.main_metric, study.calibration.gold, exhaustive=True)  # type: ignore[arg-type]
    full = study.cuts[0].judged or ()
    offered = {study.cuts[0].layers, *(step.picks[MEASURED] for step in steps)}
    examples = EvalSubset(TASKS[study.task.name], [], study.task)
    worth = {cut.layers: worth_of(examples, full, cut.judged or ()) for cut in study.cuts if cut.layers in offered}
    cuts = tuple(cut.model_copy(update={"worth": worth.get(cut.layers)}) for cut in study.cuts)
    study = CutStudy(**{**dict(study), "cuts": cuts, "steps": tuple(steps), "key": "", "checksum": ""})
    return sealed(study.model_copy(update={"key": key_of(study)}))


def with_sizes(study: CutStudy, *shares: float, gain: float = 0.15) -> CutStudy:
    """Adds sizes and speeds of the measured choices, and of narrower ones that predict the same.

    Args:
        study: A study.
        shares: Of feed-forward units out.
        gain: Of speed, by each layer that is out.
    """
    depth = study.checkpoint.num_layers

    def sized(cut: Cut, share: float) -> Cut:
        times = 1 + gain * (depth - len(cut.layers) + share)
        speed = Estimate(value=times, low=times - 0.02, high=times + 0.02)
        size = Size(bytes=10**6 * len(cut.layers), parameters=10**5 * len(cut.layers), speeds={1: speed, 32: speed})
        kept = (packed(range(4), 8),) * len(cut.layers) if share else ()
        return cut.model_copy(update={"share": share, "kept": kept, "size": size, "read": cut.read and not share})

    cuts = [sized(cut, 0.0) if cut.worth else cut for cut in study.cuts]
    cuts += [sized(cut, share) for cut in study.offered for share in shares]
    environment = {**study.environment, "threads": 2, "processor": "a processor"}
    return sealed(study.model_copy(update={"cuts": tuple(cuts), "environment": environment}))
