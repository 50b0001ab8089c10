"""A cache of what is computed from results, shared by all visitors and by all pages of a static edition.

An answer is cached by the function and its arguments. A result counts by its checksum, which covers its whole file, so
nobody sees an answer that follows from other numbers under the same key.
"""

from collections.abc import Callable, Hashable, Mapping
from contextlib import suppress
from operator import itemgetter
from sys import getsizeof
from threading import Lock
from typing import Any, ParamSpec, TypeVar

from cachetools import LRUCache

from core.results.schema import Computed

P = ParamSpec("P")
T = TypeVar("T")

MOST_BYTES = 64 * 2**20  # the pictures of some 200 views
BYTES_A_CHARACTER = 4  # measured: a scene's memory per character of its pictures as text
SENTENCE_BYTES = 1000
_answers: LRUCache[Hashable, tuple[Any, int]] = LRUCache(MOST_BYTES, getsizeof=itemgetter(1))  # each with its size
_lock = Lock()


class _NoChecksumError(Exception):
    """A sweep that is still running has no checksum."""


def cached_call(compute: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """Return `compute(*arguments, **options)`, cached and shared; do not mutate it.

    Args:
        compute: A module's function, whose answer follows from its arguments alone; a function defined by a page is a
            new one at every run.
        arguments: Results, plain values, and lists, tuples and mappings of these.
        options: The same, by name.
    """
    try:
        call = (compute, _identity(arguments), _identity(options))
    except _NoChecksumError:
        return compute(*arguments, **options)
    with _lock, suppress(KeyError):
        return _answers[call][0]
    answer = compute(*arguments, **options)
    with _lock, suppress(ValueError):  # it exceeds the whole cache
        _answers[call] = answer, _size(answer)
    return answer


def _identity(value: object) -> Hashable:
    """Return what identifies an argument."""
    if isinstance(value, Computed):
        if not value.checksum:
            raise _NoChecksumError
        return value.checksum
    if isinstance(value, Mapping):
        return _identity(tuple(value.items()))
    return tuple(map(_identity, value)) if isinstance(value, list | tuple) else value


def _size(answer: object) -> int:
    """Estimate the memory of an answer; files and pictures take the most, alone or as the scenes of a story."""
    if isinstance(answer, str):
        return getsizeof(answer)
    parts = answer if isinstance(answer, tuple) else (answer,)
    views = (view for part in parts for view in getattr(getattr(part, "scene", part), "views", {}).values())
    return SENTENCE_BYTES + BYTES_A_CHARACTER * sum(len(view.written) for view in views)
