"""Train weights briefly on labels or on another model's answers, and stop early.

AdamW with linear warm-up and decay, clipped gradients and no dropout. Batches hold rows of similar
length, in a seeded order. On one machine, the same seed and number of threads give the same bits.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from core.errors import PrunescopeError
from core.results.schema import TrainingRecord

WARM_UP = 0.1  # of all steps
DECAY = 0.01  # of weights, per unit of the rate
LONGEST_GRADIENT = 1.0  # its norm, over all weights
POOL = 8  # batches whose rows are sorted by length together
CHECK_EVERY = 25  # steps between two looks at the rows that decide when to stop
PATIENCE = 3  # looks in a row without a better one, after which training ends

Rows = np.ndarray  # (rows,) int64, numbers of rows, or of their tokens
Answer = Callable[[Rows], Tensor]  # computes the logits of rows, (rows, labels)


def loss_of(logits: Tensor, targets: Tensor, temperature: float) -> Tensor:
    """Compute the mean cross-entropy at a temperature, times its square.

    The square keeps gradients to scale. Towards softened answers its gradient is that of the
    Kullback-Leibler divergence (Hinton et al. 2015).

    Args:
        logits: (rows, labels).
        targets: (rows, labels) probabilities on any device: softened answers, or ones at the labels
            with temperature 1.
        temperature: The temperature.
    """
    entropy = functional.cross_entropy(logits / temperature, targets.to(logits.device))
    return entropy * temperature**2


def in_order(rows: Rows, lengths: np.ndarray, size: int) -> list[Rows]:
    """Cut rows into batches in order of length."""
    ordered = rows[np.argsort(lengths[rows], kind="stable")]
    return [ordered[start : start + size] for start in range(0, len(rows), size)]


def shuffled(rows: Rows, lengths: np.ndarray, size: int, seed: int) -> Iterator[Rows]:
    """Yield batches without end, each of rows of similar length.

    Every row comes once before any comes again. Rows are shuffled, and pools of POOL batches sorted
    by length and cut; the batches are shuffled again.
    """
    # Legacy on purpose: NumPy promises never to change its stream.
    random = np.random.RandomState(seed)
    pool_size = POOL * size
    while True:
        drawn = random.permutation(rows)
        batches = list[Rows]()
        for start in range(0, len(rows), pool_size):
            pool = drawn[start : start + pool_size]
            batches += in_order(pool, lengths, size)
        for number in random.permutation(len(batches)):
            yield batches[number]


def descend(
    weights: Sequence[nn.Parameter],
    answer: Answer,
    targets: Tensor,
    lengths: Rows,
    rows: Rows,
    how: TrainingRecord,
) -> Iterator[int]:
    """Train weights in place, step by step.

    Args:
        weights: The weights. One whose gradient is masked by a hook keeps its zeros.
        answer: Computes the logits of some rows from the weights, with a graph where gradients are
            on.
        targets: (rows, labels) probabilities; see `loss_of`.
        lengths: (rows,) tokens.
        rows: The rows to train on.
        how: Steps, size of batches, rate, temperature and seed.

    Yields:
        The number of steps done: 0 before the first, at last all of them.

    Raises:
        PrunescopeError: A loss is not finite.
    """
    optimizer = torch.optim.AdamW(
        weights,
        lr=how.rate,
        weight_decay=DECAY,
        fused=weights[0].is_cpu,  # 7 times as fast
    )
    warm_up = max(1.0, WARM_UP * how.steps)
    decay = max(1.0, how.steps - warm_up)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda done: min((done + 1) / warm_up, (how.steps - done) / decay),
    )
    yield 0
    for step, batch in enumerate(islice(shuffled(rows, lengths, how.batch, how.seed), how.steps)):
        loss = loss_of(answer(batch), targets[batch], how.temperature)
        _finite(loss.item(), step)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(weights, LONGEST_GRADIENT)
        optimizer.step()
        schedule.step()
        yield step + 1


def train(
    weights: Sequence[nn.Parameter],
    answer: Answer,
    targets: Tensor,
    lengths: np.ndarray,
    split: tuple[Rows, Rows],
    how: TrainingRecord,
    report: Callable[[int], None],
) -> int:
    """Train weights in place; they end as they were at the look with the smallest loss.

    Args:
        weights: See `descend`; likewise `answer`, `targets`, `lengths` and `how`.
        answer: Computes logits.
        targets: (rows, labels) probabilities.
        lengths: (rows,) tokens.
        split: The rows to train on, and those that decide when to stop.
        how: The settings of the training.
        report: Called with the number of steps done after each; an exception that it raises ends
            the training.

    Returns:
        The step whose weights were kept; 0 if none was better than the beginning.

    Raises:
        PrunescopeError: A loss is not finite.
    """
    best = math.inf
    best_step = 0
    kept = list[Tensor]()
    trained, stopping = split
    batches = in_order(stopping, lengths, how.batch)
    for step in descend(weights, answer, targets, lengths, trained, how):
        if step:
            report(step)
        if step % CHECK_EVERY == 0 or step == how.steps:
            loss = _finite(_mean_loss(answer, targets, batches, how.temperature), step)
            if loss < best:
                best = loss
                best_step = step
                kept = [weight.detach().clone() for weight in weights]
            elif step - best_step >= PATIENCE * CHECK_EVERY:
                break
    for weight, value in zip(weights, kept, strict=True):
        weight.data.copy_(value)
    return best_step


@torch.no_grad()
def _mean_loss(
    answer: Answer, targets: Tensor, batches: Sequence[Rows], temperature: float
) -> float:
    losses = [loss_of(answer(rows), targets[rows], temperature).item() for rows in batches]
    return float(np.average(losses, weights=[len(rows) for rows in batches]))


def _finite(loss: float, step: int) -> float:
    if not math.isfinite(loss):
        raise PrunescopeError(
            f"the loss is not finite after {step} steps of training: choose another checkpoint"
        )
    return loss
