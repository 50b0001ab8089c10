"""Run subsets of an encoder's layers over examples: depth first, so that subsets share the layers that they begin with.

All 2^L subsets of L layers take 2^L - 1 layer passes. Memory holds the hidden states of one micro-batch, and what the
classifiers of READ_BYTES read.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import combinations, takewhile
from math import comb

import numpy as np
import torch

from core.encoder.architectures import classifier
from core.encoder.batches import MicroBatch, micro_batches
from core.encoder.loading import Checkpoint
from core.encoder.stack import Answer, Stack
from core.inputs.examples import EvalSubset
from core.results.cut import ALL_UP_TO, Layers, LayerScores
from core.similarity.cka import cka
from core.similarity.gram import Grams, compare, prepare, u_centred_bands
from core.sweep.statistics import DECIMALS

READ_BYTES = 256 * 2**20  # limit on what the classifiers of all subsets read in memory at once
DRAWN = 5  # subsets of a size that stand for random removal where not all are measured

Answered = tuple[tuple[int, ...], float | None]
"""What a subset predicts, (examples,); and CKA of what its classifier reads with what the full model's reads."""


def sizes(num_layers: int) -> range:
    """Return how many layers stay at each step: from all but one to one."""
    return range(num_layers - 1, 0, -1)


def every_subset(num_layers: int) -> list[Layers]:
    """Return all subsets of the layers, the empty one included."""
    return [kept for left in range(num_layers + 1) for kept in combinations(range(num_layers), left)]


def drawn_subsets(num_layers: int, left: int) -> list[Layers]:
    """Return the subsets of a size that stand for random removal: all, of a deep model DRAWN by a fixed seed."""
    if num_layers <= ALL_UP_TO or comb(num_layers, left) <= DRAWN:
        return list(combinations(range(num_layers), left))
    random, found = np.random.default_rng(left), set[Layers]()
    while len(found) < DRAWN:
        found.add(tuple(sorted(random.choice(num_layers, left, replace=False).tolist())))
    return sorted(found)


class SubsetRunner:
    """Runs subsets of a checkpoint's layers over examples.

    Args:
        checkpoint: The model, which is never changed.
        examples: The examples.

    Attributes:
        depth: The number of layers.
        batches: The micro-batches.
        tokens: What the model reads of them, padding included.
        passes: How many layers were run, each on one micro-batch.
        step: Called with `passes` after each subset on each micro-batch; an exception that it raises ends the run,
            unchanged.
    """

    def __init__(self, checkpoint: Checkpoint, examples: EvalSubset) -> None:
        self._stack, self.depth = Stack(checkpoint.model, checkpoint.record.id), checkpoint.record.num_layers
        self.batches = micro_batches(checkpoint.tokenizer, examples.texts)
        self.tokens = sum(batch.real.numel() for batch in self.batches)
        self.step: Callable[[int], None] = lambda passes: None
        self._n = len(examples.texts)
        self._width, self._hidden = classifier(checkpoint.model).in_features, checkpoint.record.hidden_size
        self._at_once = max(READ_BYTES // (self._n * self._width * 4), 1)

    @property
    def passes(self) -> int:  # noqa: D102
        return self._stack.passes

    @cached_property
    def full(self) -> tuple[LayerScores, Grams]:
        """How similar each layer's output is to its input; and the Gram matrix of what the classifier reads."""
        cosines = torch.zeros(self.depth, dtype=torch.float64)
        means = torch.zeros(self.depth + 1, self._n, self._hidden)  # of real tokens: the embeddings, then each layer
        read = torch.zeros(1, self._n, self._width)
        for batch in self.batches:
            entered = self._stack.enter(batch)
            states = [entered.state]  # each (micro-batch, longest, hidden)
            for number in range(self.depth):
                states.append(self._stack.layer(number, entered, states[-1]))
                both = torch.cosine_similarity(states[-2], states[-1], dim=-1)  # (micro-batch, longest)
                cosines[number] += both[batch.real].double().sum()
            for point, state in enumerate(states):
                means[point, batch.examples] = (state * batch.real[..., None]).sum(1) / batch.lengths[:, None]
            read[0, batch.examples] = self._stack.finish(entered, states[-1]).read
            self.step(self.passes)
        grams, tokens = prepare(u_centred_bands(means)), sum(int(batch.real.sum()) for batch in self.batches)
        steps = cka(compare(grams, grams)).diagonal(1)  # (layers,)
        scores = LayerScores(cosine=tuple((cosines / tokens).tolist()), cka=tuple(map(_known, steps.tolist())))
        return scores, prepare(u_centred_bands(read))

    def run(self, subsets: Iterable[Layers], full: Grams | None = None) -> dict[Layers, Answered]:
        """Run subsets of the layers.

        Args:
            subsets: Which layers stay.
            full: Of what the full model's classifier reads; None leaves similarity to it unknown.
        """
        found, left = dict[Layers, Answered](), sorted(subsets)  # each begins with as much of the one before as it can
        while left:
            some, left = left[: self._at_once], left[self._at_once :]
            labels = torch.zeros(len(some), self._n, dtype=torch.int16)
            read = torch.zeros(len(some), self._n, self._width)
            for batch in self.batches:
                for index, answer in enumerate(self._answers(batch, some)):
                    labels[index, batch.examples] = answer.logits.argmax(-1).short()
                    read[index, batch.examples] = answer.read
                    self.step(self.passes)
            for kept, row, one in zip(some, labels.tolist(), read, strict=True):
                similarity = cka(compare(full, prepare(u_centred_bands(one[None])))).item() if full else torch.nan
                found[kept] = tuple(row), _known(similarity)
        return found

    def _answers(self, batch: MicroBatch, subsets: Sequence[Layers]) -> Iterator[Answer]:
        entered = self._stack.enter(batch)
        states, path = [entered.state], tuple[int, ...]()
        for kept in subsets:
            shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(path, kept, strict=False)))
            del states[shared + 1 :]
            for number in kept[shared:]:
                states.append(self._stack.layer(number, entered, states[-1]))
            path = kept
            yield self._stack.finish(entered, states[-1])


def _known(value: float) -> float | None:
    return None if value != value else round(value, DECIMALS)
