"""Load a checkpoint's files as a model and a tokenizer, and save a model made from it.

Faults that transformers accepts silently are refused. A saved model is a folder in the Hub's
format, in the dtype of the original weights.
"""

import pickle
import shutil
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from functools import reduce
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from torch import nn
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedTokenizerBase,
)
from transformers.modeling_utils import load_state_dict
from transformers.utils import logging

from core.encoder.architectures import (
    architecture_of,
    classifier,
    encoder_layers,
    num_prunable,
)
from core.encoder.batches import micro_batches, tokenise
from core.encoder.device import device_of, if_memory_suffices, place
from core.encoder.representations import Recorder
from core.errors import OUT_OF_MEMORY, PrunescopeError, is_out_of_memory
from core.inputs import checkpoint_files as files
from core.inputs.checkpoints import Resolved
from core.request.catalog import EAGER_ATTENTION, LATER_POSITIONS, MAX_LENGTH
from core.request.limits import limits
from core.results.schema import CheckpointRecord
from core.wall.confined import within

TOKENIZER_SECONDS = 8.0  # deadline for a tokenizer.json; XLM-R's takes two
CONVERSION_SECONDS = 60.0  # deadline for other files, which are converted first
OTHER_TASKS = (
    "ForTokenClassification",
    "ForQuestionAnswering",
    "ForMultipleChoice",
    "ForNextSentencePrediction",
)
TRIAL = (("A film \N{SNOWMAN}",),)  # few vocabularies contain the snowman


class Checkpoint(NamedTuple):
    """A loaded checkpoint.

    Attributes:
        record: Its description in a result file.
        model: A sequence classifier in eval mode, float32; as borrowed, on the chosen device.
        tokenizer: Its tokenizer.
    """

    record: CheckpointRecord
    model: nn.Module
    tokenizer: PreTrainedTokenizerBase


_in_use = threading.Lock()  # held by the thread that uses the model
_loaded: dict[Resolved, Checkpoint] = {}  # at most one: a second model would cost memory


@contextmanager
def borrow(resolved: Resolved) -> Iterator[Checkpoint]:
    """Lend a checkpoint to one caller at a time, who may prune its model and must restore it.

    Other threads wait until the model is returned, because running a model that another thread has
    pruned would give wrong numbers. The model stays loaded for the next caller that asks for the
    same content.

    Args:
        resolved: The checkpoint's files, from `resolve`.

    Raises:
        PrunescopeError: The chosen device is not there, the checkpoint cannot be loaded (see
            `load`), or the caller's work with the model needs more memory than there is.
    """
    with _in_use:
        if resolved not in _loaded:
            _loaded.clear()  # first, so that memory never holds two models
            _loaded[resolved] = load(resolved)
        checkpoint = _loaded[resolved]
        place(checkpoint.model)
        with if_memory_suffices():
            yield checkpoint
            return
        is_on_processor = device_of(checkpoint.model).type == "cpu"
        remedy = "" if is_on_processor else ", or set PRUNESCOPE_DEVICE=cpu"
        raise PrunescopeError(OUT_OF_MEMORY + remedy)


def load(resolved: Resolved) -> Checkpoint:
    """Read a checkpoint's model and tokenizer.

    Args:
        resolved: The files, from `resolve`; their `row_order` reorders the classifier's rows and
            label names.

    Raises:
        PrunescopeError: The files cannot be read, do not make the model that was trained, or have
            changed since `resolve` found them.
    """
    with _one_line_errors(resolved):
        tokenizer = _load_tokenizer(resolved)
        model = _load_model(resolved)
        _check_tokenizer(resolved.id, tokenizer, model.config)
        # A trial run, so that unusable settings of the tokenizer or the model show here and not
        # amid a sweep.
        with Recorder(model, (), resolved.id) as recorder:
            recorder.run(micro_batches(tokenizer, TRIAL)[0])
    # Results are stored under the hash of the content, so a file that has changed since it was
    # hashed would put wrong numbers there. Only files that `sha256_of` sees as changed are read
    # again; a commit on the Hub never changes.
    revision = resolved.revision
    if resolved.source != "hub" and files.content_hash(resolved.folder, resolved.id) != revision:
        fault = f"has changed while it was read, it no longer has the content {revision[:12]}"
        raise files.refused(
            resolved.id,
            fault,
            "wait until nothing writes to it, and start again",
        )
    if resolved.row_order:
        _reorder_labels(model, resolved.row_order)
    record = CheckpointRecord(
        id=resolved.id,
        revision=revision,
        source=resolved.source,
        architecture=type(model).__name__,
        num_layers=len(encoder_layers(model)),
        hidden_size=model.config.hidden_size,
        num_parameters=sum(parameter.numel() for parameter in model.parameters()),
        num_prunable=num_prunable(model),
        recipe=resolved.recipe,
    )
    return Checkpoint(record, model, tokenizer)


