"""Run subsets of an encoder's layers over examples, and find those that can go.

Subsets are run depth first, so that they share the layers that they begin with: all 2^L subsets of L layers take
2^L - 1 layer passes. Memory holds the hidden states of one micro-batch, and what the classifiers of READ_BYTES read.

Up to ALL_UP_TO layers every subset is run. Of more, a beam search goes down by one layer at a time; it also looks at
what every other criterion would choose, and at subsets drawn at random.

A criterion sees the calibration examples alone. Cosine of a layer's input and output is ShortGPT's block influence (Men
et al. 2024, arXiv 2403.03853, eq. 1: one minus it); dropping from the top, or every second layer from the last but one
down ("odd alternate"), is from Sajjad et al. 2023 (arXiv 2004.03844, section 3).
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, partial
from itertools import combinations, takewhile
from math import comb

import numpy as np
import torch

from core.encoder.architectures import classifier
from core.encoder.batches import MicroBatch, micro_batches
from core.encoder.loading import Checkpoint
from core.encoder.stack import Answer, Stack
from core.inputs.examples import EvalSubset
from core.inputs.hub import Report
from core.request.criteria import CRITERIA, MEASURED, READ
from core.results.cut import ALL_UP_TO, Cut, Layers, LayerScores, Step
from core.similarity.cka import cka
from core.similarity.gram import Grams, compare, prepare, u_centred_bands
from core.sweep.scores import SCORES
from core.sweep.statistics import DECIMALS

BEAM = {MEASURED: 8, READ: 1}  # how many subsets of a size the search goes on from, by a criterion
DRAWN = 5  # subsets of a size that stand for random removal where not all are run
SEARCHING = "Running subsets of layers"  # a stage
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


def sizes(num_layers: int) -> range:
    """Return how many layers stay at each step: from all but one to one."""
    return range(num_layers - 1, 0, -1)


def drawn_subsets(num_layers: int, left: int) -> list[Layers]:
    """Return the subsets of a size that stand for random removal: all, of a deep model DRAWN by a fixed seed."""
    if num_layers <= ALL_UP_TO or comb(num_layers, left) <= DRAWN:
        return list(combinations(range(num_layers), left))
    random, found = np.random.default_rng(left), set[Layers]()
    while len(found) < DRAWN:
        found.add(tuple(sorted(random.choice(num_layers, left, replace=False).tolist())))
    return sorted(found)


def fixed_choice(criterion: str, scores: LayerScores, left: int) -> Layers | None:
    """Return the layers that stay by a criterion that needs no subset to be run.

    Args:
        criterion: `cosine`, `cka`, `top` or `alternate`.
        scores: One value a layer.
        left: How many stay.

    Returns:
        Ascending; None where the criterion is not defined. Of equal layers the upper one goes first.
    """
    num_layers = len(scores.cosine)
    fewer = num_layers - left
    if criterion == "top":
        return tuple(range(left))
    if criterion == "alternate":
        gone = [*range(num_layers - 2, -1, -2)][:fewer]
    else:
        values = [-np.inf if value is None else value for value in getattr(scores, criterion)]
        gone = sorted(range(num_layers), key=lambda k: (-values[k], -k))[:fewer]
    return tuple(sorted({*range(num_layers)} - {*gone})) if len(gone) == fewer else None


def rank(criterion: str, metric: str, gold: Sequence[int], full: Cut, cut: Cut) -> tuple[float, ...]:
    """Return what orders cuts of one size by a criterion that runs them, the best first.

    Args:
        criterion: MEASURED or READ.
        metric: The task's main metric.
        gold: (calibration examples,) label indices.
        full: The full model.
        cut: One of the cuts.
    """
    if criterion == READ:
        return (2.0 if cut.read is None else -round(cut.read, DECIMALS), *cut.layers)
    found, labels = np.array(cut.calibration), np.array(gold)  # each (examples,)
    changed = int((found != np.array(full.calibration)).sum())
    return (-round(float(SCORES[metric](labels, found)), DECIMALS), changed, *cut.layers)


def search(
    runner: SubsetRunner, metric: str, gold: Sequence[int], exhaustive: bool = False
) -> tuple[list[Cut], list[Step]]:
    """Measure cuts until each criterion can choose among them.

    Args:
        runner: Runs subsets on the calibration examples.
        metric: The task's main metric.
        gold: (calibration examples,) label indices.
        exhaustive: Whether every subset is measured, however deep the model.

    Returns:
        What was measured, the full model first, larger ones before smaller ones; and what each criterion chooses.
    """
    full, known, (scores, of_full) = tuple(range(runner.depth)), dict[Layers, Cut](), runner.full
    every, beam, steps = exhaustive or runner.depth <= ALL_UP_TO, {full}, list[Step]()

    def measure(subsets: set[Layers]) -> None:
        for kept, (predictions, read) in runner.run(subsets - {*known}, of_full).items():
            known[kept] = Cut(layers=kept, calibration=predictions, read=read)

    measure({kept for left in range(every * len(full)) for kept in combinations(full, left)} | {full})
    for left in sizes(runner.depth):
        drawn = drawn_subsets(runner.depth, left)
        picks = {name: fixed_choice(name, scores, left) for name in CRITERIA if name not in BEAM}
        if not every:
            children = {tuple(layer for layer in kept if layer != gone) for kept in beam for gone in kept}
            measure({*children, *drawn, *filter(None, picks.values())})
        alike, beam = [cut for cut in known.values() if len(cut.layers) == left], set()
        for name, width in BEAM.items():
            alike.sort(key=partial(rank, name, metric, gold, known[full]))
            beam |= {cut.layers for cut in alike[:width]}
            picks[name] = alike[0].layers
        chosen = {name: kept for name in CRITERIA if (kept := picks[name])}
        steps.append(Step(picks=chosen, drawn=tuple(drawn)))
    return sorted(known.values(), key=lambda cut: (-len(cut.layers), cut.layers)), steps


def layer_passes(depth: int, exhaustive: bool) -> tuple[float, float]:
    """Return about how many layers a study runs over the calibration and over the judged examples.

    Of a search it is what was counted of 12 layers, for any depth.
    """
    every = (1 << depth) - 1
    judged = every if depth <= ALL_UP_TO else 3.3 * depth**2
    return (every if exhaustive or depth <= ALL_UP_TO else 0.8 * depth**3) + depth, judged


def best_subsets(checkpoint: Checkpoint, examples: EvalSubset, report: Report) -> dict[int, Layers]:
    """Return the measured choice of each number of layers, by that number.

    Args:
        checkpoint: The model, which is never changed.
        examples: What it is chosen on.
        report: See `SubsetRunner`.
    """
    passes, _ = layer_passes(checkpoint.record.num_layers, exhaustive=False)
    runner = SubsetRunner(checkpoint, examples, report, SEARCHING, passes)
    _, steps = search(runner, examples.task.main_metric, examples.record.gold)
    return {len(step.picks[MEASURED]): step.picks[MEASURED] for step in steps}
