"""Bound what a checkpoint's small files may ask for, before anything heavy is imported; no torch.

A few bytes of JSON can ask for a model or a vocabulary that fills the memory, or name files outside their folder.
"""

import json
import math
from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from core.errors import PrunescopeError
from core.request.catalog import MAX_LAYERS
from core.request.limits import limits

MAX_CONFIG_BYTES = 2**20
MAX_INDEX_BYTES = 4 * 2**20
MAX_TOKENIZER_BYTES = 32 * 2**20  # XLM-R's tokenizer.json has 17 MB
# The fields of config.json that decide how much memory a model takes, under all names that the architectures use.
_BOUNDS: Mapping[str, tuple[int, int]] = {
    **dict.fromkeys(("num_hidden_layers", "n_layers"), (1, MAX_LAYERS)),
    **dict.fromkeys(("num_attention_heads", "n_heads"), (1, 256)),
    **dict.fromkeys(("hidden_size", "dim", "embedding_size"), (1, 16_384)),
    **dict.fromkeys(("intermediate_size", "hidden_dim"), (1, 65_536)),
    **dict.fromkeys(("max_position_embeddings", "max_relative_positions", "position_buckets"), (-1, 131_072)),
    "relative_attention_num_buckets": (1, 4_096),
    "vocab_size": (1, 1_000_000),
    "type_vocab_size": (0, 1_000),
    "num_labels": (1, 1_000),
}
_NAMES: Mapping[str, tuple[str, ...]] = {
    "layers": ("num_hidden_layers", "n_layers"),
    "heads": ("num_attention_heads", "n_heads"),
    "hidden": ("hidden_size", "dim"),
    "intermediate": ("intermediate_size", "hidden_dim"),
    "vocabulary": ("vocab_size",),
}
# Fields that make transformers read other files, or weights of another format, than those that are hashed.
_FOREIGN = {
    "quantization_config": "has quantised weights, which cannot be pruned by magnitude: choose the original checkpoint",
    "transformers_weights": "names a weights file of its own: choose a checkpoint with model.safetensors",
}


def read_json(path: Path, most: int, checkpoint: str) -> Any:
    """Read a JSON file of a checkpoint.

    Args:
        path: A regular file.
        most: The bytes that it may have.
        checkpoint: The checkpoint, for the message.

    Raises:
        PrunescopeError: It is too large, no JSON, or holds a number that is not finite.
    """
    try:
        check_file_size(path, most, checkpoint)
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse, parse_float=_finite)
    except (OSError, ValueError, RecursionError) as error:
        raise PrunescopeError(
            f"'{checkpoint}': {path.name} is not JSON that can be read: choose another checkpoint"
        ) from error


def check_file_size(path: Path, most: int, checkpoint: str) -> None:
    """Refuse a file of a checkpoint that is too large.

    Raises:
        PrunescopeError: It has more bytes than `most`.
    """
    size = path.stat().st_size
    if size > most:
        raise PrunescopeError(
            f"'{checkpoint}': {path.name} is {size / 2**20:,.1f} MiB, more than the {most // 2**20} MiB allowed: "
            "choose another checkpoint"
        )


def _refuse(word: str) -> float:
    raise ValueError(f"{word} is not a number")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"{digits} is not finite")
    return value


def check_size(config: Mapping[str, Any], checkpoint: str) -> None:
    """Refuse a configuration that asks for too large a model, or for other files than those that are read.

    Args:
        config: The content of config.json.
        checkpoint: The checkpoint, for the message.

    Raises:
        PrunescopeError: A number is none, out of its bounds, or together they make too many parameters.
    """
    for name, fault in _FOREIGN.items():
        if config.get(name) is not None:
            raise PrunescopeError(f"'{checkpoint}' {fault} ({name} in config.json)")
    for name, (least, most) in _BOUNDS.items():
        value = config.get(name, most)
        if type(value) is not int or not least <= value <= most:
            shown = json.dumps(value, default=str)[:40]
            raise PrunescopeError(
                f"'{checkpoint}': {name} is {shown} in config.json, expected {least:,} to {most:,}: choose another "
                "checkpoint"
            )
    layers, heads, hidden, intermediate, vocabulary = (_largest(config, part) for part in _NAMES)
    if heads and hidden % heads:
        raise PrunescopeError(
            f"'{checkpoint}': a hidden size of {hidden:,} cannot be divided among {heads} attention heads: correct its "
            "config.json, or choose another checkpoint"
        )
    count = vocabulary * int(config.get("embedding_size", hidden)) + layers * hidden * (4 * hidden + 2 * intermediate)
    if count > limits().parameters:
        raise PrunescopeError(
            f"'{checkpoint}' has more than {count:,} parameters by its config.json, and {limits().parameters:,} are "
            "allowed here: choose a smaller checkpoint"
        )


