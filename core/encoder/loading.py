"""Load a checkpoint's files as model and tokenizer, and write what has become of it as such files.

Faults that transformers accepts silently are refused. What is written is a folder in the Hub's format, in the dtype in
which the weights came.
"""

import pickle
import shutil
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from torch import nn
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, PreTrainedTokenizerBase
from transformers.modeling_utils import load_state_dict
from transformers.utils import logging

from core.encoder.architectures import architecture_of, classifier, encoder_layers, num_prunable
from core.encoder.batches import micro_batches, tokenised
from core.encoder.representations import Recorder
from core.errors import PrunescopeError, is_out_of_memory
from core.inputs import checkpoint_files as files
from core.inputs.checkpoints import Resolved
from core.request.catalog import EAGER_ATTENTION, LATER_POSITIONS, MAX_LENGTH
from core.request.limits import limits
from core.results.schema import CheckpointRecord
from core.wall.confined import within

TOKENIZER_SECONDS = 8.0  # that a tokenizer.json may take; XLM-R's takes two
CONVERSION_SECONDS = 60.0  # that other files may take, which are converted first
OTHER_TASKS = ("ForTokenClassification", "ForQuestionAnswering", "ForMultipleChoice", "ForNextSentencePrediction")
TRIAL = (("A film \N{SNOWMAN}",),)  # a sentence with a letter that few vocabularies have


@dataclass(frozen=True)
class Checkpoint:
    """A loaded checkpoint.

    Attributes:
        record: Its description for a result file.
        model: A sequence classifier in eval mode, float32, on the CPU.
        tokenizer: Its tokenizer.
        training_digests: Ascending `example_digest`s of its training data, uint64; None if the folder has none.
    """

    record: CheckpointRecord
    model: nn.Module
    tokenizer: PreTrainedTokenizerBase
    training_digests: np.ndarray | None


_lent = threading.Lock()  # held by the thread that uses the model
_loaded: dict[Resolved, Checkpoint] = {}  # at most one: a second model would cost memory


@contextmanager
def borrow(resolved: Resolved) -> Iterator[Checkpoint]:
    """Lend a checkpoint to one caller at a time, who may prune its model in place and must restore it.

    Other threads wait until the model is returned: a model pruned by one thread while another runs it would give
    incorrect numbers. The model stays loaded for the next caller with the same content.

    Args:
        resolved: From `resolve`.

    Raises:
        PrunescopeError: It cannot be read, or would compute something other than what was trained.
    """
    with _lent:
        if resolved not in _loaded:
            _loaded.clear()  # before the next model is loaded: memory never holds two
            _loaded[resolved] = load(resolved)
        yield _loaded[resolved]


def load(resolved: Resolved) -> Checkpoint:
    """Read a checkpoint's model and tokenizer.

    Args:
        resolved: From `resolve`; a `row_order` reorders the classifier's rows and their names.

    Raises:
        PrunescopeError: It cannot be read, would compute something other than what was trained, or its files are not
            those any more that `resolve` found.
    """
    with _one_line_errors(resolved):
        tokenizer = _load_tokenizer(resolved)
        model = _load_model(resolved)
        digests = _load_training_digests(resolved)
        _check_tokenizer(resolved.id, tokenizer, model.config)
        # What the settings of a tokenizer or a model make impossible shows here, not amid a sweep.
        with Recorder(model, (), resolved.id) as recorder:
            recorder.run(micro_batches(tokenizer, TRIAL)[0])
    # Numbers of files that were written to since their content was pinned would have its key. Only what `sha256_of`
    # sees as changed is read again; the files of a commit on the Hub never change.
    if resolved.source != "hub" and files.content_hash(resolved.folder, resolved.id) != resolved.revision:
        fault = f"has changed while it was read, it is not the content {resolved.revision[:12]} any more"
        raise files.refused(resolved.id, fault, "wait until nothing writes to it, and start again")
    if resolved.row_order:
        _reorder_labels(model, resolved.row_order)
    record = CheckpointRecord(
        id=resolved.id,
        revision=resolved.revision,
        source=resolved.source,
        architecture=type(model).__name__,
        num_layers=len(encoder_layers(model)),
        hidden_size=model.config.hidden_size,
        num_parameters=sum(parameter.numel() for parameter in model.parameters()),
        num_prunable=num_prunable(model),
        recipe=resolved.recipe,
    )
    return Checkpoint(record, model, tokenizer, digests)


