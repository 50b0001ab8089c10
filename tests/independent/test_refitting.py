"""A depth refitted on states in memory is what a loop of one's own makes of sentences."""

from pathlib import Path

import pytest
import torch
from tiny import loaded, make_cut_inputs

from core.training.refit import Refitting
from tests.independent.refitting import refitted

STEPS = 20  # fewer than before the first look at the rows that stop


@pytest.mark.parametrize("layers", [1, 2])
def test_refitting_agrees_with_a_loop_of_its_own(tmp_path: Path, layers: int) -> None:
    inputs = make_cut_inputs(tmp_path, dtype=torch.float16)
    how = inputs.record.training.model_copy(
        update={
            "layers": 1,
            "steps": STEPS,
            "batch": 8,
            "rate": 1e-3,
            "seed": 3,
        }
    )
    inputs = inputs._replace(record=inputs.record.model_copy(update={"training": how}))
    trained, _, judged = inputs.numbers

    refitting = Refitting(loaded(inputs.resolved), inputs)
    refitting.outputs(lambda _: None)
    made = refitting.refit(layers, lambda _: None)

    folder = inputs.resolved.folder
    logits = refitted(folder, inputs.texts, len(trained), layers, vars(how), torch.float16)[judged]
    assert made.steps == STEPS
    # A weight may be rounded to a neighbour in float16.
    torch.testing.assert_close(made.logits, logits, rtol=0, atol=5e-3)
    assert (made.logits.argmax(-1) != logits.argmax(-1)).sum() <= 1
