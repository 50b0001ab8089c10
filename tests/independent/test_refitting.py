"""A depth that is refitted on states in memory is what a loop of one's own makes of sentences."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import loaded, make_cut_inputs

from core.results.schema import TrainingRecord
from core.training.loop import shuffled, soft_targets
from core.training.refit import Refitting
from tests.independent.refitting import batches_of, refitted


@pytest.mark.parametrize(("layers", "steps"), [(1, 30), (2, 30), (2, 60)])
def test_refitting_agrees_with_a_loop_of_its_own(tmp_path: Path, layers: int, steps: int) -> None:
    inputs = make_cut_inputs(tmp_path)
    how = TrainingRecord(
        layers=1, steps=steps, batch=8, rate=1e-3, targets="answers", temperature=2.0, seed=3
    )
    texts = (*inputs.refit, *inputs.stop, *inputs.subset.texts)
    refit, stop, judged = inputs.division
    expected, step = refitted(
        inputs.resolved.folder, texts, (refit, stop), layers, vars(how), torch.float16
    )
    rows = torch.arange(len(texts)).numpy()
    refitting = Refitting(loaded(inputs.resolved), texts, torch.float16)
    targets = soft_targets(refitting.outputs(lambda _: None)[0], how.temperature)
    split = rows[:refit], rows[refit : refit + stop]
    made = refitting.refit(layers, targets, split, rows[-judged:], how, lambda _: None)
    assert made.steps == step > 0
    torch.testing.assert_close(
        made.logits, expected, rtol=0, atol=5e-3
    )  # a weight may round to its neighbour
    assert (made.logits.argmax(-1) != expected.argmax(-1)).sum() <= 1


@settings(max_examples=50, deadline=None)
@given(count=st.integers(1, 200), size=st.integers(1, 40), seed=st.integers(0, 2**32 - 1))
def test_batches_come_in_the_described_order(count: int, size: int, seed: int) -> None:
    lengths = np.random.RandomState(2).randint(1, 50, count)
    expected = batches_of(np.arange(count), lengths, size, 50, seed)
    batches = islice(shuffled(np.arange(count), lengths, size, seed), 50)
    assert all(map(np.array_equal, batches, expected))
