"""`python -m benchmarks.race`: time and memory of a sweep, compared with two other procedures.

Every procedure goes from a loaded checkpoint and its sentences to the accuracy at every amount, and
all but the plain forward passes also to CKA of the attention blocks. Each runs in its own process,
one after the other. The two references are written as their users would write them, with every
choice in their favour: the mask is made permanent, so that forward passes need not apply it again;
the sentences are tokenised once. README.md explains the table.
"""

import copy
import time
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal, NamedTuple

import cka as pytorch_cka
import numpy as np
import torch
import torch_cka
import transformers.models.bert.modeling_bert  # noqa: F401 (lazy in transformers; here it should count as an import)
from torch import Tensor, nn
from torch.nn.utils import prune
from torch.utils.data import DataLoader
from transformers import AutoModelForSequenceClassification, AutoTokenizer  # noqa: F401 (likewise)

from core.command_line import OneLineParser, run_command, use_threads
from core.encoder.architectures import attention_block, encoder_layers, linear_layers
from core.encoder.loading import Checkpoint, load
from core.inputs.prepare import Inputs, prepare
from core.request.catalog import MAX_LENGTH
from core.request.sweep_request import DataRequest, SweepRequest, add_options, request_in
from core.sweep.sweep import sweep

PUBLISHED_BATCH, CAREFUL_BATCH, PLAIN_BATCH = 16, 32, 16

Accuracies = list[float]


# ---------------------------------------------------------------- the procedures


class OneInput(nn.Module):
    """A classifier that takes all inputs as one tensor: both CKA packages pass only one."""

    def __init__(self, model: nn.Module, tokenizer: Any) -> None:
        super().__init__()
        self.model = model
        self.names = tokenizer.model_input_names
        self.eval()  # pytorch-cka restores the mode of the outermost module

    def forward(self, stacked: Tensor) -> Tensor:
        """Compute logits (batch, labels) from (batch, inputs, tokens)."""
        inputs = dict(zip(self.names, stacked.unbind(1), strict=True))  # each (batch, tokens)
        return self.model(**inputs).logits

    def attention_points(self) -> list[str]:
        """Return the names of the modules whose outputs are the points `attention`."""
        names = {module: name for name, module in self.named_modules()}
        return [
            names[attention_block(self.model, layer).module] for layer in encoder_layers(self.model)
        ]


def stacked_batches(
    tokenizer: Any,
    texts: Sequence[tuple[str, ...]],
    size: int,
    padding: Literal["longest", "max_length"],
) -> list[Tensor]:
    """Tokenise texts in batches.

    Args:
        tokenizer: The checkpoint's tokenizer.
        texts: One or two texts per example.
        size: Examples per batch.
        padding: Whether to pad to the batch's longest example or to 128 tokens.

    Returns:
        The batches, each (batch, inputs, tokens).
    """
    batches = []
    for start in range(0, len(texts), size):
        columns = [list(column) for column in zip(*texts[start : start + size], strict=True)]
        encoded = tokenizer(
            *columns, truncation=True, max_length=MAX_LENGTH, padding=padding, return_tensors="pt"
        )
        batches.append(torch.stack(list(encoded.values()), dim=1))  # (batch, inputs, tokens)
    return batches


