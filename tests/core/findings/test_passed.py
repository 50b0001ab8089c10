"""What layers and halves of layers pass on: by hand in small cases, and against naive computations."""

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.stats import binomtest, rankdata, t

from benchmarks.harm import harms
from core.findings.comparable import isolated_controls_of, isolated_of
from core.findings.passed import harm_of, passed_on
from core.results.schema import SweepResult
from tests.builders import make_result
from tests.core.findings.made import ALONE_STEPS, HARMS, OWN_LOSSES, alone, half, of_seed

WHOLE = make_result(num_layers=4, amounts=ALONE_STEPS)
OWN, EARLY, END = (np.corrcoef(rankdata(HARMS), ranks)[0, 1] for ranks in ((1, 2, 3, 4), (4, 3, 2, 1), (3, 1, 2, 4)))


def test_every_number_is_that_of_the_layer_that_was_pruned() -> None:
    layers, short = alone(), alone(amounts=(0.0, 0.5))[0]  # of two results of one scope that with more amounts counts
    drawn = alone(HARMS[::-1], method="random")
    halves = [half(scope, 0.4, amounts=ALONE_STEPS) for scope in ("layers:0-1", "layers:2-3")]
    known = passed_on(WHOLE, [short, *layers, *drawn, *halves], "mean")
    assert (list(known.losses), known.is_read, list(known.halves)) == ([0.3, 0.7], False, [0.0, 0.3, 0.7])
    assert known.halves[0.7] == pytest.approx([1 - one.frames[2].own("mean")[-1] for one in halves])
    faded, own, end, harm = known.losses[0.7].transpose(1, 0, 2)  # each (layers, 3)
    together, one_by_one = known.upper_shares(0.7)
    assert (together, one_by_one) == pytest.approx((faded[2:, 0].sum() / faded[:, 0].sum(), 0.7))
    assert faded[:, 0] == pytest.approx(1 - np.array(WHOLE.frames[2].own("mean")))
    assert own[:, 0] == pytest.approx(0.7 * np.array(OWN_LOSSES))
    bounds = [result.statistics["cka"]["mean"].own[2][layer] for layer, result in enumerate(layers)]
    assert own[:, :0:-1] == pytest.approx(1 - np.array(bounds))
    assert end[:, 0] == pytest.approx(0.7 * np.array([*np.array(HARMS[:3]) / 2, OWN_LOSSES[3]]))
    assert harm.tolist() == [[row.changed.share, *row.changed.interval] for row in (one.frames[2] for one in layers)]


def test_the_end_is_what_the_classifier_reads_only_where_every_result_holds_it_and_no_layer_may_lack() -> None:
    read, layers = alone(read=0.6), alone()
    known = passed_on(WHOLE, read, "mean")
    assert (known.is_read, known.losses[0.3][:, 2, 0].tolist()) == (True, pytest.approx([0.18] * 4))
    assert not passed_on(WHOLE, [*read[:3], layers[3]], "mean").is_read
    lacking = [layers[:3], [], alone(amounts=(0.0,)), alone(num_examples=100), alone(method="wanda")]
    assert [passed_on(WHOLE, known, "mean") for known in lacking] == [None] * 5
    blind = make_result(num_layers=4, scope="layer:3", points="layer", amounts=ALONE_STEPS, holes=((0.3, 3, 3),))
    assert list(passed_on(WHOLE, [*layers[:3], blind], "mean").losses) == [0.7], "undefined at 0.3"


def test_halves_are_compared_where_each_has_lost_the_share_of_its_weights_nearest_to_60_percent() -> None:
    lower, upper = half("layers:0-1", 0.4), half("layers:2-3", 0.1)
    drawn = [half(scope, 0.2, method="random", seed=1) for scope in ("layers:2-3", "layers:0-1")]
    beside = [half("layers:0-2", 0.2), upper, *drawn, lower, *alone()]
    harm = harm_of(isolated_of(WHOLE, beside))
    assert (harm.removed, harm.lower, harm.upper) == (0.6, 0.4, 0.1)
    assert harm.p_value == pytest.approx(binomtest(60, 60).pvalue), "the 20 changed by both decide nothing"
    assert harm_of(isolated_controls_of(WHOLE, beside)[1]).p_value == 1
    third = half("layers:2-3", 0.1, prunable_sparsity=lambda a: a / 3)
    assert [harm_of(isolated_of(WHOLE, known)) for known in ([lower], [lower, third], [])] == [None] * 3


def test_twins_and_draws_are_averaged_before_tasks_and_depths_are_counted() -> None:
    def cola(harm: Sequence[float], **settings: object) -> list[SweepResult]:
        return alone(harm, task="cola", **settings)

    reverse, shares = HARMS[::-1], {"sst2": (0.4, 0.1), "cola": (0.2, 0.05)}
    halves = [half(f"layers:{2 * k}-{2 * k + 1}", shares[task][k], task=task) for task in shares for k in range(2)]
    twins = [*alone(), *(of_seed(1, known) for known in alone(reverse))]
    drawn = [known for seed, harm in enumerate((HARMS, reverse)) for known in cola(harm, method="random", seed=seed)]
    magnitude, random = harms([*drawn, *twins, *cola(HARMS), *cola(reverse, source="written"), *halves])
    assert list(magnitude.cells) == ["CoLA, 4 layers", "SST-2, 4 layers"]
    assert [cell["own"] for cell in magnitude.cells.values()] == pytest.approx([OWN, 0]), "twins contradict each other"
    assert random.cells["CoLA, 4 layers"]["own"] == pytest.approx(0)
    assert (random.name, random.estimates) == ("random removal", {}), "one cell has no interval"
    apart, error = magnitude.estimates["apart"], t.ppf(0.975, 1) * np.std([0.3, 0.15], ddof=1) / np.sqrt(2)
    assert (apart.cells, apart.value) == (2, pytest.approx(0.225))
    assert apart.interval == pytest.approx((max(0.225 - error, -1), min(0.225 + error, 1)))
    assert magnitude.estimates["own"].interval == (-1, 1), "no correlation lies beyond"
