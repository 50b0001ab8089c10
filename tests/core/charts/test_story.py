"""The story has the pages' numbers and states; a scene without its data says what it lacks."""

import re
from collections.abc import Sequence

import numpy as np
import pytest

from core.charts.pages import cut_shown, recover_shown
from core.charts.story import TOO_FAR, Step, story
from core.findings.choices import alone, companions
from core.findings.claim import verdict
from core.findings.comparable import isolated_of
from core.findings.passed import halves_of
from core.findings.words.verdict import criteria_table
from core.request.catalog import DAMAGE
from core.request.pages import LOSS
from core.request.scope import layer_scopes
from core.results import library, store
from core.results.cut import Trained
from core.results.schema import SweepResult
from tests.builders import declining, make_result
from tests.core.findings import made
from tests.core.findings.made import SEEDS, network
from tests.studies import make_recovery, make_study

NAMES = ["watch", "similar", "chance", "alone", "towards", "again", "cut"]
MOST_CHARS = 240  # of the sentences of a scene
# Pixels, of 844, that a telephone has for pictures between the heading and the sentences.
ROOM = 29 * 16


def steps_of(
    result: SweepResult, near: Sequence[SweepResult] = (), *trained: Trained
) -> dict[str, Step]:
    """The story by the names of its scenes, each checked for what every scene has."""
    steps = story(result, "mean", near, *trained)
    assert [step.name for step in steps] == NAMES
    for step in steps:
        finding = step.finding
        assert len(finding.sentences) in (1, 2), step
        assert sum(map(len, finding.sentences)) <= MOST_CHARS, step
        assert "None" not in " ".join(finding.sentences)
        assert len(step.notes) in ((2, 3, 4) if step.scene or step.name == "similar" else (0,))
        assert step.start is None or (step.scene and 0 <= step.start < 1)
        if step.scene:
            views = step.scene.views
            layout = step.scene.layout
            narrow = layout._replace(wide=layout.narrow or layout.wide)
            assert (narrow.height(views) or 0) <= ROOM, "a telephone shows the whole scene"
            assert narrow.boxes(views, 358, ROOM).keys() == views.keys()
    return {step.name: step for step in steps}


def numbers(*texts: str) -> list[str]:
    return re.findall(r"[+−]?\d+(?:\.\d+)?", " ".join(texts))


