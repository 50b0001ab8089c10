"""The three figures of a run, on results made up for the purpose."""

import pytest

from core.findings.lab import Figure, key_figures
from core.results.schema import SweepResult, WorkingRangeRecord
from tests.builders import OwnCka, make_result, with_own_key

STEPS = (0.0, 0.2, 0.4, 0.6, 0.8)


def falling_at(*amounts: float | None, floor: bool = False) -> SweepResult:
    """A result whose layers fall below 0.9 at these amounts; None never does."""

    def own(amount: float, point: int, size: int) -> float:
        fall = amounts[point]
        return 1.0 if fall is None else max(1 - 0.1 * amount / fall, 0.0)

    made = make_result(num_layers=len(amounts), amounts=STEPS, own_cka=own)
    return made if floor else with_own_key(made, floor=None)


def working(**changes: object) -> WorkingRangeRecord:
    usual = {
        "to": 0.4,
        "metric": "accuracy",
        "examples": 200,
        "shown_broken_from": 0.6,
        "smallest_drop": 0.01,
        "lead": 0.4,
        "reason": None,
    }
    return WorkingRangeRecord.model_validate({**usual, **changes})


def holds(**changes: object) -> Figure:
    return key_figures(with_own_key(falling_at(0.5, 0.3), working_range=working(**changes)), "mean")[2]


def plain(result: SweepResult) -> list[str]:
    return [as_typed(figure.value) for figure in key_figures(result, "mean")[:2]]


def as_typed(text: str) -> str:
    """Text with the spaces that one types: a number and its percent sign stay on one line."""
    return text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("falls", "first", "longest"),
    [
        ((0.7, 0.5, 0.3), "Layer 3, at 30 %", "Layer 1, up to 70 %"),
        ((0.3, 0.5, 0.7), "Layer 1, at 30 %", "Layer 3, up to 70 %"),
        ((None, 0.3, 0.302), "Layers 2 and 3, at 30 %", "Layer 1, beyond 80 %"),
        ((0.4, 0.4), "All layers, at 40 %", "All layers, up to 40 %"),
        ((0.4,), "Layer 1, at 40 %", "Layer 1, up to 40 %"),
        ((None, None), "None, up to 80 %", "All layers, beyond 80 %"),
    ],
)
def test_the_first_layer_to_change_and_the_longest_intact(
    falls: tuple[float | None, ...], first: str, longest: str
) -> None:
    assert plain(falling_at(*falls)) == [first, longest]


def test_what_an_emptied_model_keeps_says_nothing() -> None:
    _, longest, _ = key_figures(falling_at(None, 0.3, floor=True), "mean")
    assert longest.note == "Layer 1 is above 0.9 even with everything removed, so this says little there."
    _, longest, _ = key_figures(falling_at(0.3, None, floor=True), "mean")
    assert "everything" not in longest.note


def test_undefined_layers_are_left_out_and_said_to_be() -> None:
    result = make_result(amounts=STEPS, num_layers=3, own_cka=_undefined_in(1), statistics=False)
    first, longest, _ = key_figures(result, "mean")
    assert "Layer 2 is left out" in first.note
    assert "2" not in first.value + longest.value
    result = make_result(amounts=STEPS, num_layers=2, own_cka=_undefined_in(0, 1), statistics=False)
    assert [figure.value for figure in key_figures(result, "mean")] == ["Undefined", "Unknown"]


def _undefined_in(*points: int) -> OwnCka:
    return lambda amount, point, size: None if point in points else 1 - 0.3 * amount


def test_a_layer_that_becomes_undefined_counts_as_changed() -> None:
    def own(amount: float, point: int, size: int) -> float | None:
        return None if point == 1 and amount > 0.3 else 1.0

    first, *_ = key_figures(make_result(amounts=STEPS, num_layers=3, own_cka=own, statistics=False), "mean")
    assert first.value.startswith("Layer 2")
    assert "Where similarity is undefined (layer 2), a layer counts as fallen." in first.note


def test_layers_below_the_pruned_one_cannot_change() -> None:
    def own(amount: float, point: int, size: int) -> float:
        return 1.0 if point < 2 else 1 - 0.3 * amount

    result = make_result(amounts=STEPS, num_layers=3, own_cka=own, scope="layer:2", points="layer")
    _, longest, _ = key_figures(result, "mean")
    assert as_typed(longest.value) == "Layers 1 and 2, beyond 80 %"
    assert longest.note == "Only layer 3 is pruned: layers below it cannot change."


@pytest.mark.parametrize(
    ("changes", "value", "words"),
    [
        ({}, "Up to 40 %", "From 60 % on, a drop is beyond sampling error (judged on 200 labelled examples)."),
        ({"shown_broken_from": 0.2}, "Up to 40 %", "From 20 % on, a drop is beyond sampling error"),
        ({"to": 0.8, "shown_broken_from": None}, "Beyond 80 %", "nine tenths of its lead"),
        ({"to": 0.0}, "Not even to 20 %", "The first step already costs it over a tenth of its lead"),
        (
            {"to": None, "reason": "no lead", "shown_broken_from": None, "lead": 0.0},
            "No lead to lose",
            "not shown to be better than",
        ),
        (
            {"shown_broken_from": None, "reason": "too few examples"},
            "Up to 40 %",
            "On 200 labelled examples, a drop smaller than 0.01 can go unseen.",
        ),
        (
            {"reason": "too few examples"},
            "Up to 40 %",
            "(judged on 200 labelled examples, where a drop smaller than 0.01 can go unseen).",
        ),
    ],
)
def test_how_far_accuracy_holds(changes: dict[str, object], value: str, words: str) -> None:
    figure = holds(**changes)
    assert (figure.title, as_typed(figure.value)) == ("Accuracy holds", value)
    assert words in as_typed(figure.note)


def test_it_is_the_metric_that_was_judged() -> None:
    assert holds(metric="macro_f1").title == "Macro F1 holds"


def test_the_unpruned_model_alone_has_no_figures() -> None:
    result = make_result(amounts=(0.0,), statistics=False)
    assert key_figures(result, "mean") == ()
