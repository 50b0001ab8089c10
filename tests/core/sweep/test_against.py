"""A pruned checkpoint against another unpruned one: two layers against three, other sizes, another tokenizer."""

import shutil
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import loaded, make_bert, make_pretrained
from torch.nn.utils import prune

from core.encoder.architectures import encoder_layers
from core.encoder.loading import load
from core.errors import PrunescopeError
from core.inputs.prepare import prepare
from core.request.sweep_request import SweepRequest, checked
from core.results.provenance import recipe
from core.results.schema import GapAtDamage, NotAtDamage, SweepResult
from core.results.store import load as load_result
from core.results.store import save
from core.sweep.equal_damage import Missing
from core.sweep.recompute import verify_frame
from core.sweep.runner import Progress
from core.sweep.shared import SharedPasses
from core.sweep.sweep import sweep
from tests.core.sweep.test_shared import numbers
from tests.core.sweep.test_sweep import hsic1, parts, run

AMOUNTS = (0.0, 0.3, 0.6)


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three layers without a classifier, of another width and with another tokenizer."""
    return make_pretrained(tmp_path_factory.mktemp("other") / "pretrained")


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `tiny_bert`, from another seed."""
    return make_bert(tmp_path_factory.mktemp("other") / "twin", seed=5)


@pytest.fixture(scope="module")
def rectangular(tiny_bert: Path, glue_folder: Path, pretrained: Path) -> SweepResult:
    return run(
        tiny_bert,
        glue_folder,
        against=str(pretrained),
        amounts=AMOUNTS,
        num_examples=40,
    )


def representations(
    model: torch.nn.Module, tokenizer: object, texts: Sequence[tuple[str, ...]]
) -> dict[str, np.ndarray]:
    """Runs one unpadded sentence at a time; returns (points, n, hidden) float64 of every attention block."""
    found: dict[str, list[list[np.ndarray]]] = {"mean": [], "cls": []}
    for sentence in texts:
        states: list[np.ndarray] = []
        hooks = [
            layer.attention.register_forward_hook(lambda *caught, states=states: states.append(caught[2][0][0].numpy()))
            for layer in encoder_layers(model)
        ]
        with torch.inference_mode():
            model(**tokenizer(*sentence, return_tensors="pt"))
        for hook in hooks:
            hook.remove()
        found["mean"].append([state.astype(np.float64).mean(0) for state in states])
        found["cls"].append([state.astype(np.float64)[0] for state in states])
    return {name: np.array(rows).swapaxes(0, 1) for name, rows in found.items()}


def cka(x: np.ndarray, y: np.ndarray) -> float:
    return hsic1(x, y) / np.sqrt(hsic1(x, x) * hsic1(y, y))


