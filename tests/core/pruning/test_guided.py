"""Guided shares: the search against naive passes, the choice against all choices, exact counts, and what it costs."""

from dataclasses import replace
from itertools import product
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from tiny import left_whole, loaded, make_calibration, swept
from torch import nn

from core.encoder.architectures import encoder_layers, linear_weights
from core.errors import PrunescopeError
from core.inputs.prepare import prepare
from core.pruning import Baseline, Calibration, PrunedModel, guided, module_of
from core.pruning.guided import STEPS, best_shares, counts_of, layer_passes, search, shared_out
from core.request.sweep_request import SweepRequest, checked
from core.sweep.meter import make_plan, silent
from tests.independent import statistics

GUIDED = ("cka", "divergence")


@pytest.mark.parametrize("seed", range(5))
def test_the_best_shares_are_those_of_all_that_there_are(seed: int) -> None:
    losses = np.random.default_rng(seed).integers(0, 6, (3, 4))  # small numbers: many sums are equal
    found = best_shares(losses)
    for total, shares in enumerate(found):
        every = [steps for steps in product(range(4), repeat=3) if sum(steps) == total]
        sums = {steps: sum(losses[layer, step] for layer, step in enumerate(steps)) for steps in every}
        assert shares == max(steps for steps in every if sums[steps] == min(sums.values())), "lower layers lose more"
    assert len(found) == 3 * 3 + 1


def test_counts_are_exact_between_two_steps_as_well() -> None:
    assert shared_out(7, [1, 1, 1]) == (3, 2, 2)
    assert shared_out(7, [0, 3, 1]) == (0, 5, 2)
    assert shared_out(0, [0, 0]) == (0, 0)
    shares = best_shares(np.array([[0, 1, 9], [0, 5, 6]]))  # two layers in halves
    assert shares == [(0, 0), (1, 0), (1, 1), (1, 2), (2, 2)]
    size = 2 * 101
    assert counts_of(shares, size, 0) == (0, 0)
    assert counts_of(shares, size, 25) == (25, 0), "below the first step"
    assert counts_of(shares, size, 101) == (51, 50), "101 = 2 steps of 50.5, and the odd one goes to the lower layer"
    assert counts_of(shares, size, 202) == (101, 101)
    for total in range(size + 1):
        counts = counts_of(shares, size, total)
        assert sum(counts) == total
        assert max(counts) <= 101


def examples(model: nn.Module, tokenizer: object) -> Calibration:
    return make_calibration(tokenizer, [0, 1] * 12)


def test_losses_are_those_of_ordinary_passes(model: nn.Module, tokenizer: object) -> None:
    calibration = examples(model, tokenizer)
    before = {name: value.clone() for name, value in model.state_dict().items()}

    def outcome() -> tuple[np.ndarray, np.ndarray]:
        """The logits, and what the classifier of a BERT reads: its pooler's output."""
        logits, read = (torch.zeros(24, width, dtype=torch.float64) for width in (2, 32))
        with torch.no_grad():
            for batch in calibration.batches:
                logits[batch.examples] = model(**batch.inputs).logits.double()
                read[batch.examples] = model.bert(**batch.inputs).pooler_output.double()
        return logits.numpy(), read.numpy()

    found = search(model, calibration)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert found.passes == layer_passes(2) / 2 == 2 + STEPS * 1.5
    unpruned = outcome()
    for number, layer in enumerate(encoder_layers(model)):
        for step in (1, 7, STEPS):
            weights = [weight.detach().numpy() for weight in linear_weights(layer)]
            flat = np.concatenate([weight.ravel() for weight in weights])
            kept = np.ones(len(flat))
            kept[np.abs(flat).argsort(kind="stable")[: round(step / STEPS * len(flat))]] = 0
            parts = np.split(flat * kept, np.cumsum([weight.size for weight in weights])[:-1])
            for weight, values in zip(linear_weights(layer), parts, strict=True):
                weight.data.copy_(torch.tensor(values).view_as(weight))
            logits, read = outcome()
            model.load_state_dict(before)
            similarity = statistics.cka_matrix([unpruned[1][None]], [read[None]])[0, 0]
            assert found.losses["cka"][number, step] == pytest.approx(1e4 * (1 - similarity), abs=0.6)
            expected = 1e4 * statistics.divergence(unpruned[0], logits)
            assert found.losses["divergence"][number, step] == pytest.approx(expected, abs=0.6)
    assert not any(losses[:, 0].any() for losses in found.losses.values())


