"""Hostile checkpoints: each is a good one with one thing changed in its folder."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Concatenate, ParamSpec

import torch
from safetensors.torch import load_file, save_file

Change = Callable[[Path], None]

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
TOKENIZER = "tokenizer.json"
# An array file that promises more than it holds.
PROMISING = (
    b"\x93NUMPY\x01\x00v\x00"
    + b"{'descr': '<u8', 'fortran_order': False, 'shape': (1000000000000,), }".ljust(117)
    + b"\n"
)
DIGESTS = "training_examples.npy"

P = ParamSpec("P")


def change(
    edit: Callable[Concatenate[Path, P], object],
) -> Callable[P, Change]:
    """Turn a function of a folder into one that returns a change."""
    return lambda *args, **kwargs: lambda folder: edit(folder, *args, **kwargs)


@change
def text(folder: Path, name: str, content: str | bytes) -> None:
    """Replace a file's content."""
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


@change
def parsed(
    folder: Path,
    edit: Callable[[dict[str, Any]], object],
    name: str = TOKENIZER,
) -> None:
    """Edit a JSON file; it may then hold numbers that JSON lacks."""
    path = folder / name
    found = json.loads(path.read_text()) if path.exists() else {}
    edit(found)
    path.write_text(json.dumps(found))


def changed(name: str, **values: Any) -> Change:
    """Change fields of a JSON file."""
    return parsed(lambda found: found.update(values), name)


@change
def gone(folder: Path, name: str) -> None:
    (folder / name).unlink()


@change
def both(folder: Path, first: Change, second: Change) -> None:
    first(folder)
    second(folder)


@change
def linked(folder: Path, name: str) -> None:
    """Move a file out of the folder and leave a link to it."""
    moved = (folder / name).rename(folder.parent / f"outside-{name}")
    (folder / name).symlink_to(moved)


@change
def weights(folder: Path, edit: Callable[[dict[str, torch.Tensor]], object]) -> None:
    """Edit the dictionary of weights."""
    found = load_file(folder / WEIGHTS)
    edit(found)
    save_file(found, folder / WEIGHTS, metadata={"format": "pt"})


@change
def pipe(folder: Path, name: str) -> None:
    """Replace a file by a pipe to which nobody writes."""
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)


def shard_outside(folder: Path) -> None:
    """Turn the weights into a shard outside the folder."""
    weight_map = dict.fromkeys(load_file(folder / WEIGHTS), "../outside.safetensors")
    (folder / WEIGHTS).rename(folder.parent / "outside.safetensors")
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {}, "weight_map": weight_map})
    )


class Bomb:
    """Ends the process when unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (66,)


CHECKPOINTS: Mapping[str, Change] = {
    # config.json
    "no config": gone(CONFIG),
    "config of 60 MB": text(CONFIG, '{"model_type": "bert", "x": "' + "x" * 60_000_000 + '"}'),
    "decoder": changed(CONFIG, model_type="gpt2"),
    "a million layers by another name": changed(CONFIG, n_layers=10**6),
    "a dropout of NaN": changed(CONFIG, hidden_dropout_prob=float("nan")),
    "four billion parameters": changed(
        CONFIG, num_hidden_layers=96, hidden_size=2048, num_attention_heads=4
    ),
    "a billion labels": changed(CONFIG, id2label=None, num_labels=10**9),
    "regression": changed(CONFIG, problem_type="regression"),
    "a head for another task": changed(CONFIG, architectures=["BertForTokenClassification"]),
    # weights
    "weights with an endless header": text(WEIGHTS, b"\xff" * 8 + b"{}"),
    "weights are cut": lambda folder: os.truncate(folder / WEIGHTS, 5_000),
    "weights lead out": linked(WEIGHTS),
    "no head": weights(lambda found: found.pop("classifier.weight")),
    "a weight is NaN": weights(lambda found: found["classifier.weight"].fill_(float("nan"))),
    "pickle with code": both(
        gone(WEIGHTS),
        lambda folder: torch.save({"classifier.weight": Bomb()}, folder / "pytorch_model.bin"),
    ),
    "an adapter": text("adapter_config.json", '{"base_model_name_or_path": "/"}'),
    # shards
    "a shard outside": shard_outside,
    # tokenizer
    "no tokenizer": gone(TOKENIZER),
    "tokenizer is deep": text(TOKENIZER, "[" * 100_000),
    "a word beyond the model": parsed(lambda found: found["model"]["vocab"].update(film=10**9)),
    "no word for unknown ones": both(
        parsed(lambda found: found["model"]["vocab"].pop("[UNK]")),
        changed("tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast"),
    ),
    "added tokens beyond the model": text("added_tokens.json", '{"[NEW]": 123456789}'),
    "two million lines": both(gone(TOKENIZER), text("vocab.txt", "word\n" * 2_000_000)),
    "no padding token": changed("tokenizer_config.json", pad_token=None),
    "a chat template that is a pipe": pipe("chat_template.jinja"),
    "versioned tokenizer files": changed(
        "tokenizer_config.json", fast_tokenizer_files=["tokenizer.4.0.json"]
    ),
    # Sparse: it takes no room.
    "weights of 100 GB": lambda folder: os.truncate(folder / WEIGHTS, 100 * 2**30),
}
