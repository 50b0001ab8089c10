"""The device: which one is chosen, that a model's work is on it, and what a full memory does.

PyTorch's fake tensors are on any device, without a GPU and without numbers, and refuse operations
that mix devices.
"""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import Mock, NonCallableMagicMock, call

import numpy as np
import pytest
import torch
from tiny import loaded, make_calibration, make_texts
from torch._subclasses.fake_tensor import FakeTensorMode, unset_fake_temporarily
from torch.fx.experimental.symbolic_shapes import ShapeEnv
from transformers import AutoModelForSequenceClassification

from core import api, cut, grid, precompute
from core.encoder.architectures import classifier
from core.encoder.batches import MicroBatch, Window, plan_windows
from core.encoder.device import device_of, in_parts, place
from core.encoder.loading import Checkpoint, borrow
from core.encoder.representations import Recorder, Representations
from core.errors import OUT_OF_MEMORY, PrunescopeError
from core.inputs.checkpoints import resolve
from core.pruning import attribution, wanda
from core.pruning.plan import Baseline, PrunedModel
from core.request.catalog import ROOT
from core.request.scope import point_names
from core.results.cut import TRAINING
from core.training.refit import Refitting
from core.training.speed import sizes
from tests import commands
from tests.refusals import refusal

TEXTS = [(text,) for text in make_texts(20)]
POINTS = point_names("both", 2)
FULL = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
# Of the devices that fake tensors may have, one that Python's brackets take.
AWAY = torch.device("lazy:0")


@pytest.fixture
def windows(tiny_bert: Path) -> list[Window]:
    return plan_windows(loaded(resolve(str(tiny_bert))).tokenizer, TEXTS, 1)


@pytest.fixture
def elsewhere(
    tiny_bert: Path, windows: object, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Checkpoint]:
    """A tiny model on another device; what looks at numbers is left out."""
    for name in (
        "encoder.representations.check_finite",
        "training.refit.check_finite",
        "training.loop._finite",
    ):
        monkeypatch.setattr(f"core.{name}", lambda *_: 0.0)
    monkeypatch.setattr("core.training.loop._mean_loss", lambda *_: 0.0)
    monkeypatch.setattr(FakeTensorMode, "__deepcopy__", lambda mode, _: mode, raising=False)
    checkpoint = loaded(resolve(str(tiny_bert)))
    with FakeTensorMode(allow_non_fake_inputs=True, shape_env=ShapeEnv()):
        with AWAY:
            model = AutoModelForSequenceClassification.from_config(checkpoint.model.config).eval()
        yield checkpoint._replace(model=model)


def stored(model: Any, windows: list[Window], most: int = 99) -> Representations:
    """Run a model where it is; memory is full with more than so many examples at once."""
    with unset_fake_temporarily():
        buffers = Representations(windows, classifier(model), len(POINTS), 32)

    def keep(batch: MicroBatch) -> None:
        if len(batch.examples) > most:
            raise FULL
        logits = recorder.run(batch)
        assert {values.device for values in recorder.states} == {device_of(model)}
        buffers.store(batch, logits, recorder.states)

    with Recorder(model, POINTS) as recorder:
        for batch in windows[0].micro_batches:
            in_parts(model, batch, keep)
    return buffers


def test_layers_points_pooling_and_the_head_run_on_the_device(
    elsewhere: Checkpoint, windows: list[Window]
) -> None:
    assert {
        values.device.type for values in stored(elsewhere.model, windows).features.values()
    } == {"cpu"}


def test_weights_are_scored_and_pruned_on_the_device(
    elsewhere: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wanda, "RowPlan", lambda weights, scores: list(scores))
    calibration = make_calibration(elsewhere.tokenizer, [0, 1] * 10)
    for method, scope in ((attribution, None), (wanda, "all-linear")):
        assert method.plan(Baseline(elsewhere.model, (0.5,), scope, 0, calibration))
    monkeypatch.setattr("torch.count_nonzero", lambda _: 0)
    weight = next(elsewhere.model.parameters())
    plan = Mock(
        parameters=[weight],
        **{"keep_masks.return_value": [torch.ones(weight.shape)]},
    )
    assert PrunedModel(elsewhere.model, plan).prune(0.5)


