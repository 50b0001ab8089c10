"""Choose the files that make a checkpoint, refuse what they must not ask for, and compute their digests.

No torch, no network. What a checkpoint takes in memory and time is not reckoned here: it is loaded under limits.
"""

import hashlib
import json
import os
from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.errors import PrunescopeError
from core.request.catalog import MAX_LAYERS, SUPPORTED_MODEL_TYPES
from core.request.limits import limits

CONFIG = "config.json"
ADAPTER = "adapter_config.json"  # transformers would add its weights where the library for it is installed
TRAINING_EXAMPLES = "training_examples.npy"
RECIPE_FILE = "recipe.json"  # how to make weights that are not shipped
TOKENIZER = "tokenizer.json"  # all that a tokenizer does; other files are converted to it
_SUBWORDS = ("spiece.model", "spm.model", "sentencepiece.bpe.model", "bpe.codes")
VOCABULARIES = (TOKENIZER, "vocab.txt", "vocab.json", *_SUBWORDS)
TOKENIZER_CONFIG = "tokenizer_config.json"
TOKENIZER_FILES = (*VOCABULARIES, "merges.txt", TOKENIZER_CONFIG, "special_tokens_map.json", "added_tokens.json")
# To transformers, whatever it reads of a checkpoint: nothing is fetched, and no code of a checkpoint is run.
SAFE = {"local_files_only": True, "trust_remote_code": False}
MAX_JSON_BYTES = 4 * 2**20
MAX_TOKENIZER_BYTES = 32 * 2**20  # XLM-R's tokenizer.json has 17 MB
_WEIGHTS = (("model.safetensors", "model-*.safetensors"), ("pytorch_model.bin", "pytorch_model-*.bin"))
# Fields that no checkpoint may fill: the first two make transformers read other files, or weights of another format,
# than those that are hashed; the third puts a convolution beside the first layer, which no method here prunes.
_FOREIGN = ("quantization_config", "transformers_weights", "conv_kernel_size")
# Numbers that take time or memory before a model's size can be counted.
_MOST = {
    **{"num_hidden_layers": MAX_LAYERS, "n_layers": MAX_LAYERS, "hidden_size": 10**6, "dim": 10**6},
    **{"num_labels": 1_000, "max_position_embeddings": 2**17},
}


def refused(checkpoint: str, fault: str, remedy: str = "choose another") -> PrunescopeError:
    """Return the error that refuses a checkpoint, or a data set on the Hub."""
    return PrunescopeError(f"'{checkpoint}' {fault}: {remedy}")


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal; an unchanged file is read once per process.

    A file has changed where its inode, its size, or its time of modification or of change has; the last is set by the
    system alone. Left unseen are writes of the same size in the same tick of its clock, of some milliseconds.
    """
    stat = path.stat()
    return _sha256_of(path.resolve(), stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


@lru_cache(maxsize=10_000)
def _sha256_of(path: Path, *state: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# ---------------------------------------------------------------- what config.json says


def read_config(path: Path, checkpoint: str) -> dict[str, Any]:
    """Read and check a config.json, before anything heavy is imported.

    Raises:
        PrunescopeError: It cannot be read, or see `check_config`.
    """
    config: dict[str, Any] = read_json(path, checkpoint)
    check_config(config, checkpoint)
    return config


def read_json(path: Path, checkpoint: str) -> Any:
    """Read a JSON file of a checkpoint.

    Raises:
        PrunescopeError: It lies elsewhere, is too large, or no JSON.
    """
    try:
        _check_file(path, MAX_JSON_BYTES, checkpoint)
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=int)  # refuses NaN
    except (OSError, ValueError, RecursionError) as error:
        raise refused(checkpoint, f"has a {path.name} that is not JSON that can be read") from error


def check_config(config: Any, checkpoint: str) -> None:
    """Refuse a configuration of a model that cannot be pruned here, or of files other than those that are hashed.

    Args:
        config: The content of config.json.
        checkpoint: The checkpoint, for the message.

    Raises:
        PrunescopeError: The model type is not supported, the model is too deep, the encoder has a convolution, or the
            head gives no single label.
    """
    check_model_type(config.get("model_type") if isinstance(config, Mapping) else None, checkpoint)
    for name in _FOREIGN:
        if config.get(name):
            raise refused(checkpoint, f"cannot be pruned as it is stored: its {CONFIG} sets {name}")
    for name, most in _MOST.items():
        value = config.get(name, most)
        if type(value) is not int or not 1 <= value <= most:
            shown = json.dumps(value, default=str)[:40]
            raise refused(checkpoint, f"has {name} {shown} in {CONFIG}, expected 1 to {most:,}")
    if config.get("problem_type") not in (None, "single_label_classification"):
        fault = f"gives no single label (problem_type {str(config['problem_type'])[:40]!a} in {CONFIG})"
        raise refused(checkpoint, fault, "choose a classifier that gives one label")


def encoder_size(config: Mapping[str, Any]) -> tuple[int, int]:
    """Return the number of encoder layers and their width from a checked config.json, or transformers' own defaults."""
    layers = config.get("num_hidden_layers") or config.get("n_layers") or 12
    return layers, config.get("hidden_size") or config.get("dim") or 768


