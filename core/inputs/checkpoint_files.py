"""Choose the files of a checkpoint, check them before anything heavy reads them, and hash them.

No torch, no network. Memory and time need no estimate here: a checkpoint is loaded under limits.
"""

import fnmatch
import hashlib
import json
import os
from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.errors import PrunescopeError
from core.request.catalog import MAX_LAYERS, SUPPORTED_MODEL_TYPES
from core.request.limits import limits

CONFIG = "config.json"
# transformers would add an adapter's weights if the library for it is installed.
ADAPTER = "adapter_config.json"
TRAINING_EXAMPLES = "training_examples.npy"
RECIPE_FILE = "recipe.json"  # how to make weights that are not shipped
TOKENIZER = "tokenizer.json"  # describes a tokenizer completely; other files are converted to it
VOCABULARIES = (
    TOKENIZER,
    "vocab.txt",
    "vocab.json",
    "spiece.model",
    "spm.model",
    "sentencepiece.bpe.model",
    "bpe.codes",
)
TOKENIZER_CONFIG = "tokenizer_config.json"
TOKENIZER_FILES = (
    *VOCABULARIES,
    "merges.txt",
    TOKENIZER_CONFIG,
    "special_tokens_map.json",
    "added_tokens.json",
)
# Options of every transformers call that reads a checkpoint: fetch nothing, run none of its code.
SAFE = {"local_files_only": True, "trust_remote_code": False}
MAX_JSON_BYTES = 4 * 2**20
MAX_TOKENIZER_BYTES = 32 * 2**20  # XLM-R's tokenizer.json has 17 MB
WEIGHTS = "model.safetensors", "pytorch_model.bin"
# Fields that no checkpoint may set: the first two make transformers read weights of other formats
# or files than are hashed; the third puts a convolution beside the first layer, which no method
# here prunes.
_FOREIGN = ("quantization_config", "transformers_weights", "conv_kernel_size")
# Numbers that cost time or memory before a model's size can be counted.
_MOST = {
    "num_hidden_layers": MAX_LAYERS,
    "n_layers": MAX_LAYERS,
    "hidden_size": 10**6,
    "dim": 10**6,
    "num_labels": 1_000,
}


