"""Write a model in memory in the form in which every other one comes: a folder in the Hub's format.

So it is checked, loaded, identified and pruned as any other, and the model itself is never touched.
"""

import copy
import re
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import torch

from core.errors import PrunescopeError, first_few, is_out_of_memory
from core.inputs.checkpoint_files import check_config

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

LISTED_WEIGHTS = 3  # in a message


def write_folder(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", parent: Path) -> Path:
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
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    if not isinstance(model, PreTrainedModel) or not isinstance(tokenizer, PreTrainedTokenizerBase):
        raise PrunescopeError(
            f"a {type(model).__name__} and a {type(tokenizer).__name__} are not a model and a tokenizer of "
            "transformers: give (model, tokenizer); of a model with an adapter, what merge_and_unload() returns"
        )
    name = _name_of(model)
    folder = parent / name
    try:
        check_config(model.config.to_dict(), name)
        _check_readable_again(model, name)
        model.save_pretrained(folder)
        _unused_config(model).save_pretrained(folder)
        _unused_tokenizer(tokenizer).save_pretrained(folder)
    except OSError as error:
        raise PrunescopeError(
            f"'{name}' cannot be written to {parent} ({error.strerror or error}): make room there, or choose another "
            "TMPDIR"
        ) from error
    except PrunescopeError:
        raise
    except Exception as error:  # whatever a model makes the libraries do, such as one on the meta device
        if is_out_of_memory(error):  # not the model's fault
            raise
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise PrunescopeError(
            f"'{name}' cannot be written as a folder ({reason}): load it again with AutoModelForSequenceClassification"
        ) from error
    return folder


def _name_of(model: "PreTrainedModel") -> str:
    """Return the last part of the name that a model was loaded by, else its class."""
    words = re.sub(r"[^\w.-]+", "-", PurePath(str(model.name_or_path)).name).strip(".-")
    return words or type(model).__name__


def _check_readable_again(model: "PreTrainedModel", name: str) -> None:
    """Refuse a model that holds more or something other than what would be read from its folder."""
    from transformers import AutoModelForSequenceClassification

    with torch.device("meta"):
        read: Any = AutoModelForSequenceClassification.from_config(model.config)
    if type(read) is not type(model):
        raise PrunescopeError(
            f"'{name}' is a {type(model).__name__}, which would be read as a {type(read).__name__}: load it with "
            "AutoModelForSequenceClassification"
        )
    further = sorted(model.state_dict().keys() ^ read.state_dict().keys())
    if further:
        raise PrunescopeError(
            f"'{name}' has other weights than a plain {type(model).__name__} ({first_few(further, LISTED_WEIGHTS)}): "
            "merge its adapters, and make its pruning permanent"
        )


# ---------------------------------------------------------------- without what earlier use left, so that keys are equal


def _unused_config(model: "PreTrainedModel") -> "PreTrainedConfig":
    """Return a copy of the configuration without the kind of loss, which is noted where labels are given."""
    config = copy.deepcopy(model.config)
    config.problem_type = None
    return config


def _unused_tokenizer(tokenizer: "PreTrainedTokenizerBase") -> "PreTrainedTokenizerBase":
    """Return a copy of the tokenizer without the padding and the truncation of its last call."""
    unused = copy.deepcopy(tokenizer)
    if unused.is_fast:
        backend: Any = unused.backend_tokenizer  # type: ignore[attr-defined]
        backend.no_padding()
        backend.no_truncation()
    return unused
