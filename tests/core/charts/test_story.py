"""The story: its numbers and states are the pages' own; a scene without its data says what it lacks."""

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from core.charts.stack import KEY, TITLE
from core.charts.story import Step, story
from core.findings import passed, pooled
from core.findings.accuracy import metric_of
from core.findings.choices import companions, halves
from core.findings.claim import verdict
from core.findings.comparable import controls_of, isolated_of
from core.findings.passed import harm_of
from core.findings.words.compare import compare_heading
from core.findings.words.grid import claim_finding
from core.findings.words.layers import survival_table
from core.findings.words.passed import halves_finding
from core.findings.words.verdict import criteria_table
from core.request.catalog import DAMAGE
from core.results import library, store
from core.results.library import Entry
from core.results.schema import SweepResult
from tests.builders import make_result
from tests.core.findings import made
from tests.core.findings.made import SEEDS, network

NAMES = ["similar", "guess", "play", "limits", "chance", "matters"]
ROOM = 29 * 16  # pixels, of 844, that a telephone has for pictures between the heading and the sentences


def told(result: SweepResult, beside: Sequence[SweepResult] = (), alone: Sequence[SweepResult] = ()) -> dict[str, Step]:
    """The story by the names of its scenes, which all hold what every scene does."""
    steps = story(result, "mean", [*beside, *alone])
    assert [step.name for step in steps] == NAMES
    for step in steps:
        said = step.finding
        assert re.fullmatch(".*[^.,;]", said.heading), step
        assert len(said.sentences) in (1, 2), step
        assert all(sentence.endswith(".") and "None" not in sentence for sentence in said.sentences), step
        assert len(step.notes) in ((2, 3, 4) if step.scene or step.name == "similar" else (0,))
        assert step.start is None or (step.scene and 0 <= step.start < 1)
        if step.scene:
            narrow = replace(step.scene.layout, wide=step.scene.layout.narrow or step.scene.layout.wide)
            assert (narrow.height(step.scene.views) or 0) <= ROOM, "a telephone shows the whole scene"
            assert narrow.boxes(step.scene.views, 358, ROOM).keys() == step.scene.views.keys()
    return {step.name: step for step in steps}


def numbers(*texts: str) -> list[str]:
    return re.findall(r"[+−]?\d+(?:\.\d+)?", " ".join(texts))


def check_against_pages(result: SweepResult, beside: list[SweepResult], steps: dict[str, Step]) -> None:
    """The numbers of the scenes on one result are those of the pages that own them, in their order."""
    said, metric = {name: step.finding for name, step in steps.items()}, metric_of(result)
    kept, floor = said["limits"].sentences
    ends = result.frames[result.amounts.index(steps["limits"].start or 0)], result.frames[0]
    scores = [f"{frame.metrics[metric] or 0:.2f}" for frame in ends]
    assert numbers(kept)[:3] == ["90", *scores]
    layers = [row for row in survival_table(result, "mean") if row["With everything removed"]]
    most = max(layers, key=lambda row: float(row["With everything removed"]))
    assert numbers(floor) == numbers(most["Layer"], most["With everything removed"])

    compared = [compare_heading((result, each)) for each in controls_of(result, beside)]
    (own,), drawn = {numbers(one)[0] for one in compared}, sorted(int(numbers(one)[-1]) for one in compared)
    assert numbers(said["chance"].sentences[0]) == [own, *map(str, sorted({drawn[0], drawn[-1]}))]
    assert ("sooner" in said["chance"].heading) == (drawn[-1] < int(own))
    curves = steps["chance"].scene.views["accuracy"].datasets  # type: ignore[union-attr]
    assert len({row["seed"] for row in curves["chance"]}) == len(controls_of(result, beside))
    here, _, all_together = said["chance"].sentences[1].partition("checkpoints")
    assert numbers(here)[:2] == [f"{DAMAGE}", numbers(criteria_table(result, beside)[0]["In the upper half"])[0]]
    (pool,) = (
        one for one in pooled.shipped() if (one.method, one.scope) == (result.pruning.method, result.pruning.scope)
    )
    assert numbers(here)[-1] == str(len(pool.keys))
    claimed = numbers(claim_finding(pool).sentences[0])
    assert numbers(all_together) == [number.lstrip("+") for number in claimed if number != "95"]


