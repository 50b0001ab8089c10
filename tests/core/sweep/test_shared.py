"""Sweeps that share the unpruned and the emptied model: the same bits, fewer forward passes."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from core.inputs.prepare import prepare
from core.request.catalog import MEASURES
from core.request.sweep_request import SweepRequest, checked, usual_scope
from core.results.schema import SweepResult
from core.sweep.shared import SharedPasses
from core.sweep.sweep import sweep
from tests.core.sweep.test_sweep import parts

PASS = 5  # micro-batches of 70 examples
REST = 2  # micro-batches of the other 26


def numbers(result: SweepResult) -> dict[str, object]:
    """All of a result but the time that it took, as in its file."""
    return result.model_dump(mode="json", exclude={"seconds", "created_at", "checksum"})


def swept(folder: Path, glue: Path, settings: Sequence[dict[str, object]]) -> list[int]:
    """Check sweeps that share passes against the same sweeps alone; return how many forward passes each made."""
    checkpoint, *_ = parts(folder, glue)
    batches: list[object] = []
    handle = checkpoint.model.register_forward_hook(lambda *batch: batches.append(None))
    shared, passes = SharedPasses(), []
    for options in settings:
        scope = usual_scope(str(options.get("method", "magnitude")))
        known = {"amounts": (0.0, 0.4, 0.8), "num_examples": 70, "scope": scope, **options}
        request = checked(SweepRequest(str(folder), "sst2", data=str(glue), **known))
        inputs = prepare(request)
        before = len(batches)
        *_, together = sweep(checkpoint, inputs, request, shared=shared)
        passes.append(len(batches) - before)
        *_, alone = sweep(checkpoint, inputs, request)
        assert isinstance(together, SweepResult)
        assert isinstance(alone, SweepResult)
        assert numbers(together) == numbers(alone)
    handle.remove()
    return passes


@pytest.mark.parametrize("points", ["attention", "both"])
def test_sweeps_that_share_give_the_same_bits_in_fewer_passes(tiny_bert: Path, glue_folder: Path, points: str) -> None:
    settings = [
        {"points": points, **options}
        for options in (
            {"range_examples": "all", "measures": tuple(MEASURES)},
            {"method": "random", "seed": 3},
            {"scope": "all-linear"},
            {"method": "wanda", "scope": "all-linear"},
            {"measures": tuple(MEASURES)},
        )
    ]
    passes = swept(tiny_bert, glue_folder, settings)
    scoring = passes[3] - 2 * PASS  # of Wanda, on the calibration examples
    assert passes == [4 * PASS + 3 * REST, 2 * PASS, 3 * PASS, 2 * PASS + scoring, 3 * PASS]
    assert scoring > 0


def test_a_neuron_method_shares_the_emptied_encoder(tiny_bert: Path, glue_folder: Path) -> None:
    passes = swept(tiny_bert, glue_folder, [{}, {"method": "random-neuron"}, {"method": "attribution-residual"}])
    assert passes[:2] == [4 * PASS, 2 * PASS]


def test_what_differs_is_measured_again(tiny_bert: Path, glue_folder: Path) -> None:
    settings = [{}, {"points": "layer"}, {"num_examples": 60}, {"num_examples": 60, "range_examples": "all"}]
    unpruned_and_floor, rest = 2 * PASS, 3
    assert swept(tiny_bert, glue_folder, settings) == [
        2 * PASS + unpruned_and_floor,
        2 * PASS + unpruned_and_floor,
        4 * 4,  # micro-batches of 60 examples
        3 * (4 + rest),  # the floor is known, the predictions for the rest are not
    ]
