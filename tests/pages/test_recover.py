"""The page of recoveries: what it says came back, what it offers, and what it does without one."""

from pathlib import Path

from core.charts.pages import recover_shown
from tests.builders import make_result, ship, with_own_key
from tests.opened import address, box, open_page, player, press, title
from tests.studies import make_recovery

PAGE, WHOLE = "pages/recover.py", make_recovery()
HALF = "About half of the lost accuracy came back; layer 4's similarity rose from 0.03 to 0.90"
FELL = "layer 4's similarity fell from 0.90 to 0.03, in the unpruned model to 1.00"


def test_the_heading_says_what_is_shown_and_how_far_the_unpruned_model_fell() -> None:
    backwards, begun = {"frames": WHOLE.frames[::-1]}, {"frames": WHOLE.frames[:1], "unpruned": ()}
    changed = [WHOLE.model_copy(update={"checksum": "", **changes}) for changes in (backwards, begun)]
    half, costless, fell, before = (recover_shown(of).finding.heading for of in (WHOLE, make_recovery(0.9), *changed))
    assert (half, fell) == (HALF, f"Lost accuracy is not shown to come back; {FELL}")
    assert (before, costless[:42]) == ("Before training: accuracy 0.60", "Pruning is not shown to cost accuracy here")


def test_it_shows_a_recovery_and_offers_others_but_no_control(shipped: Path) -> None:
    control, other, result = with_own_key(WHOLE.control), with_own_key(WHOLE, amount=0.5), make_result(task="cola")
    ship(shipped, WHOLE, control, other, result)
    app = open_page(PAGE, result=result.key)
    assert app.code[0].value.startswith("python -m core.recover")
    assert title(press(app, "Recover: MiniLM-L6, fine-tuned on SST-2")) == HALF
    box(app, "recovery").set_value(other.key).run()
    assert (address(app)["recovery"], len(box(app, "recovery").options)) == (other.key, 2)
    assert player(open_page(PAGE, recovery=WHOLE.key, amount="10"))["start"] == 10
