"""A classifier in pieces: every architecture, piece by piece, computes what its ordinary forward pass computes."""

import pytest
import torch
from tiny import loaded, make_encoder, make_texts
from torch import Tensor

from core.encoder.architectures import ARCHITECTURES, classifier, encoder_layers, linear_weights
from core.encoder.batches import MicroBatch, micro_batches
from core.encoder.loading import Checkpoint
from core.encoder.representations import Recorder
from core.encoder.stack import Answer, Entered, Stack
from core.inputs.checkpoints import resolve


@pytest.fixture(scope="module", params=sorted(ARCHITECTURES))
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    folder = make_encoder(tmp_path_factory.mktemp("stack") / request.param, request.param, labels=3)
    return loaded(resolve(str(folder)))


@pytest.fixture(scope="module")
def batch(checkpoint: Checkpoint) -> MicroBatch:
    texts: list[tuple[str, ...]] = [(text,) for text in make_texts(5)]  # of different lengths: some are padded
    return micro_batches(checkpoint.tokenizer, texts)[0]


def through(stack: Stack, entered: Entered, layers: range | list[int], state: Tensor | None = None) -> Answer:
    state = entered.state if state is None else state
    for number in layers:
        state = stack.layer(number, entered, state)
    return stack.finish(entered, state)


def ordinary(checkpoint: Checkpoint, batch: MicroBatch) -> tuple[Tensor, list[Tensor]]:
    points = [f"layer.{number}.output" for number in range(len(encoder_layers(checkpoint.model)))]
    with Recorder(checkpoint.model, points) as recorder:
        return recorder.run(batch), recorder.states[:-1]


def test_the_pieces_are_the_ordinary_pass(checkpoint: Checkpoint, batch: MicroBatch) -> None:
    stack = Stack(checkpoint.model)
    entered, (logits, states) = stack.enter(batch), ordinary(checkpoint, batch)
    state = entered.state
    for number, expected in enumerate(states):
        state = stack.layer(number, entered, state)
        assert torch.equal(state, expected)
    found = stack.finish(entered, state)
    assert torch.equal(found.logits, logits)
    assert stack.passes == stack.depth == 3
    with torch.inference_mode():
        torch.testing.assert_close(classifier(checkpoint.model)(found.read), logits)
    assert torch.equal(ordinary(checkpoint, batch)[0], logits)  # the model itself runs as before


def test_a_changed_layer_is_run_from_there_on(checkpoint: Checkpoint, batch: MicroBatch) -> None:
    stack = Stack(checkpoint.model)
    entered = stack.enter(batch)
    before = stack.layer(0, entered, entered.state)
    weights = list(linear_weights(encoder_layers(checkpoint.model)[1]))
    kept = [weight.detach().clone() for weight in weights]
    try:
        for weight in weights:
            weight.data[weight.abs() < 0.3] = 0
        changed, (expected, _) = through(stack, entered, [1, 2], before), ordinary(checkpoint, batch)
    finally:
        for weight, values in zip(weights, kept, strict=True):
            weight.data.copy_(values)
    assert torch.equal(changed.logits, expected)
    assert stack.passes == 3
    unchanged = through(stack, entered, [1, 2], before)
    assert not torch.equal(unchanged.logits, expected)
    assert torch.equal(unchanged.logits, ordinary(checkpoint, batch)[0])


def test_layers_are_left_out_as_transformers_leaves_them_out(checkpoint: Checkpoint, batch: MicroBatch) -> None:
    model = checkpoint.model
    stack = Stack(model)
    found = through(stack, stack.enter(batch), [0, 2]).logits
    parent, name = ARCHITECTURES[str(model.config.model_type)].layers.rpartition(".")[::2]  # type: ignore[union-attr]
    layers = encoder_layers(model)
    try:
        setattr(model.get_submodule(parent), name, torch.nn.ModuleList([layers[0], layers[2]]))
        expected = ordinary(checkpoint, batch)[0]
    finally:
        setattr(model.get_submodule(parent), name, torch.nn.ModuleList(layers))
    assert torch.equal(found, expected)


def test_an_error_leaves_the_model_whole(checkpoint: Checkpoint, batch: MicroBatch) -> None:
    expected, stack = ordinary(checkpoint, batch)[0], Stack(checkpoint.model)
    entered = stack.enter(batch)
    with pytest.raises(RuntimeError):
        stack.finish(entered, entered.state[..., :-1])
    assert torch.equal(ordinary(checkpoint, batch)[0], expected)