def _largest(config: Mapping[str, Any], part: str) -> int:
    """Return the largest value of a part under all its names; 0 where the architecture's default is meant."""
    return max((int(config[name]) for name in _NAMES[part] if name in config), default=0)


# ---------------------------------------------------------------- the other files


def check_shards(index: Any, names: Collection[str], pattern: str, checkpoint: str) -> None:
    """Refuse an index of weights that is none, or names other files than shards beside it.

    Whether a file elsewhere exists is not looked up, and not told.

    Args:
        index: The content of the index.
        names: The files of the checkpoint.
        pattern: What a shard is called, as a glob.
        checkpoint: The checkpoint, for the message.

    Raises:
        PrunescopeError: The index cannot be used.
    """
    shards = index.get("weight_map") if isinstance(index, Mapping) else None
    if not isinstance(shards, Mapping) or not shards or not isinstance(index.get("metadata", {}), Mapping):
        raise PrunescopeError(f"'{checkpoint}': its index of weights has no weight_map, choose another checkpoint")
    for shard in shards.values():
        if not isinstance(shard, str) or not fnmatchcase(shard, pattern) or set(shard) & set("/\\"):
            raise PrunescopeError(
                f"'{checkpoint}': its index of weights names {json.dumps(shard)[:60]}, which is not called like a "
                f"shard ({pattern}): choose another checkpoint"
            )
        if shard not in names:
            raise PrunescopeError(f"'{checkpoint}' lacks the weights {shard[:60]}: fetch it again")


def check_tokenizer(folder: Path, names: Collection[str], config: Mapping[str, Any], checkpoint: str) -> None:
    """Refuse tokenizer files that are too large, do not fit the model, or name other files.

    Args:
        folder: The checkpoint's folder.
        names: The tokenizer's files in it.
        config: The content of config.json, checked by `check_size`.
        checkpoint: The checkpoint, for the messages.

    Raises:
        PrunescopeError: They cannot be used.
    """
    vocabulary = _largest(config, "vocabulary") or math.inf
    for name in sorted(names):
        content = None
        if name.endswith(".json"):
            content = read_json(folder / name, MAX_TOKENIZER_BYTES, checkpoint)
        else:
            check_file_size(folder / name, MAX_TOKENIZER_BYTES, checkpoint)
        if name == "tokenizer_config.json" and isinstance(content, Mapping) and content.get("fast_tokenizer_files"):
            raise PrunescopeError(
                f"'{checkpoint}': {name} names files of its own (fast_tokenizer_files), choose another checkpoint"
            )
        numbers = _token_numbers(folder / name, content)
        if any(type(number) is not int or not 0 <= number < vocabulary for number in numbers):
            raise PrunescopeError(
                f"'{checkpoint}': {name} has tokens beyond the {vocabulary:,} that its model knows: the two do not "
                "belong together, choose another checkpoint"
            )


def _token_numbers(path: Path, content: Any) -> Iterable[Any]:
    """Return the numbers of the tokens in a file, whatever stands there; none for a file without tokens."""
    if path.name == "vocab.txt":
        with path.open("rb") as file:
            return range(sum(1 for _ in file))
    if path.name in ("vocab.json", "added_tokens.json"):
        return content.values() if isinstance(content, Mapping) else (content,)
    if path.name != "tokenizer.json":
        return ()
    model = content.get("model") if isinstance(content, Mapping) else None
    vocabulary = model.get("vocab") if isinstance(model, Mapping) else None
    added = content.get("added_tokens") if model else None
    known = vocabulary.values() if isinstance(vocabulary, Mapping) else range(len(_listed(vocabulary)))
    return [*known, *(token.get("id") if isinstance(token, Mapping) else token for token in _listed(added))]


def _listed(found: Any) -> list[Any]:
    """Return what should be a list; none of anything else, which the library for tokenizers refuses."""
    return found if isinstance(found, list) else []
