"""Results whose truth is known, and results that pages choose beside each other."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from core.findings.choices import companions
from core.findings.claim import Verdict, verdict, with_rows
from core.results.library import Entry, entry_of, shipped
from core.results.schema import Statistics, SweepResult
from core.results.statistics import (
    ChangedRecord,
    SurvivalRecord,
    WorkingRangeRecord,
)
from core.sweep.metrics import evaluate
from core.sweep.working_range import working_range
from tests.builders import (
    OwnCka,
    declining,
    made_by_recipe,
    make_result,
    with_own_key,
)

# ---------------------------------------------------------------- where in depth they change

AMOUNTS = (
    *(k / 100 for k in range(12)),
    0.21,
    0.31,
)  # the damage, for `declining`
COARSE = (0.0, 0.1, 0.2, 0.3)
SEED_SHARES = (
    0.70,
    0.71,
    0.69,
    0.70,
    0.70,
)  # of the damage in the upper half, by seed


def network(share: float = 0.7, **settings: object) -> SweepResult:
    """Four layers that decline together, with a share of the damage in the upper half."""
    return make_result(
        **{
            "num_layers": 4,
            "amounts": AMOUNTS,
            "own_cka": declining(share),
            **settings,
        }
    )


def seeds(*shares: float, **settings: object) -> list[SweepResult]:
    """The matched random control, one result per seed."""
    settings = {"method": "random", **settings}
    return [network(share, seed=seed, **settings) for seed, share in enumerate(shares)]


def around(share: float, spread: float = 1, **settings: object) -> list[SweepResult]:
    """Five seeds of random removal around a share."""
    return seeds(
        *(share + spread * shift for shift in (-0.02, -0.01, 0.0, 0.01, 0.02)),
        **settings,
    )


SEEDS = seeds(*SEED_SHARES)
UNITS = {"method": "attribution", "scope": None}


def judged(
    *shelves: Sequence[SweepResult],
) -> list[tuple[SweepResult, Verdict]]:
    """The verdicts on results, each beside the others of its shelf."""
    return [(result, verdict(result, shelf)) for shelf in shelves for result in with_rows(shelf)]


def working_to(result: SweepResult, to: float | None, **changes: object) -> SweepResult:
    """The same result with a working range."""
    known = {
        "metric": "accuracy",
        "examples": 200,
        "shown_broken_from": None,
        "lead": 0.4,
    }
    return with_own_key(
        result,
        working_range=WorkingRangeRecord(**{"to": to, **known, **changes}),
    )


def with_task(result: SweepResult, **changes: object) -> SweepResult:
    """The same result with another task."""
    return result.model_copy(update={"task": result.task.model_copy(update=changes)})


def of_seed(seed: int, result: SweepResult) -> SweepResult:
    """The same result on a checkpoint of another seed."""
    return with_own_key(
        result,
        checkpoint=made_by_recipe(result.checkpoint, "minilm-l6-sst2", seed),
    )


HELD = {
    "num_layers": 4,
    "amounts": (0.0, 0.2, 0.4, 0.6),
    "accuracy": lambda amount: 0.9 - amount / 10,
}


def holding_to(to: float | None, own: OwnCka | None = None, **changes: object) -> SweepResult:
    return working_to(make_result(**HELD, own_cka=own), to, **changes)


# ---------------------------------------------------------------- which layer changes first

FIFTHS = (0.0, 0.2, 0.4, 0.6, 0.8)


def falling(*at: float | None, **settings: object) -> SweepResult:
    """Layers that keep 1 up to an amount and have 0.5 from the next one on.

    They last a fifth of a step longer. With None, similarity is undefined at every amount.
    """

    def own(amount: float, point: int, size: int) -> float | None:
        last = at[point]
        if last is None:
            return None
        return 1.0 if amount <= last else 0.5

    return make_result(
        **{
            "num_layers": len(at),
            "amounts": FIFTHS,
            "own_cka": own,
            "statistics": False,
            **settings,
        }
    )


def measured(*layers: tuple[float, float, float]) -> SweepResult:
    """Layers that stay intact up to an amount, each with its low, value and high; 0.8 is beyond."""
    at = [value for _, value, _ in layers]

    def own(amount: float, point: int, size: int) -> float:
        return 1 - 0.1 * amount / at[point] if at[point] < FIFTHS[-1] else 1.0

    result = make_result(num_layers=len(at), amounts=FIFTHS, own_cka=own)
    known = result.statistics.cka["mean"]
    records = tuple(
        SurvivalRecord(value=value, low=low, high=high, censored=value >= FIFTHS[-1])
        for low, value, high in layers
    )
    return with_own_key(
        result,
        statistics=Statistics(cka={"mean": known.model_copy(update={"survival": records})}),
    )


def deep() -> SweepResult:
    """Twelve layers, of which the upper three change."""

    def own(amount: float, point: int, size: int) -> float:
        return 1 - amount * (point > 8)

    return make_result(num_layers=12, amounts=FIFTHS, own_cka=own)


# ---------------------------------------------------------------- what a model predicts


def predicting(
    result: SweepResult, *predictions: Sequence[int], gold: Sequence[int] = ()
) -> SweepResult:
    """The same result with other predictions, of one frame after the other, and gold labels."""
    frames = list(result.frames)
    for k, labels in enumerate(predictions):
        frames[k] = frames[k].model_copy(update={"predictions": tuple(labels)})
    task = result.task.model_copy(update={"gold": tuple(gold or result.task.gold)})
    return result.model_copy(update={"frames": tuple(frames), "task": task})


def judged_by(metrics: Sequence[str], result: SweepResult) -> SweepResult:
    """The same result with these metrics, and the working range by the last of them."""
    gold = result.task.gold
    frames = []
    for frame in result.frames:
        values, intervals = evaluate(metrics, gold, frame.predictions)
        frames.append(frame.model_copy(update={"metrics": values, "intervals": intervals}))
    predictions = np.array([frame.predictions for frame in frames])
    found = working_range(metrics[-1], result.amounts, np.array(gold), predictions)
    task = result.task.model_copy(update={"main_metric": metrics[-1]})
    return with_own_key(result, task=task, frames=tuple(frames), working_range=found)


CORRELATED = ("accuracy", "matthews_correlation")


def collapsing() -> tuple[SweepResult, SweepResult]:
    """Two results on 140 positive and 60 negative examples; one comes to answer positive to all.

    The other one is wrong as often then: neither has the better accuracy, but the other has the
    better Matthews correlation.
    """
    gold = np.repeat([0, 1], [60, 140])
    good, worse = (
        np.where(np.arange(200) % 10 < wrong, 1 - gold, gold).tolist() for wrong in (1, 3)
    )
    one, other = (
        make_result(amounts=(0.0, 0.3, 0.6), task="cola", method=name)
        for name in ("magnitude", "wanda")
    )
    first = predicting(one, good, good, [1] * 200, gold=gold.tolist())
    second = predicting(other, good, good, worse, gold=gold.tolist())
    return judged_by(CORRELATED, first), judged_by(CORRELATED, second)


QUARTERS = (0.0, 0.3, 0.6, 0.9)


def correct_on(whole: SweepResult, right: Mapping[float, range]) -> SweepResult:
    """The same result, correct on no other examples than the given ones at each amount."""
    by_amount = [right.get(amount, ()) for amount in whole.amounts]
    gold = list(enumerate(whole.task.gold))
    return predicting(
        whole,
        *([label if k in known else 1 - label for k, label in gold] for known in by_amount),
    )


def flipping() -> SweepResult:
    """Examples: one never flips, then away, there and back, to the gold label, never correct."""
    bare = make_result(amounts=QUARTERS, num_examples=5, statistics=False)
    frames = (
        (1, 1, 0, 1, 1),
        (1, 1, 1, 1, 1),
        (1, 0, 0, 1, 1),
        (1, 0, 1, 0, 1),
    )
    return predicting(bare, *frames, gold=(1, 1, 0, 0, 0))


# ---------------------------------------------------------------- some layers alone

ALONE_STEPS = (0.0, 0.3, 0.7)
OWN_LOSSES, HARMS = (
    (0.1, 0.2, 0.3, 0.4),
    (0.4, 0.2, 0.3, 0.1),
)  # of four layers, at an amount of 1


def changing(
    result: SweepResult,
    shares: Mapping[float, float],
    read: Sequence[float] = (),
) -> SweepResult:
    """The same result whose first examples change their predictions.

    With `read`, it holds what the classifier reads.
    """
    unpruned = np.array(result.frames[0].predictions)
    frames = []
    for k, frame in enumerate(result.frames):
        count = round(shares[frame.amount] * len(unpruned))
        share = count / len(unpruned)
        known = {
            "changed": ChangedRecord(share=share, interval=(share / 2, share)),
            "read": read[k] if read else None,
        }
        known["predictions"] = tuple(
            np.where(np.arange(len(unpruned)) < count, 1 - unpruned, unpruned).tolist()
        )
        frames.append(frame.model_copy(update=known))
    return with_own_key(result, frames=tuple(frames))


def alone(
    harms: Sequence[float] = HARMS,
    amounts: Sequence[float] = ALONE_STEPS,
    read: float | None = None,
    **settings: object,
) -> list[SweepResult]:
    """Each layer pruned alone, in proportion to the amount; those above lose half of its harm."""

    def result(layer: int, harm: float) -> SweepResult:
        def own(amount: float, point: int, size: int) -> float:
            return 1 - amount * (
                0 if point < layer else OWN_LOSSES[layer] if point == layer else harm / 2
            )

        known = {
            "num_layers": 4,
            "scope": f"layer:{layer}",
            "points": "layer",
            "amounts": tuple(amounts),
        }
        held = [1 - read * amount for amount in amounts] if read else ()
        made = make_result(**{**known, "own_cka": own, **settings})
        return changing(made, {amount: harm * amount for amount in amounts}, held)

    return [result(layer, harm) for layer, harm in enumerate(harms)]


def half(scope: str, share: float, **settings: object) -> SweepResult:
    """Some of four layers alone, each with a quarter of the weights; a share is changed at 0.6."""
    known = {
        "num_layers": 4,
        "points": "layer",
        "amounts": (0.0, 0.1, 0.6),
        "prunable_sparsity": lambda a: a / 2,
    }
    made = make_result(**{**known, "scope": scope, **settings})
    return changing(
        made,
        {amount: min(share * amount / 0.6, share) for amount in made.amounts},
    )


# ---------------------------------------------------------------- results beside each other


class Shelf(NamedTuple):
    """Results of one model on the same examples, by key, and the entries that choose them."""

    entries: Sequence[Entry]
    results: Mapping[str, SweepResult]

    def beside(self, entry: Entry) -> list[SweepResult]:
        """What a page passes as the companions of a result."""
        return [self.results[other.key] for other in companions(entry, self.entries)]


def made_shelf() -> Shelf:
    """Results with verdicts of all four states, one method in two steps, every layer alone."""
    results = [
        network(0.7, amounts=(0.0, 0.1, 0.3, 0.6)),
        network(0.7),
        network(0.9, method="wanda"),
        network(0.45, scope="all-linear"),
        network(0.6, method="attribution", scope=None),
        *SEEDS,
        *seeds(*SEED_SHARES, controls="wanda"),
        *seeds(*SEED_SHARES, scope="all-linear"),
        *(
            make_result(
                num_layers=4,
                scope=f"layer:{k}",
                points="layer",
                amounts=(0.0, 0.5),
            )
            for k in range(4)
        ),
    ]
    return Shelf(
        [entry_of(result) for result in results],
        {known.key: known for known in results},
    )


def shipped_shelves(results: Mapping[str, SweepResult]) -> list[Shelf]:
    """The shipped results by what they were measured on."""
    groups = defaultdict(list)
    for entry in shipped(Entry):
        groups[entry.checkpoint, entry.fingerprint].append(entry)
    return [
        Shelf(entries, {entry.key: results[entry.key] for entry in entries})
        for entries in groups.values()
    ]
