"""A refitted model computes, saved and read by plain transformers, what was judged.

The checkpoint never changes.
"""

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from tiny import UNLIKE, left_whole, loaded, make_encoder, make_texts
from transformers import AutoModelForSequenceClassification

from core.encoder.loading import Checkpoint, save
from core.inputs.checkpoints import Resolved, resolve
from core.results.cut import TRAINING
from core.training.refit import Refitted, Refitting

HOW = TRAINING.model_copy(update={"steps": 22, "batch": 8, "rate": 1e-3})
TEXTS = [(text,) for text in make_texts(70, seed=3)]
REFIT = np.arange(40)
STOP = np.arange(40, 52)
JUDGED = np.arange(52, 70)


def checkpoint_of(
    folder: Path, model_type: str = "bert", **options: Any
) -> tuple[Resolved, Checkpoint]:
    resolved = resolve(str(make_encoder(folder / "base", model_type, layers=4, **options)))
    return resolved, loaded(resolved)


def silent(share: float) -> None:
    assert 0 <= share <= 1


def refitting_of(resolved: Resolved, **how: Any) -> Refitting:
    """Return a refitting that has run the full model."""
    inputs = Mock(resolved=resolved, texts=TEXTS, numbers=[REFIT, STOP, JUDGED])
    inputs.record.training = HOW.model_copy(update=how)
    refitting = Refitting(loaded(resolved), inputs)
    refitting.outputs(silent)
    return refitting


def refitted(resolved: Resolved, *depths: int, **how: Any) -> list[Refitted]:
    refitting = refitting_of(resolved, **how)
    return [refitting.refit(layers, silent) for layers in depths]


def plain_logits(folder: Path, checkpoint: Checkpoint) -> torch.Tensor:
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.inference_mode():
        rows = [checkpoint.tokenizer(*TEXTS[row], return_tensors="pt") for row in JUDGED]
        return torch.cat([model(**row).logits for row in rows])


@pytest.mark.parametrize("model_type", UNLIKE)
def test_what_is_saved_predicts_what_was_judged_and_its_top_alone_has_changed(
    model_type: str, tmp_path: Path
) -> None:
    def fill(_: object, __: object, inputs: dict[str, torch.Tensor]) -> None:
        if len(inputs["input_ids"]) > HOW.batch:
            raise torch.OutOfMemoryError("CUDA out of memory")

    resolved, checkpoint = checkpoint_of(tmp_path, model_type, dtype=torch.float16)
    with (
        left_whole(checkpoint.model),
        checkpoint.model.register_forward_pre_hook(fill, with_kwargs=True),
    ):
        shallow, deep = refitted(resolved, 1, 3)
    assert deep.steps
    for made, layers in ((shallow, 1), (deep, 3)):
        save(made.model, resolved, tmp_path / str(layers))
        assert made.model.config.num_hidden_layers == layers
        torch.testing.assert_close(
            plain_logits(tmp_path / str(layers), checkpoint),
            made.logits,
            rtol=0,
            atol=1e-5,
        )
    before = checkpoint.model.state_dict()
    after = deep.model.state_dict()
    changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
    upper = (".1.", ".2.", "classifier", "pooler", "head.", "final_norm")
    assert all(any(part in name for part in upper) for name in changed)
    assert all(any(part in name for name in changed) for part in (".1.", ".2.", "classifier"))


def test_the_same_seed_gives_the_same_bits_whatever_was_refitted_before(tmp_path: Path) -> None:
    resolved, _ = checkpoint_of(tmp_path)

    (alone,) = refitted(resolved, 3)
    _, after = refitted(resolved, 2, 3)
    (other,) = refitted(resolved, 3, seed=1)

    assert torch.equal(alone.logits, after.logits)
    assert not torch.equal(alone.logits, other.logits)
    weights = alone.model.state_dict().values()
    assert all(map(torch.equal, weights, after.model.state_dict().values()))


def test_what_report_raises_ends_the_work_at_once(tmp_path: Path) -> None:
    resolved, checkpoint = checkpoint_of(tmp_path)
    refitting = refitting_of(resolved)
    calls = list[float]()

    def cancel(share: float) -> None:
        calls.append(share)
        if len(calls) == 21:
            raise KeyboardInterrupt

    with left_whole(checkpoint.model), pytest.raises(KeyboardInterrupt):
        refitting.refit(2, cancel)

    assert calls == [step / HOW.steps for step in range(1, 22)]
