"""The recipes: which pretrained encoder learns which task, with which settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

MINILM = "sentence-transformers/all-MiniLM-L6-v2"  # 6 layers of 384
MPNET = "sentence-transformers/all-mpnet-base-v2"  # 12 layers of 768
MODEL_TYPES = {MINILM: "bert", MPNET: "mpnet"}
BUNDLED_SEED = 0  # of the six-layer checkpoints bundled with the app


@dataclass(frozen=True)
class Recipe:
    """How the checkpoints of one family are made; they differ only in the seed.

    Attributes:
        base: Id of the pretrained encoder on the Hub.
        task: Name of a task in `core.request.catalog`.
        epochs: Passes over the training examples.
        learning_rate: Peak learning rate, from which it falls linearly to 0.
        warmup: Share of all steps in which the learning rate rises to its peak.
        batch_size: Examples per step.
        dropout: Dropout of all stages.
        bf16: Whether to multiply in bfloat16 if the processor can.
        early_stop: Number of scores of the validation split in a row without improvement after
            which training stops with the best weights; 0 never stops early.
        syntax_steps: Steps of learning to find words at fault before fine-tuning.
        averaged: Whether one more epoch follows whose weights are averaged.
        frequent: Number of the most frequent word pieces to keep besides those that occur in the
            data.
    """

    base: str
    task: str
    epochs: int
    learning_rate: float
    warmup: float = 0.06
    batch_size: int = 32
    dropout: float = 0.1
    bf16: bool = False
    early_stop: int = 0
    syntax_steps: int = 0
    averaged: bool = False
    frequent: int = 0


_minilm = partial(Recipe, MINILM)
_mpnet = partial(Recipe, MPNET, learning_rate=3e-5, warmup=0.1, bf16=True)

RECIPES: Mapping[str, Recipe] = {
    "minilm-l6-cola": _minilm("cola", 5, 8e-5, dropout=0.0, bf16=True, syntax_steps=2500),
    "minilm-l6-sst2": _minilm("sst2", 4, 5e-5, averaged=True),
    "minilm-l6-qnli": _minilm("qnli", 8, 8e-5, averaged=True),
    "minilm-l6-qqp": _minilm("qqp", 4, 8e-5, averaged=True),
    "minilm-l6-messages": _minilm("messages", 6, 8e-5, batch_size=16, frequent=8000),
    "mpnet-l12-cola": _mpnet("cola", 3, early_stop=3),
    "mpnet-l12-sst2": _mpnet("sst2", 1, early_stop=5),
    "mpnet-l12-qnli": _mpnet("qnli", 3),
    "mpnet-l12-qqp": _mpnet("qqp", 2),
}
