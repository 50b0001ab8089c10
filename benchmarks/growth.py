"""`python -m benchmarks.growth`: how time and memory grow with examples, amounts, layers and hidden size.

One quantity varies at a time, around 128 examples, 10 amounts, 6 layers and hidden size 384, on BERTs with random
weights, which take as long as trained ones. Every run is a process of its own, beside plain forward passes.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

from benchmarks.race import Measured, measure_apart, request_of
from benchmarks.race import parse as race_options
from core.command_line import OneLineParser, check_threads, run_command
from core.inputs.prepare import prepare
from core.request.amounts import amount_text
from core.request.catalog import EMBEDDED

HEAD_SIZE = 64  # hidden units of an attention head, as in BERT-base
LARGEST = 0.95  # the last amount of every run


@dataclass(frozen=True)
class Case:
    """One run.

    Attributes:
        examples: Evaluation examples.
        amounts: Pruning amounts.
        layers: Encoder layers.
        hidden: Hidden size; the feed-forward network has four times as many units.
    """

    examples: int = 128
    amounts: int = 10
    layers: int = 6
    hidden: int = 384


USUAL = Case()
CASES = (
    *(replace(USUAL, examples=count) for count in (64, 128, 256, 512)),
    *(replace(USUAL, amounts=count) for count in (20, 40)),
    *(replace(USUAL, layers=count) for count in (3, 12)),
    *(replace(USUAL, hidden=size) for size in (192, 768)),
    Case(layers=12, hidden=768),
)


def make_checkpoint(case: Case, folder: Path) -> Path:
    """Write a BERT with random weights and the embedded tokenizer into `folder`, and return its own folder there."""
    target = folder / f"random-{case.layers}x{case.hidden}"
    if not target.is_dir():
        tokenizer = AutoTokenizer.from_pretrained(EMBEDDED["sst2"].folder, local_files_only=True)
        config = BertConfig(
            vocab_size=len(tokenizer),
            num_hidden_layers=case.layers,
            hidden_size=case.hidden,
            num_attention_heads=case.hidden // HEAD_SIZE,
            intermediate_size=4 * case.hidden,
        )
        torch.manual_seed(0)
        BertForSequenceClassification(config).save_pretrained(target)
        tokenizer.save_pretrained(target)
    return target


def measure(case: Case, checkpoint: Path, data: str, threads: int | None) -> dict[str, Measured]:
    """Measure a sweep, and one plain forward pass an amount.

    Args:
        case: The sizes of the run.
        checkpoint: From `make_checkpoint`.
        data: A folder in the Hub's GLUE layout.
        threads: Processor threads; None for PyTorch's default.
    """
    amounts = [amount_text(LARGEST * k / (case.amounts - 1)) for k in range(case.amounts)]
    arguments = ["--checkpoint", str(checkpoint), "--task", "sst2", "--data", data, "--examples", str(case.examples)]
    arguments += ["--amounts", ",".join(amounts), *(["--threads", str(threads)] if threads else [])]
    prepare(request_of(race_options(arguments)))  # so that no measured process reads the parquet file
    return {name: measure_apart(name, arguments) for name in ("ours", "plain")}


def row(case: Case, measured: dict[str, Measured]) -> str:
    """Format one line of the table."""
    ours, plain = measured["ours"], measured["plain"]
    return (
        f"{case.examples:>8}{case.amounts:>9}{case.layers:>8}{case.hidden:>8}"
        f"{ours.seconds:>10.2f}{ours.seconds / plain.seconds:>16.2f}{ours.peak_mib:>10.0f}"
    )


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = OneLineParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--data", required=True, metavar="GLUE", help="folder in the Hub's GLUE layout, with SST-2")
    parser.add_argument("--threads", type=int, help="processor threads (default: PyTorch's)")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, a line as soon as it is measured."""
    options = parse(arguments)
    check_threads(options.threads)
    print(
        f"{'examples':>8}{'amounts':>9}{'layers':>8}{'hidden':>8}{'seconds':>10}{'ratio to plain':>16}{'peak MiB':>10}"
    )
    with TemporaryDirectory() as folder:
        for case in CASES:
            measured = measure(case, make_checkpoint(case, Path(folder)), options.data, options.threads)
            print(row(case, measured), flush=True)
    return 0


if __name__ == "__main__":
    run_command(main)
