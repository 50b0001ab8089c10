"""The story: its numbers and states are the pages' own; a scene without its data says what it lacks."""

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from core.charts.stack import TITLE
from core.charts.story import Step, story
from core.findings import passed, pooled
from core.findings.choices import companions, halves
from core.findings.claim import verdict
from core.findings.comparable import controls_of, isolated_of
from core.findings.passed import harm_of
from core.findings.words.compare import compare_heading
from core.findings.words.grid import difference_sentence
from core.findings.words.passed import halves_finding
from core.findings.words.verdict import criteria_table
from core.request.catalog import DAMAGE
from core.results import library, store
from core.results.schema import SweepResult
from tests.builders import make_result
from tests.core.findings import made
from tests.core.findings.made import SEEDS, network

NAMES = ["watch", "similar", "chance", "matters"]
ROOM = 29 * 16  # pixels, of 844, that a telephone has for pictures between the heading and the sentences


def steps_of(result: SweepResult, near: Sequence[SweepResult] = ()) -> dict[str, Step]:
    """The story by the names of its scenes, each checked for what every scene has."""
    steps = story(result, "mean", near)
    assert [step.name for step in steps] == NAMES
    for step in steps:
        finding = step.finding
        assert re.fullmatch(".*[^.,;]", finding.heading), step
        assert len(finding.sentences) in (1, 2), step
        assert all(sentence.endswith(".") and "None" not in sentence for sentence in finding.sentences), step
        assert len(step.notes) in ((2, 3, 4) if step.scene or step.name == "similar" else (0,))
        assert step.start is None or (step.scene and 0 <= step.start < 1)
        if step.scene:
            narrow = replace(step.scene.layout, wide=step.scene.layout.narrow or step.scene.layout.wide)
            assert (narrow.height(step.scene.views) or 0) <= ROOM, "a telephone shows the whole scene"
            assert narrow.boxes(step.scene.views, 358, ROOM).keys() == step.scene.views.keys()
    return {step.name: step for step in steps}


def numbers(*texts: str) -> list[str]:
    return re.findall(r"[+−]?\d+(?:\.\d+)?", " ".join(texts))


def check_chance(result: SweepResult, near: list[SweepResult], step: Step) -> None:
    """The scene has the numbers of Compare, of the verdict, and of All results, in their order."""
    controls, (ranges, shares) = controls_of(result, near), step.finding.sentences
    headings = [numbers(compare_heading((result, control))) for control in controls]
    (own,), drawn = {first for first, *_ in headings}, sorted(int(heading[-1]) for heading in headings)
    assert numbers(ranges) == [own, *map(str, sorted({drawn[0], drawn[-1]}))]
    assert ("sooner" in step.finding.heading) == (drawn[-1] < int(own))
    assert len({row["seed"] for row in step.scene.views["accuracy"].datasets["chance"]}) == len(controls)
    here, _, all_together = shares.partition("checkpoints")
    assert numbers(here)[:2] == [f"{DAMAGE}", numbers(criteria_table(result, near)[0]["In the upper half"])[0]]
    method = result.pruning.method, result.pruning.scope
    (pool,) = (pool for pool in pooled.shipped() if (pool.method, pool.scope) == method)
    assert numbers(here)[-1] == str(len(pool.keys))
    claimed = numbers(difference_sentence(pool))
    assert numbers(all_together) == [number.lstrip("+") for number in claimed if number != "95"]


@pytest.mark.parametrize(
    "checkpoint", ["embedded:sst2", "recipe:mpnet-l12-sst2-seed-1", "recipe:mpnet-l12-cola-seed-0"]
)
def test_the_scenes_have_the_numbers_and_states_of_the_pages(checkpoint: str) -> None:
    entries = library.shipped(library.Entry)
    own = [entry for entry in entries if (entry.checkpoint, entry.method) == (checkpoint, "magnitude")]
    entry = next(entry for entry in own if companions(entry, entries))
    chosen = [entry, *companions(entry, entries), *halves(entry, entries)]
    result, *near = (store.load(store.find(other.key)) for other in chosen)
    steps = steps_of(result, near)
    check_chance(result, near, steps["chance"])
    if harm := harm_of(isolated_of(result, near), result):
        finding = halves_finding(verdict(result, near).lead, harm, passed.shipped())
        assert (steps["matters"].finding.text, steps["matters"].start) == (finding.text, harm.removed)
    drawn = [name for name in NAMES if name != "similar" and (name != "matters" or harm)]
    assert [name for name in NAMES if steps[name].scene] == drawn
    assert all("stack" in steps[name].scene.views for name in drawn), "one picture turns into the next"


def test_the_first_scene_asks_and_takes_a_guess_before_it_answers() -> None:
    watch = steps_of(network(), SEEDS)["watch"]
    assert (watch.start, watch.asked.heading) == (0.0, "Which layers change first when weights are removed?")
    assert watch.finding.heading == "Magnitude pruning changes the upper layers first and most"
    view = watch.scene.views["stack"]
    assert (view.picks, view.title) == ("stack", TITLE)
    for k, row in enumerate(view.datasets["stack"]):
        assert (row["pick"], row["y"], row["y2"], row["chosen"]) == (str(k + 1), k, k + 1, False)
        shown = [bool(words) for words in row["words"]]
        assert shown == [min(row["v"][: place + 1]) < 0.9 for place in range(len(shown) - 1)] + [True]
        assert row["words"][-1] in row["answer"]
    assert steps_of(make_result(num_layers=1))["watch"].asked is None


WHOLE = make_result(num_layers=4)
LACKING = {
    "an own result": (WHOLE, [None, None, "random removal", "halves"]),
    "of weights that are not shipped": (made.of_seed(1, WHOLE), [None] * 4),
    "random removal": (make_result(method="random"), [None] * 3 + ["halves"]),
    "of units": (make_result(method="attribution", scope=None), [None] * 2 + ["random removal", None]),
    "some layers alone": (make_result(scope="layer:1", points="layer"), [None] * 4),
    "one layer": (make_result(num_layers=1), [None] * 2 + ["random removal", None]),
    "both points": (make_result(points="both"), [None] * 2 + ["random removal", "halves"]),
    "no similarity": (make_result(own_cka=lambda *_: None), [None] * 2 + ["random removal", "halves"]),
    "no lead": (made.holding_to(None, reason="no lead"), [None] * 2 + ["random removal", "halves"]),
    "fails at once": (made.holding_to(0.0), [None] * 2 + ["random removal", "halves"]),
}


@pytest.mark.parametrize("kind", LACKING)
def test_a_scene_without_its_data_says_what_would_make_them(kind: str) -> None:
    result, actions = LACKING[kind]
    steps = steps_of(result)
    assert [step.finding.button and step.finding.button.action for step in steps.values()] == actions
    assert steps["chance"].scene is steps["matters"].scene is None
    everywhere = [part for pool in pooled.shipped() for part in (difference_sentence(pool), str(len(pool.keys)))]
    assert set(numbers(*steps["chance"].finding.sentences)) <= {*numbers(*everywhere), "95"}


def test_halves_pruned_alone_are_a_scene() -> None:
    halves = [made.half("layers:0-1", 0.5), made.half("layers:2-3", 0.1)]
    steps = steps_of(make_result(num_layers=4, amounts=(0.0, 0.2, 0.6)), halves)
    assert "the upper half of the layers changes more, but pruning the lower" in steps["matters"].finding.heading
    assert steps["matters"].finding.button.action == "own"
    assert [name for name in NAMES if not steps[name].scene] == ["similar", "chance"]
