"""Which layers may stay: what subsets compute, and what the rules choose."""

import pytest
import torch

from benchmarks.subsets import LAYERS, Row, choices, run
from core.encoder.loading import load
from core.inputs.cut_rows import prepare_cut
from core.pruning.cut import cut
from core.request.cut_request import CutRequest
from core.request.sweep_request import checked


def test_a_subset_computes_what_the_model_of_these_layers_does() -> None:
    inputs = prepare_cut(checked(CutRequest("embedded:sst2", "sst2", data="written")))
    checkpoint, texts = load(inputs.resolved), inputs.subset.texts[:20]
    by_subset, cosines = run(checkpoint, texts, 1)
    encoded = checkpoint.tokenizer(*texts[0], return_tensors="pt")
    for subset in ("025", "13", LAYERS):
        with torch.no_grad():
            output = cut(checkpoint.model, [*map(int, subset)])(
                **encoded, output_hidden_states=True
            )
        states = torch.cat(output.hidden_states)  # (1 + layers, tokens, hidden)
        logits, means = by_subset[subset]
        assert logits[0].tolist() == pytest.approx(output.logits[0].tolist(), abs=1e-4)
        assert means[0].tolist() == pytest.approx(states[-1].mean(0).tolist(), abs=1e-4)
    assert cosines == pytest.approx(
        torch.cosine_similarity(states[:-1], states[1:], -1).mean(1).tolist(), abs=1e-5
    )


def test_the_rules_choose_by_depth_likeness_and_hindsight() -> None:
    held = {
        subset: {"held": len({*subset} & {*"145"}) / 9} for subset in ("0123", "0145", "135", "145")
    }
    row = Row("sst2", [0.1, 0.9, 0.2, 0.8, 0.3, 0.4], held)
    assert [*choices(row, 4).values()] == ["0123", "0124", "0245", "0145"]
    assert [*choices(row, 3).values()] == ["012", "024", "024", "145"]
