"""Whole layers as a method of sweeps: what is passed by, what answers then, and what is undefined without a layer."""

from pathlib import Path

import numpy as np
import pytest
from tiny import left_whole, loaded, make_encoder, predicted_by_transformers, write_sst2

from core.encoder.loading import save
from core.inputs.prepare import prepare
from core.pruning.cut import cut
from core.request.sweep_request import SweepRequest, checked
from core.results import store
from core.results.key import sealed
from core.sweep.search import best_subsets
from core.sweep.sweep import sweep
from tests.refusals import refusal

DEPTH = 4


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sst2(tmp_path_factory.mktemp("data"))


def asked(checkpoint: Path, data: Path) -> SweepRequest:
    return checked(SweepRequest(str(checkpoint), "sst2", "layers", scope=None, points="layer", data=str(data)))


@pytest.mark.parametrize("model_type", ["bert", "distilbert", "deberta-v2", "mpnet"])
def test_each_frame_has_a_layer_fewer_and_answers_as_transformers(data: Path, tmp_path: Path, model_type: str) -> None:
    request = asked(make_encoder(tmp_path / model_type, model_type, layers=DEPTH, seed=3), data)
    inputs = prepare(request)
    checkpoint = loaded(inputs.resolved)
    with left_whole(checkpoint.model):
        result = sweep(checkpoint, inputs, inputs.request)
    assert store.load(store.save(result, tmp_path / "out")) == sealed(result)
    assert inputs.key_of(request) == result.key, "it is found again by what was asked for"
    assert result.amounts == pytest.approx([k / DEPTH for k in range(DEPTH)], abs=1e-6)
    assert (result.floor, result.statistics, result.pruning.scope) == (None, None, None)
    chosen = best_subsets(checkpoint, inputs.calibration, lambda *_: None)
    for fewer, frame in enumerate(result.frames):
        kept = tuple(k for k, share in enumerate(frame.layer_sparsity) if share == 0)
        assert kept == (chosen[DEPTH - fewer] if fewer else tuple(range(DEPTH)))
        assert {*frame.layer_sparsity} <= {0.0, 1.0}
        assert frame.prunable_sparsity == pytest.approx(fewer / DEPTH)
        folder = tmp_path / f"{model_type}-{fewer}"
        save(cut(checkpoint.model, kept), inputs.resolved, folder)
        assert frame.predictions == tuple(predicted_by_transformers(folder, [text for (text,) in inputs.subset.texts]))
        for reduction in result.reductions:
            matrix = np.array(frame.matrix(reduction), np.float64)  # (baseline points, pruned points)
            assert [not np.isnan(column).any() for column in matrix.T] == [k in kept for k in range(DEPTH)]
        assert frame.own("mean", "partial_cka") is None
        assert frame.read is not None


def test_models_that_cannot_lose_layers_are_refused(data: Path, tmp_path: Path) -> None:
    assert "cannot lose layers" in refusal(prepare, asked(make_encoder(tmp_path / "modernbert", "modernbert"), data))
