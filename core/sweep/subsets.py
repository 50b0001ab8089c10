"""Run subsets of an encoder's layers over examples: depth first, so that subsets share the layers that they begin with.

All 2^L subsets of L layers take 2^L - 1 layer passes. Memory holds the hidden states of one micro-batch, and what the
classifiers of READ_BYTES read.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import takewhile

import torch

from core.encoder.architectures import classifier
from core.encoder.batches import MicroBatch, micro_batches
from core.encoder.loading import Checkpoint
from core.encoder.stack import Answer, Stack
from core.inputs.examples import EvalSubset
from core.inputs.hub import Report
from core.results.cut import Layers, LayerScores
from core.similarity.cka import cka
from core.similarity.gram import Grams, compare, prepare, u_centred_bands
from core.sweep.statistics import DECIMALS

READ_BYTES = 256 * 2**20  # limit on what the classifiers of all subsets read in memory at once

Answered = tuple[tuple[int, ...], float | None]
"""What a subset predicts, (examples,); and CKA of what its classifier reads with what the full model's reads."""


class SubsetRunner:
    """Runs subsets of a checkpoint's layers over examples.

    Args:
        checkpoint: The model, which is never changed.
        examples: The examples.
        report: Called with (stage, done, total) after each subset on each micro-batch, done always below total; an
            exception that it raises ends the run, unchanged.
        stage: The stage.
        passes: About how many layers will be run on each micro-batch.

    Attributes:
        depth: The number of layers.
        batches: The micro-batches.
        tokens: What the model reads of them, padding included.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        examples: EvalSubset,
        report: Report = lambda *_: None,
        stage: str = "",
        passes: float = 1.0,
    ) -> None:
        self._stack, self.depth = Stack(checkpoint.model, checkpoint.record.id), checkpoint.record.num_layers
        self.batches = micro_batches(checkpoint.tokenizer, examples.texts)
        self.tokens = sum(batch.real.numel() for batch in self.batches)
        self._report, self._stage, self._total = report, stage, round(passes * len(self.batches))
        self._n = len(examples.texts)
        self._width, self._hidden = classifier(checkpoint.model).in_features, checkpoint.record.hidden_size
        self._at_once = max(READ_BYTES // (self._n * self._width * 4), 1)

    def _step(self) -> None:
        self._report(self._stage, min(self._stack.passes, self._total - 1), self._total)

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
            self._step()
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
                    self._step()
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
