"""Write a model in memory to a folder in the Hub's format.

It is then checked, loaded, identified and pruned like any other checkpoint, and the caller's model
is never modified.
"""

import copy
import re
from pathlib import Path, PurePath
from typing import Any

import torch
from transformers import (
    AutoModelForSequenceClassification,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from core.errors import PrunescopeError, first_few, is_out_of_memory
from core.inputs.checkpoint_files import check_config, refused


def write_folder(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, parent: Path) -> Path:
    """Write a loaded classifier and its tokenizer to a new folder, named after the model.

    Args:
        model: A classifier of the class that transformers chooses for the model's type; in any
            dtype, mode and place.
        tokenizer: Its tokenizer.
        parent: The folder's parent.

    Returns:
        The folder.

    Raises:
        PrunescopeError: They are not a transformers model and tokenizer, a folder cannot represent
            the whole model, or it cannot be written.
    """
    if not isinstance(model, PreTrainedModel) or not isinstance(tokenizer, PreTrainedTokenizerBase):
        pair = f"a {type(model).__name__} and a {type(tokenizer).__name__}"
        remedy = (
            "give (model, tokenizer); "
            "if the model has an adapter, give what merge_and_unload() returns"
        )
        raise PrunescopeError(f"{pair} are not a model and a tokenizer of transformers: {remedy}")
    stem = re.sub(r"[^\w.-]+", "-", PurePath(str(model.name_or_path)).name).strip(".-")
    name = stem or type(model).__name__
    folder = parent / name
    try:
        check_config(model.config.to_dict(), name)
        _check_readable_again(model, name)
        model.save_pretrained(folder)
        # Earlier use of both leaves traces, which would change the content and so the key.
        config = copy.deepcopy(model.config)
        config.problem_type = None  # set by a call with labels
        config.save_pretrained(folder)
        clean_tokenizer = copy.deepcopy(tokenizer)
        if clean_tokenizer.is_fast:
            backend: Any = clean_tokenizer.backend_tokenizer  # type: ignore[attr-defined]
            backend.no_padding()
            backend.no_truncation()
        clean_tokenizer.save_pretrained(folder)
    except Exception as error:  # a full disk, or any fault of a library on an unusual model
        if is_out_of_memory(error) or isinstance(error, PrunescopeError):
            raise
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        fault = f"cannot be written as a folder ({reason})"
        raise refused(name, fault, "load it again") from error
    return folder


def _check_readable_again(model: PreTrainedModel, name: str) -> None:
    """Refuse a model that transformers would read back as another class, or with other weights."""
    with torch.device("meta"):
        plain: Any = AutoModelForSequenceClassification.from_config(model.config)
    differing = sorted(model.state_dict().keys() ^ plain.state_dict().keys())
    if type(plain) is not type(model) or differing:
        fault = f"which it is not ({first_few(differing, 3, 100) or type(model).__name__})"
        remedy = (
            "load it with AutoModelForSequenceClassification, "
            "merge its adapters, and make its pruning permanent"
        )
        raise refused(
            name,
            f"would be read as a plain {type(plain).__name__}, {fault}",
            remedy,
        )
