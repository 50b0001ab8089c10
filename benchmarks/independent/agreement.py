"""One request by the engine and by the independent computation, and how far apart they are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from transformers import AutoTokenizer

from benchmarks.independent import engine, statistics
from benchmarks.independent.comparison import SINGLE_BATCH, computed, deviation, stored, weighted
from benchmarks.independent.masks import Differences, Method, differences, method_of
from benchmarks.independent.model import Bert, Seen, read_bert, see, token_vectors, tokenised, vectors
from benchmarks.independent.statistics import GIVEN_FLOOR, INTERVAL, REPLICATES
from core.inputs.examples import EvalSubset
from core.request.catalog import MAX_LENGTH
from core.request.sweep_request import SweepRequest
from core.results.schema import SweepResult

Array = npt.NDArray[np.float64]
Vectors = Mapping[str, Array]  # by reduction (points, examples, hidden)
Table = dict[str, dict[str, float | None]]  # by number and reduction the deviation; None: there is no such number

END_TO_END = 1e-5  # partial CKA's is multiplied by sqrt((1 - C_iz²)(1 - C_jz²)) first
EXACT = 1e-8
ROUNDED = 1e-7  # a result keeps replicates in float32
NEAR_TIE = 1e-4  # the least difference of the two best logits that fixes a prediction


_DEPTH = ("D", "gap at damage", "profile at damage")
_DEPTH_GIVEN_FLOOR = tuple(f"{name}{GIVEN_FLOOR}" for name in _DEPTH)
_JACKKNIFED = ("own CKA", *_DEPTH, "partial CKA", *_DEPTH_GIVEN_FLOOR)
_KEPT = (*_DEPTH, *_DEPTH_GIVEN_FLOOR[:2])  # whose replicates a result keeps
AGREED = ("CKA", "damage", "floor", *_JACKKNIFED)
EVERYTHING = (
    *AGREED,
    *(f"{name}{ending}" for ending in ("", GIVEN_FLOOR) for name in ("amount at damage", "survival")),
    *(f"{name}{INTERVAL}" for name in _JACKKNIFED),
    *(f"{name}{REPLICATES}" for name in _KEPT),
)


@dataclass(frozen=True)
class Agreement:
    """How far the engine is from the independent computation.

    Attributes:
        masks: By amount, without 0.
        near_ties: Predictions that differ where the two best logits are nearly equal.
        changed: Other predictions that differ.
        divergence: The largest deviation of the Jensen-Shannon divergence.
        damages: By reduction the damages that the result reaches, where gaps and profiles are compared.
        end_to_end: Deviations of the numbers in AGREED from those of a float64 forward pass on the engine's masks.
        exact: Deviations of EVERYTHING, both sides from the engine's own representations converted to float64.
    """

    masks: Mapping[float, Differences]
    near_ties: int
    changed: int
    divergence: float
    damages: Mapping[str, tuple[float, ...]]
    end_to_end: Table
    exact: Table

    @property
    def holds(self) -> bool:
        """Whether all is within tolerance."""
        return (
            all(mask.far == 0 for mask in self.masks.values())
            and self.changed == 0
            and self.divergence <= END_TO_END
            and all(value <= END_TO_END for _, value in _known(self.end_to_end))
            and all(value <= tolerance(name) for name, value in _known(self.exact))
        )


def tolerance(name: str) -> float:
    """Return the tolerance of a number from the engine's own representations."""
    return ROUNDED if name.endswith(REPLICATES) else EXACT


def _known(table: Table) -> Iterator[tuple[str, float]]:
    return ((name, value) for name, row in table.items() for value in row.values() if value is not None)


