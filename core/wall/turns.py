"""Take turns by address at something scarce.

All visitors of a server share its readers, drawings, worker and stored bytes. Requests are served
in rotation by address: a hundred requests of one address delay another's by one.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from ipaddress import ip_address, ip_network
from itertools import chain, zip_longest
from threading import Condition
from typing import Generic, NamedTuple, TypeVar

from core.errors import BusyError
from core.request.limits import is_hosted

T = TypeVar("T")
Look = Callable[[int], None]  # takes the number of requests that come first

EACH, IN_ALL = (
    40,
    200,
)  # pending requests of one address (a lecture hall is one) and of all, hosted
LOOK_SECONDS = 0.2  # between two looks of a request that waits for its turn


class Visitor(NamedTuple):
    """A visit and its address.

    Attributes:
        token: The visit's secret.
        address: An IPv4 address or an IPv6 network; None if unknown, as on one's own computer.
    """

    token: str = ""
    address: str | None = None

    @property
    def holder(self) -> str:
        """Return the name under which the visit takes turns."""
        return self.address or self.token


NOBODY = Visitor()  # somebody who works at home, or in a notebook


def address_in(forwarded: Sequence[str], peer: str | None) -> str | None:
    """Return a visitor's address; None if it is unknown, as on one's own computer.

    A proxy appends the address to a header; anything that a visitor writes there to impersonate
    somebody comes before. Addresses of proxies in the server's own network, which all visitors
    would share, do not count.

    Args:
        forwarded: The lines of the header X-Forwarded-For.
        peer: The address of the connection.

    Returns:
        An IPv4 address, or the network of an IPv6 address whose 2^64 addresses one visitor may
            have.
    """
    for text in (*reversed(",".join(forwarded).split(",")), peer or ""):
        with suppress(ValueError):
            address = ip_address(text.strip())
            if not address.is_global:
                continue
            if address.version == 6:
                return str(ip_network((address, 64), strict=False))
            return str(address)
    return None


class Turns(Generic[T]):
    """Requests for one scarce thing, served in rotation by holder; not safe for threads by itself.

    Args:
        name: The requests, in the plural, for refusals.
        at_once: The number of requests that are served together, at most one of each holder.
    """

    def __init__(self, name: str, at_once: int = 1) -> None:
        self._name = name
        self._at_once = at_once
        # The holder of each request; the holders' first requests are in rotation.
        self._waiting: dict[T, str] = {}
        self._served: dict[T, str] = {}  # the holder of each request that has its turn

    def check_room(self, holder: str) -> None:
        """Refuse a request if as many are pending as a hosted server allows.

        Raises:
            BusyError: Too many requests of this holder, or of all, are pending.
        """
        holders = [*self._waiting.values(), *self._served.values()]
        own = holders.count(holder)
        pending = len(holders)
        if is_hosted() and (own >= EACH or pending >= IN_ALL):
            whose = (
                f"{own} {self._name} from your network are"
                if own >= EACH
                else f"{pending} {self._name} are"
            )
            raise BusyError(f"{whose} waiting here, as many as fit: try again in a few minutes")

    def join(self, request: T, holder: str) -> None:
        """Add a request behind the others of its holder."""
        self._waiting[request] = holder

    def order(self) -> list[T]:
        """Return the waiting requests in the order in which they will be served."""
        by_holder: dict[str, list[T]] = {}
        for request, holder in self._waiting.items():
            by_holder.setdefault(holder, []).append(request)
        holders = sorted(by_holder, key=lambda holder: holder in self._served.values())
        rounds = zip_longest(*(by_holder[holder] for holder in holders))
        return [request for request in chain.from_iterable(rounds) if request is not None]

    def ahead_of(self, request: T) -> int:
        """Return how many requests end before a waiting one begins, or are served beside it."""
        return self.order().index(request) + len(self._served)

    def may_serve(self, request: T) -> bool:
        """Whether it is a waiting request's turn."""
        return (
            self.ahead_of(request) < self._at_once
            and self._waiting[request] not in self._served.values()
        )

    def serve(self, request: T) -> None:
        """Give a waiting request its turn."""
        self._served[request] = self._waiting.pop(request)

    def leave(self, request: T) -> None:
        """Withdraw a request, or end its turn; its holder is then the last in the rotation."""
        self._waiting.pop(request, None)
        holder = self._served.pop(request, None)
        for other in [other for other, its_holder in self._waiting.items() if its_holder == holder]:
            self._waiting[other] = self._waiting.pop(other)


class Door:
    """Turns for threads, which wait for them.

    Args:
        name: The requests, in the plural, for refusals.
        at_once: The number of requests that are served together, at most one of each holder.
    """

    def __init__(self, name: str, at_once: int) -> None:
        self._turns = Turns[object](name, at_once)
        self._changed = Condition()  # guards the turns

    @contextmanager
    def turn(self, holder: str, look: Look = lambda ahead: None) -> Iterator[None]:
        """Wait for a turn, and hold it during the block.

        Args:
            holder: The name under which the request takes its turn.
            look: Called repeatedly while the request waits; an exception that it raises withdraws
                the request.

        Raises:
            BusyError: Too many requests are pending.
        """
        request = object()
        with self._changed:
            self._turns.check_room(holder)
            self._turns.join(request, holder)
        try:
            while (ahead := self._enter(request)) is not None:
                look(ahead)
            yield
        finally:
            with self._changed:
                self._turns.leave(request)
                self._changed.notify_all()

    def _enter(self, request: object) -> int | None:
        """Take the turn and return None, or wait and return how many requests come first."""
        with self._changed:
            is_next = partial(self._turns.may_serve, request)
            if not self._changed.wait_for(is_next, LOOK_SECONDS):
                return self._turns.ahead_of(request)
            self._turns.serve(request)
            self._changed.notify_all()
            return None


# ---------------------------------------------------------------- stored bytes


class Stored(NamedTuple, Generic[T]):
    """Something that is kept for a visitor.

    Attributes:
        holder: The name under which the visitor takes turns.
        age: The sorting key, the oldest first.
        size: Its bytes.
        place: The thing that is deleted to make room.
    """

    holder: str
    age: float
    size: int
    place: T


def surplus(stored: Iterable[Stored[T]], most: float) -> list[T]:
    """Return what must go until the rest takes at most `most` bytes.

    In turn, the oldest of whoever holds most.
    """
    kept = sorted(stored, key=lambda item: item.age)
    gone: list[T] = []
    while kept and sum(item.size for item in kept) > most:
        held = Counter[str]()
        for item in kept:
            held[item.holder] += item.size
        ((holder, _),) = held.most_common(1)
        oldest = next(item for item in kept if item.holder == holder)
        kept.remove(oldest)
        gone.append(oldest.place)
    return gone
