"""What a study of cuts offers: chosen on the calibration examples, borne out or not by the judged ones."""

from dataclasses import replace

import pytest

from core.findings.cut import Frontier, chosen, frontier_of, state_of
from core.findings.words.cut import choices_table
from core.results.cut import CutStudy
from core.results.statistics import EstimateRecord
from tests.studies import made_cut, make_study, with_sizes

# Of ten examples of each kind, all of which the full model of three layers gets right: the layers that stay, and how
# many of the examples for choosing and how many of the judged ones a cut gets wrong.
WRONG = ((0, 1, 2), 0, 0), ((0, 1), 1, 2), ((0,), 3, 3)
GOLD = (0, 1) * 5


def by_hand() -> CutStudy:
    def predicted(wrong: int) -> tuple[int, ...]:
        return tuple(1 - label if k < wrong else label for k, label in enumerate(GOLD))

    study, known = make_study(num_layers=3), {"gold": GOLD, "examples": tuple(range(10))}
    task, calibration = (record.model_copy(update=known) for record in (study.task, study.calibration))
    cuts = tuple(made_cut(kept, task, predicted(choosing), predicted(judged)) for kept, choosing, judged in WRONG)
    return with_sizes(study.model_copy(update={"task": task, "calibration": calibration, "cuts": cuts}))


SMALL = by_hand()


def test_the_smaller_models_can_be_chosen_each_with_its_loss_and_what_it_gains() -> None:
    known = frontier_of(SMALL)
    assert [model.removed for model in known.choices] == [(2,), (1, 2)]
    assert [model.loss for model in known.choices] == pytest.approx([0.1, 0.3])
    assert [model.value.value for model in known.choices] == [0.8, 0.7]
    assert [model.gain for model in known.choices] == pytest.approx([1.15, 1.3]), "the speed at the larger batch"
    assert (known.full.value, known.guess) == (1, 0.5)
    rows = [(row["Removed"], row["Accuracy"][:5], row["Speed"]) for row in choices_table(known)]
    assert rows == [("Layer 3", "0.800", "1.1 times as fast"), ("Layers 2 and 3", "0.700", "1.3 times as fast")]


def test_the_fastest_is_chosen_of_those_that_lose_little_enough_on_the_examples_for_choosing() -> None:
    known = frontier_of(SMALL)
    assert [chosen(known, most) for most in (0.05, 0.1, 0.3)] == [None, *known.choices]


def judged(low: float, high: float, **changes: object) -> Frontier:
    """A study whose smaller models all differ from the full one by so much."""
    known, lost = frontier_of(with_sizes(make_study())), EstimateRecord(value=(low + high) / 2, low=low, high=high)
    choices = (replace(model, difference=lost, loss=0.0) for model in known.choices)
    return replace(known, choices=tuple(choices), **{"guess": 0.3, **changes})


@pytest.mark.parametrize(
    ("known", "state"),
    [
        (judged(-0.03, 0.01), "holds"),
        (judged(-0.031, 0.01), "inconclusive"),
        (judged(-0.09, -0.03), "inconclusive"),
        (judged(-0.09, -0.031), "fails"),
        (judged(-0.03, 0.01, guess=0.99), "guesses"),
    ],
)
def test_a_claim_is_what_its_interval_carries(known: Frontier, state: str) -> None:
    assert state_of(known, chosen(known, 0.03), 0.03) == state
