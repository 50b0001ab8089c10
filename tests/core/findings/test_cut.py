"""What a study of cuts offers: what each depth loses, which keep a limit, when none is promised."""

import numpy as np
import pytest

from core.findings.cut import frontier_of, keeps, lead, values_of
from core.results.cut import CutStudy
from core.sweep.scores import SCORES
from tests.studies import by_hand, make_study


def test_a_depth_is_described_by_its_score_its_difference_and_what_is_out() -> None:
    frontier = frontier_of(by_hand(20, 60, full=10))

    assert frontier.full.value == 0.95
    assert frontier.guess == 0.5
    first, second = frontier.choices
    assert [choice.depth.layers for choice in frontier.choices] == [2, 1]
    assert first.held == 1
    assert first.value.value == pytest.approx(0.9)
    assert first.difference.value == pytest.approx(-0.05)
    assert second.difference.value == pytest.approx(-0.25)


def test_intervals_are_those_of_a_paired_bootstrap_of_the_rows() -> None:
    """A bootstrap of 200 rows comes close to a normal interval of the mean difference."""
    choice, _ = frontier_of(by_hand(20, 60, full=10)).choices
    error = np.std([1] * 10 + [0] * 190) / np.sqrt(200)

    ends = choice.difference.low, choice.difference.high, choice.least
    normal = np.array([-1.96, 1.96, -1.645])
    expected = -0.05 + normal * error
    assert ends == pytest.approx(expected, abs=0.004)


@pytest.mark.parametrize("metric", SCORES)
def test_draws_are_valued_like_rows(metric: str) -> None:
    study = make_study(seed=3)
    task = study.task.model_copy(update={"main_metric": metric})
    study = study.model_copy(update={"task": task})
    smaller = study.depths[1].saved
    models = [study.full, smaller]

    values = values_of(study, models)

    gold = np.array(task.gold)
    score = SCORES[metric]
    expected = [float(score(gold, np.array(model.predictions))) for model in models]
    assert values[:, 0] == pytest.approx(expected)
    assert values[:, 1:].mean(1) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(
    ("study", "most", "layers", "outcome"),
    [
        (by_hand(4, 20), 0.05, 2, "keeps"),
        (by_hand(4, 20), 0.15, 1, "keeps"),  # the fastest
        (by_hand(4, 20), 0.01, 2, "closest"),
        (by_hand(0, 0, rows=99), 0.1, 2, "few"),
        (by_hand(0, 0, rows=100), 0.1, 1, "keeps"),
        (by_hand(95, 95, full=95), 0.1, 2, "guesses"),
    ],
)
def test_the_fastest_depth_that_keeps_the_limit_leads_else_the_closest_one(
    study: CutStudy, most: float, layers: int, outcome: str
) -> None:
    frontier = frontier_of(study)

    choice, reason = lead(frontier, most)

    assert choice.depth.layers == layers
    assert reason == outcome


def test_the_one_sided_bound_decides_and_a_loss_of_exactly_the_limit_keeps_it() -> None:
    frontier = frontier_of(by_hand(4, 20))
    choice = frontier.choices[0]

    difference = choice.difference
    assert difference.low < choice.least < difference.value
    lost = -choice.least
    assert keeps(frontier, choice, lost)
    assert not keeps(frontier, choice, lost - 1e-6)
