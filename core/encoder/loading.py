"""A checkpoint's files -> model and tokenizer; refuses everything that transformers would let pass in silence."""

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError

from core.errors import PrunescopeError
from core.inputs.checkpoint_files import CONFIG, TRAINING_EXAMPLES, weight_patterns
from core.inputs.checkpoints import Resolved
from core.request.catalog import MAX_LENGTH, Task
from core.request.limits import limits
from core.results.schema import CheckpointRecord

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class Checkpoint:
    """A loaded checkpoint.

    Attributes:
        record: Its description for a result file.
        model: A sequence classifier in eval mode, float32, on the CPU.
        tokenizer: Its tokenizer.
        training_digests: Ascending `example_digest`s of its training data, uint64, where the folder tells them.
    """

    record: CheckpointRecord
    model: "nn.Module"
    tokenizer: "PreTrainedTokenizerBase"
    training_digests: np.ndarray | None


_loaded: dict[Resolved, Checkpoint] = {}  # the last one only: the worker stays warm, a second model costs memory


def load(resolved: Resolved) -> Checkpoint:
    """Loads a resolved checkpoint; asked again for the same content, gives the same objects.

    Args:
        resolved: From `resolve`.

    Raises:
        PrunescopeError: It cannot be read, or would compute something else than what was trained.
    """
    if resolved not in _loaded:
        _loaded.clear()  # first, so that two models are never in memory together
        _loaded[resolved] = _load(resolved)
    return _loaded[resolved]


def _load(resolved: Resolved) -> Checkpoint:
    # Imported here: torch and transformers take seconds, and `resolve` must stay free of them.
    from core.encoder.architectures import encoder_layers, num_prunable

    with _one_line_errors(resolved):
        tokenizer = _load_tokenizer(resolved)
        model = _load_model(resolved)
        digests = _load_training_digests(resolved)
    _check_tokenizer(resolved.id, len(tokenizer), tokenizer.pad_token_id, model.config)
    record = CheckpointRecord(
        id=resolved.id,
        revision=resolved.revision,
        source=resolved.source,
        architecture=type(model).__name__,
        num_layers=len(encoder_layers(model)),
        hidden_size=model.config.hidden_size,
        num_parameters=sum(parameter.numel() for parameter in model.parameters()),
        num_prunable=num_prunable(model),
    )
    return Checkpoint(record, model, tokenizer, digests)


@contextmanager
def _one_line_errors(resolved: Resolved) -> Iterator[None]:
    """Turns what the libraries raise on a bad checkpoint into one line, without a machine's path."""
    try:
        yield
    except pickle.UnpicklingError as error:
        raise PrunescopeError(
            f"'{resolved.id}' cannot be loaded: its weights file is damaged, or holds code, which is never run; "
            "choose another checkpoint"
        ) from error
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, SafetensorError) as error:
        lines = str(error).replace(str(resolved.folder), resolved.id).strip().splitlines()
        reason = f"{type(error).__name__}: {lines[0][:160]}" if lines else type(error).__name__
        raise PrunescopeError(
            f"'{resolved.id}' cannot be loaded, a file is damaged or of another kind ({reason}): "
            "get it again, or choose another checkpoint"
        ) from error


def _load_tokenizer(resolved: Resolved) -> Any:
    from transformers import AutoTokenizer
    from transformers.utils import logging

    logging.set_verbosity_error()  # its reports of unused weights would end up in the worker's or a command's output
    logging.disable_progress_bar()
    return AutoTokenizer.from_pretrained(resolved.folder, local_files_only=True, trust_remote_code=False)


def _load_model(resolved: Resolved) -> Any:
    """Reads the classifier in float32 and checks that every weight was there and is finite."""
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification

    config = AutoConfig.from_pretrained(resolved.folder, local_files_only=True, trust_remote_code=False)
    _check_size(resolved.id, config)
    weights = weight_patterns([path.name for path in resolved.folder.iterdir()], resolved.id)
    model, found = AutoModelForSequenceClassification.from_pretrained(
        resolved.folder,
        config=config,
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors="safetensors" in weights[0],
        weights_only=True,
        dtype=torch.float32,
        ignore_mismatched_sizes=True,  # they are refused here, with a better message
        output_loading_info=True,
    )
    mismatched = sorted(found["mismatched_keys"])
    if mismatched:
        name, stored, needed = mismatched[0]
        raise PrunescopeError(
            f"'{resolved.id}': weight {name} has shape {tuple(stored)}, its {CONFIG} says {tuple(needed)}: "
            "they do not belong together, choose another checkpoint"
        )
    missing = sorted(found["missing_keys"])
    if missing:
        raise PrunescopeError(
            f"'{resolved.id}' lacks {len(missing)} weights such as {missing[0]}, which would be random: "
            "choose a checkpoint that was fine-tuned for sequence classification"
        )
    for name, parameter in model.named_parameters():
        if not torch.isfinite(parameter).all():
            raise PrunescopeError(f"'{resolved.id}': weight {name} is not finite, choose another checkpoint")
    return model.eval()


def _check_size(name: str, config: Any) -> None:
    """Counts parameters on the meta device, where they take no memory, before any of them is read."""
    import torch
    from transformers import AutoModelForSequenceClassification

    with torch.device("meta"):
        model = AutoModelForSequenceClassification.from_config(config)
    count = sum(parameter.numel() for parameter in model.parameters())
    if count > limits().parameters:
        raise PrunescopeError(
            f"'{name}' has {count:,} parameters: at most {limits().parameters:,} here, choose a smaller checkpoint"
        )
    positions = config.max_position_embeddings
    if positions < MAX_LENGTH:
        raise PrunescopeError(f"'{name}' reads at most {positions} tokens: {MAX_LENGTH} are needed, choose another one")


def _check_tokenizer(name: str, size: int, padding: int | None, config: Any) -> None:
    """Refuses a tokenizer that does not belong to the model."""
    if size > config.vocab_size:
        raise PrunescopeError(
            f"'{name}': its tokenizer knows {size} tokens but the model only {config.vocab_size}: "
            "they do not belong together, choose another checkpoint"
        )
    if padding is None:
        raise PrunescopeError(f"'{name}': its tokenizer has no padding token, choose another checkpoint")


def _load_training_digests(resolved: Resolved) -> np.ndarray | None:
    path = resolved.folder / TRAINING_EXAMPLES
    if not path.is_file():
        return None
    digests = np.load(path, allow_pickle=False)
    if digests.dtype != np.uint64 or digests.ndim != 1:
        raise ValueError(f"{TRAINING_EXAMPLES} holds {digests.dtype} of {digests.ndim} dimensions instead of uint64")
    return np.asarray(digests)


def check_labels(checkpoint: Checkpoint, task: Task) -> None:
    """Refuses a checkpoint whose classifier has another number of labels than the task.

    Args:
        checkpoint: A loaded checkpoint.
        task: The task that it is to be evaluated on.

    Raises:
        PrunescopeError: The numbers differ.
    """
    labels = int(checkpoint.model.config.num_labels)  # type: ignore[union-attr, arg-type]
    if labels != len(task.label_names):
        raise PrunescopeError(
            f"'{checkpoint.record.id}' has {labels} labels, task {task.name} has {len(task.label_names)} "
            f"({', '.join(task.label_names)}): choose the task that it was fine-tuned on"
        )
