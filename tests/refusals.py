"""What is refused: the line that says why."""

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from core.errors import PrunescopeError


def refusal(ask: Callable[..., object], *values: object, **options: object) -> str:
    """The line that refuses what is asked for; an error's message is one line in any case."""
    with pytest.raises(PrunescopeError) as caught:
        ask(*values, **options)
    return str(caught.value)


@contextmanager
def full_disk() -> Iterator[None]:
    """Lets no file of this process grow beyond 20,000 bytes meanwhile: a configuration fits, weights do not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