@contextmanager
def _one_line_errors(resolved: Resolved) -> Iterator[None]:
    """Turn the libraries' errors on a bad checkpoint into one line without a machine's path."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns about unusual pickles before it refuses them
            yield
    except BaseException as error:  # whatever a file makes the libraries do: the tokenizers panic, which is none's kind
        if is_out_of_memory(error) or isinstance(error, PrunescopeError | KeyboardInterrupt | SystemExit):
            raise  # not the checkpoint's fault, or said already
        words = " ".join(str(error).replace(str(resolved.folder), resolved.id).split())
        fault = f"cannot be loaded, a file is damaged or has the wrong format ({words[:160] or type(error).__name__})"
        if isinstance(error, pickle.UnpicklingError):
            fault = "cannot be loaded, its weights file is damaged or contains code, which is never run"
        raise files.refused(resolved.id, fault, "fetch it again, or choose another checkpoint") from error


def _load_tokenizer(resolved: Resolved) -> Any:
    logging.set_verbosity_error()  # reports of unused weights would clutter the output of a command
    logging.disable_progress_bar()
    with within(TOKENIZER_SECONDS if (resolved.folder / files.TOKENIZER).is_file() else CONVERSION_SECONDS):
        return AutoTokenizer.from_pretrained(resolved.folder, **files.SAFE)


def _load_model(resolved: Resolved) -> Any:
    """Read the classifier in float32 and check that every weight is there and finite.

    The weights are copied: those of a float32 file would be the file itself, mapped into memory, and change with it.
    """
    # In chunks the numbers are the same, but parts of the model would run several times.
    options = {**files.SAFE, "return_dict": True, "chunk_size_feed_forward": 0}
    config = AutoConfig.from_pretrained(resolved.folder, **options)
    named = config.architectures
    first = str(named[0]) if isinstance(named, list) and named else ""
    if first.endswith(OTHER_TASKS):  # its weights may fit a classifier's
        fault = f"is a {first[:60]} (architectures in {files.CONFIG}), which does not classify whole texts"
        raise files.refused(resolved.id, fault, "choose a checkpoint fine-tuned for sequence classification")
    # Named here, since a configuration may ask for any, also for code on the Hub.
    attention = "eager" if config.model_type in EAGER_ATTENTION else "sdpa"
    _check_size(resolved.id, config, attention)
    weights = files.weight_files([path.name for path in resolved.folder.iterdir()], resolved.id)
    model, found = AutoModelForSequenceClassification.from_pretrained(
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
    unread = [name for name in found["unexpected_keys"] if name.startswith(layers)]
    if unfit := sorted([*(name for name, *_ in found["mismatched_keys"]), *unread]):
        fault = f"has weight {unfit[0]}, not of the shape or not of the layers that its {files.CONFIG} describes"
        raise files.refused(resolved.id, fault, "the files do not belong together, choose another checkpoint")
    if missing := sorted(found["missing_keys"]):
        fault = f"lacks {len(missing)} weights, such as {missing[0]}, which would be filled at random"
        raise files.refused(resolved.id, fault, "choose a checkpoint fine-tuned for sequence classification")
    for name, parameter in model.named_parameters():
        parameter.data = parameter.data.clone()
        if not torch.isfinite(parameter).all():
            raise files.refused(resolved.id, f"has weight {name}, which is not finite", "choose another checkpoint")
    return model.eval()


def _check_size(name: str, config: Any, attention: str) -> None:
    """Check the numbers of parameters and positions before any weight is read; the meta device takes no memory."""
    with torch.device("meta"):
        model = AutoModelForSequenceClassification.from_config(config, attn_implementation=attention)
    count = sum(parameter.numel() for parameter in model.parameters())
    if count > limits().parameters:
        fault = f"has {count:,} parameters, more than the {limits().parameters:,} allowed here"
        raise files.refused(name, fault, "choose a smaller checkpoint")
    positions = config.max_position_embeddings
    if config.model_type in LATER_POSITIONS:
        positions -= (config.pad_token_id or 0) + 1
    if positions < MAX_LENGTH:
        raise files.refused(name, f"reads {positions} tokens, {MAX_LENGTH} are needed", "choose another checkpoint")


def _check_tokenizer(name: str, tokenizer: Any, config: Any) -> None:
    """Refuse a tokenizer that does not belong to the model, by its words or by what it adds to a text or a pair."""
    if tokenizer.pad_token_id is None:
        raise files.refused(name, "has a tokenizer without padding token", "choose another checkpoint")
    added = {*tokenised(tokenizer, "a", "a").input_ids, *tokenised(tokenizer, "a").input_ids}
    if max(added.union(tokenizer.get_vocab().values())) >= config.vocab_size:
        fault = f"has a tokenizer with tokens beyond the {config.vocab_size:,} that its model knows"
        raise files.refused(name, fault, "the two do not belong together, choose another checkpoint")


def _load_training_digests(resolved: Resolved) -> np.ndarray | None:
    path = resolved.folder / files.TRAINING_EXAMPLES
    if not path.is_file():
        return None
    digests = np.load(path, mmap_mode="r", allow_pickle=False)  # a header may promise more than there is
    if digests.dtype != np.uint64 or digests.ndim != 1:
        raise ValueError(f"{files.TRAINING_EXAMPLES} is not one row of uint64")
    return np.asarray(digests)


def _reorder_labels(model: Any, order: Sequence[int]) -> None:
    """Reorder the classifier's rows and the names of their labels.

    The weights themselves change, so everything that reads the model has the task's order: predictions, calibration
    scores, masks of the classifier's own rows, an exported checkpoint.
    """
    for parameter in classifier(model).parameters():
        parameter.data = parameter.data[list(order)]  # (labels, hidden) and (labels,)
    names = [model.config.id2label[row] for row in order]
    model.config.id2label = dict(enumerate(names))
    model.config.label2id = {name: label for label, name in enumerate(names)}


def save(model: nn.Module, resolved: Resolved, folder: Path) -> int:
    """Write a model that a checkpoint has become, with its tokenizer's own files and, if known, what it was trained on.

    Args:
        model: The checkpoint's own, pruned, or one made from it.
        resolved: Where the checkpoint came from.
        folder: Where to; it is made.

    Returns:
        The bytes of the configuration, the tokenizer and the weights.

    Raises:
        OSError: The folder cannot be written.
    """
    weights = files.weight_files([path.name for path in resolved.folder.iterdir()], resolved.id)
    read = [load_state_dict(resolved.folder / name, "meta") for name in weights if not name.endswith(".json")]
    # Configurations may say another one than that of the weights, or none. Of several, one that holds them all.
    dtypes = {weight.dtype for part in read for weight in part.values() if weight.is_floating_point()}
    written: Any = deepcopy(model).to(reduce(torch.promote_types, dtypes))
    try:
        written.save_pretrained(folder)
    except SafetensorError as error:  # which is no OSError where the disk is full
        raise OSError(str(error)) from error
    for name in (*files.TOKENIZER_FILES, files.TRAINING_EXAMPLES):  # the last says what not to judge it by
        if (resolved.folder / name).is_file():
            shutil.copy(resolved.folder / name, folder)
    names = files.wanted_files([path.name for path in folder.iterdir()], folder.name)
    return sum((folder / name).stat().st_size for name in names)


@contextmanager
def written_whole(folder: Path) -> Iterator[Path]:
    """Lend a folder to write into, which takes a folder's place at the end: whole, or not at all.

    Raises:
        PrunescopeError: It cannot be written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".", dir=folder.parent) as temporary:
            whole = Path(temporary) / folder.name
            whole.mkdir()
            yield whole
            shutil.rmtree(folder, ignore_errors=True)
            whole.rename(folder)
    except OSError as error:
        raise PrunescopeError(f"cannot write {folder} ({error.strerror or error}): make room there") from error