def test_a_cut_is_refitted_on_the_device(
    elsewhere: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    how = TRAINING.model_copy(update={"layers": 1, "steps": 2, "batch": 4})
    inputs = Mock(texts=TEXTS, numbers=np.split(np.arange(20), (8, 14)))
    inputs.record.training = how
    monkeypatch.setattr("core.training.refit.stored_dtype", lambda _: torch.float16)

    refitting = Refitting(elsewhere, inputs)
    _, means = refitting.outputs(lambda _: None)
    made = refitting.refit(2, lambda _: None)

    assert device_of(made.model) == AWAY
    assert {values.device.type for values in (means, made.logits)} == {"cpu"}
    monkeypatch.setattr("core.training.speed._saved_bytes", lambda *_: 8)
    assert sizes(
        [NonCallableMagicMock()],
        Mock(),
        elsewhere.tokenizer,
        TEXTS,
        lambda _: None,
    ), "what is moved runs"


def test_values_are_handed_over_in_one_place() -> None:
    folders = ("encoder", "pruning", "sweep", "training", "similarity")
    files = [path for folder in folders for path in (ROOT / "core" / folder).glob("*.py")]
    assert [
        path.name for path in files if re.search(r"\.cpu\(|\.numpy\(force", path.read_text())
    ] == ["device.py"]


# ---------------------------------------------------------------- memory and choice


def test_a_micro_batch_without_memory_is_halved_and_at_last_run_on_the_processor(
    tiny_bert: Path, windows: list[Window], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = loaded(resolve(str(tiny_bert))).model
    whole = stored(model, windows)
    parts = stored(model, windows, most=3)
    for name in ("logits", "read", "mean", "cls", "packed"):
        torch.testing.assert_close(getattr(parts, name), getattr(whole, name), rtol=0, atol=1e-5)
    assert refusal(stored, model, windows, 0) == OUT_OF_MEMORY
    (batch, *_), done, moved = windows[0].micro_batches, list[int](), Mock()
    monkeypatch.setattr(
        "core.encoder.device.device_of",
        lambda _: torch.device("cpu" if moved.to.called else "meta"),
    )

    def work(part: MicroBatch) -> None:
        if part.real.is_meta:
            raise torch.OutOfMemoryError("MPS backend out of memory")
        done.extend(part.examples.tolist())

    in_parts(moved, batch, work)
    assert done == batch.examples.tolist(), "every example once"
    moved.to.assert_called_once_with("cpu")


def test_a_borrowed_model_is_on_the_device(
    tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.encoder.device.chosen_device", lambda: torch.device("meta"))
    monkeypatch.setattr("core.encoder.loading._loaded", {})
    with (
        pytest.raises(PrunescopeError, match="set PRUNESCOPE_DEVICE=cpu"),
        borrow(resolve(str(tiny_bert))),
    ):
        raise FULL
    place(model := Mock(**{"to.side_effect": [FULL, None]}))
    assert model.to.call_args_list == [call(torch.device("meta")), call("cpu")]


def test_a_wrong_device_is_one_line_that_names_the_right_ones(
    tiny_bert: Path,
    glue_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    (tmp_path / "grid.yaml").write_text(
        f"checkpoints: {tiny_bert}\ntasks: sst2\ndata: {glue_folder}\nexamples: 8"
    )
    rows = f"--checkpoint {tiny_bert} --task sst2 --data {glue_folder}"
    there = (
        "there is no device 'cuda:2' here: "
        "set PRUNESCOPE_DEVICE or --device to one of auto, cuda:0, cuda:1, cpu"
    )
    for command, line in ((precompute, rows), (cut, rows), (grid, f"{tmp_path}/grid.yaml")):
        monkeypatch.setenv("PRUNESCOPE_DEVICE", "cpu")
        assert refusal(commands.call, command, f"{line} --device cuda:2") == there, command
    ask = partial(
        api.sweep,
        tiny_bert,
        ["good", "bad"] * 40,
        [1, 0] * 40,
        task="sst2",
        amounts=0.5,
    )
    assert refusal(ask, device="cuda:2") == refusal(ask) == there, "asked for until another one is"
    assert ask(device="cpu").environment["device"] == "cpu"
