"""The procedures in the race: from a loaded checkpoint and its sentences to the accuracy at every pruning amount.

All but the plain forward passes also compute the CKA of the attention blocks at every amount. The two references are
written as their users would write them, with every choice in their favour (the mask is made permanent, so that
forward passes need not apply it again; the sentences are tokenised once).
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import cka as pytorch_cka
import numpy as np
import torch
import torch_cka
import transformers.models.bert.modeling_bert  # noqa: F401 (lazy in transformers; must count as an import here)
from torch import Tensor, nn
from torch.nn.utils import prune
from torch.utils.data import DataLoader
from transformers import AutoModelForSequenceClassification, AutoTokenizer  # noqa: F401 (the same)

from core.encoder.architectures import attention_block, encoder_layers
from core.encoder.loading import Checkpoint
from core.inputs.examples import EvalSubset
from core.inputs.prepare import Inputs
from core.request.catalog import MAX_LENGTH
from core.request.sweep_request import SweepRequest
from core.results.schema import SweepResult
from core.sweep.sweep import sweep

PUBLISHED_BATCH = 16
CAREFUL_BATCH = 32
PLAIN_BATCH = 16


@dataclass(frozen=True)
class Workload:
    """The input of every procedure.

    Attributes:
        checkpoint: The loaded baseline.
        inputs: The examples.
        request: Its amounts, by magnitude over the encoder, at attention blocks.
    """

    checkpoint: Checkpoint
    inputs: Inputs
    request: SweepRequest

    @property
    def subset(self) -> EvalSubset:
        """The evaluation examples."""
        return self.inputs.subset


Accuracies = list[float]
Loader = DataLoader[Any]
Procedure = Callable[[Workload], Accuracies]


class OneInput(nn.Module):
    """A classifier that takes all its inputs as one tensor, because both packages pass only one."""

    def __init__(self, model: nn.Module, names: Sequence[str]) -> None:
        super().__init__()
        self.model, self.names = model, names
        self.eval()  # pytorch-cka restores the mode that the outermost module had

    def forward(self, stacked: Tensor) -> Tensor:
        """Compute logits (batch, labels) from (batch, inputs, tokens)."""
        inputs = dict(zip(self.names, stacked.unbind(1), strict=True))  # each (batch, tokens)
        logits: Tensor = self.model(**inputs).logits
        return logits

    def attention_points(self) -> list[str]:
        """Return the names of the modules whose outputs are the attention blocks."""
        names = {module: name for name, module in self.named_modules()}
        return [names[attention_block(self.model, layer).module] for layer in encoder_layers(self.model)]


def stacked_batches(
    workload: Workload, texts: Sequence[tuple[str, ...]], size: int, padding: Literal["longest", "max_length"]
) -> tuple[list[Tensor], list[str]]:
    """Tokenise texts in batches.

    Args:
        workload: Its tokenizer is used.
        texts: One or two texts per example.
        size: Examples in a batch.
        padding: To the batch's longest example, or to 128 tokens.

    Returns:
        The batches, each (batch, inputs, tokens), and the names of the inputs.
    """
    tokenizer: Any = workload.checkpoint.tokenizer
    batches, names = [], []
    for start in range(0, len(texts), size):
        columns = [list(column) for column in zip(*texts[start : start + size], strict=True)]
        encoded = tokenizer(*columns, truncation=True, max_length=MAX_LENGTH, padding=padding, return_tensors="pt")
        batches.append(torch.stack(list(encoded.values()), dim=1))  # (batch, inputs, tokens)
        names = list(encoded)
    return batches, names


def pruned_copy(model: nn.Module, amount: float) -> nn.Module:
    """Copy a classifier and prune its encoder by torch.nn.utils.prune."""
    pruned = copy.deepcopy(model)
    matrices = [
        (module, "weight")
        for layer in encoder_layers(pruned)
        for module in layer.modules()
        if isinstance(module, nn.Linear)
    ]
    prune.global_unstructured(matrices, pruning_method=prune.L1Unstructured, amount=amount)
    for module, name in matrices:
        prune.remove(module, name)  # type: ignore[no-untyped-call]
    return pruned


@torch.inference_mode()
def accuracy(model: OneInput, batches: Sequence[Tensor], gold: Sequence[int]) -> float:
    """Run a classifier over the batches and return its accuracy."""
    predicted = torch.cat([model(batch).argmax(-1) for batch in batches])  # (examples,)
    return float((predicted == torch.tensor(gold)).float().mean())


def published(workload: Workload) -> Accuracies:
    """Copy and prune for all amounts, then run one accuracy loop, then one of torch-cka; batches of 16, 128 tokens.

    All copies come first, because torch-cka never removes its hooks, and a hooked baseline cannot be copied.
    It is called as its documentation shows, so it tracks gradients.
    """
    batches, names = stacked_batches(workload, workload.subset.texts, PUBLISHED_BATCH, "max_length")
    baseline = OneInput(workload.checkpoint.model, names)
    copies = [OneInput(pruned_copy(baseline.model, amount), names) for amount in workload.request.amounts]
    accuracies = [accuracy(pruned, batches, workload.subset.gold) for pruned in copies]
    loader: Loader = DataLoader([(batch,) for batch in batches], batch_size=None)  # type: ignore[arg-type]
    points = baseline.attention_points()
    for pruned in copies:
        torch_cka.CKA(baseline, pruned, "baseline", "pruned", points, points).compare(loader, loader)
    return accuracies


def careful(workload: Workload) -> Accuracies:
    """For each amount copy, run an accuracy loop and `compute_cka`; batches of 32 padded to their longest sentence."""
    batches, names = stacked_batches(workload, workload.subset.texts, CAREFUL_BATCH, "longest")
    baseline = OneInput(workload.checkpoint.model, names)
    loader: Loader = DataLoader(batches, batch_size=None)  # type: ignore[arg-type]
    points, accuracies = baseline.attention_points(), []
    for amount in workload.request.amounts:
        pruned = OneInput(pruned_copy(baseline.model, amount), names)
        accuracies.append(accuracy(pruned, batches, workload.subset.gold))
        pytorch_cka.compute_cka(baseline, pruned, loader, layers=points, device="cpu", progress=False)
    return accuracies


def ours(workload: Workload) -> Accuracies:
    """Run `core.sweep.sweep`: accuracy and CKA in all three reductions."""
    *_, result = sweep(workload.checkpoint, workload.inputs, workload.request)
    assert isinstance(result, SweepResult)
    return [frame.metrics["accuracy"] or 0.0 for frame in result.frames]


@torch.inference_mode()
def plain(workload: Workload) -> Accuracies:
    """Run one forward pass for each amount over the examples in order of length, and nothing else."""
    tokenizer: Any = workload.checkpoint.tokenizer
    lengths = [len(tokenizer(*example)["input_ids"]) for example in workload.subset.texts]
    texts = [workload.subset.texts[i] for i in np.argsort(lengths, kind="stable")]
    batches, names = stacked_batches(workload, texts, PLAIN_BATCH, "longest")
    model = OneInput(workload.checkpoint.model, names)
    for _ in workload.request.amounts:
        for batch in batches:
            model(batch)
    return []


PROCEDURES: Mapping[str, tuple[str, Procedure]] = {
    "published": ("published procedure (torch-cka)", published),
    "careful": ("careful user's procedure (pytorch-cka)", careful),
    "ours": ("ours (core.sweep.sweep)", ours),
    "plain": ("plain forward passes, one per amount", plain),
}
