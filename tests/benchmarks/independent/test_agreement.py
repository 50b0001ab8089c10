"""The engine against the independent computation, on tiny random models: every method, scope and kind of point."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import make_bert, make_texts
from transformers import AutoTokenizer

from benchmarks.independent import __main__ as command
from benchmarks.independent.agreement import AGREED, EVERYTHING, Agreement, agreement, other_predictions
from benchmarks.independent.masks import magnitude
from benchmarks.independent.model import Seen, read_bert, see, token_vectors, tokenised
from benchmarks.independent.statistics import cka_matrix
from core.pruning import random
from core.similarity.torch_cka import torch_cka_matrix
from core.sweep import equal_damage


def compared(checkpoint: Path, data: Path, case: str = "magnitude", *options: str) -> Agreement:
    """Compares one case; 24 examples are the fewest but two that have neighbours."""
    arguments = ["--checkpoint", str(checkpoint), "--data", str(data), "--examples", "24", "--amounts", "0.1,0.3"]
    return agreement(command.request_of(command.parse([*arguments, *options]), case))


@pytest.mark.parametrize("case", command.CASES)
def test_every_method_agrees(tiny_bert: Path, glue_folder: Path, case: str) -> None:
    found = compared(tiny_bert, glue_folder, case)
    assert found.holds, list(command.report(case, found))
    assert all(mask.entries > 10_000 for mask in found.masks.values())
    without_floor = {name for name in EVERYTHING if "partial" in name or name == "floor"}
    missing = {name for name in EVERYTHING if found.exact[name]["mean"] is None}
    assert missing == (without_floor if case.endswith("residual") else set())
    assert {name for name in AGREED if found.end_to_end[name]["mean"] is None} == missing & set(AGREED)


@pytest.mark.parametrize(
    "options",
    [
        ("--points", "both", "--task", "mrpc", "--examples", "70"),  # the last minibatch of `tokens` takes 38
        ("--scope", "all-linear", "--points", "layer"),
        ("--scope", "layer:1", "--points", "both"),
    ],
    ids=["pairs at both points", "all-linear at layers", "one layer"],
)
def test_scopes_points_and_pairs_agree(tiny_bert: Path, glue_folder: Path, options: tuple[str, ...]) -> None:
    found = compared(tiny_bert, glue_folder, "magnitude", *options)
    assert found.holds, list(command.report("magnitude", found))


def test_masks_agree_where_many_weights_tie(tmp_path: Path, glue_folder: Path) -> None:
    folder = make_bert(tmp_path / "coarse", dtype=torch.bfloat16)
    found = compared(folder, glue_folder)
    assert found.holds
    assert not any(mask.near for mask in found.masks.values()), "of equal weights both sides remove the first"


def test_command_prints_a_table_and_notices_what_is_wrong(
    tiny_bert: Path, glue_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["--checkpoint", str(tiny_bert), "--data", str(glue_folder), "--examples", "24", "--amounts", "0.3"]
    assert command.main([*arguments, "--method", "magnitude"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "magnitude: within tolerance"
    assert {line[2:46].strip() for line in lines} >= set(EVERYTHING)

    right = equal_damage.gap
    monkeypatch.setattr(equal_damage, "gap", lambda profile: right(profile) + 1e-4)
    assert command.main([*arguments, "--method", "magnitude"]) == 1


def test_masks_of_another_seed_are_noticed(tiny_bert: Path, glue_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = random.draws
    monkeypatch.setattr(random, "draws", lambda weights, seed: right(weights, seed + 1))
    found = compared(tiny_bert, glue_folder, "random-of-wanda")
    assert not found.holds
    assert all(mask.far > 1_000 for mask in found.masks.values())


def test_predictions_that_the_logits_fix_are_told_from_near_ties() -> None:
    logits = np.array([[1, 1.00001], [1, 0], [0, 1], [0, 1]])
    assert other_predictions([((0, 0, 1, 0), Seen([], logits)), ((1, 0, 1, 1), Seen([], logits))]) == (1, 1)


def test_torch_cka_agrees_with_the_definition(tiny_bert: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    model, points = read_bert(tiny_bert), ("layer.0.attention", "layer.1.attention")
    examples = tokenised(tokenizer, [(text,) for text in make_texts(70)], 128)
    pruned = model.pruned({name: torch.from_numpy(mask.keep) for name, mask in magnitude(model, None)(0.6).items()})
    first, second = (token_vectors(see(bert, examples, points).states) for bert in (model, pruned))
    pairs = [(torch.from_numpy(a), torch.from_numpy(b)) for a, b in zip(first, second, strict=True)]
    theirs = torch_cka_matrix(pairs, len(pairs), (len(points), len(points)))
    np.testing.assert_allclose(theirs.numpy(), cka_matrix(first, second), atol=1e-4)
