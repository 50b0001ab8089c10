"""The whole sweep against an independent float64 computation: one unpadded sentence at a time, the formula as printed.

`benchmarks.independent` shares nothing with the engine but the definition. On these tiny models both agree to 2e-7.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import make_bert
from torch import nn
from torch.nn.utils import prune
from transformers import AutoTokenizer

from benchmarks import independent
from core.encoder.loading import load
from core.inputs.prepare import prepare
from core.request.catalog import REDUCTIONS
from core.request.sweep_request import SweepRequest, checked
from core.results.schema import SweepResult
from core.results.store import save
from core.similarity.torch_cka import torch_cka_matrix
from core.sweep.sweep import sweep


def swept(folder: Path, glue: Path, **options: object) -> tuple[SweepResult, tuple[tuple[str, ...], ...]]:
    """Runs our sweep; gives the result and the sentences."""
    # 72 examples: the last minibatch of `tokens` takes 40, and micro-batches do not divide them.
    settings = {"task": "sst2", "data": str(glue), "amounts": (0.0, 0.6), "num_examples": 72, **options}
    request = checked(SweepRequest(str(folder), **settings))
    inputs = prepare(request)
    *_, result = sweep(load(inputs.resolved), inputs, request)
    assert isinstance(result, SweepResult)
    return result, inputs.subset.texts


def check(result: SweepResult, texts: tuple[tuple[str, ...], ...], folder: Path) -> None:
    """Asserts that every frame is what the independent computation gives."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    scope, points = str(result.pruning.scope), result.points
    seen = [
        independent.see(independent.pruned_model(folder, scope, amount), tokenizer, texts, points)
        for amount in result.amounts
    ]
    for frame, pruned in zip(result.frames, seen, strict=True):
        found = independent.deviations(frame, independent.cka_matrices(seen[0], pruned))
        assert max(found.values()) < 1e-5, found
        assert frame.predictions == pruned.predictions
        assert frame.metrics["accuracy"] == np.mean(np.array(pruned.predictions) == result.task.gold)


@pytest.mark.parametrize(
    "options",
    [
        {"amounts": (0.0, 0.3, 0.9)},
        {"points": "both", "task": "mrpc"},
        {"scope": "all-linear", "points": "layer"},
        {"scope": "layer:1"},
    ],
    ids=["attention", "pairs at both points", "all-linear at layers", "one layer"],
)
def test_sweep_agrees_with_float64_one_sentence_at_a_time(
    tiny_bert: Path, glue_folder: Path, options: dict[str, str]
) -> None:
    check(*swept(tiny_bert, glue_folder, **options), tiny_bert)


def test_sweep_agrees_where_many_weights_tie(tmp_path: Path, glue_folder: Path) -> None:
    folder = make_bert(tmp_path / "coarse", dtype=torch.bfloat16)
    result, texts = swept(folder, glue_folder)
    encoder = load(prepare(SweepRequest(str(folder), "sst2", data=str(glue_folder))).resolved).model.bert.encoder
    weights = torch.cat([part.weight.abs().flatten() for part in encoder.modules() if isinstance(part, nn.Linear)])
    threshold = weights.sort().values[round(0.6 * len(weights)) - 1]
    assert 0 < (weights < threshold).sum() < round(0.6 * len(weights)) < (weights <= threshold).sum(), "a tie is cut"
    check(result, texts, folder)


@pytest.mark.parametrize("scope", ["encoder", "all-linear", "layer:0"])
def test_sorted_pruning_is_global_unstructured_where_no_weights_tie(tiny_bert: Path, scope: str) -> None:
    model = independent.pruned_model(tiny_bert, scope, 0.6)
    baseline = independent.pruned_model(tiny_bert, scope, 0.0)
    within = {"encoder": "bert.encoder", "all-linear": "", "layer:0": "bert.encoder.layer.0"}[scope]
    names = [name for name, part in baseline.get_submodule(within).named_modules() if isinstance(part, nn.Linear)]
    matrices = [(baseline.get_submodule(within).get_submodule(name), "weight") for name in names]
    prune.global_unstructured(matrices, pruning_method=prune.L1Unstructured, amount=0.6)
    removed = 0
    for name, (expected, _) in zip(names, matrices, strict=True):
        weight = model.get_submodule(within).get_submodule(name).weight
        assert torch.equal(weight, expected.weight)
        removed += int((weight == 0).sum())
    assert removed == round(0.6 * sum(part.weight.numel() for part, _ in matrices))


def test_torch_cka_agrees_with_float64_one_sentence_at_a_time(tiny_bert: Path, glue_folder: Path) -> None:
    result, texts = swept(tiny_bert, glue_folder)
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    baseline, pruned = (
        independent.see(independent.pruned_model(tiny_bert, "encoder", amount), tokenizer, texts, result.points)
        for amount in (0.0, 0.6)
    )
    expected = independent.cka_matrices(baseline, pruned)
    first, second = independent.reduced(baseline.states), independent.reduced(pruned.states)
    for name in REDUCTIONS:
        pairs = [(torch.from_numpy(a), torch.from_numpy(b)) for a, b in zip(first[name], second[name], strict=True)]
        theirs = torch_cka_matrix(pairs, len(pairs), len(result.points))
        np.testing.assert_allclose(theirs.numpy(), expected[name], atol=1e-4)


def test_command_confirms_a_result_and_notices_a_changed_one(
    tiny_bert: Path, glue_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result, _ = swept(tiny_bert, glue_folder)
    arguments = ["--checkpoint", str(tiny_bert), "--data", str(glue_folder)]
    assert independent.main([str(save(result, tmp_path / "true.json")), *arguments]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["amount", "0", "0.6"]

    frame = result.frames[1]
    flipped = frame.model_copy(update={"predictions": (1 - frame.predictions[0], *frame.predictions[1:])})
    changed = result.model_copy(update={"frames": (result.frames[0], flipped)})
    assert independent.main([str(save(changed, tmp_path / "changed.json")), *arguments]) == 1
