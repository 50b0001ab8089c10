"""A measured study: units scored on the model that loses them, sizes of what is saved, times with intervals."""

from copy import deepcopy
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny import loaded
from torch import nn

from core.encoder.batches import micro_batches
from core.inputs.prepare import CutInputs
from core.pruning import Baseline, Calibration, PrunedModel, module_of
from core.pruning.units import UnitPlan, clean_units
from core.results import store
from core.results.cut import SHARES, CutStudy, packed, unpacked
from core.sweep import cuts
from core.sweep.cuts import study
from tests.measured import measured

DEPTH = 3
Made = tuple[Path, CutInputs, CutStudy]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return measured(tmp_path_factory.mktemp("smaller"), "bert")


def test_units_go_by_the_attribution_in_the_model_that_loses_them(made: Made) -> None:
    _, inputs, found = made
    checkpoint = loaded(inputs.resolved)
    narrower = [cut for cut in found.cuts if cut.share]
    assert [(len(each.layers), each.share) for each in narrower] == list(product(range(DEPTH, 0, -1), SHARES))
    batches = micro_batches(checkpoint.tokenizer, inputs.calibration.texts)
    calibration = Calibration(batches, torch.tensor(inputs.calibration.record.gold), lambda *_: None)
    for narrow in narrower:
        small: Any = deepcopy(checkpoint.model)
        small.bert.encoder.layer = nn.ModuleList(small.bert.encoder.layer[k] for k in narrow.layers)
        plan = module_of("attribution").plan(Baseline(small, (narrow.share,), calibration=calibration))
        units = [(intermediate,) for _, intermediate in clean_units(small)]
        alone = UnitPlan(units, [(scores,) for _, scores in plan.scores])
        with PrunedModel(small, alone) as pruned:
            pruned.prune(narrow.share)
            for (each,), bits in zip(units, narrow.kept, strict=True):
                rows = each.entries[0].parameter.any(1).nonzero()[:, 0]
                assert rows.tolist() == unpacked(bits).tolist()
            assert {len(unpacked(bits)) for bits in narrow.kept} == {round((1 - narrow.share) * units[0][0].size)}
            for examples, said in ((inputs.calibration, narrow.calibration), (inputs.subset, narrow.judged)):
                encoded = [checkpoint.tokenizer(*text, return_tensors="pt") for text in examples.texts]
                with torch.inference_mode():
                    assert tuple(int(small(**one).logits.argmax()) for one in encoded) == said
        correct = np.array(narrow.judged) == found.task.gold
        assert narrow.worth.metrics["accuracy"] == pytest.approx(correct.mean())


def test_what_was_measured_is_kept_beside_the_study_not_in_its_key(made: Made, tmp_path: Path) -> None:
    _, inputs, found = made
    assert [cut for cut in found.cuts if cut.size] == found.offered
    offered, left = [(len(cut.layers), cut.share) for cut in found.offered], range(DEPTH, 0, -1)
    assert offered == [*product(left, [0.0]), *product(left, SHARES)]
    full, *models = [cut.size for cut in found.offered if cut.size]
    assert (full.parameters, full.speeds) == (found.checkpoint.num_parameters, {})
    for size in models:
        assert size.bytes < full.bytes
        assert size.parameters < full.parameters
        assert [*size.speeds] == [1, 32]
        assert all(0 < times.low <= times.value <= times.high for times in size.speeds.values())
    two, one = models[:2]
    assert 2 * (full.parameters - two.parameters) == full.parameters - one.parameters
    assert full.bytes - two.bytes == pytest.approx(2 * (full.parameters - two.parameters), abs=4096), "float16"
    made_by = found.environment
    assert (made_by["threads"], made_by["processor"]) == (torch.get_num_threads(), cuts.processor())
    assert store.load_cut(store.save(found, tmp_path)) == found
    assert study(loaded(inputs.resolved), inputs).key == found.key
    lacking = found.model_dump(mode="json")
    lacking["cuts"][-1]["kept"] = []
    with pytest.raises(ValueError, match="do not fit each other"):
        CutStudy.model_validate(lacking)


def test_medians_and_bits_by_hand() -> None:
    assert packed([0, 9], 10) == "gEA="  # 1000 0000 0100 0000
    assert unpacked("gEA=").tolist() == [0, 9]
    found = cuts.median_of([3.0, 1.0, 2.0])
    assert (found.low, found.value, found.high) == (1.0, 2.0, 3.0)
    many = np.random.default_rng(0).normal(1.5, 0.1, 400)
    wide = cuts.median_of(many)  # of a normal distribution the median's error is 1.2533 times the mean's
    assert (wide.high - wide.low) / 2 == pytest.approx(1.96 * 1.2533 * 0.1 / np.sqrt(400), rel=0.3)