def check_chance(result: SweepResult, near: list[SweepResult], step: Step) -> None:
    """The scene has the numbers of the verdict, and its bars are the verdict's shares."""
    criteria = criteria_table(result, near)[0]
    said = step.finding.sentences[0]
    assert numbers(said)[0] == numbers(criteria["In the upper half"])[0]
    k = step.scene.amounts.index(step.start)
    shown = step.scene.views["accuracy"].datasets["amounts"][k]
    assert shown["amount"] == pytest.approx(DAMAGE), "as the words say"
    bars = step.scene.views["shares"].datasets["shares"]
    shares = [row["v"][k] for row in bars if row["series"] == "Magnitude pruning"]
    upper = sum(shares[len(shares) // 2 :])
    assert upper == pytest.approx(verdict(result, near).share, abs=1e-4)


def check_alone(result: SweepResult, near: list[SweepResult], step: Step) -> None:
    """The scene has what the results of single layers and of halves hold."""
    alone = isolated_of(result, near)
    layers = [alone[scope] for scope in layer_scopes(result.checkpoint.num_layers)]
    losses = []
    for k, layer in enumerate(layers):
        frame = layer.frames[layer.amounts.index(step.start)]
        losses.append(1 - frame.own("mean")[k])
    upper = sum(losses[len(losses) // 2 :]) / sum(losses)
    said = step.finding.sentences[0]
    assert numbers(said)[0] == f"{100 * step.start:.0f}"
    assert f"one layer pruned at a time, {100 * upper:.0f} %" in said
    rows = step.scene.views["shares"].datasets["shares"]
    bars = [row["v"][0] for row in rows if row["series"].startswith("This")]
    assert bars == pytest.approx(np.array(losses) / sum(losses), abs=1e-5)
    if halves := halves_of(alone):
        frames = [half.frames[half.amounts.index(step.start)] for half in halves]
        ends = [f"{frame.own('mean')[-1]:.3f}" for frame in frames]
        assert numbers(step.finding.sentences[1]) == ends


def check_towards(result: SweepResult, step: Step) -> None:
    """Discs lie where a column is largest, up to the end of the working range."""
    discs = [row["v"] for row in step.scene.views["heatmap"].datasets["nearest"]]
    working = [frame for frame in result.frames if frame.amount <= result.working_range.to]
    assert step.scene.amounts == [frame.amount for frame in working]
    for k, frame in enumerate(working):
        largest = np.array(frame.matrix("mean"), dtype=float).argmax(0)
        assert [column[k] for column in discs] == largest.tolist()
    assert (step.start, step.still) == (None, working[-1].amount), "it plays"


@pytest.mark.parametrize(
    "checkpoint",
    [
        "embedded:sst2",
        "recipe:mpnet-l12-sst2-seed-1",
        "recipe:mpnet-l12-cola-seed-0",
    ],
)
def test_the_scenes_have_the_numbers_and_states_of_the_pages(checkpoint: str) -> None:
    entries = library.shipped(library.Entry)
    own = [
        entry for entry in entries if (entry.checkpoint, entry.method) == (checkpoint, "magnitude")
    ]
    entry = next(entry for entry in own if companions(entry, entries))
    chosen = [entry, *companions(entry, entries), *alone(entry, entries)]
    result, *near = (store.load(store.find(other.key)) for other in chosen)
    steps = steps_of(result, near)
    check_chance(result, near, steps["chance"])
    if steps["alone"].scene:
        check_alone(result, near, steps["alone"])
    check_towards(result, steps["towards"])
    assert [name for name in NAMES if not steps[name].scene] == [
        *("similar", *["alone"] * ("seed-1" in checkpoint)),
        *("again", "cut"),
    ]


def test_the_first_scene_asks_and_takes_a_guess_before_it_answers() -> None:
    watch = steps_of(network(), SEEDS)["watch"]
    assert watch.start == 0
    assert watch.asked.heading.endswith("?")
    view = watch.scene.views["stack"]
    assert view.picks == "stack"
    for k, row in enumerate(view.datasets["stack"]):
        assert (row["pick"], row["y"], row["y2"]) == (str(k + 1), k, k + 1)
        shown = [bool(words) for words in row["words"]]
        assert shown == [min(row["v"][: place + 1]) < 0.9 for place in range(len(shown) - 1)] + [
            True
        ]
        assert row["words"][-1] in row["answer"]
    assert steps_of(make_result(num_layers=1))["watch"].asked is None


WHOLE = make_result(num_layers=4)
CHANCE = "random removal"
ALONE = "layers"
AGAIN = "again"
CUT = "cut"
USUAL = [None, None, CHANCE, ALONE, None, AGAIN, CUT]
OTHERWISE = {
    "of weights that are not shipped": (made.of_seed(1, WHOLE), [None] * 7),
    "random removal": (make_result(method="random"), [None] * 3 + USUAL[3:]),
    "of units": (
        make_result(
            method="attribution",
            scope=None,
        ),
        [*USUAL[:3], None, *USUAL[4:]],
    ),
    "some layers alone": (
        make_result(
            scope="layer:1",
            points="layer",
        ),
        [None] * 5 + [AGAIN, CUT],
    ),
    "one layer": (
        make_result(num_layers=1),
        [
            *USUAL[:3],
            None,
            *USUAL[4:],
        ],
    ),
}
LACKING = OTHERWISE | {
    "an own result": (WHOLE, USUAL),
    "one amount": (make_result(amounts=(0.0,)), USUAL),
    "both points": (make_result(points="both"), USUAL),
    "no similarity": (make_result(own_cka=lambda *_: None), USUAL),
    "no lead": (made.holding_to(None), USUAL),
    "fails at once": (made.holding_to(0.0), USUAL),
}


@pytest.mark.parametrize("kind", LACKING)
def test_a_scene_without_its_data_says_what_would_make_them(kind: str) -> None:
    result, actions = LACKING[kind]
    steps = steps_of(result)
    buttons = [step.finding.button for step in steps.values()]
    assert [button and button.action for button in buttons] == actions
    assert steps["chance"].scene is steps["alone"].scene is steps["towards"].scene is None


def test_layers_pruned_alone_turn_the_order_round() -> None:
    losing = make_result(
        num_layers=4,
        amounts=made.ALONE_STEPS,
        own_cka=declining(0.8),
    )
    step = steps_of(losing, made.alone())["alone"]
    assert step.start == 0.3
    assert step.scene.amounts == [0.3, 0.7]
    bars = step.scene.views["shares"].datasets["shares"]
    assert [row["v"][0] for row in bars[:4]] == pytest.approx(
        [
            0.1,
            0.1,
            0.4,
            0.4,
        ]
    )
    assert [row["words"][0] for row in bars[4:]] == [
        "10 %",
        "20 %",
        "30 %",
        "40 %",
    ]


def test_a_model_trained_again_is_told_in_the_numbers_of_its_page() -> None:
    step = steps_of(WHOLE, (), make_study(), make_recovery())["again"]
    answer = recover_shown(make_recovery()).finding
    assert answer.heading.startswith(
        step.finding.heading.removeprefix("Trained again: a"),
        1,
    )
    assert (step.finding.sentences[0], *step.finding.notes) == answer.sentences
    discs = [row["v"][-1] for row in step.scene.views["cka"].datasets["nearest"]]
    assert discs == [0, 1, 2, 3, 4, 5]
    assert (step.scene.amounts, step.start, step.still) == (
        [
            0,
            10,
        ],
        None,
        10,
    )


def test_the_last_scene_is_the_page_of_cuts_at_its_usual_limit() -> None:
    for loss, rows in ((0.02, 800), (0.4, 200), (0.0, 60)):
        study = make_study(num_layers=4, num_examples=rows, loss=loss)
        step = steps_of(WHOLE, (), study)["cut"]
        shown = cut_shown(study, [], LOSS.default)
        assert step.finding.heading == shown.finding.heading
        assert (*step.finding.sentences, *step.finding.notes) == shown.finding.sentences
        told = step.scene.views["frontier"].datasets
        drawn = shown.blocks[0].scene.views["frontier"].datasets
        assert told["lines"] == drawn["lines"]
        for row, picked in zip(
            told["models"],
            drawn["models"],
            strict=True,
        ):
            assert row | {"pick": row["label"]} == picked


def test_random_removal_stands_where_it_has_changed_the_layers_as_much_overall() -> None:
    changes = (0.0, 0.1, 0.2, 0.3)  # the overall change, for `declining`
    known = {"num_layers": 4, "amounts": changes}
    method = make_result(
        **known,
        own_cka=declining(0.8),
        accuracy=lambda amount: 0.9 - amount,
    )
    weak = make_result(
        num_layers=4,
        amounts=changes[:2],
        own_cka=declining(0.6),
        method="random",
    )
    scene = steps_of(method, [weak])["chance"].scene
    bars = [
        row for row in scene.views["shares"].datasets["shares"] if row["series"] == "Random removal"
    ]
    assert [row["v"][2] for row in bars] == pytest.approx(
        [0.2, 0.2, 0.3, 0.3],
        abs=5e-4,
    )
    assert [row["v"][3] for row in bars] == [None] * 4
    curves = scene.views["accuracy"].datasets["accuracy"]
    own = [row["amount"] for row in curves if row["series"] == "Magnitude pruning"]
    assert own == pytest.approx(
        [
            0.0,
            DAMAGE,
            *changes[1:],
        ]
    ), "one frame where a verdict reads it"
    at_random = [
        (row["k"], row["low"] == row["high"]) for row in curves if row["series"] == "Random removal"
    ]
    assert at_random == [(0, True), (1, True), (2, True)]
    reached, beyond = scene.frames[2:4]
    assert "removed, or 10 % at random" in reached["name"]
    assert beyond["detail"].endswith(TOO_FAR)
