"""The folder of a training: of one with the same options alone, its finished stages whole or not there."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from core.errors import PrunescopeError
from core.results.store import write_atomically

UNFINISHED = ".unfinished"
OPTIONS = "options.json"  # that a training began with


def check_options(work: Path, options: Mapping[str, str | float]) -> None:
    """Note what a training begins with; refuse to go on with other options, whose weights would not be these.

    Args:
        work: The folder of the training.
        options: By name, those that decide the weights.

    Raises:
        PrunescopeError: It began with others.
    """
    noted = work / OPTIONS
    if not noted.is_file():
        work.mkdir(parents=True, exist_ok=True)
        if any(work.iterdir()):
            raise PrunescopeError(
                f"--work {work.name} holds a training without {OPTIONS}, so that its options are unknown: give another "
                "folder"
            )
        write_atomically(noted, json.dumps(dict(options)))
    begun = json.loads(noted.read_text(encoding="utf-8"))
    for name, value in options.items():
        if begun.get(name) != value:
            raise PrunescopeError(
                f"--work {work.name}: the training there began with --{name.replace('_', '-')} {begun.get(name)}, not "
                f"{value}: give another folder, or the same options"
            )


@contextmanager
def finished(folder: Path) -> Iterator[Path]:
    """Yield a folder to write a stage's weights to; it gets its own name when all of them are there."""
    unfinished = folder.with_name(folder.name + UNFINISHED)
    shutil.rmtree(unfinished, ignore_errors=True)
    yield unfinished
    unfinished.rename(folder)
