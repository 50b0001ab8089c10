"""Run an encoder classifier in pieces: the embeddings once, single layers on any hidden state, and what follows them.

So layers before a changed one are computed once, and subsets of layers share their first ones. No part of a model is
written anew here: its own forward pass runs with stand-ins for its layers, which note what each is given beside the
hidden state (masks, position embeddings, relative positions). A piece computes what the ordinary pass computes there.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from core.encoder.architectures import Catcher, classifier_input, encoder_layers
from core.encoder.batches import MicroBatch
from core.encoder.onednn import fast_linear
from core.encoder.representations import check_finite

Given = tuple[tuple[Any, ...], Mapping[str, Any]]  # a layer's arguments behind the hidden state, and the named ones
StandIn = Callable[[int, Tensor, Given], Tensor]  # (layer, from 0; hidden state; the rest) -> hidden state


class Entered(NamedTuple):
    """A micro-batch behind the embeddings, before the first layer.

    Attributes:
        batch: The micro-batch.
        state: (micro-batch, longest, hidden) float32, what the first layer reads.
        given: What the model passes to each layer beside the hidden state.
    """

    batch: MicroBatch
    state: Tensor
    given: Sequence[Given]


class Answer(NamedTuple):
    """What a model makes of its last layer's output.

    Attributes:
        logits: (micro-batch, labels) float32.
        read: (micro-batch, width) float32, what the classifier reads: the input of the layer that computes the logits.
    """

    logits: Tensor
    read: Tensor


class Stack:
    """An encoder classifier that runs piece by piece; its layers may be pruned between two calls.

    `enter`, each layer once in its order and `finish` are an ordinary pass. Layers may also be called in any other
    order, or left out: no supported model computes anything between two layers (one that does is refused when it is
    read). A layer keeps its own arguments: of ModernBERT, whose layers attend to all tokens or to near
    ones by their place, one behind a left-out layer does what it did; a model loaded with fewer layers would not.

    Attributes:
        depth: The number of encoder layers.
        passes: How many layers `layer` has computed, each on one micro-batch.
    """

    def __init__(self, model: nn.Module, checkpoint: str = "checkpoint") -> None:
        """Prepare a model.

        Args:
            model: An encoder classifier in eval mode.
            checkpoint: Its name, for messages.
        """
        self._model, self._checkpoint, self._layers = model, checkpoint, encoder_layers(model)
        self._in_tuple: bool | None = None  # whether its layers return their state in one; None until one has run
        self.depth, self.passes = len(self._layers), 0

    def enter(self, batch: MicroBatch) -> Entered:
        """Compute the embeddings of a micro-batch, and what each layer is given."""
        states, given = list[Tensor](), list[Given]()

        def note(number: int, state: Tensor, rest: Given) -> Tensor:
            if self._in_tuple is None:
                first = self._layers[0]
                self._in_tuple = isinstance(type(first).forward(first, state, *rest[0], **rest[1]), tuple)
            states.append(state)
            given.append(rest)
            return state

        self._pass(batch, note)
        return Entered(batch, states[0], given)

    @torch.inference_mode()
    def layer(self, number: int, entered: Entered, state: Tensor) -> Tensor:
        """Compute one layer.

        Args:
            number: The layer, from 0.
            entered: The micro-batch.
            state: (micro-batch, longest, hidden), what the layer reads.

        Returns:
            Its output, of the same shape.
        """
        self.passes += 1
        args, named = entered.given[number]
        with fast_linear():
            output = self._layers[number](state, *args, **named)
        return output if isinstance(output, Tensor) else output[0]

    def finish(self, entered: Entered, state: Tensor) -> Answer:
        """Compute what follows the layers.

        Args:
            entered: The micro-batch.
            state: (micro-batch, longest, hidden), what the last layer returns.

        Raises:
            PrunescopeError: Logits are not finite.
        """
        last = self.depth - 1
        with Catcher(self._model, [classifier_input(self._model)]) as caught:
            logits = self._pass(entered.batch, lambda number, before, _: state if number == last else before)
            (read,) = caught.states
        check_finite(logits, self._checkpoint)
        return Answer(logits, read)

    @torch.inference_mode()
    def _pass(self, batch: MicroBatch, stand_in: StandIn) -> Tensor:
        """Run the model with stand-ins for its layers; return its logits, (micro-batch, labels)."""
        with self._replaced(stand_in), fast_linear():
            return self._model(**batch.inputs).logits

    @contextmanager
    def _replaced(self, stand_in: StandIn) -> Iterator[None]:
        def forward(number: int, state: Tensor, *args: Any, **named: Any) -> Tensor | tuple[Tensor, None]:
            output = stand_in(number, state, (args, named))
            return (output, None) if self._in_tuple else output

        try:
            for number, layer in enumerate(self._layers):
                layer.forward = partial(forward, number)  # hides the class's
            yield
        finally:
            for layer in self._layers:
                del layer.forward
