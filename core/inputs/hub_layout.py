"""Find the Parquet files of a data set's splits among its file names; no network.

A data set's card may list its configurations and the files of their splits. Where it does not, names tell: data sets
that were pushed have `CONFIG/SPLIT-00000-of-00003.parquet` or `data/SPLIT-….parquet`, those that the Hub has converted
`CONFIG/SPLIT/0000.parquet`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import PurePosixPath
from typing import Any

DEFAULT = "default"  # the configuration of a data set that has only one
_SHARD = re.compile(r"(.+?)-\d{5}-of-\d{5}(?:-[0-9a-f]+)?")

Splits = Mapping[str, tuple[str, ...]]  # file names in name order, by split


def layout(names: Sequence[str], configs: Any = None) -> dict[str, Splits]:
    """Return the splits of each configuration.

    Args:
        names: All files of the data set.
        configs: The `configs` of its card, if any.
    """
    files = sorted(name for name in names if name.endswith(".parquet"))
    found: dict[str, dict[str, list[str]]] = {}
    for config, split, name in list(_of_card(files, configs)) or list(map(_of_name, files)):
        found.setdefault(config, {}).setdefault(split, []).append(name)
    return {
        config: {split: tuple(dict.fromkeys(sorted(shards))) for split, shards in splits.items()}
        for config, splits in found.items()
    }


def usual_config(known: Sequence[str], configs: Any = None) -> str | None:
    """Return the configuration that is meant where none is named; None if that is unclear."""
    marked = [str(entry.get("config_name")) for entry in _entries(configs) if entry.get("default")]
    for name in (*marked, DEFAULT, *(known if len(known) == 1 else ())):
        if name in known:
            return name
    return None


def is_partial(shards: Sequence[str]) -> bool:
    """Whether the names of a split's files say that there are more, as in a cache that has not downloaded all."""
    counts = [int(match[1]) for name in shards if (match := re.search(r"-of-(\d{5})", name))]
    return bool(counts) and len(shards) < max(counts)


def _of_card(files: Sequence[str], configs: Any) -> Iterator[tuple[str, str, str]]:
    """Yield (configuration, split, file) as a card says it."""
    for entry in _entries(configs):
        for split, patterns in _patterns(entry.get("data_files")):
            for name in files:
                if any(fnmatch(name, pattern) for pattern in patterns):
                    yield str(entry.get("config_name", DEFAULT)), split, name


def _entries(configs: Any) -> list[Mapping[str, Any]]:
    return [entry for entry in configs if isinstance(entry, Mapping)] if isinstance(configs, list) else []


def _patterns(data_files: Any) -> Iterator[tuple[str, list[str]]]:
    """Yield each split with its patterns; a card without splits means the training split."""
    if isinstance(data_files, Mapping):
        yield from ((str(split), _listed(path)) for split, path in data_files.items())
    elif isinstance(data_files, list) and any(isinstance(entry, Mapping) for entry in data_files):
        for entry in data_files:
            if isinstance(entry, Mapping):
                yield str(entry.get("split", "train")), _listed(entry.get("path"))
    elif data_files:
        yield "train", _listed(data_files)


def _listed(paths: Any) -> list[str]:
    several: Iterable[Any] = paths if isinstance(paths, list) else [paths]
    return [path.removeprefix("./") for path in several if isinstance(path, str)]


def _of_name(name: str) -> tuple[str, str, str]:
    """Return (configuration, split, file) as a file's name says it."""
    path = PurePosixPath(name)
    shard = _SHARD.fullmatch(path.stem)
    if path.stem.isdigit() and path.parent.name:  # a shard in the folder of its split
        split, parent = path.parent.name.removeprefix("partial-"), path.parent.parent
    else:
        split, parent = (shard[1] if shard else path.stem), path.parent
    return (parent.name if parent.name not in ("", "data") else DEFAULT), split, name