@contextmanager
def _one_line_errors(resolved: Resolved) -> Iterator[None]:
    """Turn libraries' errors on a bad checkpoint into one line without a path on this machine."""
    try:
        with warnings.catch_warnings():
            # torch warns about unusual pickles before it refuses them.
            warnings.simplefilter("ignore")
            yield
    except BaseException as error:  # a panic of the Rust tokenizers is no Exception
        ours = PrunescopeError | KeyboardInterrupt | SystemExit
        if isinstance(error, ours) or is_out_of_memory(error):
            raise
        reason = " ".join(str(error).replace(str(resolved.folder), resolved.id).split())
        reason = reason[:160] or type(error).__name__
        fault = f"a file is damaged or has the wrong format ({reason})"
        if isinstance(error, pickle.UnpicklingError):
            fault = "its weights file is damaged or contains code, which is never run"
        remedy = "fetch it again, or choose another checkpoint"
        raise files.refused(resolved.id, f"cannot be loaded, {fault}", remedy) from error


def _load_tokenizer(resolved: Resolved) -> Any:
    logging.set_verbosity_error()  # reports of unused weights would clutter the output of a command
    logging.disable_progress_bar()
    is_converted = (resolved.folder / files.TOKENIZER).is_file()
    with within(TOKENIZER_SECONDS if is_converted else CONVERSION_SECONDS):
        return AutoTokenizer.from_pretrained(resolved.folder, **files.SAFE)


def _load_model(resolved: Resolved) -> Any:
    """Read the classifier in float32 and check that every weight is present and finite.

    The weights are copied: those of a float32 file are mapped into memory and would change with the
    file.
    """
    config = AutoConfig.from_pretrained(
        resolved.folder,
        return_dict=True,
        chunk_size_feed_forward=0,  # otherwise hooks would see parts of the model run several times
        **files.SAFE,
    )
    names = config.architectures
    class_name = str(names[0]) if isinstance(names, list) and names else ""
    if class_name.endswith(OTHER_TASKS):  # its weights might fit a classifier
        fault = f"is a {class_name[:60]}, which does not classify whole texts"
        raise files.refused(resolved.id, fault)
    # Fixed here, because a configuration may ask for any implementation, even for code on the Hub.
    attention = "eager" if config.model_type in EAGER_ATTENTION else "sdpa"
    _check_size(resolved.id, config, attention)
    weights = files.weight_files([path.name for path in resolved.folder.iterdir()], resolved.id)
    model, report = AutoModelForSequenceClassification.from_pretrained(
        resolved.folder,
        config=config,
        attn_implementation=attention,
        use_safetensors="safetensors" in weights[0],
        weights_only=True,
        dtype=torch.float32,
        ignore_mismatched_sizes=True,  # refused below with a better message
        output_loading_info=True,
        **files.SAFE,
    )
    layers = f"{architecture_of(model).layers}."
    unfit = [name for name in report["unexpected_keys"] if name.startswith(layers)]
    unfit += [name for name, *_ in report["mismatched_keys"]]
    if unfit:
        fault = f"has weight {min(unfit)}, which does not belong to its {files.CONFIG}"
        raise files.refused(resolved.id, fault)
    missing = report["missing_keys"]
    if missing:
        fault = f"lacks {len(missing)} weights of a classifier, such as {min(missing)}"
        raise files.refused(resolved.id, fault)
    for name, parameter in model.named_parameters():
        parameter.data = parameter.data.clone()
        if not torch.isfinite(parameter).all():
            raise files.refused(resolved.id, f"has weight {name}, which is not finite")
    return model.eval()


