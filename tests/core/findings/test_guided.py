"""Guided shares judged: what is counted and paired, by hand and by SciPy; which checkpoints and places there are."""

from itertools import product
from math import exp, log

import numpy as np
import pytest
from scipy.stats import binomtest

from benchmarks.shares import judged, shares_tables, together
from core.findings import guided as pages
from core.findings.guided import AMOUNTS, METHODS, beside
from tests.builders import make_result, with_own_key
from tests.core.findings.made import EXAMPLES, FEWER, confirming, sharing


@pytest.mark.parametrize(
    ("more", "fewer", "both"), [(3, 12, 5), (12, 3, 0), (0, 6, 2), (5, 0, 0), (0, 0, 7), (0, 0, 0)]
)
def test_the_pair_is_that_of_an_exact_binomial_test(more: int, fewer: int, both: int) -> None:
    counts = [both, more, fewer, 100 - both - more - fewer]
    guided, other = (np.repeat([True, own, not own, False], counts) for own in (True, False))
    found, apart = beside(guided, other), more + fewer
    assert found.difference == pytest.approx((more - fewer) / 100)
    assert found.ratio == pytest.approx((both + more + 0.5) / (both + fewer + 0.5))
    assert found.p_value == pytest.approx(binomtest(more, apart).pvalue if apart else 1)
    more_half, fewer_half, whole = more + 0.5, fewer + 0.5, 102  # half an example more in each of four kinds
    mean = (more_half - fewer_half) / whole
    error = np.sqrt((more_half + fewer_half) / whole - mean**2) / np.sqrt(whole - 1)
    assert found.interval == pytest.approx([mean - 1.959964 * error, mean + 1.959964 * error], abs=1e-6)


def test_every_checkpoint_with_all_methods_on_the_same_examples_has_each_amount() -> None:
    first, second = sharing(), confirming(sharing(task="cola"))
    *some, last = sharing(task="qnli")
    elsewhere = with_own_key(last, task=last.task.model_copy(update={"fingerprint": "another draw"}))
    coarse = make_result(task="qnli", method="divergence", amounts=(0.0, 0.2, 0.4), num_examples=EXAMPLES)
    control = make_result(task="qqp", method="random", controls="cka", amounts=(0.0, *AMOUNTS))
    found = judged([*first, *second, *some, elsewhere, coarse, control])
    places = [place for known in found for place in known.places]
    groups = product(("no figure seen before", "search chosen on them"), AMOUNTS)
    assert [(known.group, place.amount) for known in found for place in known.places] == list(groups)
    for k, place in enumerate(places):
        counts = {name: FEWER[name][k % 3] for name in METHODS}
        assert {name: round(EXAMPLES * share.share) for name, share in place.changed.items()} == counts
        for name, pair in place.beside.items():
            assert pair.ratio == pytest.approx((counts["cka"] + 0.5) / (counts[name] + 0.5))
    assert [len(rows) for rows in shares_tables(found)] == [2, 6, 2], "no cell is left out"


def test_of_several_draws_of_examples_the_largest_counts() -> None:
    few = sharing(dict.fromkeys(METHODS, (1, 1, 1)), num_examples=100)
    for order in ([*few, *sharing()], [*sharing(), *few]):
        assert [known.examples for known in judged(order)] == [EXAMPLES]
        assert pages.judged(order) == judged(order)[0].places


def test_what_checkpoints_say_together_and_when_the_goal_is_met() -> None:
    zero = {**FEWER, "magnitude": (0, 40, 60), "cka": (0, 20, 30)}
    (known,) = together(judged([*confirming(sharing()), *confirming(sharing(zero), seed=2)]))
    pairs = [(8, 20), (20, 40), (30, 60), (0, 0), (20, 40), (30, 60)]
    ratios = [(one + 0.5) / (other + 0.5) for one, other in pairs]
    assert known.ratios["magnitude"] == pytest.approx(exp(sum(map(log, ratios)) / 6))
    assert known.span == (min(ratios), 1)
    assert (known.checkpoints, known.places, known.fewer, known.more, known.shorter) == (2, 6, 5, 0, 0)
    assert known.is_met

    worse, shorter = {**FEWER, "cka": (8, 20, 80)}, {**FEWER, "magnitude": (8, 40, 60), "cka": (9, 20, 30)}
    for counts, met in ((FEWER, True), (worse, False), (shorter, False), ({**FEWER, "cka": (19, 39, 59)}, False)):
        (one,) = together(judged(confirming(sharing(counts))))
        assert (one.is_met, one.more, one.shorter) == (met, counts is worse, counts is shorter)


def test_a_working_range_is_that_among_the_amounts_that_all_have() -> None:
    *others, guided, last = sharing()
    broken = guided.frames[-1].model_copy(update={"amount": 0.1})
    finer = with_own_key(guided, frames=(guided.frames[0], broken, *guided.frames[1:]))
    others.append(last)
    for whole in (guided, finer):
        (known, *_) = judged([*others, whole])
        assert known.works_to == {"magnitude": 0.0, "uniform": 0.0, "cka": 0.2, "divergence": 0.0}, "8 of 200, not 9"
