"""Write a model as a folder in the Hub's format, in the dtype in which its weights came."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig

from core.errors import PrunescopeError
from core.inputs.checkpoint_files import SAFE, TOKENIZER_FILES, TRAINING_EXAMPLES, wanted_files
from core.inputs.checkpoints import Resolved


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
    dtype = AutoConfig.from_pretrained(resolved.folder, **SAFE).dtype
    written: Any = deepcopy(model).to(dtype or torch.float32)
    written.save_pretrained(folder)
    for name in (*TOKENIZER_FILES, TRAINING_EXAMPLES):  # the last keeps what is written from being evaluated on them
        if (resolved.folder / name).is_file():
            shutil.copy(resolved.folder / name, folder)
    names = wanted_files([path.name for path in folder.iterdir()], folder.name)
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
