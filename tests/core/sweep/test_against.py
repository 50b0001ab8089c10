"""A pruned checkpoint against another unpruned one: two layers against three, other sizes, another tokenizer."""

import shutil
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from strangers import weights
from tiny import make_pretrained

from core.encoder.loading import load
from core.errors import PrunescopeError
from core.inputs.checkpoints import resolve
from core.results.provenance import recipe
from core.results.schema import SweepResult
from core.results.store import load as load_result
from core.results.store import save
from core.sweep.recompute import verify_frame
from core.sweep.sweep import SharedPasses, sweep
from tests.core.sweep.test_sweep import numbers, parts, run
from tests.refusals import refusal

SMALL = {"amounts": (0.0, 0.3, 0.6), "num_examples": 40}


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three layers without a classifier, of another width and with another tokenizer."""
    return make_pretrained(tmp_path_factory.mktemp("other") / "pretrained")


@pytest.fixture(scope="module")
def rectangular(tiny_bert: Path, glue_folder: Path, pretrained: Path) -> SweepResult:
    return run(tiny_bert, glue_folder, against=str(pretrained), **SMALL)


def test_it_agrees_with_torch_cka_and_a_new_computation(
    rectangular: SweepResult, tiny_bert: Path, glue_folder: Path, pretrained: Path
) -> None:
    places = {"checkpoint": str(tiny_bert), "data": str(glue_folder)}
    with pytest.raises(PrunescopeError, match=r"folder 'pretrained'.*give it with --against"):
        verify_frame(rectangular, 0.6, **places)
    assert "has the content" in refusal(verify_frame, rectangular, 0.6, **places, against=str(tiny_bert))
    found = verify_frame(rectangular, 0.6, **places, against=str(pretrained))
    assert found.engine == {"mean": 0.0, "cls": 0.0}
    assert 0 < max(found.torch_cka.values()) < 1e-5
    assert found.within_tolerance


def test_the_same_weights_give_an_ordinary_runs_numbers(tiny_bert: Path, glue_folder: Path, tmp_path: Path) -> None:
    alone = run(tiny_bert, glue_folder, **SMALL)
    for folder in (tiny_bert, shutil.copytree(tiny_bert, tmp_path / "copy")):
        assert numbers(run(tiny_bert, glue_folder, against=str(folder), **SMALL)) == numbers(alone)
    (folder / "config.json").write_text((folder / "config.json").read_text() + "\n")  # another content
    beside = run(tiny_bert, glue_folder, against=str(folder), **SMALL)
    assert beside.against.revision != beside.checkpoint.revision
    for frame, expected in zip(beside.frames, alone.frames, strict=True):
        assert [frame.matrix(name) for name in ("mean", "cls")] == [expected.matrix(name) for name in ("mean", "cls")]
        assert (frame.predictions, frame.divergence) == (expected.predictions, expected.divergence)
    assert beside.statistics["cka"] == alone.statistics["cka"]
    assert beside.working_range == alone.working_range
    assert beside.key != alone.key


def test_a_result_records_both_and_has_what_two_checkpoints_can_have(rectangular: SweepResult, tmp_path: Path) -> None:
    assert (rectangular.checkpoint.id, rectangular.against.id) == ("tiny-bert", "pretrained")
    assert "Replace ./pretrained with the path" in recipe(rectangular).missing
    assert "--against ./pretrained" in recipe(rectangular).script
    assert (rectangular.similarity.length_control, rectangular.floor) == ((), None)
    for frame in rectangular.frames:
        assert tuple(frame.similarity["cka"]) == rectangular.reductions == ("mean", "cls")
        assert frame.similarity["partial_cka"] == {"mean": None, "cls": None}
        assert np.shape(frame.similarity["cka"]["mean"]) == (3, 2)
    path = save(rectangular, tmp_path)
    assert numbers(load_result(path)) == numbers(rectangular)


def test_its_pass_is_shared_and_reported(
    tiny_bert: Path, glue_folder: Path, pretrained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[object] = []
    monkeypatch.setattr("core.sweep.meter.load", lambda *given, **more: loads.append(given) or load(*given, **more))
    shared, told = SharedPasses(), list[tuple[str, int, int]]()
    for points, method in product(("attention", "both"), ("magnitude", "random")):
        options = {"points": points, "method": method, "num_examples": 40, "against": str(pretrained)}
        checkpoint, inputs, request = parts(tiny_bert, glue_folder, **options)
        together = sweep(checkpoint, inputs, request, shared=shared)
        alone = sweep(checkpoint, inputs, request, lambda *at: told.append(at))
        assert numbers(together) == numbers(alone)
    assert len(loads) == 4 + 2, "once for each kind of points"
    assert told[:3] == [("Measuring the other checkpoint", k, 3) for k in (1, 2, 3)]


def test_an_encoder_that_lacks_weights_is_refused(tmp_path: Path, pretrained: Path) -> None:
    broken = shutil.copytree(pretrained, tmp_path / "broken")
    weights(lambda found: found.pop("encoder.layer.1.output.dense.weight"))(broken)
    for needs_head, said in ((False, "with all weights of its encoder"), (True, "fine-tuned for sequence classific")):
        with pytest.raises(PrunescopeError, match=rf"lacks \d+ weights.*{said}"):
            load(resolve(str(broken)), needs_head=needs_head)
