"""Choose the files that make a checkpoint, and compute their digests; no torch, no network."""

import hashlib
import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from core.errors import PrunescopeError
from core.inputs.checkpoint_bounds import (
    MAX_CONFIG_BYTES,
    MAX_INDEX_BYTES,
    check_shards,
    check_size,
    check_tokenizer,
    read_json,
)
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
            f"'{checkpoint}' has model type {model_type[:40]!a}, which is not supported: choose a checkpoint of type "
            f"{', '.join(SUPPORTED_MODEL_TYPES)}"
        )


def read_config(path: Path, checkpoint: str) -> dict[str, Any]:
    """Read a config.json and check that it names a model type, before anything heavy is imported.

    Raises:
        PrunescopeError: It cannot be read, is too large, or names none.
    """
    if not os.path.lexists(path):
        raise _no_config(checkpoint)
    _check_place(path, path.parent, checkpoint)
    config = read_json(path, MAX_CONFIG_BYTES, checkpoint)
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        raise PrunescopeError(f"'{checkpoint}': {CONFIG} names no model_type, choose another checkpoint")
    return config


def _no_config(checkpoint: str) -> PrunescopeError:
    return PrunescopeError(f"'{checkpoint}' has no {CONFIG}: choose a folder or repository in the Hub's format")


def check_config(config: Mapping[str, Any], checkpoint: str) -> None:
    """Refuse a configuration of a model that `core.encoder.architectures` lacks.

    Args:
        config: The content of config.json, with a model type.
        checkpoint: The checkpoint, for the message.

    Raises:
        PrunescopeError: The model type is not supported, the model is too large, the encoder has a convolution, or the
            head gives no single label.
    """
    model_type = config["model_type"]
    check_model_type(model_type, checkpoint)
    check_size(config, checkpoint)
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


def check_head(architectures: object, checkpoint: str) -> None:
    """Refuse the head of another task: its weights may fit a classifier's.

    Args:
        architectures: Of config.json, whatever it holds.
        checkpoint: The checkpoint, for the message.

    Raises:
        PrunescopeError: The first architecture is for another task.
    """
    first = str(architectures[0]) if isinstance(architectures, list) and architectures else ""
    if first.endswith(_OTHER_TASKS):
        raise PrunescopeError(
            f"'{checkpoint}' is a {first[:60]} (architectures in {CONFIG}), which does not classify whole texts: "
            "choose a checkpoint fine-tuned for sequence classification"
        )


CONFIG = "config.json"
ADAPTER = "adapter_config.json"  # transformers would add its weights where the library for it is installed
_OTHER_TASKS = ("ForTokenClassification", "ForQuestionAnswering", "ForMultipleChoice", "ForNextSentencePrediction")
_OTHER_HEADS = {"regression": "predicts a number", "multi_label_classification": "gives several labels at once"}
TRAINING_EXAMPLES = "training_examples.npy"
RECIPE_FILE = "recipe.json"  # how to make weights that are not shipped
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

_digests: dict[tuple[Path, int, int, int, int], str] = {}


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal; an unchanged file is read once per process.

    A file has changed where its inode, its size, or its time of modification or of change has; the last is set by the
    system alone. Left unseen are writes of the same size in the same tick of its clock, of some milliseconds.
    """
    stat = path.stat()
    key = (path.resolve(), stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
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
        raise _no_config(checkpoint)
    if not set(VOCABULARIES) & set(names):
        raise PrunescopeError(
            f"'{checkpoint}' has no tokenizer file such as tokenizer.json or vocab.txt, so every word would be "
            "unknown: choose another checkpoint"
        )
    return (CONFIG, *weight_patterns(names, checkpoint), *TOKENIZER_FILES)


def checked_files(folder: Path, config: Mapping[str, Any], checkpoint: str) -> list[Path]:
    """Return the files that decide what a checkpoint computes, in the order of their names, none of them read yet.

    Args:
        folder: The checkpoint's folder.
        config: The content of its config.json, checked.
        checkpoint: The checkpoint, for the messages.

    Raises:
        PrunescopeError: The folder is not a checkpoint, or a file is none, lies elsewhere, names files elsewhere, or
            asks for too much.
    """
    try:
        found = list(folder.iterdir())
        _refuse_special(found, checkpoint)
        names = {path.name for path in found}
        patterns = wanted_patterns(names, checkpoint)
        if ADAPTER in names:
            raise PrunescopeError(
                f"'{checkpoint}' has an adapter ({ADAPTER}), whose weights are not read: merge it into the model first"
            )
        files = _matching(folder, patterns)
        for path in files:
            _check_place(path, folder, checkpoint)
        index, *shards = weight_patterns(names, checkpoint)
        if shards:
            check_shards(read_json(folder / index, MAX_INDEX_BYTES, checkpoint), names, shards[0], checkpoint)
        check_tokenizer(folder, names & set(TOKENIZER_FILES), config, checkpoint)
    except OSError as error:
        raise PrunescopeError(f"'{checkpoint}' cannot be read ({error.strerror}): choose another folder") from error
    return files


def _matching(folder: Path, patterns: Iterable[str]) -> list[Path]:
    """Return the files of any of these patterns, in the order of their names."""
    return sorted({path for pattern in patterns for path in folder.glob(pattern)})


def _refuse_special(paths: Iterable[Path], checkpoint: str) -> None:
    """Refuse pipes and devices whatever they are called: transformers looks for files that nothing here needs."""
    for path in paths:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise _no_file(path, checkpoint)


def _no_file(path: Path, checkpoint: str) -> PrunescopeError:
    return PrunescopeError(f"'{checkpoint}': {path.name} is not a regular file of its own, choose another checkpoint")


def _check_place(path: Path, folder: Path, checkpoint: str) -> None:
    """Refuse what is no regular file inside a checkpoint's folder, or among the Hub cache's blobs that its links name.

    Where a link leads elsewhere, nothing is said of what is there.
    """
    real, root = Path(os.path.realpath(path)), Path(os.path.realpath(folder))
    blobs = root.parent.parent / "blobs"  # beside `snapshots/COMMIT`
    is_inside = real.parent == root or (root.parent.name == "snapshots" and real.parent == blobs)
    if not is_inside or not real.is_file():
        raise _no_file(path, checkpoint)


def content_hash(folder: Path, checkpoint: str) -> str:
    """Return the SHA-256 over names and contents of the files that decide what a checkpoint computes.

    Args:
        folder: The checkpoint's folder, which `checked_files` has let pass.
        checkpoint: The checkpoint, for the message.

    Raises:
        PrunescopeError: A file is missing, or cannot be read.
    """
    try:
        files = _matching(folder, wanted_patterns([path.name for path in folder.iterdir()], checkpoint))
        lines = "".join(f"{path.name} {sha256_of(path)}\n" for path in files)
    except OSError as error:
        raise PrunescopeError(f"'{checkpoint}' cannot be read ({error.strerror}): choose another folder") from error
    return hashlib.sha256(lines.encode()).hexdigest()
