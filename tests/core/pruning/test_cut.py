"""A cut model computes what the larger one does without some layers; exports/test_cut_folder.py saves it."""

from typing import Any

import pytest
import torch
from tiny import left_whole, make_encoder, make_texts
from torch import Tensor, nn

from core.encoder.architectures import encoder_layers
from core.encoder.batches import MicroBatch, micro_batches
from core.encoder.loading import load
from core.inputs.checkpoints import resolve
from core.pruning.cut import cut
from core.request.catalog import SUPPORTED_MODEL_TYPES

TEXTS = [(text,) for text in make_texts(12, seed=3)]
KEPT = 0, 2
CAN_LOSE_LAYERS = sorted({*SUPPORTED_MODEL_TYPES} - {"modernbert"})  # its layers are built differently


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("checkpoints")
    types = {name: torch.float16 if name == "bert" else torch.float32 for name in CAN_LOSE_LAYERS}
    return {name: str(make_encoder(folder / name, name, dtype=dtype)) for name, dtype in types.items()}


def logits(model: nn.Module, batches: list[MicroBatch]) -> Tensor:
    with torch.inference_mode():
        return torch.cat([model(**batch.inputs).logits for batch in batches])


@pytest.mark.parametrize("model_type", CAN_LOSE_LAYERS)
def test_a_cut_layer_is_a_layer_passed_by(checkpoints: dict[str, str], model_type: str) -> None:
    full = load(resolve(checkpoints[model_type]))
    batches = micro_batches(full.tokenizer, TEXTS)
    with left_whole(full.model):
        cut_logits = logits(cut(full.model, KEPT), batches)

    def pass_by(layer: nn.Module, inputs: tuple[Tensor, ...], output: Any) -> Any:
        return inputs[0] if isinstance(output, Tensor) else (inputs[0], *output[1:])

    before = logits(full.model, batches)
    encoder_layers(full.model)[1].register_forward_hook(pass_by)
    torch.testing.assert_close(cut_logits, logits(full.model, batches), rtol=0, atol=1e-5)
    assert (cut_logits - before).abs().max() > 0.01, "the layer must matter"
