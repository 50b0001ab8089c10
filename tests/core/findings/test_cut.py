"""What a study of cuts offers: what each depth loses, which keep a limit, and when nothing is promised."""

import numpy as np
import pytest

from core.findings.cut import CutChoice, frontier_of, keeps, lead, values_of
from core.results.cut import CutStudy
from core.sweep.scores import SCORES
from tests.studies import by_hand, make_study


def led(study: CutStudy, most: float) -> tuple[int, str]:
    choice, outcome = lead(frontier_of(study), most)
    return choice.depth.layers, outcome


def test_a_depth_is_described_by_its_score_its_difference_and_what_is_out() -> None:
    known = frontier_of(by_hand(20, 60, full=10))
    assert [choice.depth.layers for choice in known.choices] == [2, 1]
    assert [choice.value.value for choice in known.choices] == pytest.approx([0.9, 0.7])
    assert [choice.difference.value for choice in known.choices] == pytest.approx([-0.05, -0.25])
    assert ([choice.held for choice in known.choices], known.full.value, known.guess) == (
        [1, 1],
        0.95,
        0.5,
    )


def test_intervals_are_those_of_a_paired_bootstrap_of_the_rows() -> None:
    """A normal interval of the mean of paired differences, which a bootstrap of 200 rows comes close to."""
    (choice, _) = frontier_of(by_hand(20, 60, full=10)).choices
    error = np.std([1] * 10 + [0] * 190) / np.sqrt(200)
    ends = choice.difference.low, choice.difference.high, choice.least
    assert ends == pytest.approx(-0.05 + np.array([-1.96, 1.96, -1.645]) * error, abs=0.004)


@pytest.mark.parametrize("metric", SCORES)
def test_draws_are_valued_like_rows(metric: str) -> None:
    study = make_study(seed=3)
    study = study.model_copy(update={"task": study.task.model_copy(update={"main_metric": metric})})
    models = [study.full, study.depths[1].saved]
    values = values_of(study, models)
    gold = np.array(study.task.gold)
    expected = [float(SCORES[metric](gold, np.array(model.predictions))) for model in models]
    assert values[:, 0] == pytest.approx(expected)
    assert values[:, 1:].mean(1) == pytest.approx(expected, abs=0.02)


def test_the_fastest_depth_that_keeps_the_limit_leads_else_the_closest_one() -> None:
    study = by_hand(4, 20)
    assert led(study, 0.05) == (2, "keeps")
    assert led(study, 0.15) == (1, "keeps")
    assert led(study, 0.01) == (2, "closest")
    assert led(by_hand(4, 4), 0.05) == (1, "keeps")


def test_the_one_sided_bound_decides_and_a_loss_of_exactly_the_limit_keeps_it() -> None:
    known = frontier_of(by_hand(4, 20))
    choice: CutChoice = known.choices[0]
    assert choice.difference.low < choice.least < choice.difference.value
    assert [keeps(known, choice, most) for most in (-choice.least, -choice.least - 1e-6)] == [
        True,
        False,
    ]


def test_nothing_is_promised_of_few_rows_or_of_a_model_that_guesses() -> None:
    assert led(by_hand(0, 0, rows=99), 0.1) == (2, "few")
    assert led(by_hand(0, 0, rows=100), 0.1) == (1, "keeps")
    assert led(by_hand(95, 95, full=95), 0.1) == (2, "guesses")