@pytest.mark.parametrize("method", ["uniform", *GUIDED])
def test_amounts_are_exact_and_do_not_depend_on_each_other(model: nn.Module, tokenizer: object, method: str) -> None:
    amounts = (0.0, 0.013, 0.3, 0.95)
    calibration, plan = examples(model, tokenizer), module_of(method).plan
    whole = plan(Baseline(model, amounts, "encoder", calibration=calibration))
    assert whole.allocation.criterion == method
    total = sum(weight.numel() for weight in whole.parameters)
    assert [sum(counts) for counts in whole.allocation.counts] == [round(amount * total) for amount in amounts]
    alone = plan(Baseline(model, (0.3,), "encoder", calibration=calibration))
    assert alone.allocation.counts == (whole.allocation.counts[2],)
    with PrunedModel(model, whole) as pruned:
        removed = pruned.prune(0.3)
    sizes = [sum(weight.numel() for weight in linear_weights(layer)) for layer in encoder_layers(model)]
    shares = tuple(count / size for count, size in zip(whole.allocation.counts[2], sizes, strict=True))
    assert removed.layer_sparsity == shares
    if method == "uniform":
        assert max(shares) - min(shares) <= 1 / min(sizes)
        assert whole.allocation.passes == 0


def test_one_search_serves_all_it_guides(tiny_bert: Path, glue_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guided, "search", searched := Mock(wraps=search))
    request = SweepRequest(str(tiny_bert), "sst2", data=str(glue_folder), amounts=(0.0, 0.4), num_examples=24)
    plans = {}
    for method, followed in (("cka", None), ("divergence", None), ("random", "cka"), ("random", "divergence")):
        asked = checked(replace(request, method=method, control_of=followed))
        inputs = prepare(asked)
        checkpoint = plans.setdefault("", loaded(inputs.resolved))
        plans[method, followed] = make_plan(checkpoint, inputs.calibration, asked, silent)
    for method in GUIDED:
        both = plans[method, None], plans["random", method]
        own, drawn = ([int(mask.sum()) for mask in plan.keep_masks(0.4, plan.parameters)] for plan in both)
        assert own == drawn
    monkeypatch.setattr("core.request.catalog.GUIDING_EXAMPLES", 20)
    make_plan(plans[""], inputs.calibration, asked, silent)
    on = [len(call.args[1].gold) for call in searched.mock_calls]
    assert on == [len(inputs.calibration.texts), 20], "on other examples, it is another search"


def test_no_more_examples_guide_than_due(tiny_bert: Path, glue_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.request.catalog.GUIDING_EXAMPLES", 20)
    settings = {"amounts": (0.0, 0.3), "num_examples": 24}
    known, scored, control = (
        swept(tiny_bert, glue_folder, **asked, **settings).pruning
        for asked in ({"method": "cka"}, {"method": "wanda"}, {"method": "random", "control_of": "cka"})
    )
    assert known.calibration.num_examples == 20 < scored.calibration.num_examples
    assert known.calibration.fingerprint != scored.calibration.fingerprint
    assert control.calibration == known.calibration, "its counts were chosen on them"
    assert control.allocation is None


def test_a_sweep_that_stops_holds_a_count_for_each_of_its_frames(tiny_bert: Path, glue_folder: Path) -> None:
    asked = {"method": "cka", "amounts": (0.0, 0.3, 0.6, 0.9), "num_examples": 24, "until_damage": 0.01}
    result = swept(tiny_bert, glue_folder, **asked)
    assert len(result.frames) < 4
    assert len(result.pruning.allocation.counts) == len(result.frames)
    for frame, counts in zip(result.frames, result.pruning.allocation.counts, strict=True):
        assert sum(counts) == round(frame.amount * result.checkpoint.num_prunable)


@pytest.mark.parametrize("method", ["uniform", *GUIDED])
@pytest.mark.parametrize("scope", ["all-linear", "layer:0", "layers:0-1"])
def test_shares_are_those_of_the_whole_encoder(method: str, scope: str) -> None:
    for asked in ({"method": method}, {"method": "random", "control_of": method}):
        with pytest.raises(PrunescopeError, match=f"scope '{scope}' with method '{method}': .* choose encoder$"):
            checked(SweepRequest("embedded:sst2", "sst2", scope=scope, **asked))


def test_cancelling_the_search_leaves_the_model_whole(model: nn.Module, tokenizer: object) -> None:
    calibration = examples(model, tokenizer)

    def stop(stage: str, done: int, total: int) -> None:
        assert (stage, total) == (guided.CHOOSING, layer_passes(2) * len(calibration.batches))
        if done == total // 2:
            raise InterruptedError

    with left_whole(model), pytest.raises(InterruptedError):
        search(model, replace(calibration, report=stop))
