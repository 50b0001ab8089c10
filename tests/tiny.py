"""Tiny random checkpoints, and small data files in the Hub's layout."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import torch

from core.encoder.architectures import ARCHITECTURES
from core.encoder.batches import micro_batches
from core.encoder.loading import Checkpoint, load
from core.inputs.checkpoints import Resolved
from core.inputs.cut_rows import CutInputs, prepare_cut
from core.inputs.prepare import prepare
from core.pruning.plan import Calibration
from core.request.catalog import Task
from core.request.cut_request import CutRequest
from core.request.sweep_request import SweepRequest, checked, usual_scope
from core.results.cut import CutStudy, Score
from core.results.key import sealed
from core.results.schema import SweepResult
from core.sweep.sweep import sweep

if TYPE_CHECKING:
    from transformers import PreTrainedModel

UNLIKE = sorted({paths: name for name, paths in reversed(ARCHITECTURES.items())}.values())
"""Model types, one of those whose parts lie in the same places."""
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
_TEXT = """
a the this that film story actor scene music joke plot ending song voice picture is was seems feels
looks never always truly hardly and but or good bad dull bright slow warm cold brave weak deep thin
rich poor kind cruel
"""
WORDS = _TEXT.split()
LETTERS = list("abcdefghijklmnopqrstuvwxyz0123456789.,!?'-")
VOCABULARY = [
    *SPECIAL,
    *LETTERS,
    *(f"##{letter}" for letter in LETTERS),
    *WORDS[1:],
]  # "a" is a letter, too


def save(model: "PreTrainedModel", vocabulary: Sequence[str], folder: Path) -> Path:
    """Save a model with a real WordPiece tokenizer."""
    from transformers import BertTokenizer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    model.save_pretrained(folder)
    BertTokenizer(vocab={token: i for i, token in enumerate(vocabulary)}).save_pretrained(folder)
    return folder


# Settings that let a tiny model use all features of its architecture.
_FURTHER: Mapping[str, Mapping[str, object]] = {
    "deberta-v2": {  # as DeBERTa-v3
        "relative_attention": True,
        "position_buckets": 8,
        "norm_rel_ebd": "layer_norm",
        "share_att_key": True,
        "pos_att_type": "p2c|c2p",
        "position_biased_input": False,
        "type_vocab_size": 0,
    },
    "modernbert": {
        "global_attn_every_n_layers": 2,
        "local_attention": 8,
        **dict.fromkeys(("bos_token_id", "cls_token_id"), VOCABULARY.index("[CLS]")),
        **dict.fromkeys(("eos_token_id", "sep_token_id"), VOCABULARY.index("[SEP]")),
    },
}


def make_encoder(
    folder: Path,
    model_type: str,
    *,
    seed: int = 0,
    layers: int = 3,
    labels: int = 2,
    dtype: torch.dtype = torch.float32,
    **further: object,
) -> Path:
    """Save a random classifier of any architecture, with the WordPiece tokenizer.

    Its weights vary enough (standard deviation 0.3) for representations to differ between layers
    and examples. It reads single sentences and pairs.

    Args:
        folder: The folder to write.
        model_type: A model type of transformers.
        seed: The seed of the weights.
        layers: Encoder layers.
        labels: Labels of the classifier.
        dtype: The dtype of the saved weights.
        further: Values of the configuration.
    """
    from transformers import AutoConfig, AutoModelForSequenceClassification

    settings = {
        "hidden_size": 32,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "hidden_dim" if model_type == "distilbert" else "intermediate_size": 64,
        "vocab_size": len(VOCABULARY),
        "num_labels": labels,
        "max_position_embeddings": 140,  # some models count positions from the padding token's id
        "pad_token_id": 0,
        "initializer_range": 0.3,
        **_FURTHER.get(model_type, {}),
        **further,
    }
    config = AutoConfig.for_model(model_type, **settings)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = AutoModelForSequenceClassification.from_config(config)
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                torch.nn.init.normal_(parameter, std=0.1)
    return save(model.to(dtype), VOCABULARY, folder)


def make_bert(folder: Path, *, layers: int = 2, **further: object) -> Path:
    """Save a random BERT classifier that reads up to 128 tokens; see `make_encoder`."""
    return make_encoder(folder, "bert", layers=layers, max_position_embeddings=128, **further)  # type: ignore[arg-type]


_cached_load = lru_cache(maxsize=8)(load)


def loaded(resolved: Resolved) -> Checkpoint:
    """Load a checkpoint with a copy of its model; its files are read once."""
    checkpoint = _cached_load(resolved)
    return checkpoint._replace(model=deepcopy(checkpoint.model))


@contextmanager
def left_whole(model: torch.nn.Module) -> Iterator[None]:
    """Check that a model ends with the same weights and without hooks."""
    before = {name: value.clone() for name, value in model.state_dict().items()}
    yield
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in model.modules())


def swept(
    checkpoint: str | Path,
    data: str | Path,
    task: str = "sst2",
    **options: Any,
) -> SweepResult:
    """Run a sweep on a copy of a model, in the usual scope of its method if none is given."""
    options.setdefault("scope", usual_scope(options.get("method", "magnitude")))
    request = checked(SweepRequest(str(checkpoint), task, data=str(data), **options))
    inputs = prepare(request)
    return sweep(loaded(inputs.resolved), inputs)


def make_texts(count: int, seed: int = 0) -> list[str]:
    """Make different sentences of 3 to 20 words."""
    random = np.random.RandomState(seed)
    return [" ".join(random.choice(WORDS, size=random.randint(3, 21))) + " ." for _ in range(count)]


def write_csv(path: Path, **columns: Sequence[object]) -> Path:
    """Write columns of a table as CSV."""
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


def write_split(folder: Path, task: Task, split: str, count: int, seed: int = 0) -> Path:
    """Write a split as the Hub names it, with sentences and random labels."""
    random = np.random.RandomState(seed)
    columns = {"label": random.randint(len(task.label_names), size=count).tolist()}
    for k, name in enumerate(task.text_columns):
        columns[name] = make_texts(count, seed=100 * seed + k)
    path = folder / task.name / f"{split}-00000-of-00001.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(columns).to_parquet(path)
    return path


def make_calibration(tokenizer: object, gold: list[int], seed: int = 0) -> Calibration:
    """Make a calibration example for each gold label."""
    texts = [(text,) for text in make_texts(len(gold), seed)]
    return Calibration(micro_batches(tokenizer, texts), torch.tensor(gold), lambda *_: None)


EMOTIONS = ("Anger", "fear", "joy", "love", "sadness", "surprise")
"""The labels of a tiny classifier."""


def emotion_texts(count: int, seed: int = 0) -> tuple[list[str], list[int]]:
    """Make sentences and their labels."""
    return make_texts(count, seed), [k % len(EMOTIONS) for k in range(count)]


def predicted_by_transformers(checkpoint: Path, texts: Sequence[str]) -> list[int]:
    """Predict with transformers alone, in float32."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model = AutoModelForSequenceClassification.from_pretrained(
        checkpoint, dtype=torch.float32
    ).eval()
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    with torch.inference_mode():
        logits = [model(**tokenizer(text, return_tensors="pt")).logits for text in texts]
    return [int(row.argmax()) for row in logits]


