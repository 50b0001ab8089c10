"""Shares of layers on the pages: the other ways stand beside the one on show; on Methods, what they are worth."""

from pathlib import Path

from tests.builders import ship
from tests.core.findings.made import sharing
from tests.opened import open_page, told

BESIDE = "| Predictions changed, % | Global magnitude | Equal shares | Guided by CKA |"


def test_the_other_ways_stand_beside_a_guided_result(shipped: Path) -> None:
    page, whole = "pages/compare.py", sharing()
    ship(shipped, *whole)
    for result in whole:
        is_shown = BESIDE in told(open_page(page, result=result.key, other=whole[0].key))
        assert is_shown == (result.pruning.method != "magnitude")
    ship(shipped, *whole[:3])
    assert BESIDE not in told(open_page(page, result=whole[2].key))


def test_methods_has_every_checkpoint_at_every_amount() -> None:
    words = told(open_page("pages/methods.py"))
    assert words.count("| MPNet-L12, fine-tuned on SST-2, seed 1 | 20 % removed |") == 3, "in parts for a telephone"
    assert "no shorter working range (shorter on 0 of 2), is met; the ratio to equal shares is" in words
