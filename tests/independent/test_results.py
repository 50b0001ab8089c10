"""Every number of a result, from a float64 pass of one unpadded sentence at a time on the engine's masks.

`model` runs the passes and `statistics` applies the definitions; `test_masks.py` computes the masks again.
"""

from collections.abc import Mapping, Sequence
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import loaded, make_encoder

from core.inputs.prepare import prepare
from core.request.amounts import amount_text
from core.request.catalog import METHODS, SURVIVAL_THRESHOLD
from core.request.sweep_request import SweepRequest, checked
from core.results.schema import SweepResult
from core.sweep.meter import make_plan
from core.sweep.sweep import sweep
from tests.independent import statistics
from tests.independent.model import Reference
from tests.independent.statistics import DAMAGES, INTERVAL, Numbers, cka_matrix

TOLERANCE = 1e-5
NEAR_TIE = 1e-4  # the least difference of the two best logits that fixes a prediction
MINIBATCH = 32  # examples, of the reduction `tokens`
LARGE = {"num_examples": 70, "amounts": (0.0, 0.3)}  # the last minibatch takes 38
CASES: Mapping[str, Mapping[str, object]] = {
    **{name: {"method": name} for name in ("magnitude", "attribution", "attribution-residual")},
    "random units": {"method": "random-neuron", "control_of": "attribution-residual"},
    "Wanda, pairs at both points": {"method": "wanda", "points": "both", "task": "mrpc", **LARGE},
    "random as Wanda": {
        "method": "random",
        "control_of": "wanda",
        "scope": "all-linear",
        "points": "layer",
    },
    "ramp, one layer": {"method": "ramp", "scope": "layer:1", "points": "both"},
}


class Seen:
    """One model's output for all examples.

    Attributes:
        states: For each example (points, tokens, hidden).
        logits: (examples, labels).
        read: (examples, width), what the classifier reads.
    """

    def __init__(
        self, model: Reference, encoded: Sequence[Mapping[str, list[int]]], points: Sequence[str]
    ) -> None:
        with torch.no_grad():
            traces = [model.run(example) for example in encoded]
        self.states = [
            np.stack([trace.states[point].numpy() for point in points]) for trace in traces
        ]
        self.logits = np.stack([trace.logits.numpy() for trace in traces])
        self.read = np.stack([trace.reads["classifier"].numpy() for trace in traces])  # a BERT's

    def vectors(self, reduction: str) -> np.ndarray:
        """(points, examples, hidden), by the mean over tokens or by the first token."""
        return np.stack(
            [state.mean(1) if reduction == "mean" else state[:, 0] for state in self.states], axis=1
        )