def make_cut_inputs(folder: Path, model_type: str = "bert", **options: Any) -> CutInputs:
    """Save a classifier of three layers and 100 rows, mostly as it predicts, and find both."""
    base = make_encoder(folder / "base", model_type, **options)
    texts = make_texts(100)
    labels = []
    for row, predicted in enumerate(predicted_by_transformers(base, texts)):
        is_positive = predicted if row % 4 else not predicted
        labels.append("positive" if is_positive else "negative")
    data = write_csv(folder / "rows.csv", text=texts, label=labels)
    request = {"checkpoint": str(base), "task": "sst2", "data": str(data)}
    inputs = prepare_cut(CutRequest.from_json(request))
    training = inputs.record.training.model_copy(update={"steps": 40})
    return inputs._replace(record=inputs.record.model_copy(update={"training": training}))


class Studied(NamedTuple):
    """A study of cuts: its inputs, itself, and what it reported while it was made."""

    inputs: CutInputs
    study: CutStudy
    reports: list[tuple[str, int, int]]
    scores: list[Score]


def make_studied(folder: Path) -> Studied:
    """Study the depths of a tiny DistilBERT in float16."""
    from core.training.cut_study import study  # imports scikit-learn

    inputs = make_cut_inputs(folder, "distilbert", dtype=torch.float16)
    (inputs.resolved.folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    reports: list[tuple[str, int, int]] = []
    scores: list[Score] = []
    checkpoint = loaded(inputs.resolved)
    with left_whole(checkpoint.model):
        made = study(
            checkpoint,
            inputs,
            lambda *report: reports.append(report),
            scores.append,
        )
    return Studied(inputs, sealed(made), reports, scores)
