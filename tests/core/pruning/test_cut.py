"""A cut model is the larger one without some layers and units, and plain transformers reads it as that."""

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
from core.pruning import PrunedModel
from core.pruning.cut import cut, most_attributed
from core.pruning.units import UnitPlan, clean_units
from core.request.catalog import PLACED_LAYERS, SUPPORTED_MODEL_TYPES

TEXTS = [(text,) for text in make_texts(12, seed=3)]
STAYING = 0, 2
CAN_LOSE_LAYERS = sorted({*SUPPORTED_MODEL_TYPES} - {*PLACED_LAYERS})


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("checkpoints")
    types = {name: torch.float16 if name == "bert" else torch.float32 for name in CAN_LOSE_LAYERS}
    return {name: str(make_encoder(folder / name, name, dtype=dtype)) for name, dtype in types.items()}


def logits(model: nn.Module, batches: list[MicroBatch]) -> Tensor:
    with torch.inference_mode():
        return torch.cat([model(**batch.inputs).logits for batch in batches])


def halved(model: nn.Module) -> list[Tensor]:
    """Half of each layer's units, drawn anew for each layer."""
    draw = torch.Generator().manual_seed(0)
    sizes = [intermediate.size for _, intermediate in clean_units(model)]
    return most_attributed([torch.rand(size, generator=draw) for size in sizes], 0.5)


@pytest.mark.parametrize("model_type", CAN_LOSE_LAYERS)
def test_what_is_gone_is_as_layers_passed_by_and_units_of_zero(checkpoints: dict[str, str], model_type: str) -> None:
    full = load(resolve(checkpoints[model_type]))
    batches, kept = micro_batches(full.tokenizer, TEXTS), halved(full.model)
    with left_whole(full.model):
        small = cut(full.model, STAYING, [kept[layer] for layer in STAYING])
        found, alone = logits(small, batches), logits(cut(full.model, STAYING), batches)

    def pass_by(layer: nn.Module, inputs: tuple[Tensor, ...], output: Any) -> Any:
        return inputs[0] if isinstance(output, Tensor) else (inputs[0], *output[1:])

    units = [(intermediate,) for _, intermediate in clean_units(full.model)]
    ranks = [(torch.zeros(each.size).index_fill(0, stays, 1.0),) for (each,), stays in zip(units, kept, strict=True)]
    handle = encoder_layers(full.model)[1].register_forward_hook(pass_by)
    torch.testing.assert_close(alone, logits(full.model, batches), rtol=0, atol=1e-5)
    with PrunedModel(full.model, UnitPlan(units, ranks)) as pruned:
        pruned.prune(0.5)
        torch.testing.assert_close(found, logits(full.model, batches), rtol=0, atol=1e-5)
        handle.remove()
        assert (found - logits(full.model, batches)).abs().max() > 0.01, "the layer must matter"
    assert (found - alone).abs().max() > 0.01, "the units must matter"


def test_the_least_attributed_go_of_equal_ones_the_first() -> None:
    scores = [torch.tensor([3.0, 1.0, 2.0, 1.0, 1.0]), torch.arange(5.0).flip(0)]
    for removed, stay in ((0.0, [5, 5]), (0.25, [[0, 2, 3, 4], [0, 1, 2, 3]]), (0.5, [[0, 2, 4], [0, 1, 2]])):
        found = most_attributed(scores, removed)
        assert [units.tolist() for units in found] == stay or [len(units) for units in found] == stay


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
        kept = halved(full.model)
        small = cut(full.model, layers, [kept[layer] for layer in layers])
        size = save(small, resolved, folder)
        assert size == sum(path.stat().st_size for path in folder.iterdir() if path.suffix != ".npy")
        said, came = (json.loads((each / CONFIG).read_text()) for each in (folder, resolved.folder))
        assert said["dtype"] == came["dtype"] == ("float16" if name in ("bert", "sst2") else "float32")
        assert said.get("num_hidden_layers", said.get("n_layers")) == len(layers)
        width = len(kept[0])
        changed = {key for key in came if said[key] != came[key]} - {"transformers_version", "_name_or_path"}
        sizes = {"n_layers", "hidden_dim"} if name == "distilbert" else {"num_hidden_layers", "intermediate_size"}
        assert changed == sizes
        assert said.get("intermediate_size", said.get("hidden_dim")) == width
        expected[str(folder)] = full, small
    asked = json.dumps({folder: [text for (text,) in TEXTS] for folder in expected})
    ran = subprocess.run([sys.executable, "-c", READ], input=asked, capture_output=True, text=True, check=True)
    for folder, (numbers, parameters) in json.loads(ran.stdout).items():
        full, small = expected[folder]
        inputs = full.tokenizer([text for (text,) in TEXTS], padding=True, return_tensors="pt")
        with torch.inference_mode():
            torch.testing.assert_close(torch.tensor(numbers), small(**inputs).logits, rtol=0, atol=1e-5)
        assert parameters == sum(weight.numel() for weight in small.parameters()) < full.record.num_parameters