def flattened(states: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Tokens end to end, padding zero: minibatches (points, n, longest · hidden), the last with the remainder."""
    ends = [*range(MINIBATCH, len(states) - MINIBATCH + 1, MINIBATCH), len(states)]
    batches = [states[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    longest = [max(state.shape[1] for state in batch) for batch in batches]
    return [
        np.stack(
            [
                np.pad(s, ((0, 0), (0, most - s.shape[1]), (0, 0))).reshape(len(s), -1)
                for s in batch
            ],
            axis=1,
        )
        for batch, most in zip(batches, longest, strict=True)
    ]


def check(checkpoint: Path, data: Path, **options: object) -> None:
    """Runs a sweep and computes everything that its result says again."""
    scope = (
        "encoder" if METHODS[options.get("method", "magnitude")].granularity == "weight" else None
    )
    settings = {
        "task": "sst2",
        "scope": scope,
        "amounts": (0.0, 0.1, 0.3),
        "num_examples": 24,
        **options,
    }
    request = checked(SweepRequest(str(checkpoint), data=str(data), **settings))
    inputs = prepare(request)
    engine = loaded(inputs.resolved)
    plan = make_plan(engine, inputs.calibration, request, lambda *_: None)
    whole = Reference(engine.model)  # before the sweep
    result = sweep(engine, inputs, request, plan=plan)
    encoded = [engine.tokenizer(*texts) for texts in inputs.subset.texts]
    names = {id(parameter): name for name, parameter in engine.model.named_parameters()}

    def seen(masks: Mapping[str, torch.Tensor | float]) -> Seen:
        reference = Reference(whole.model)
        for name, keep in masks.items():
            reference.parameters[name].data.mul_(keep)
        return Seen(reference, encoded, result.points)

    def pruned(amount: float) -> Seen:
        masks = plan.keep_masks(amount, plan.parameters)
        return seen(
            {names[id(weight)]: keep for weight, keep in zip(plan.parameters, masks, strict=True)}
        )

    frames = [seen({}), *(pruned(amount) for amount in request.amounts[1:])]
    emptied = (
        seen(dict.fromkeys(whole.matrices(request.scope or ""), 0.0)) if result.floor else None
    )
    check_function(result, frames)
    tokens = [flattened(frame.states) for frame in frames]
    matrices = [cka_matrix(tokens[0], batches) for batches in tokens]
    close("CKA, tokens", [frame.matrix("tokens") for frame in result.frames], matrices)
    for reduction in ("mean", "cls"):
        vectors = np.stack(
            [frame.vectors(reduction) for frame in frames]
        )  # (frames, points, n, hidden)
        matrices = [cka_matrix([vectors[0]], [frame]) for frame in vectors]
        close(f"CKA, {reduction}", [frame.matrix(reduction) for frame in result.frames], matrices)
        floor = emptied.vectors(reduction) if emptied else None  # (points, n, hidden)
        if floor is not None and str(request.scope).startswith("layer"):
            floor[: result.points.index("layer.1.output")] = 0  # constant, and so undefined
        check_along_the_amounts(result, reduction, statistics.jackknifed(vectors, floor))


def close(name: str, stored: object, expected: object, tolerance: float = TOLERANCE) -> None:
    """Asserts that numbers are near, and undefined where they should be: None is NaN."""
    np.testing.assert_allclose(
        np.array(stored, dtype=float), expected, rtol=0, atol=tolerance, err_msg=name
    )


def check_function(result: SweepResult, frames: Sequence[Seen]) -> None:
    """Predictions that the logits fix, and what the classifier reads."""
    for frame, seen in zip(result.frames, frames, strict=True):
        ascending = np.sort(seen.logits, axis=1)  # (examples, labels)
        fixed = ascending[:, -1] - ascending[:, -2] > NEAR_TIE  # (examples,)
        assert (np.array(frame.predictions) == seen.logits.argmax(1))[fixed].all()
    read = [cka_matrix([frames[0].read[None]], [frame.read[None]])[0, 0] for frame in frames]
    close("what the classifier reads", [frame.read for frame in result.frames], read)


def check_along_the_amounts(result: SweepResult, reduction: str, numbers: Numbers) -> None:
    """Own CKA, survival, and the gap at each damage, with intervals."""
    assert ("floor" in numbers) == (result.floor is not None)
    if result.floor:
        close("floor", result.floor.cka[reduction], numbers["floor"])
    values = numbers["own CKA"]  # (frames, points)
    close(f"own CKA, {reduction}", [frame.own(reduction) for frame in result.frames], values)
    known = result.statistics_of(reduction)
    bounds = numbers[f"own CKA{INTERVAL}"]  # (2, frames, points)
    stored = [[pair or (None, None) for pair in row] for row in known.own]
    close(f"interval of own CKA, {reduction}", stored, np.moveaxis(bounds, 0, -1))
    survivals = statistics.survivals(result.amounts, values, bounds, SURVIVAL_THRESHOLD)
    stored = [
        (layer.value, layer.low, layer.high) if layer else [None] * 3 for layer in known.survival
    ]
    close(f"survival, {reduction}", stored, survivals.T, 10 * TOLERANCE)
    gaps = np.stack(
        [numbers["gap at damage"], *numbers[f"gap at damage{INTERVAL}"]]
    )  # (3, damages)
    records = [known.gap_at_damage[amount_text(damage)] for damage in DAMAGES]
    stored = [
        [getattr(record, part, None) for record in records] for part in ("value", "low", "high")
    ]
    close(f"gap at damage, {reduction}", stored, gaps)


@pytest.mark.parametrize("case", CASES)
def test_a_result_is_what_the_definitions_give(
    tiny_bert: Path, glue_folder: Path, case: str
) -> None:
    check(tiny_bert, glue_folder, **CASES[case])


def test_a_run_of_layers(tmp_path: Path, glue_folder: Path) -> None:
    check(make_encoder(tmp_path, "bert", layers=4), glue_folder, scope="layers:1-2", points="both")


def test_hsic1_is_the_mean_over_all_quadruples_of_examples() -> None:
    random = np.random.default_rng(0)
    k, m = (statistics.gram(random.normal(size=(6, 3))) for _ in range(2))
    terms = [
        k[i, j] * (m[i, j] + m[q, r] - 2 * m[i, q]) for i, j, q, r in permutations(range(6), 4)
    ]
    assert statistics.hsic1(k, m) == pytest.approx(np.mean(terms), abs=1e-12)