def check_model_type(model_type: object, checkpoint: str) -> None:
    """Refuse a model type that `core.encoder.architectures` lacks.

    Args:
        model_type: From config.json, whatever it holds.
        checkpoint: The checkpoint, for the message.

    Raises:
        PrunescopeError: The type is not supported.
    """
    if model_type not in SUPPORTED_MODEL_TYPES:
        remedy = f"choose a checkpoint of type {', '.join(SUPPORTED_MODEL_TYPES)}"
        raise refused(checkpoint, f"has model type {str(model_type)[:40]!a}, which is not supported", remedy)


# ---------------------------------------------------------------- which files


def weight_files(names: Collection[str], checkpoint: str) -> tuple[str, ...]:
    """Choose the weights to read: safetensors before PyTorch's own format, one file before shards.

    Args:
        names: The files of the checkpoint.
        checkpoint: The checkpoint, for the message.

    Returns:
        The one file, or the index and what is called like a shard of it.

    Raises:
        PrunescopeError: There are no weights that PyTorch can read.
    """
    for whole, shards in _WEIGHTS:
        index = f"{whole}.index.json"
        if whole in names:
            return (whole,)
        if index in names:
            return (index, *sorted(name for name in names if fnmatchcase(name, shards)))
    raise refused(checkpoint, "has no weights (neither model.safetensors nor pytorch_model.bin)")


def wanted_files(names: Collection[str], checkpoint: str) -> list[str]:
    """List the files that decide what a checkpoint computes: configuration, tokenizer, weights.

    Args:
        names: The files of the checkpoint.
        checkpoint: The checkpoint, for the messages.

    Returns:
        Their names, the weights or their index last: where these are, the others are.

    Raises:
        PrunescopeError: One of the three is missing.
    """
    if CONFIG not in names:
        raise refused(checkpoint, f"has no {CONFIG}", "choose a folder or repository in the Hub's format")
    if not set(VOCABULARIES) & set(names):
        raise refused(checkpoint, "has no tokenizer file such as tokenizer.json or vocab.txt")
    weights = weight_files(names, checkpoint)
    return [CONFIG, *(name for name in TOKENIZER_FILES if name in names), *reversed(weights)]


def content_hash(folder: Path, checkpoint: str) -> str:
    """Return the SHA-256 over names and contents of the files that decide what a checkpoint computes.

    Args:
        folder: The checkpoint's folder.
        checkpoint: The checkpoint, for the messages.

    Raises:
        PrunescopeError: The folder is not a checkpoint, or a file is none, too large, lies elsewhere or names files
            elsewhere.
    """
    try:
        found = list(folder.iterdir())
        for path in found:  # pipes and devices: transformers looks for files that nothing here needs
            if path.exists() and not path.is_dir() and not path.is_file():
                raise refused(checkpoint, f"has no {path.name} that is a regular file of its own")
        names = sorted(wanted_files([path.name for path in found], checkpoint))
        if (folder / ADAPTER).exists():
            raise refused(checkpoint, f"has an adapter ({ADAPTER}), whose weights are not read", "merge it first")
        for name in names:
            most = MAX_TOKENIZER_BYTES if name in TOKENIZER_FILES else limits().download_bytes
            _check_file(folder / name, most, checkpoint)
        index, *shards = weight_files(names, checkpoint)
        if index.endswith(".json"):
            _check_shards(read_json(folder / index, checkpoint), shards, checkpoint)
        settings = read_json(folder / TOKENIZER_CONFIG, checkpoint) if TOKENIZER_CONFIG in names else {}
        if not isinstance(settings, Mapping) or settings.get("fast_tokenizer_files"):
            raise refused(checkpoint, f"has a {TOKENIZER_CONFIG} that names other files (fast_tokenizer_files)")
        lines = "".join(f"{name} {sha256_of(folder / name)}\n" for name in names)
    except OSError as error:
        raise refused(checkpoint, f"cannot be read ({error.strerror})", "choose another folder") from error
    return hashlib.sha256(lines.encode()).hexdigest()


def _check_shards(index: Any, shards: Collection[str], checkpoint: str) -> None:
    """Refuse an index of weights that names other files than shards beside it; what is elsewhere is not looked up."""
    named = index.get("weight_map") if isinstance(index, Mapping) else None
    if (
        not isinstance(named, Mapping)
        or not isinstance(index.get("metadata", {}), Mapping)
        or not named
        or not all(shard in shards for shard in named.values())
    ):
        raise refused(checkpoint, "has an index of weights (weight_map) that does not name shards beside it")


def _check_file(path: Path, most: int, checkpoint: str) -> None:
    """Refuse what is no regular file inside a checkpoint's folder, or among the Hub cache's blobs that its links name.

    Where a link leads elsewhere, nothing is said of what is there. Nor may it have more bytes than `most`.
    """
    real, root = Path(os.path.realpath(path)), Path(os.path.realpath(path.parent))
    blobs = root.parent.parent / "blobs"  # beside `snapshots/COMMIT`
    is_inside = real.parent == root or (root.parent.name == "snapshots" and real.parent == blobs)
    if not is_inside or not real.is_file():
        raise refused(checkpoint, f"has no {path.name} that is a regular file of its own")
    if (size := real.stat().st_size) > most:
        fault = f"has a {path.name} of {size / 2**20:,.1f} MiB, more than the {most // 2**20} MiB allowed"
        raise refused(checkpoint, fault)
