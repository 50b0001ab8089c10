"""Write a model in memory in the form in which every other one comes: a folder in the Hub's format.

So it is checked, loaded, identified and pruned as any other, and the model itself is never touched.
"""

import copy
import re
from pathlib import Path, PurePath
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification, PreTrainedModel, PreTrainedTokenizerBase

from core.errors import PrunescopeError, first_few, is_out_of_memory
from core.inputs.checkpoint_files import check_config, refused


def write_folder(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, parent: Path) -> Path:
    """Write a loaded classifier and its tokenizer into a new folder, which is called as the model is.

    Args:
        model: Of a class that transformers finds by itself for the model's type; its dtype, device and mode do not
            matter.
        tokenizer: Its tokenizer.
        parent: Where the folder is to lie.

    Raises:
        PrunescopeError: They are no model and tokenizer of transformers, a folder cannot hold all of the model, or it
            cannot be written.
    """
    if not isinstance(model, PreTrainedModel) or not isinstance(tokenizer, PreTrainedTokenizerBase):
        given = f"a {type(model).__name__} and a {type(tokenizer).__name__}"
        remedy = "give (model, tokenizer); of a model with an adapter, what merge_and_unload() returns"
        raise PrunescopeError(f"{given} are not a model and a tokenizer of transformers: {remedy}")
    name = re.sub(r"[^\w.-]+", "-", PurePath(str(model.name_or_path)).name).strip(".-") or type(model).__name__
    folder = parent / name
    try:
        check_config(model.config.to_dict(), name)
        _check_readable_again(model, name)
        model.save_pretrained(folder)
        # without what earlier use left, so that keys are equal
        config, unused = copy.deepcopy(model.config), copy.deepcopy(tokenizer)
        config.problem_type = None  # the kind of loss is noted where labels are given
        config.save_pretrained(folder)
        if unused.is_fast:
            backend: Any = unused.backend_tokenizer  # type: ignore[attr-defined]
            backend.no_padding()
            backend.no_truncation()
        unused.save_pretrained(folder)
    except Exception as error:  # a full disk, or whatever a model makes the libraries do
        if is_out_of_memory(error) or isinstance(error, PrunescopeError):  # not the model's fault, or said already
            raise
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise PrunescopeError(f"'{name}' cannot be written as a folder ({reason}): load it again") from error
    return folder


def _check_readable_again(model: PreTrainedModel, name: str) -> None:
    """Refuse a model that holds more or something other than what would be read from its folder."""
    with torch.device("meta"):
        read: Any = AutoModelForSequenceClassification.from_config(model.config)
    further = sorted(model.state_dict().keys() ^ read.state_dict().keys())
    if type(read) is not type(model) or further:
        fault = f"which it is not ({first_few(further, 3, 100) or type(model).__name__})"
        remedy = "load it with AutoModelForSequenceClassification, merge its adapters, and make its pruning permanent"
        raise refused(name, f"would be read as a plain {type(read).__name__}, {fault}", remedy)