class TestTheNumbers:
    def test_agree_with_numpy_across_unequal_sizes(
        self, rectangular: SweepResult, tiny_bert: Path, glue_folder: Path, pretrained: Path
    ) -> None:
        checkpoint, inputs, _, _ = parts(tiny_bert, glue_folder, against=str(pretrained), num_examples=40)
        other = load(inputs.against, needs_head=False)
        rows = representations(other.model, other.tokenizer, inputs.subset.texts)
        for frame in rectangular.frames:
            pruned = loaded(inputs.resolved)
            prune.global_unstructured(
                [
                    (module, "weight")
                    for layer in encoder_layers(pruned.model)
                    for module in layer.modules()
                    if isinstance(module, torch.nn.Linear)
                ],
                prune.L1Unstructured,
                amount=frame.amount,
            )
            columns = representations(pruned.model, checkpoint.tokenizer, inputs.subset.texts)
            for reduction in ("mean", "cls"):
                expected = np.array([[cka(x, y) for y in columns[reduction]] for x in rows[reduction]])
                assert expected.shape == (3, 2)
                np.testing.assert_allclose(frame.matrix(reduction), expected, rtol=0, atol=1e-6)

    def test_agree_with_torch_cka_and_a_new_computation(
        self, rectangular: SweepResult, tiny_bert: Path, glue_folder: Path, pretrained: Path
    ) -> None:
        places = {"checkpoint": str(tiny_bert), "data": str(glue_folder)}
        with pytest.raises(PrunescopeError, match=r"folder 'pretrained'.*give it with --against"):
            verify_frame(rectangular, 0.6, **places)
        with pytest.raises(PrunescopeError, match="has the content"):
            verify_frame(rectangular, 0.6, **places, against=str(tiny_bert))
        found = verify_frame(rectangular, 0.6, **places, against=str(pretrained))
        assert found.engine == {"mean": 0.0, "cls": 0.0}
        assert 0 < max(found.torch_cka.values()) < 1e-5
        assert found.within_tolerance

    def test_of_the_same_weights_under_another_name_are_those_without_it(
        self, tiny_bert: Path, glue_folder: Path, tmp_path: Path
    ) -> None:
        copy = shutil.copytree(tiny_bert, tmp_path / "copy")
        (copy / "config.json").write_text((copy / "config.json").read_text() + "\n")  # another content
        alone = run(tiny_bert, glue_folder, amounts=AMOUNTS)
        beside = run(tiny_bert, glue_folder, amounts=AMOUNTS, against=str(copy))
        assert beside.against.revision != beside.checkpoint.revision
        for frame, expected in zip(beside.frames, alone.frames, strict=True):
            for reduction in ("mean", "cls"):
                assert frame.matrix(reduction) == expected.matrix(reduction)
            assert frame.metrics == expected.metrics
            assert (frame.predictions, frame.changed) == (expected.predictions, expected.changed)
            assert frame.divergence == expected.divergence
        assert beside.statistics["cka"] == alone.statistics["cka"]
        assert beside.working_range == alone.working_range
        assert beside.key != alone.key

    @pytest.mark.parametrize("other", ["the same place", "a copy"])
    def test_of_a_checkpoint_against_itself_are_those_of_an_ordinary_run(
        self, tiny_bert: Path, glue_folder: Path, tmp_path: Path, other: str
    ) -> None:
        against = tiny_bert if other == "the same place" else shutil.copytree(tiny_bert, tmp_path / "copy")
        alone, beside = run(tiny_bert, glue_folder), run(tiny_bert, glue_folder, against=str(against))
        assert beside.against is None
        assert numbers(beside) == numbers(alone)

    def test_do_not_depend_on_the_bands(
        self,
        rectangular: SweepResult,
        tiny_bert: Path,
        glue_folder: Path,
        pretrained: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("core.similarity.gram.BAND_BYTES", 6 * 40 * 8 * 5)  # 15 rows of 2 points, 10 of 3
        banded = run(tiny_bert, glue_folder, against=str(pretrained), amounts=AMOUNTS, num_examples=40)
        for frame, expected in zip(banded.frames, rectangular.frames, strict=True):
            np.testing.assert_allclose(frame.matrix("mean"), expected.matrix("mean"), rtol=0, atol=1e-6)


class TestTheResult:
    def test_records_both(self, rectangular: SweepResult) -> None:
        assert (rectangular.checkpoint.id, rectangular.against.id) == ("tiny-bert", "pretrained")
        assert (rectangular.against.num_layers, rectangular.against.hidden_size) == (3, 48)
        assert rectangular.against.architecture == "BertModel"
        assert rectangular.baseline_points == tuple(f"layer.{k}.attention" for k in range(3))
        assert "Replace ./pretrained with the path" in recipe(rectangular).missing
        assert "--against ./pretrained" in recipe(rectangular).command

    def test_has_what_two_checkpoints_can_have(self, rectangular: SweepResult) -> None:
        assert rectangular.reductions == ("mean", "cls")
        assert {tuple(frame.similarity["cka"]) for frame in rectangular.frames} == {("mean", "cls")}
        assert rectangular.similarity.length_control == ()
        assert rectangular.floor is None
        assert rectangular.statistics is None, "no layer has its own"
        for frame in rectangular.frames:
            assert frame.own("mean") is None
            assert frame.similarity["partial_cka"] == {"mean": None, "cls": None}
            assert np.shape(frame.similarity["cka"]["mean"]) == (3, 2)

    def test_can_be_stored(self, rectangular: SweepResult, tmp_path: Path) -> None:
        path = save(rectangular, tmp_path)
        assert path.stem == rectangular.key
        assert numbers(load_result(path)) == numbers(rectangular)

    def test_has_damage_and_gap_only_at_equal_depth(self, tiny_bert: Path, glue_folder: Path, twin: Path) -> None:
        result = run(tiny_bert, glue_folder, against=str(twin), amounts=(0.0, 0.2, 0.4, 0.6, 0.8, 0.95))
        unpruned = 1 - np.mean(result.frames[0].own("mean"))
        assert 0.1 < unpruned < 1, "they differ without pruning"
        known = result.statistics["cka"]["mean"].gap_at_damage
        assert known["0.05"] == NotAtDamage(reason=Missing.REACHED_UNPRUNED)
        assert not any(isinstance(at, GapAtDamage) for damage, at in known.items() if float(damage) < unpruned)

    @pytest.mark.parametrize(
        ("damage", "options"),
        [
            ("matrix", {"against": None}),
            ("statistics", {"statistics": {"cka": {}}}),
            ("floor", {"floor": {"cka": {}, "predictions": [0] * 40}}),
        ],
    )
    def test_is_refused_where_its_parts_do_not_fit(
        self, rectangular: SweepResult, damage: str, options: dict[str, object]
    ) -> None:
        with pytest.raises(ValueError, match=r"length control|no floor"):
            SweepResult.model_validate({**rectangular.model_dump(mode="json"), **options})


class TestTheRequest:
    def test_shares_the_other_checkpoint_s_pass(
        self, tiny_bert: Path, glue_folder: Path, pretrained: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        loads: list[object] = []
        monkeypatch.setattr(
            "core.sweep.against.load", lambda *given, **options: loads.append(given) or load(*given, **options)
        )
        shared, found = SharedPasses(), []
        for points, method in product(("attention", "both"), ("magnitude", "random")):
            options = {"points": points, "method": method, "num_examples": 40, "against": str(pretrained)}
            checkpoint, inputs, request, _ = parts(tiny_bert, glue_folder, **options)
            *_, together = sweep(checkpoint, inputs, request, shared=shared)
            *_, alone = sweep(checkpoint, inputs, request)
            found.append(numbers(together) == numbers(alone))
        assert found == [True] * 4
        assert len(loads) == 4 + 2, "once for each kind of points"

    def test_reports_the_other_checkpoint_s_pass_and_can_be_cancelled_there(
        self, tiny_bert: Path, glue_folder: Path, pretrained: Path
    ) -> None:
        checkpoint, inputs, request, _ = parts(tiny_bert, glue_folder, against=str(pretrained))
        events = sweep(checkpoint, inputs, request)
        first = next(events)
        assert isinstance(first, Progress)
        assert (first.stage, first.done, first.total) == ("Measuring the other checkpoint", 1, 5)
        events.close()
        assert not any(module._forward_hooks for module in checkpoint.model.modules())

    def test_refuses_to_stop_at_a_damage(self) -> None:
        with pytest.raises(PrunescopeError, match=r"damage 0\.3 against another checkpoint"):
            checked(SweepRequest("embedded:sst2", "sst2", against="embedded:cola", until_damage=0.3))
        itself = checked(SweepRequest("embedded:sst2", "sst2", against="embedded:sst2", until_damage=0.3))
        assert itself.against is None

    def test_refuses_what_is_no_checkpoint_by_the_rules_for_the_first(
        self, monkeypatch: pytest.MonkeyPatch, pretrained: Path
    ) -> None:
        with pytest.raises(PrunescopeError, match="unknown embedded checkpoint 'nothing'"):
            checked(SweepRequest("embedded:sst2", "sst2", against="embedded:nothing"))
        monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
        with pytest.raises(PrunescopeError, match="is not a checkpoint"):
            checked(SweepRequest("embedded:sst2", "sst2", against=str(pretrained)))

    def test_refuses_an_encoder_that_lacks_weights(self, tmp_path: Path, pretrained: Path) -> None:
        from safetensors.torch import load_file, save_file

        broken = shutil.copytree(pretrained, tmp_path / "broken")
        weights = load_file(broken / "model.safetensors")
        del weights["encoder.layer.1.output.dense.weight"]
        save_file(weights, broken / "model.safetensors", {"format": "pt"})
        request = SweepRequest("embedded:sst2", "sst2", against=str(broken), data="written")
        with pytest.raises(PrunescopeError, match=r"lacks 1 weights.*with all weights of its encoder"):
            load(prepare(request).against, needs_head=False)
        with pytest.raises(PrunescopeError, match="fine-tuned for sequence classification"):
            load(prepare(request).against)
