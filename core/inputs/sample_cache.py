"""Keep samples of data files in the user's cache: a second run reads no data file."""

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from platformdirs import user_cache_path

from core.inputs.sampling import Sample
from core.results.digest import digest
from core.results.file_cache import FileState, state_of
from core.results.store import write_atomically


def recall(key: str) -> Sample | None:
    """Read the sample kept under a key; None if it is missing or damaged."""
    return _read(folder() / f"{key}.json")


def remember(key: str, sample: Sample) -> None:
    """Keep a sample for the next run; if that fails, the next run draws it again."""
    content = [sample.rows, sample.texts, sample.gold]
    text = json.dumps({"digest": digest(content), "examples": content}, ensure_ascii=False)
    try:
        folder().mkdir(parents=True, exist_ok=True)
        write_atomically(folder() / f"{key}.json", text)
    except OSError:
        return


def remembered_samples() -> Iterator[Sample]:
    """Yield all samples in the cache; one that was read before is not read again while its file does not change."""
    for file in files():
        sample = _read_again(file)
        if sample:
            yield sample


def files() -> frozenset[FileState]:
    """Return the files in the cache, which tell whether anything has changed there."""
    return frozenset(map(state_of, folder().glob("*.json")))


def folder() -> Path:
    """Return where samples are kept."""
    return user_cache_path("prunescope") / "subsets"


def _read(path: Path) -> Sample | None:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored["digest"] != digest(stored["examples"]):
            return None
        rows, texts, gold = stored["examples"]
        return Sample(tuple(rows), tuple(map(tuple, texts)), tuple(gold))
    except (OSError, ValueError, KeyError, TypeError):
        return None


@lru_cache(maxsize=32)
def _read_again(file: FileState) -> Sample | None:
    return _read(Path(file.path))
