"""The line in which a request is refused."""

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from core.errors import PrunescopeError


def refusal(call: Callable[..., object], *values: object, **options: object) -> str:
    """Make a call that is refused; return the error's line."""
    with pytest.raises(PrunescopeError) as caught:
        call(*values, **options)
    return str(caught.value)


@contextmanager
def full_disk() -> Iterator[None]:
    """Limit the files of this process to 20,000 bytes: a configuration fits, weights do not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