def read(entry: Entry) -> tuple[SweepResult, list[SweepResult], list[SweepResult]]:
    """A shipped result with all that pages show beside it."""
    entries = library.shipped(library.Entry)
    (result,), beside, alone = (
        [store.load(store.find(other.key)) for other in chosen]
        for chosen in ([entry], companions(entry, entries), halves(entry, entries))
    )
    return result, beside, alone


@pytest.mark.parametrize(
    "checkpoint", ["embedded:sst2", "recipe:mpnet-l12-sst2-seed-1", "recipe:mpnet-l12-cola-seed-0"]
)
def test_what_is_shown_first_has_the_numbers_and_states_of_the_pages(checkpoint: str) -> None:
    entries = library.shipped(library.Entry)
    known = (one for one in entries if (one.checkpoint, one.method) == (checkpoint, "magnitude"))
    entry = next(one for one in known if companions(one, entries))
    result, beside, alone = read(entry)
    steps = told(result, beside, alone)
    check_against_pages(result, beside, steps)
    if found := harm_of(isolated_of(result, alone), result):
        assert (
            steps["matters"].finding.text == halves_finding(verdict(result, beside).lead, found, passed.shipped()).text
        )
        assert steps["matters"].start == found.removed
    shown = [name for name in NAMES[1:] if name != "matters" or found]
    assert [name for name in NAMES if steps[name].scene] == shown
    assert all("stack" in steps[name].scene.views for name in shown), "one picture turns into the next"  # type: ignore[union-attr]


def test_before_the_guess_nothing_tells_what_comes() -> None:
    scene = told(network(), SEEDS)["guess"].scene
    view = scene.views["stack"]
    assert (len(scene.frames), view.picks, view.title) == (1, "stack", TITLE)
    for k, row in enumerate(view.datasets["stack"]):
        assert (row["pick"], row["y"], row["y2"], row["v"]) == (str(k + 1), k, k + 1, [1.0])
        assert (bool(row["words"]), bool(row["chosen"]), {*row["chance"]}) == (False, False, {None})


def test_marks_come_one_by_one() -> None:
    titles = [step.scene.views["stack"].title for step in list(told(network(), SEEDS).values())[2:5]]
    assert titles == [TITLE, f"{TITLE}; {KEY['floor']}", f"{TITLE}; {KEY['chance']}"]


WHOLE = make_result(num_layers=4)
LACKING = {
    "an own result": (WHOLE, [None, None, None, None, "random removal", "halves"]),
    "of weights that are not shipped": (made.of_seed(1, WHOLE), [None] * 6),
    "random removal": (make_result(method="random"), [None] * 5 + ["halves"]),
    "of units": (make_result(method="attribution", scope=None), [None] * 4 + ["random removal", None]),
    "some layers alone": (make_result(scope="layer:1", points="layer"), [None] * 6),
    "one layer": (make_result(num_layers=1), [None] * 4 + ["random removal", None]),
    "both points": (make_result(points="both"), [None] * 4 + ["random removal", "halves"]),
    "no similarity": (make_result(own_cka=lambda *_: None), [None] * 4 + ["random removal", "halves"]),
    "no lead": (made.holding_to(None, reason="no lead"), [None] * 4 + ["random removal", "halves"]),
    "fails at once": (made.holding_to(0.0), [None] * 4 + ["random removal", "halves"]),
}


@pytest.mark.parametrize("kind", LACKING)
def test_a_scene_without_its_data_says_what_would_make_them(kind: str) -> None:
    result, what = LACKING[kind]
    steps = told(result)
    assert [step.finding.button and step.finding.button.action for step in steps.values()] == what
    for name in ("chance", "matters"):
        assert steps[name].scene is None
    everywhere = [part for one in pooled.shipped() for part in (claim_finding(one).sentences[0], str(len(one.keys)))]
    assert set(numbers(*steps["chance"].finding.sentences)) <= {*numbers(*everywhere), "95"}


def test_all_that_a_result_has_is_told() -> None:
    result = make_result(num_layers=4, amounts=(0.0, 0.2, 0.6))
    halves = [made.half("layers:0-1", 0.5), made.half("layers:2-3", 0.1)]
    steps = told(result, [], halves)
    assert "the upper half of the layers changes more, but pruning the lower" in steps["matters"].finding.heading
    assert getattr(steps["matters"].finding.button, "action", "") == "own"
    assert [name for name in NAMES if not steps[name].scene] == ["similar", "chance"]