def _check_size(name: str, config: Any, attention: str) -> None:
    """Check the numbers of parameters and positions before any weight is read."""
    with torch.device("meta"):
        model = AutoModelForSequenceClassification.from_config(
            config, attn_implementation=attention
        )
    count = sum(parameter.numel() for parameter in model.parameters())
    most = limits().parameters
    if count > most:
        fault = f"has {count:,} parameters, more than the {most:,} allowed here"
        raise files.refused(name, fault)
    positions = config.max_position_embeddings
    if config.model_type in LATER_POSITIONS:
        positions -= (config.pad_token_id or 0) + 1
    if positions < MAX_LENGTH:
        raise files.refused(name, f"reads {positions} tokens, {MAX_LENGTH} are needed")


def _check_tokenizer(name: str, tokenizer: Any, config: Any) -> None:
    """Refuse a tokenizer with token ids that the model lacks.

    They may be in its vocabulary, or added around a text or a pair.
    """
    if tokenizer.pad_token_id is None:
        raise files.refused(name, "has a tokenizer without padding token")
    tokens = {*tokenizer.get_vocab().values()}
    for texts in (("a",), ("a", "a")):
        tokens.update(tokenise(tokenizer, *texts).input_ids)
    if max(tokens) >= config.vocab_size:
        fault = f"has a tokenizer with tokens beyond the {config.vocab_size:,} of its model"
        raise files.refused(name, fault)


def _reorder_labels(model: Any, order: Sequence[int]) -> None:
    """Reorder the classifier's rows and the names of their labels.

    The weights themselves are reordered, so that everything computed from the model follows the
    task's order: predictions, calibration scores, masks of the classifier's rows, an exported
    checkpoint.
    """
    for parameter in classifier(model).parameters():
        parameter.data = parameter.data[list(order)]  # (labels, hidden) and (labels,)
    names = [model.config.id2label[row] for row in order]
    model.config.id2label = dict(enumerate(names))
    model.config.label2id = {name: label for label, name in enumerate(names)}


def stored_dtype(resolved: Resolved) -> torch.dtype:
    """Return the dtype of a checkpoint's weights; of several, the one that represents them all.

    The dtype in the configuration may be missing or wrong.
    """
    dtypes = set[torch.dtype]()
    for name in files.weight_files([path.name for path in resolved.folder.iterdir()], resolved.id):
        if not name.endswith(".json"):
            weights = load_state_dict(resolved.folder / name, "meta").values()
            dtypes.update(weight.dtype for weight in weights if weight.is_floating_point())
    return reduce(torch.promote_types, dtypes)


def save(
    model: nn.Module,
    resolved: Resolved,
    folder: Path,
    dtype: torch.dtype | None = None,
) -> int:
    """Save a model made from a checkpoint.

    The checkpoint's tokenizer and the digests of its training data, if any, go with it.

    Args:
        model: The checkpoint's model, pruned, or one made from it.
        resolved: The files of the checkpoint.
        folder: The folder to write to; it is created.
        dtype: That of the weights; None for the checkpoint's.

    Returns:
        The size of the configuration, the tokenizer and the weights, in bytes.

    Raises:
        OSError: The folder cannot be written.
    """
    converted: Any = deepcopy(model).to("cpu", dtype or stored_dtype(resolved))
    try:
        converted.save_pretrained(folder)
    except SafetensorError as error:  # a full disk, among others
        raise OSError(str(error)) from error
    for name in (*files.TOKENIZER_FILES, files.TRAINING_EXAMPLES):
        if (resolved.folder / name).is_file():
            shutil.copy(resolved.folder / name, folder)
    names = files.wanted_files([path.name for path in folder.iterdir()], folder.name)
    return sum((folder / name).stat().st_size for name in names)


@contextmanager
def replaced_atomically(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder to write to, which replaces `folder` only once it is complete.

    Raises:
        PrunescopeError: It cannot be written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".", dir=folder.parent) as temporary:
            new = Path(temporary) / folder.name
            new.mkdir()
            yield new
            shutil.rmtree(folder, ignore_errors=True)
            new.rename(folder)
    except OSError as error:
        fault = f"cannot write {folder} ({error.strerror or error})"
        raise PrunescopeError(f"{fault}: make room there") from error
