"""A cut model is the larger one without some layers, and plain transformers reads it as that."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny import left_whole, make_encoder, make_texts
from torch import Tensor, nn

from core.encoder.architectures import encoder_layers
from core.encoder.batches import MicroBatch, micro_batches
from core.encoder.loading import Checkpoint, load, save
from core.inputs.checkpoint_files import CONFIG
from core.inputs.checkpoints import resolve
from core.pruning.cut import cut
from core.request.catalog import SUPPORTED_MODEL_TYPES

TEXTS = [(text,) for text in make_texts(12, seed=3)]
STAYING = 0, 2
CAN_LOSE_LAYERS = sorted({*SUPPORTED_MODEL_TYPES} - {"modernbert"})  # whose layers differ by their place


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("checkpoints")
    types = {name: torch.float16 if name == "bert" else torch.float32 for name in CAN_LOSE_LAYERS}
    return {name: str(make_encoder(folder / name, name, dtype=dtype)) for name, dtype in types.items()}


def logits(model: nn.Module, batches: list[MicroBatch]) -> Tensor:
    with torch.inference_mode():
        return torch.cat([model(**batch.inputs).logits for batch in batches])


@pytest.mark.parametrize("model_type", CAN_LOSE_LAYERS)
def test_what_is_gone_is_as_layers_passed_by(checkpoints: dict[str, str], model_type: str) -> None:
    full = load(resolve(checkpoints[model_type]))
    batches = micro_batches(full.tokenizer, TEXTS)
    with left_whole(full.model):
        found = logits(cut(full.model, STAYING), batches)

    def pass_by(layer: nn.Module, inputs: tuple[Tensor, ...], output: Any) -> Any:
        return inputs[0] if isinstance(output, Tensor) else (inputs[0], *output[1:])

    before = logits(full.model, batches)
    encoder_layers(full.model)[1].register_forward_hook(pass_by)
    torch.testing.assert_close(found, logits(full.model, batches), rtol=0, atol=1e-5)
    assert (found - before).abs().max() > 0.01, "the layer must matter"


READ = """
import json, sys, torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer
found = {}
for folder, texts in json.load(sys.stdin).items():
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    inputs = AutoTokenizer.from_pretrained(folder)(texts, padding=True, return_tensors="pt")
    with torch.inference_mode():
        logits = model(**inputs).logits.tolist()
    found[folder] = logits, sum(weight.numel() for weight in model.parameters())
print(json.dumps(found))
"""


def test_what_is_saved_a_fresh_process_reads_by_transformers_alone(checkpoints: dict[str, str], tmp_path: Path) -> None:
    expected: dict[str, tuple[Checkpoint, Any]] = {}
    for name, place in {**checkpoints, "sst2": "embedded:sst2"}.items():
        resolved = resolve(place)
        full, folder = load(resolved), tmp_path / name
        layers = (*STAYING, 5) if name == "sst2" else STAYING
        small = cut(full.model, layers)
        size = save(small, resolved, folder)
        assert size == sum(path.stat().st_size for path in folder.iterdir() if path.suffix != ".npy")
        said, came = (json.loads((each / CONFIG).read_text()) for each in (folder, resolved.folder))
        assert said["dtype"] == came["dtype"] == ("float16" if name in ("bert", "sst2") else "float32")
        assert said.get("num_hidden_layers", said.get("n_layers")) == len(layers)
        changed = {key for key in came if said[key] != came[key]} - {"transformers_version", "_name_or_path"}
        assert changed == {"n_layers" if name == "distilbert" else "num_hidden_layers"}
        expected[str(folder)] = full, small
    asked = json.dumps({folder: [text for (text,) in TEXTS] for folder in expected})
    ran = subprocess.run([sys.executable, "-c", READ], input=asked, capture_output=True, text=True, check=True)
    for folder, (numbers, parameters) in json.loads(ran.stdout).items():
        full, small = expected[folder]
        inputs = full.tokenizer([text for (text,) in TEXTS], padding=True, return_tensors="pt")
        with torch.inference_mode():
            torch.testing.assert_close(torch.tensor(numbers), small(**inputs).logits, rtol=0, atol=1e-5)
        assert parameters == sum(weight.numel() for weight in small.parameters()) < full.record.num_parameters
