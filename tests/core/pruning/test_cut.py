"""A cut model computes what the larger one does without some layers, and plain transformers loads it."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny import left_whole, make_encoder, make_texts
from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from core.encoder.architectures import encoder_layers
from core.encoder.batches import MicroBatch, micro_batches
from core.encoder.loading import load, save
from core.inputs.checkpoint_files import CONFIG
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


@pytest.mark.parametrize("name", [*CAN_LOSE_LAYERS, "sst2"])
def test_a_saved_cut_is_loaded_by_transformers_alone(checkpoints: dict[str, str], tmp_path: Path, name: str) -> None:
    resolved = resolve(checkpoints.get(name, "embedded:sst2"))
    full, folder = load(resolved), tmp_path / name
    small = cut(full.model, KEPT)
    size = save(small, resolved, folder)
    assert size == sum(path.stat().st_size for path in folder.iterdir() if path.suffix != ".npy")
    saved, original = (json.loads((each / CONFIG).read_text()) for each in (folder, resolved.folder))
    assert saved["dtype"] == original["dtype"] == ("float16" if name in ("bert", "sst2") else "float32")
    count = "n_layers" if name == "distilbert" else "num_hidden_layers"
    assert saved[count] == len(KEPT)
    changed = {key for key in original if saved[key] != original[key]} - {"transformers_version", "_name_or_path"}
    assert changed == {count}
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    inputs = AutoTokenizer.from_pretrained(folder)([text for (text,) in TEXTS], padding=True, return_tensors="pt")
    with torch.inference_mode():
        torch.testing.assert_close(model(**inputs).logits, small(**inputs).logits, rtol=0, atol=1e-5)
    assert model.num_parameters() < full.record.num_parameters
