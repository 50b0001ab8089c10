"""The folders of finished stages of a training: whole or not there, so that an interrupted one is done again."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNFINISHED = ".unfinished"


@contextmanager
def finished(folder: Path) -> Iterator[Path]:
    """Yield a folder to write a stage's weights to; it gets its own name when all of them are there."""
    unfinished = folder.with_name(folder.name + UNFINISHED)
    shutil.rmtree(unfinished, ignore_errors=True)
    yield unfinished
    unfinished.rename(folder)
