"""Masks from float64 scores: cuts by hand, what lies next to them, and torch's own magnitude pruning."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import prune
from transformers import AutoModelForSequenceClassification

from benchmarks.independent.masks import Mask, cut, differences, magnitude
from benchmarks.independent.model import read_bert


def test_cut_removes_the_smallest_of_each_row_and_of_equal_ones_the_first() -> None:
    mask = cut(np.array([[3.0, 1, 2, 1], [5, 5, 5, 4]]), 2)
    assert mask.keep.tolist() == [[True, False, True, False], [False, True, True, False]]
    assert mask.near.tolist() == [[False, True, False, True], [True, True, True, False]]
    assert cut(np.array([3.0, 1]), 0).keep.all()


def test_only_a_difference_next_to_the_cut_is_excused() -> None:
    ours = {"weight": cut(np.array([1.0, 2.0, 2.00001, 3.0]), 2)}
    swapped = {"weight": np.array([False, True, False, True])}  # 2.00001 goes instead of 2
    wrong = {"weight": np.array([True, False, False, True])}  # 2.00001 goes instead of 1
    assert (differences(ours, swapped).near, differences(ours, swapped).far) == (2, 0)
    assert (differences(ours, wrong).near, differences(ours, wrong).far) == (1, 1)


def test_a_parameter_that_only_one_side_prunes_counts() -> None:
    nothing_near = Mask(np.array([True, False]), np.array([False, False]))
    assert differences({}, {"bias": np.array([True, False])}).far == 1
    assert differences({"bias": nothing_near}, {}).far == 1


@pytest.mark.parametrize("scope", ["encoder", "all-linear", "layer:0"])
def test_magnitude_is_global_unstructured_where_no_weights_tie(tiny_bert: Path, scope: str) -> None:
    model = AutoModelForSequenceClassification.from_pretrained(tiny_bert, dtype=torch.float32)
    within = {"encoder": "bert.encoder", "all-linear": "", "layer:0": "bert.encoder.layer.0"}[scope]
    matrices = [
        (name, part) for name, part in model.named_modules() if name.startswith(within) and isinstance(part, nn.Linear)
    ]
    prune.global_unstructured([(part, "weight") for _, part in matrices], prune.L1Unstructured, amount=0.6)
    masks = magnitude(read_bert(tiny_bert), scope)(0.6)
    assert set(masks) == {f"{name}.weight" for name, _ in matrices}
    for name, part in matrices:
        assert np.array_equal(masks[f"{name}.weight"].keep, part.weight_mask.bool().numpy())