def agreement(request: SweepRequest) -> Agreement:
    """Run the engine on a request, compute everything again, and compare.

    Args:
        request: A checked request of a BERT, with all measures.

    Raises:
        PrunescopeError: The checkpoint or the data is unavailable, or they do not fit together.
    """
    run = engine.run(request)
    folder, subset, points = run.inputs.resolved.folder, run.inputs.subset, run.result.points
    model, tokenizer = read_bert(folder), AutoTokenizer.from_pretrained(folder, local_files_only=True)
    examples = tokenised(tokenizer, subset.texts, MAX_LENGTH)
    tensors = [{name: torch.from_numpy(keep) for name, keep in masks.items()} for masks in run.masks]
    seen = [see(model.pruned(masks), examples, points) for masks in tensors]
    emptied = None if run.floor is None else see(model.emptied(request.scope), examples, points)
    floor = None if emptied is None else vectors(emptied.states)
    method = _method(request, run.inputs.calibration, model, tokenizer)
    predictions = [(frame.predictions, output) for frame, output in zip(run.result.frames, seen, strict=True)]
    if run.result.floor and emptied:
        predictions.append((run.result.floor.predictions, emptied))
    changed, near_ties = other_predictions(predictions)
    return Agreement(
        masks={a: differences(method(a), masks) for a, masks in zip(request.amounts, run.masks, strict=True) if a},
        near_ties=near_ties,
        changed=changed,
        divergence=_divergence(run.result, seen),
        damages={name: _damages(run.result, name) for name in SINGLE_BATCH},
        end_to_end=_end_to_end(run.result, seen, _after(request.scope, points, floor)),
        exact=_exact(run.exact, run.frames, _after(request.scope, points, run.floor)),
    )


def _method(request: SweepRequest, calibration: EvalSubset | None, model: Bert, tokenizer: Any) -> Method:
    examples = tokenised(tokenizer, calibration.texts, MAX_LENGTH) if calibration else []
    gold = calibration.gold if calibration else ()
    return method_of(request.method, request.control_of, model, request.scope, request.seed, examples, gold)


def _after(scope: str | None, points: Sequence[str], floor: Vectors | None) -> Vectors | None:
    """Make the emptied model constant, and so undefined, before the output of a layer that is pruned alone."""
    if floor is None or not (scope and scope.startswith("layer:")):
        return floor
    output = (int(scope.removeprefix("layer:")), 1)
    places = [(int(point.split(".")[1]), int(point.endswith("output"))) for point in points]
    before = np.array([place < output for place in places])  # (points,)
    return {name: np.where(before[:, None, None], 0.0, values) for name, values in floor.items()}


def other_predictions(pairs: Sequence[tuple[Sequence[int], Seen]]) -> tuple[int, int]:
    """Count predictions that differ from the engine's, and those of nearly equal logits.

    Args:
        pairs: The engine's predictions, (examples,), and the independent output, of each model.

    Returns:
        Those that the logits fix, and those that they do not.
    """
    changed = near_ties = 0
    for predictions, output in pairs:
        ascending = np.sort(output.logits, axis=1)  # (examples, labels)
        near = ascending[:, -1] - ascending[:, -2] < NEAR_TIE  # (examples,)
        differs = output.logits.argmax(1) != np.array(predictions)  # (examples,)
        changed += int((differs & ~near).sum())
        near_ties += int((differs & near).sum())
    return changed, near_ties


def _damages(result: SweepResult, reduction: str) -> tuple[float, ...]:
    gaps = stored(result, reduction)["gap at damage"]  # (damages,)
    return tuple(target for target, gap in zip(statistics.DAMAGES, gaps, strict=True) if not np.isnan(gap))


def _divergence(result: SweepResult, seen: Sequence[Seen]) -> float:
    pairs = zip(result.frames, seen, strict=True)
    return max(
        abs(frame.divergence.value - statistics.divergence(seen[0].logits, output.logits))
        for frame, output in pairs
        if frame.divergence
    )


def _end_to_end(result: SweepResult, seen: Sequence[Seen], floor: Vectors | None) -> Table:
    frames = [vectors(output.states) for output in seen]
    deviations: Table = {name: {} for name in AGREED}
    for reduction in SINGLE_BATCH:
        ours = computed(result.amounts, frames, floor, reduction)
        rest = ours.get("left")
        first, second = weighted(ours, rest), weighted(stored(result, reduction), rest)
        for name in AGREED:
            deviations[name][reduction] = deviation(first.get(name), second.get(name))
    tokens = [token_vectors(output.states) for output in seen]  # for each frame its minibatches
    matrices = np.stack([statistics.cka_matrix(tokens[0], batches) for batches in tokens])
    deviations["CKA"]["tokens"] = deviation(matrices, stored(result, "tokens")["CKA"])
    return deviations


def _exact(result: SweepResult, frames: Sequence[Vectors], floor: Vectors | None) -> Table:
    sides = {
        reduction: (computed(result.amounts, frames, floor, reduction), stored(result, reduction))
        for reduction in SINGLE_BATCH
    }
    return {
        name: {reduction: deviation(a.get(name), b.get(name)) for reduction, (a, b) in sides.items()}
        for name in EVERYTHING
    }
