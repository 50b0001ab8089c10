"""What is shown and said of results, computed once for all visitors, and for all pages of a static edition.

An answer is found again by all that it was computed from: the function and its arguments. A result counts by its
checksum, which covers everything in its file, so that nobody is shown what follows from numbers that they do not have.
"""

from collections.abc import Callable, Hashable, Mapping
from contextlib import suppress
from operator import itemgetter
from threading import Lock
from typing import Any, ParamSpec, TypeVar

from cachetools import LRUCache

from core.results.cut import CutStudy
from core.results.schema import SweepResult

P = ParamSpec("P")
T = TypeVar("T")

MOST_BYTES = 64 * 2**20  # of all answers that are kept: the pictures of some 200 views
BYTES_A_CHARACTER = 4  # that a scene takes with its data and what it is found by, of its pictures as text; measured
SENTENCE_BYTES = 1000
_answers: LRUCache[Hashable, tuple[Any, int]] = LRUCache(MOST_BYTES, getsizeof=itemgetter(1))  # each with its size
_lock = Lock()


class _StillRunsError(Exception):
    """A result has no checksum before its sweep has ended."""


def cached_call(compute: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """Return `compute(*arguments, **options)`, cached and shared; do not mutate it.

    Args:
        compute: A function of a module (a page's own are other ones at every run), whose answer follows from its
            arguments alone.
        arguments: Results, plain values, and lists, tuples and mappings of these.
        options: The same, by name.
    """
    try:
        question = (compute, _identity(arguments), _identity(options))
    except _StillRunsError:
        return compute(*arguments, **options)
    with _lock, suppress(KeyError):
        return _answers[question][0]
    answer = compute(*arguments, **options)
    size = _size(answer)
    with _lock, suppress(ValueError):  # it is larger than all that may be kept
        _answers[question] = answer, size
    return answer


def _identity(value: object) -> Hashable:
    """Return what an argument is found again by."""
    if isinstance(value, SweepResult | CutStudy):
        if not value.checksum:
            raise _StillRunsError
        return value.checksum
    if isinstance(value, Mapping):
        return _identity(tuple(value.items()))
    return tuple(map(_identity, value)) if isinstance(value, list | tuple) else value


def _size(answer: object) -> int:
    """Estimate the bytes that an answer takes; pictures, alone or as the scenes of a story, take the most."""
    told = answer if isinstance(answer, tuple) else getattr(answer, "blocks", (answer,))
    scenes = (getattr(part, "scene", part) for part in told)
    views = [view for scene in scenes if scene for view in getattr(scene, "views", {}).values()]
    return SENTENCE_BYTES + BYTES_A_CHARACTER * sum(len(view.written) for view in views)
