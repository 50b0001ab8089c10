"""Choose the files that make a checkpoint, and compute their digests; no torch, no network."""

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from core.errors import PrunescopeError
from core.request.catalog import SHARED_LAYERS, SUPPORTED_MODEL_TYPES


def check_model_type(model_type: str, checkpoint: str) -> None:
    """Refuse a model type that `core.encoder.architectures` lacks.

    Args:
        model_type: From config.json.
        checkpoint: The checkpoint, for the message.

    Raises:
        PrunescopeError: The type is not supported.
    """
    if model_type in SHARED_LAYERS:
        raise PrunescopeError(
            f"'{checkpoint}' has model type '{model_type}', whose layers share one set of weights, so no layer can be "
            f"pruned alone: choose a checkpoint of type {', '.join(SUPPORTED_MODEL_TYPES)}"
        )
    if model_type not in SUPPORTED_MODEL_TYPES:
        raise PrunescopeError(
            f"'{checkpoint}' has model type '{model_type[:40]}', which is not supported: choose a checkpoint of type "
            f"{', '.join(SUPPORTED_MODEL_TYPES)}"
        )


def read_config(path: Path, checkpoint: str) -> dict[str, Any]:
    """Read a config.json and check that it names a model type, before anything heavy is imported.

    Raises:
        PrunescopeError: It cannot be read, or names none.
    """
    try:
        config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        config["model_type"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise PrunescopeError(
            f"'{checkpoint}': {CONFIG} is missing or names no model_type, choose another checkpoint"
        ) from error
    return config


def check_config(config: Mapping[str, Any], checkpoint: str) -> None:
    """Refuse a configuration of a model that `core.encoder.architectures` lacks.

    Args:
        config: The content of config.json, with a model type.
        checkpoint: The checkpoint, for the message.

    Raises:
        PrunescopeError: The model type is not supported, the encoder has a convolution, or the head gives no single
            label.
    """
    model_type = str(config["model_type"])
    check_model_type(model_type, checkpoint)
    if model_type == "deberta-v2" and config.get("conv_kernel_size"):
        raise PrunescopeError(
            f"'{checkpoint}' has a convolution beside its first layer (conv_kernel_size in {CONFIG}), which no method "
            "here prunes: choose a DeBERTa checkpoint without one, such as DeBERTa-v3"
        )
    if fault := _OTHER_HEADS.get(str(config.get("problem_type"))):
        raise PrunescopeError(
            f"'{checkpoint}' {fault} (problem_type {config['problem_type']} in {CONFIG}): choose a classifier that "
            "gives one label"
        )


CONFIG = "config.json"
_OTHER_HEADS = {"regression": "predicts a number", "multi_label_classification": "gives several labels at once"}
TRAINING_EXAMPLES = "training_examples.npy"
VOCABULARIES = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "spiece.model",
    "spm.model",
    "sentencepiece.bpe.model",
    "bpe.codes",
)
TOKENIZER_FILES = (
    *VOCABULARIES,
    "merges.txt",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
)
_WEIGHTS = (("model.safetensors", "model-*.safetensors"), ("pytorch_model.bin", "pytorch_model-*.bin"))

_digests: dict[tuple[Path, int, int], str] = {}


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal; an unchanged file is read once per process."""
    stat = path.stat()
    key = (path.resolve(), stat.st_size, stat.st_mtime_ns)
    if key not in _digests:
        with path.open("rb") as file:
            _digests[key] = hashlib.file_digest(file, "sha256").hexdigest()
    return _digests[key]


def weight_patterns(names: Collection[str], checkpoint: str) -> tuple[str, ...]:
    """Choose the weights to read: safetensors before PyTorch's own format, one file before shards.

    Args:
        names: The files of the checkpoint.
        checkpoint: The checkpoint, for the message.

    Returns:
        Glob patterns of the files that hold the weights.

    Raises:
        PrunescopeError: There are no weights that PyTorch can read.
    """
    for whole, shards in _WEIGHTS:
        if whole in names:
            return (whole,)
        if f"{whole}.index.json" in names:
            return (f"{whole}.index.json", shards)
    raise PrunescopeError(
        f"'{checkpoint}' has no weights (neither model.safetensors nor pytorch_model.bin): choose another checkpoint"
    )


def wanted_patterns(names: Collection[str], checkpoint: str) -> tuple[str, ...]:
    """List the files that decide what a checkpoint computes: configuration, weights, tokenizer.

    Args:
        names: The files of the checkpoint.
        checkpoint: The checkpoint, for the messages.

    Returns:
        Glob patterns of these files.

    Raises:
        PrunescopeError: One of the three is missing.
    """
    if CONFIG not in names:
        raise PrunescopeError(f"'{checkpoint}' has no {CONFIG}: choose a folder or repository in the Hub's format")
    if not set(VOCABULARIES) & set(names):
        raise PrunescopeError(
            f"'{checkpoint}' has no tokenizer file such as tokenizer.json or vocab.txt, so every word would be "
            "unknown: choose another checkpoint"
        )
    return (CONFIG, *weight_patterns(names, checkpoint), *TOKENIZER_FILES)


def content_hash(folder: Path, checkpoint: str) -> str:
    """Return the SHA-256 over names and contents of the files that decide what a checkpoint computes.

    Args:
        folder: The checkpoint's folder.
        checkpoint: The checkpoint, for the messages.

    Raises:
        PrunescopeError: The folder is not a checkpoint.
    """
    try:
        patterns = wanted_patterns([path.name for path in folder.iterdir()], checkpoint)
        files = sorted({path for pattern in patterns for path in folder.glob(pattern)})
        lines = "".join(f"{path.name} {sha256_of(path)}\n" for path in files)
    except OSError as error:
        raise PrunescopeError(f"'{checkpoint}' cannot be read ({error.strerror}): choose another folder") from error
    return hashlib.sha256(lines.encode()).hexdigest()