def pruned_copy(model: nn.Module, amount: float) -> nn.Module:
    """Copy a classifier and prune its encoder by torch.nn.utils.prune."""
    pruned = copy.deepcopy(model)
    matrices = [
        (module, "weight") for layer in encoder_layers(pruned) for module in linear_layers(layer)
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


def published(checkpoint: Checkpoint, inputs: Inputs) -> Accuracies:
    """Prune a copy per amount, then run an accuracy loop and one of torch-cka.

    Batches of 16 are padded to 128 tokens. All copies are made first, because torch-cka never
    removes its hooks, and a hooked baseline cannot be copied. It is called as its documentation
    shows, so it tracks gradients.
    """
    batches = stacked_batches(
        checkpoint.tokenizer, inputs.subset.texts, PUBLISHED_BATCH, "max_length"
    )
    baseline = OneInput(checkpoint.model, checkpoint.tokenizer)
    models = (pruned_copy(checkpoint.model, amount) for amount in inputs.request.amounts)
    copies = [OneInput(pruned, checkpoint.tokenizer) for pruned in models]
    accuracies = [accuracy(pruned, batches, inputs.subset.record.gold) for pruned in copies]
    loader: DataLoader[Any] = DataLoader([(batch,) for batch in batches], batch_size=None)  # type: ignore[arg-type]
    points = baseline.attention_points()
    for pruned in copies:
        torch_cka.CKA(baseline, pruned, "baseline", "pruned", points, points).compare(
            loader, loader
        )
    return accuracies


def careful(checkpoint: Checkpoint, inputs: Inputs) -> Accuracies:
    """Per amount, prune a copy and run an accuracy loop and `compute_cka`, in batches of 32."""
    batches = stacked_batches(checkpoint.tokenizer, inputs.subset.texts, CAREFUL_BATCH, "longest")
    baseline = OneInput(checkpoint.model, checkpoint.tokenizer)
    loader: DataLoader[Any] = DataLoader(batches, batch_size=None)  # type: ignore[arg-type]
    points = baseline.attention_points()
    accuracies = []
    for amount in inputs.request.amounts:
        pruned = OneInput(pruned_copy(baseline.model, amount), checkpoint.tokenizer)
        accuracies.append(accuracy(pruned, batches, inputs.subset.record.gold))
        pytorch_cka.compute_cka(
            baseline, pruned, loader, layers=points, device="cpu", progress=False
        )
    return accuracies


def ours(checkpoint: Checkpoint, inputs: Inputs) -> Accuracies:
    """Run `core.sweep.sweep`: accuracy, and CKA under all three reductions."""
    return [frame.metrics["accuracy"] or 0.0 for frame in sweep(checkpoint, inputs).frames]


@torch.inference_mode()
def plain(checkpoint: Checkpoint, inputs: Inputs) -> Accuracies:
    """Run one forward pass per amount over the examples in order of length, and nothing else."""
    tokenizer: Any = checkpoint.tokenizer
    texts = sorted(inputs.subset.texts, key=lambda example: len(tokenizer(*example)["input_ids"]))
    batches = stacked_batches(tokenizer, texts, PLAIN_BATCH, "longest")
    model = OneInput(checkpoint.model, tokenizer)
    for _ in inputs.request.amounts:
        for batch in batches:
            model(batch)
    return []


PROCEDURES = (published, careful, ours, plain)


# ---------------------------------------------------------------- time and memory


class Measured(NamedTuple):
    """One procedure's run.

    Attributes:
        seconds: Time from a loaded checkpoint and its sentences to the last number.
        peak_mib: Peak memory above that of the process after its imports; includes the model.
        accuracies: One value per amount; none for the plain forward passes.
    """

    seconds: float
    peak_mib: float
    accuracies: Accuracies


def memory_mib(field: str) -> float:
    """Read this process's memory from Linux: `VmRSS` is the current one, `VmHWM` the peak."""
    status = dict(
        line.split(":", 1) for line in Path("/proc/self/status").read_text("ascii").splitlines()
    )
    return int(status[field].split()[0]) / 1024


def measure(
    procedure: Callable[..., Accuracies], request: SweepRequest, threads: int | None
) -> Measured:
    """Run one procedure in this process, which should be new."""
    after_imports = memory_mib("VmRSS")
    use_threads(threads)
    inputs = prepare(request)
    checkpoint = load(inputs.resolved)
    started = time.perf_counter()
    accuracies = procedure(checkpoint, inputs)
    seconds = time.perf_counter() - started
    return Measured(seconds, memory_mib("VmHWM") - after_imports, accuracies)


def table(measured: Mapping[str, Measured]) -> str:
    """Format the measurements and the ratios that have a bound."""
    ours = measured["ours"]
    plain = measured["plain"]
    published = measured["published"]
    lines = [f"{'procedure':<12}{'seconds':>9}{'ratio to ours':>15}{'peak MiB':>10}"]
    for name, run in measured.items():
        lines.append(
            f"{name:<12}{run.seconds:>9.2f}{run.seconds / ours.seconds:>15.2f}{run.peak_mib:>10.0f}"
        )
    apart = np.abs(
        np.array([published.accuracies, measured["careful"].accuracies]) - ours.accuracies
    ).max()
    lines.append(f"ours / plain forward passes: {ours.seconds / plain.seconds:.2f}")
    lines.append(
        f"ours / published procedure, peak memory: {ours.peak_mib / published.peak_mib:.0%}"
    )
    return "\n".join([*lines, f"accuracies of the three procedures differ by at most {apart:.4f}"])


# ---------------------------------------------------------------- command line


def make_parser() -> OneLineParser:
    """Define the options."""
    parser = OneLineParser(prog="python -m benchmarks.race", description=__doc__)
    add_options(parser, DataRequest)
    parser.add_threads()
    return parser


def main(options: Namespace) -> None:
    """Run the race and print its table.

    Raises:
        PrunescopeError: A name is unknown, or a value is out of bounds.
    """
    request = request_in(options, SweepRequest)
    prepare(request)  # refuses bad input once, and caches the sentences for all procedures
    new_process_each = get_context("spawn").Pool(1, maxtasksperchild=1)
    with new_process_each as processes:
        measured = {
            of.__name__: processes.apply(measure, (of, request, options.threads))
            for of in PROCEDURES
        }
    print(table(measured))


if __name__ == "__main__":
    run_command(make_parser(), main)
