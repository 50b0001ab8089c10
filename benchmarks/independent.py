"""`python -m benchmarks.independent RESULT`: compute a result's numbers again, by other code, in float64.

The result names the sentences and the checkpoint; from there on nothing of `core` is used. The model runs in float64
with eager attention, one unpadded sentence at a time. For every amount a freshly loaded copy is pruned by one stable
sort of all its weights. HSIC1 is written as the paper prints it, with traces and vectors of ones. The code is slow and
plain on purpose: it shares nothing with the engine but the definition.

Exit code 0 if every CKA value is within 1e-3 and every prediction is the same, else 1.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils.logging import disable_progress_bar

from core.command_line import OneLineParser, run_command
from core.errors import PrunescopeError
from core.inputs.checkpoints import resolve
from core.inputs.examples import load_subset
from core.request.amounts import amount_text
from core.request.catalog import REDUCTIONS, TASKS
from core.results import store
from core.results.schema import Frame, SweepResult
from core.sweep.origin import frame_of

Array = npt.NDArray[np.float64]

TOLERANCE = 1e-3
MINIBATCH = 32  # of the reduction `tokens`
MAX_LENGTH = 128


@dataclass(frozen=True)
class Seen:
    """One model's hidden states and predictions for all examples.

    Attributes:
        states: For each example (points, tokens, hidden).
        predictions: (examples,) label indices.
    """

    states: list[Array]
    predictions: tuple[int, ...]


# ---------------------------------------------------------------- the model


def pruned_model(folder: Path, scope: str, amount: float) -> nn.Module:
    """Load a BERT classifier in float64 and prunes it by global magnitude.

    Args:
        folder: The checkpoint's folder.
        scope: `encoder`, `all-linear` or `layer:K`.
        amount: The fraction of the scope's weights to remove.
    """
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, local_files_only=True, dtype=torch.float32, attn_implementation="eager"
    )
    model = model.double().eval()
    part = {"encoder": model.bert.encoder, "all-linear": model}.get(scope)
    if part is None:
        part = model.bert.encoder.layer[int(scope.removeprefix("layer:"))]
    matrices = [module for module in part.modules() if isinstance(module, nn.Linear)]
    sizes = [module.weight.numel() for module in matrices]
    for module, keep in zip(matrices, torch.split(kept(matrices, amount), sizes), strict=True):  # type: ignore[no-untyped-call]
        module.weight.data *= keep.view_as(module.weight)
    return model  # type: ignore[no-any-return]


def kept(matrices: Sequence[nn.Linear], amount: float) -> torch.Tensor:
    """Rank all weights by magnitude; of equal weights the first is removed first (float16 checkpoints have thousands).

    Args:
        matrices: The scope's modules.
        amount: The fraction to remove.

    Returns:
        (weights of all matrices,) bool, False for the round(amount · weights) smallest.
    """
    magnitudes = np.concatenate([module.weight.detach().abs().flatten().numpy() for module in matrices])  # (weights,)
    keep = np.ones(len(magnitudes), dtype=bool)  # (weights,)
    keep[np.argsort(magnitudes, kind="stable")[: round(amount * len(magnitudes))]] = False
    return torch.from_numpy(keep)


@contextmanager
def caught_states(model: Any, points: Sequence[str]) -> Iterator[dict[str, torch.Tensor]]:
    """Catch the latest hidden state at each point, (1, tokens, hidden), while the context lasts."""
    caught: dict[str, torch.Tensor] = {}
    handles = []
    for point in points:
        _, number, part = point.split(".")  # layer.K.attention or layer.K.output
        layer = model.bert.encoder.layer[int(number)]
        module = layer.attention.output if part == "attention" else layer

        def keep(module: nn.Module, inputs: Any, output: Any, point: str = point) -> None:
            caught[point] = output if isinstance(output, torch.Tensor) else output[0]

        handles.append(module.register_forward_hook(keep))
    yield caught
    for handle in handles:
        handle.remove()


def see(model: Any, tokenizer: Any, texts: Sequence[tuple[str, ...]], points: Sequence[str]) -> Seen:
    """Run a model over the examples, one at a time, without padding.

    Args:
        model: In float64 and eval mode.
        tokenizer: The checkpoint's tokenizer.
        texts: One or two texts per example.
        points: Names of the points.
    """
    states, predictions = [], []
    with caught_states(model, points) as caught, torch.no_grad():
        for example in texts:
            inputs = tokenizer(*example, truncation=True, max_length=MAX_LENGTH, return_tensors="pt")
            logits = model(**inputs).logits  # (1, labels)
            states.append(np.stack([caught[point][0].numpy() for point in points]))  # (points, tokens, hidden)
            predictions.append(int(logits.argmax()))
    return Seen(states, tuple(predictions))


# ---------------------------------------------------------------- reductions


def minibatches(num_examples: int) -> list[range]:
    """Cut 0 … num_examples into minibatches of 32; the remainder joins the last one."""
    full = max(num_examples // MINIBATCH, 1)
    ends = [*(MINIBATCH * k for k in range(1, full)), num_examples]
    return [range(start, end) for start, end in zip([0, *ends], ends, strict=False)]


def flattened(states: Sequence[Array]) -> Array:
    """Lay the tokens of each example end to end, with zeros up to the longest: (points, examples, longest · hidden)."""
    num_points, _, hidden = states[0].shape
    longest = max(state.shape[1] for state in states)
    padded = np.zeros((num_points, len(states), longest, hidden))
    for index, state in enumerate(states):
        padded[:, index, : state.shape[1]] = state
    return padded.reshape(num_points, len(states), longest * hidden)


def reduced(states: Sequence[Array]) -> dict[str, list[Array]]:
    """Reduce token vectors to one vector per example.

    Args:
        states: For each example (points, tokens, hidden).

    Returns:
        For each reduction its (mini)batches, each (points, n, features).
    """
    return {
        "mean": [np.stack([state.mean(1) for state in states], axis=1)],  # (points, examples, hidden)
        "cls": [np.stack([state[:, 0] for state in states], axis=1)],  # (points, examples, hidden)
        "tokens": [flattened([states[i] for i in batch]) for batch in minibatches(len(states))],
    }


# ---------------------------------------------------------------- CKA


def gram(features: Array) -> Array:
    """Compute a Gram matrix and set its diagonal to zero: (n, features) -> (n, n)."""
    matrix = features @ features.T  # (n, n)
    np.fill_diagonal(matrix, 0.0)
    return np.asarray(matrix)


def hsic1(k: Array, l: Array) -> float:  # noqa: E741 (the paper's letters)
    """Compute the unbiased HSIC of two Gram matrices with zero diagonals, (n, n); Nguyen et al. 2021, equation 3."""
    n = len(k)
    one = np.ones(n)
    trace = np.trace(k @ l)
    totals = (one @ k @ one) * (one @ l @ one) / ((n - 1) * (n - 2))
    rows = 2 / (n - 2) * (one @ k @ l @ one)
    return float((trace + totals - rows) / (n * (n - 3)))


def cka(baseline: Sequence[Array], pruned: Sequence[Array]) -> Array:
    """Compare every baseline point with every pruned point: sum over the minibatches first, divide last.

    Args:
        baseline: For each minibatch (points, n, features).
        pruned: The same minibatches of the pruned model.

    Returns:
        (baseline points, pruned points).
    """
    k = [[gram(features) for features in batch] for batch in baseline]  # minibatches × points of (n, n)
    m = [[gram(features) for features in batch] for batch in pruned]  # minibatches × points of (n, n)
    points = range(len(k[0]))

    def summed(first: list[list[Array]], i: int, second: list[list[Array]], j: int) -> float:
        return sum(hsic1(a[i], b[j]) for a, b in zip(first, second, strict=True))

    own_k = [summed(k, i, k, i) for i in points]
    own_m = [summed(m, j, m, j) for j in points]
    return np.array([[summed(k, i, m, j) / np.sqrt(own_k[i] * own_m[j]) for j in points] for i in points])


def cka_matrices(baseline: Seen, pruned: Seen) -> dict[str, Array]:
    """Compare two models in every reduction; each matrix is (baseline points, pruned points)."""
    first, second = reduced(baseline.states), reduced(pruned.states)
    return {name: cka(first[name], second[name]) for name in REDUCTIONS}


# ---------------------------------------------------------------- against a result


def deviations(frame: Frame, matrices: Mapping[str, Array]) -> dict[str, float]:
    """Find for each reduction the largest absolute difference between a frame and an independent computation.

    Args:
        frame: A frame of a result.
        matrices: For each reduction (baseline points, pruned points).

    Returns:
        One number for each reduction; NaN if a value of the frame is undefined.
    """
    stored = {name: np.array(frame.matrix(name), dtype=np.float64) for name in matrices}
    return {name: float(np.abs(stored[name] - matrix).max()) for name, matrix in matrices.items()}


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = OneLineParser(prog="python -m benchmarks.independent", description=__doc__)
    add = parser.add_argument
    add("result", type=Path, metavar="RESULT", help="a result of magnitude pruning of a BERT")
    add("--checkpoint", required=True, help="its checkpoint: embedded:NAME, a folder or ID@REVISION")
    add("--data", required=True, help="its data: written, hub or a folder")
    add("--amount", type=float, action="append", help="one of its amounts, repeatable (default: all)")
    return parser.parse_args(arguments)


def texts_of(result: SweepResult, data: str) -> tuple[tuple[str, ...], ...]:
    """Read the result's examples.

    Raises:
        PrunescopeError: The data hold other examples.
    """
    subset = load_subset(TASKS[result.task.name], data, len(result.task.examples))
    if subset.fingerprint != result.task.fingerprint:
        raise PrunescopeError(f"data '{data}' holds other examples than the result's: give the data of the result")
    return subset.texts


def main(arguments: Sequence[str] | None = None) -> int:
    """Print how far each frame is from the independent computation.

    Returns:
        0 if all is within tolerance, else 1.
    """
    options = parse(arguments)
    disable_progress_bar()
    result = store.load(options.result)
    frames = [frame_of(result, amount) for amount in options.amount or result.amounts]
    resolved = resolve(options.checkpoint)
    if resolved.revision != result.checkpoint.revision or result.pruning.method != "magnitude":
        raise PrunescopeError(f"{options.result} is not a result of magnitude pruning of '{options.checkpoint}'")
    texts, points, scope = texts_of(result, options.data), result.points, str(result.pruning.scope)
    tokenizer = AutoTokenizer.from_pretrained(resolved.folder, local_files_only=True)
    baseline = see(pruned_model(resolved.folder, scope, 0.0), tokenizer, texts, points)
    print(f"{'amount':<8}{''.join(f'{name:>10}' for name in REDUCTIONS)}{'other predictions':>20}")
    agrees = True
    for frame in frames:
        pruned = see(pruned_model(resolved.folder, scope, frame.amount), tokenizer, texts, points)
        found = deviations(frame, cka_matrices(baseline, pruned))
        changed = sum(a != b for a, b in zip(frame.predictions, pruned.predictions, strict=True))
        columns = "".join(f"{found[name]:>10.1e}" for name in REDUCTIONS)
        print(f"{amount_text(frame.amount):<8}{columns}{changed:>20}", flush=True)
        agrees = agrees and changed == 0 and all(value <= TOLERANCE for value in found.values())
    return 0 if agrees else 1


if __name__ == "__main__":
    run_command(main)
