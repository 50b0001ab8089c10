"""What is refused: the line that says why."""

from collections.abc import Callable

import pytest

from core.errors import PrunescopeError


def refusal(ask: Callable[..., object], *values: object, **options: object) -> str:
    """The line that refuses what is asked for; an error's message is one line in any case."""
    with pytest.raises(PrunescopeError) as caught:
        ask(*values, **options)
    return str(caught.value)
