"""A refitted model computes, saved and read by plain transformers, what was judged.

The checkpoint never changes.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny import UNLIKE, left_whole, loaded, make_encoder, make_texts
from transformers import AutoModelForSequenceClassification

from core.encoder.loading import Checkpoint, save, stored_dtype
from core.inputs.checkpoints import Resolved, resolve
from core.results.schema import TrainingRecord
from core.training.loop import soft_targets
from core.training.refit import Refitted, Refitting

HOW = TrainingRecord(
    layers=2,
    steps=22,
    batch=8,
    rate=1e-3,
    targets="answers",
    temperature=2.0,
    seed=0,
)
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


def refitted(
    checkpoint: Checkpoint,
    *depths: int,
    dtype: torch.dtype = torch.float32,
    **how: Any,
) -> list[Refitted]:
    refitting = Refitting(checkpoint, TEXTS, dtype)
    targets = soft_targets(refitting.outputs(silent)[0], HOW.temperature)
    settings = HOW.model_copy(update=how)
    return [
        refitting.refit(layers, targets, (REFIT, STOP), JUDGED, settings, silent)
        for layers in depths
    ]


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
        shallow, deep = refitted(checkpoint, 1, 3, dtype=stored_dtype(resolved))
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


def test_the_same_seed_gives_the_same_bits_whatever_was_refitted_before(
    tmp_path: Path,
) -> None:
    _, checkpoint = checkpoint_of(tmp_path)
    alone, (_, after) = refitted(checkpoint, 3)[0], refitted(checkpoint, 2, 3)
    other = refitted(checkpoint, 3, seed=1)[0]
    assert torch.equal(alone.logits, after.logits)
    assert not torch.equal(alone.logits, other.logits)
    assert all(
        map(
            torch.equal,
            alone.model.state_dict().values(),
            after.model.state_dict().values(),
        )
    )


def test_what_report_raises_ends_the_work_at_once(tmp_path: Path) -> None:
    _, checkpoint = checkpoint_of(tmp_path)
    refitting = Refitting(checkpoint, TEXTS, torch.float32)
    calls = list[float]()
    targets = soft_targets(refitting.outputs(silent)[0], HOW.temperature)

    def cancel(share: float) -> None:
        calls.append(share)
        if len(calls) == 21:
            raise KeyboardInterrupt

    with left_whole(checkpoint.model), pytest.raises(KeyboardInterrupt):
        refitting.refit(2, targets, (REFIT, STOP), JUDGED, HOW, cancel)
    assert calls == [step / HOW.steps for step in range(1, 22)]
