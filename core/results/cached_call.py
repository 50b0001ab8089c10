"""A cache of answers computed from results, shared by all visitors and all pages of an edition.

An answer is cached by the function and its arguments. A result counts by its checksum, which covers
its whole file, so nobody sees an answer that follows from other numbers under the same key.
"""

from collections.abc import Callable, Hashable, Mapping
from contextlib import suppress
from threading import Lock
from typing import Any, ParamSpec, TypeVar

from cachetools import LRUCache

from core.results.schema import Computed

P = ParamSpec("P")
T = TypeVar("T")

# Sentences, and the pictures of some 200 views, 300 kB each.
_answers: LRUCache[Hashable, Any] = LRUCache(2000)
_lock = Lock()


def cached_call(compute: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """Return `compute(*arguments, **options)`, cached and shared; do not mutate it.

    Args:
        compute: A module's function, whose answer follows from its arguments alone; a function
            defined by a page is a new one at every run.
        arguments: Results, plain values, and lists, tuples and mappings of these.
        options: The same, by name.
    """
    try:
        call = (compute, _identity(arguments), _identity(options))
    except ValueError:  # a sweep that is still running
        return compute(*arguments, **options)
    with _lock, suppress(KeyError):
        return _answers[call]
    answer = compute(*arguments, **options)
    with _lock:
        _answers[call] = answer
    return answer


def _identity(value: object) -> Hashable:
    """Return what identifies an argument.

    Raises:
        ValueError: A sweep that is still running has no checksum.
    """
    if isinstance(value, Computed):
        if not value.checksum:
            raise ValueError("no checksum")
        return value.checksum
    if isinstance(value, Mapping):
        return _identity(tuple(value.items()))
    return tuple(map(_identity, value)) if isinstance(value, list | tuple) else value
