"""Every number of a result, from a float64 pass of one unpadded sentence at a time.

The masks are the engine's: `test_masks.py` computes them again. `model` runs the passes and
`statistics` applies the definitions.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import loaded, make_encoder

from core.inputs.prepare import prepare
from core.request.amounts import amount_text
from core.request.catalog import SURVIVAL_THRESHOLD
from core.request.sweep_request import SweepRequest, checked, usual_scope
from core.results.schema import SweepResult
from core.sweep.meter import make_plan
from core.sweep.sweep import sweep
from tests.independent.model import Reference, kept
from tests.independent.statistics import (
    DAMAGES,
    Numbers,
    cka_matrix,
    jackknifed,
    own_cka,
    survivals,
)

TOLERANCE = 1e-5
NEAR_TIE = 1e-4  # the least difference of the two best logits that fixes a prediction
MINIBATCH = 32  # examples, of the reduction `tokens`
LARGE = {
    "num_examples": 70,
    "amounts": (0.0, 0.3),
}  # the last minibatch takes 38
CASES: Mapping[str, Mapping[str, object]] = {
    **{name: {"method": name} for name in ("magnitude", "attribution", "attribution-residual")},
    "random units": {
        "method": "random-neuron",
        "control_of": "attribution-residual",
    },
    "Wanda, pairs at both points": {
        "method": "wanda",
        "points": "both",
        "task": "mrpc",
        **LARGE,
    },
    "random as Wanda": {
        "method": "random",
        "control_of": "wanda",
        "scope": "all-linear",
        "points": "layer",
    },
    "ramp, one layer": {
        "method": "ramp",
        "scope": "layer:1",
        "points": "both",
    },
    "a run of layers": {"scope": "layers:1-2", "points": "both"},
}


class Outputs:
    """One model's output for all examples.

    Attributes:
        states: For each example (points, tokens, hidden).
        logits: (examples, labels).
        read: (examples, width), what the classifier reads.
    """

    def __init__(
        self,
        model: Reference,
        encoded: Sequence[Mapping[str, list[int]]],
        points: Sequence[str],
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
        vectors = [state.mean(1) if reduction == "mean" else state[:, 0] for state in self.states]
        return np.stack(vectors, axis=1)

    def flattened(self) -> list[np.ndarray]:
        """Tokens end to end, padded by zeros: minibatches (points, n, longest · hidden)."""
        count = len(self.states)
        starts = range(0, max(count - MINIBATCH, 0) + 1, MINIBATCH)
        batches = []
        for start, end in zip(starts, [*starts[1:], count], strict=True):
            states = self.states[start:end]
            longest = max(state.shape[1] for state in states)
            padded = [
                np.pad(state, ((0, 0), (0, longest - state.shape[1]), (0, 0))) for state in states
            ]
            batches.append(
                np.stack(
                    [state.reshape(len(state), -1) for state in padded],
                    axis=1,
                )
            )
        return batches


def close(name: str, stored: object, expected: object, tolerance: float = TOLERANCE) -> None:
    """Check that numbers are near, and undefined where they should be: None is NaN."""
    np.testing.assert_allclose(
        np.array(stored, dtype=float),
        expected,
        rtol=0,
        atol=tolerance,
        err_msg=name,
    )


def check_function(result: SweepResult, outputs: Sequence[Outputs]) -> None:
    """Check the predictions that the logits fix, and what the classifier reads."""
    baseline = outputs[0].read[None]
    for frame, output in zip(result.frames, outputs, strict=True):
        ascending = np.sort(output.logits, axis=1)  # (examples, labels)
        is_fixed = ascending[:, -1] - ascending[:, -2] > NEAR_TIE  # (examples,)
        assert (np.array(frame.predictions) == output.logits.argmax(1))[is_fixed].all()
        close(
            "what the classifier reads",
            frame.read,
            cka_matrix([baseline], [output.read[None]]),
        )


def check_statistics(result: SweepResult, reduction: str, numbers: Numbers) -> None:
    """Check own CKA, survival, and the gap at each damage, with intervals."""
    statistics = result.statistics_of(reduction)
    close(
        "own CKA",
        [frame.own(reduction) for frame in result.frames],
        numbers.own,
    )
    close("interval of own CKA", statistics.own, np.moveaxis(numbers.own_bounds, 0, -1))
    stored = [(layer.value, layer.low, layer.high) for layer in statistics.survival]
    expected = survivals(result.amounts, numbers, SURVIVAL_THRESHOLD)
    close("survival", stored, expected, 10 * TOLERANCE)
    for damage, gap, bounds in zip(DAMAGES, numbers.gaps, numbers.gap_bounds.T, strict=True):
        record = statistics.gap_at_damage.get(amount_text(damage))
        stored = [getattr(record, part, None) for part in ("value", "low", "high")]
        close(f"gap at damage {damage}", stored, [gap, *bounds])


@pytest.mark.parametrize("case", CASES)
def test_a_result_is_what_the_definitions_give(
    tiny_bert: Path,
    tmp_path: Path,
    glue_folder: Path,
    case: str,
) -> None:
    options = CASES[case]
    is_run = case == "a run of layers"
    checkpoint = make_encoder(tmp_path, "bert", layers=4) if is_run else tiny_bert
    settings = {
        "task": "sst2",
        "scope": usual_scope(options.get("method", "magnitude")),
        "amounts": (0.0, 0.1, 0.3),
        "num_examples": 24,
        **options,
    }
    request = checked(SweepRequest(str(checkpoint), data=str(glue_folder), **settings))
    inputs = prepare(request)
    engine = loaded(inputs.resolved)
    plan = make_plan(engine, inputs.calibration, request, lambda *_: None)
    unpruned = Reference(engine.model)
    encoded = [engine.tokenizer(*texts) for texts in inputs.subset.texts]

    result = sweep(engine, inputs, plan=plan)

    def run(masks: Mapping[str, torch.Tensor | float]) -> Outputs:
        reference = Reference(unpruned.model)
        for name, keep in masks.items():
            reference.parameters[name].data.mul_(keep)
        return Outputs(reference, encoded, result.points)

    outputs = [run({})]
    outputs += [run(kept(engine.model, plan, amount)) for amount in request.amounts[1:]]
    emptied = run(dict.fromkeys(unpruned.matrices(request.scope or ""), 0.0))

    check_function(result, outputs)
    flattened = [output.flattened() for output in outputs]
    for frame, batches in zip(result.frames, flattened, strict=True):
        close(
            "CKA, tokens",
            frame.matrix("tokens"),
            cka_matrix(flattened[0], batches),
        )
    for reduction in ("mean", "cls"):
        vectors = np.stack([output.vectors(reduction) for output in outputs])
        for frame, pruned in zip(result.frames, vectors, strict=True):
            close(
                "CKA",
                frame.matrix(reduction),
                cka_matrix([vectors[0]], [pruned]),
            )
        check_statistics(result, reduction, jackknifed(vectors))
        if result.floor:
            floor = emptied.vectors(reduction)  # (points, n, hidden)
            if str(request.scope).startswith("layer"):
                floor[: result.points.index("layer.1.output")] = 0  # constant, and so undefined
            close(
                "floor",
                result.floor.cka[reduction],
                own_cka(vectors[0], floor),
            )
