"""A drawing without a process, for tests of what a page says meanwhile."""

import threading

from core.errors import PrunescopeError


class SlowDrawing:
    """A drawing that ends on a signal."""

    def __init__(self, *order: object) -> None:
        self.order = order
        self.done, self.total, self.seconds_left = 1, 3, 2.4
        self.content: bytes | None = None
        self.wanted_by: set[str] = set()
        self.finished = threading.Event()

    @property
    def ended(self) -> bool:
        return self.finished.is_set()

    def cancel(self) -> None:
        self.finished.set()

    def wait(self) -> bytes:
        if self.content is None:
            raise PrunescopeError("the picture was not finished: make it again")
        return self.content
