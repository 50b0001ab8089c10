import gc
from weakref import ref

from tests.opened import open_page
from ui.garbage import MOST_WATCHED, spare_what_stays


class Cycle:
    """What only the collector can free."""

    def __init__(self) -> None:
        self.itself = self


def stay() -> list[list[int]]:
    """Make as many objects as are worth sparing, which have outlived a collection."""
    staying: list[list[int]] = [[] for _ in range(MOST_WATCHED)]
    gc.collect()
    return staying


def test_what_stays_is_looked_at_no_more() -> None:
    staying = stay()
    spare_what_stays()
    assert len(gc.get_objects()) < len(staying)


def test_what_has_died_meanwhile_is_freed_the_next_time() -> None:
    cycle = Cycle()
    freed = ref(cycle)
    first = stay()
    spare_what_stays()
    del cycle
    gc.collect()
    assert freed() is not None  # else this shows nothing
    second = stay()
    spare_what_stays()
    assert freed() is None
    del first, second


def test_a_few_new_objects_are_not_worth_a_collection() -> None:
    first = stay()
    spare_what_stays()
    few, before = [[] for _ in range(10)], gc.get_freeze_count()
    spare_what_stays()
    assert gc.get_freeze_count() <= before
    del first, few


def test_a_newly_opened_page_spares_what_stays() -> None:
    staying = stay()
    gc.unfreeze()
    open_page("app.py")
    assert gc.get_freeze_count() > len(staying)
