"""Turns go round by address, whatever they are taken at."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from unittest.mock import Mock

import pytest

from core.errors import BusyError
from core.wall import turns
from core.wall.turns import Door, Turns, address_in


def served(turns: Turns[str]) -> list[str]:
    """Serve all waiting requests, one after another."""
    order = []
    while waiting := turns.order():
        (first,) = (request for request in waiting if turns.may_serve(request))
        turns.serve(first)
        turns.leave(first)
        order.append(first)
    return order


def test_a_hundred_requests_of_one_address_delay_anothers_by_one() -> None:
    turns = Turns[str]("drawings")
    for k in range(100):
        turns.join(f"greedy {k}", "greedy")
    turns.serve("greedy 0")
    turns.join("honest", "honest")
    assert (turns.ahead_of("honest"), turns.may_serve("honest")) == (1, False)
    turns.leave("greedy 0")
    assert turns.may_serve("honest")
    turns.leave("greedy 50")  # it is withdrawn
    assert served(turns) == [
        "honest",
        *(f"greedy {k}" for k in range(1, 100) if k != 50),
    ]


def test_pending_requests_are_bounded_where_strangers_meet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "EACH", 2)
    monkeypatch.setattr(turns, "IN_ALL", 3)
    crowded = Turns[int]("drawings")
    for k, holder in enumerate("aab"):
        crowded.check_room(holder)
        crowded.join(k, holder)
    crowded.serve(0)
    crowded.check_room("a")  # at home nobody is refused
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    for holder, words in (
        ("a", "2 drawings from your network are"),
        ("c", "3 drawings are"),
    ):
        with pytest.raises(
            BusyError,
            match=f"^{words} waiting here, as many as fit: try again in a few minutes$",
        ):
            crowded.check_room(holder)
    crowded.leave(0)
    crowded.check_room("a")


def test_threads_pass_one_of_a_holder_at_a_time_and_few_in_all() -> None:
    door = Door("drawings", at_once=2)
    entered = dict.fromkeys("ab", 0)
    leave = Event()

    def passes(holder: str) -> None:
        with door.turn(holder):
            entered[holder] += 1
            leave.wait(60)

    with ThreadPoolExecutor(8) as threads:
        first = [threads.submit(passes, holder) for holder in "aaab"]
        while entered["a"] + entered["b"] < 2:
            pass
        assert (entered["a"], entered["b"]) == (1, 1)
        with (
            pytest.raises(KeyboardInterrupt),
            door.turn("c", Mock(side_effect=KeyboardInterrupt)),
        ):
            pass  # whoever loses patience while others are inside
        leave.set()
        for future in first:
            future.result()
    assert entered == {"a": 3, "b": 1}


@pytest.mark.parametrize(
    ("forwarded", "peer", "address"),
    [
        ([], "8.8.8.8", "8.8.8.8"),
        (["2606:4700::1111"], "10.0.0.7", "2606:4700::/64"),
        (
            ["8.8.8.8, <script>,, 9.9.9.9 ", "10.0.0.1"],
            "10.0.0.7",
            "9.9.9.9",
        ),  # the visitor has written the first
        ([], None, None),
    ],
)
def test_only_a_visitors_own_address_counts(
    forwarded: list[str], peer: str | None, address: str | None
) -> None:
    assert address_in(forwarded, peer) == address