def refused(name: str, fault: str, remedy: str = "choose another") -> PrunescopeError:
    """Return the error that refuses a checkpoint, or a data set on the Hub."""
    return PrunescopeError(f"'{name}' {fault}: {remedy}")


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal; an unchanged file is read once per process.

    A file counts as changed when its inode, size, or time of modification or of change differs;
    only the system sets the last. Writes of the same size within one tick of the system's clock,
    some milliseconds, go unseen.
    """
    stat = path.stat()
    return _sha256_of(
        path.resolve(),
        stat.st_ino,
        stat.st_size,
        stat.st_mtime_ns,
        stat.st_ctime_ns,
    )


@lru_cache(maxsize=10_000)
def _sha256_of(path: Path, *state: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# ---------------------------------------------------------------- config.json


def read_config(path: Path, checkpoint: str) -> dict[str, Any]:
    """Read and check a config.json, before anything heavy is imported.

    Raises:
        PrunescopeError: It cannot be read, or `check_config` refuses it.
    """
    config = read_json(path, checkpoint)
    check_config(config, checkpoint)
    return config


def read_json(path: Path, checkpoint: str) -> dict[str, Any]:
    """Read a JSON object from a file of a checkpoint.

    Raises:
        PrunescopeError: It is outside the checkpoint's folder, too large, or no JSON object.
    """
    try:
        _check_file(path, MAX_JSON_BYTES, checkpoint)
        values = json.loads(path.read_text(encoding="utf-8"), parse_constant=int)  # refuses NaN
        if not isinstance(values, dict):
            raise ValueError
        return values
    except (OSError, ValueError, RecursionError) as error:
        raise refused(checkpoint, f"has a {path.name} that is not JSON that can be read") from error


def check_config(config: Mapping[str, Any], checkpoint: str) -> None:
    """Refuse the configuration of a model that cannot be pruned, or that reads unhashed files.

    Args:
        config: The content of config.json.
        checkpoint: The checkpoint's name in messages.

    Raises:
        PrunescopeError: The model type is not supported, the model is too deep, the encoder has a
            convolution, or the head does not give one label.
    """
    model_type = config.get("model_type")
    if model_type not in SUPPORTED_MODEL_TYPES:
        fault = f"has model type {str(model_type)[:40]!a}, which is not supported"
        remedy = f"choose a checkpoint of type {', '.join(SUPPORTED_MODEL_TYPES)}"
        raise refused(checkpoint, fault, remedy)
    for name in _FOREIGN:
        if config.get(name):
            raise refused(
                checkpoint,
                f"cannot be pruned as it is stored: its {CONFIG} sets {name}",
            )
    for name, most in _MOST.items():
        value = config.get(name, most)
        if type(value) is not int or not 1 <= value <= most:
            fault = f"has {name} {value!a:.40} in {CONFIG}, expected 1 to {most:,}"
            raise refused(checkpoint, fault)
    problem = config.get("problem_type")
    if problem not in (None, "single_label_classification"):
        fault = f"gives no single label (problem_type {problem!a:.40} in {CONFIG})"
        raise refused(checkpoint, fault)


def encoder_size(config: Mapping[str, Any]) -> tuple[int, int]:
    """Return the number of encoder layers and their width from a checked config.json.

    Where it has none, transformers' defaults apply.
    """
    layers = config.get("num_hidden_layers") or config.get("n_layers") or 12
    width = config.get("hidden_size") or config.get("dim") or 768
    return layers, width


# ---------------------------------------------------------------- which files


def weight_files(names: Collection[str], checkpoint: str) -> tuple[str, ...]:
    """Choose the weights to read: safetensors before PyTorch's own format, one file before shards.

    Args:
        names: The checkpoint's files.
        checkpoint: The checkpoint's name in messages.

    Returns:
        The one file, or the index followed by all files that are named like its shards.

    Raises:
        PrunescopeError: There are no weights that PyTorch can read.
    """
    for single in WEIGHTS:
        if single in names:
            return (single,)
        index = f"{single}.index.json"
        if index in names:
            shards = fnmatch.filter(names, single.replace(".", "-*."))
            return (index, *sorted(shards))
    raise refused(
        checkpoint,
        "has no weights (neither model.safetensors nor pytorch_model.bin)",
    )


def wanted_files(names: Collection[str], checkpoint: str) -> list[str]:
    """List the files that decide what a checkpoint computes: configuration, tokenizer, weights.

    Args:
        names: The checkpoint's files.
        checkpoint: The checkpoint's name in messages.

    Returns:
        Their names. The weights, or their index, come last: where these are, the others are too.

    Raises:
        PrunescopeError: One of the three is missing.
    """
    if CONFIG not in names:
        remedy = "choose a folder or repository in the Hub's format"
        raise refused(checkpoint, f"has no {CONFIG}", remedy)
    if not set(VOCABULARIES) & set(names):
        raise refused(
            checkpoint,
            "has no tokenizer file such as tokenizer.json or vocab.txt",
        )
    tokenizer = [name for name in TOKENIZER_FILES if name in names]
    return [CONFIG, *tokenizer, *reversed(weight_files(names, checkpoint))]


def content_hash(folder: Path, checkpoint: str) -> str:
    """Return the SHA-256 over names and contents of the files that decide a checkpoint's numbers.

    Args:
        folder: The checkpoint's folder.
        checkpoint: The checkpoint's name in messages.

    Raises:
        PrunescopeError: The folder is not a checkpoint, or a file is irregular, too large, or leads
            or points outside.
    """
    digest = hashlib.sha256()
    try:
        paths = list(folder.iterdir())
        # transformers also looks into files that are not hashed, and would wait for a pipe.
        for path in paths:
            if path.exists() and not path.is_dir() and not path.is_file():
                raise refused(
                    checkpoint,
                    f"has no {path.name} that is a regular file of its own",
                )
        names = sorted(wanted_files([path.name for path in paths], checkpoint))
        if (folder / ADAPTER).exists():
            fault = f"has an adapter ({ADAPTER}), whose weights are not read"
            raise refused(checkpoint, fault, "merge it first")
        for name in names:
            most = MAX_TOKENIZER_BYTES if name in TOKENIZER_FILES else limits().download_bytes
            _check_file(folder / name, most, checkpoint)
        index, *shards = weight_files(names, checkpoint)
        if index.endswith(".json"):
            named = read_json(folder / index, checkpoint).get("weight_map")
            if not isinstance(named, dict) or not all(shard in shards for shard in named.values()):
                fault = "has an index of weights (weight_map) that does not name shards beside it"
                raise refused(checkpoint, fault)
        if TOKENIZER_CONFIG in names:
            settings = read_json(folder / TOKENIZER_CONFIG, checkpoint)
            if settings.get("fast_tokenizer_files"):
                fault = f"has a {TOKENIZER_CONFIG} that names other files (fast_tokenizer_files)"
                raise refused(checkpoint, fault)
        for name in names:
            digest.update(f"{name} {sha256_of(folder / name)}\n".encode())
    except OSError as error:
        fault = f"cannot be read ({error.strerror})"
        raise refused(checkpoint, fault, "choose another folder") from error
    return digest.hexdigest()


def _check_file(path: Path, most: int, checkpoint: str) -> None:
    """Refuse a file of more than `most` bytes, or outside the folder and the Hub cache's blobs.

    The message says nothing about a place outside to which a link leads.
    """
    root = Path(os.path.realpath(path.parent))
    real = Path(os.path.realpath(path))
    places = [root]
    if root.parent.name == "snapshots":  # COMMIT is in it, and `blobs` beside it
        places.append(root.parent.parent / "blobs")
    if real.parent not in places or not real.is_file():
        raise refused(checkpoint, f"has no {path.name} that is a regular file of its own")
    size = real.stat().st_size
    if size > most:
        fault = f"has a {path.name} of {size / 2**20:,.1f} MiB, more than {most // 2**20} MiB"
        raise refused(checkpoint, fault)
