"""What layers and halves of layers pass on: by hand in small cases, and against naive computations."""

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.stats import binomtest, kendalltau, rankdata, t

from core.findings.comparable import Halves, halves_controls_of, halves_of
from core.findings.harm import APART, BEYOND, EARLY, END, LOWER, OWN, UPPER, correlations, harms
from core.findings.passed import by_amount, harm_of, passed_on, reads
from core.findings.tables import harm_table
from core.request.amounts import DEFAULT_AMOUNTS
from core.request.controls import ALONE_AMOUNTS, ONE_LAYER_SEEDS, each_alone
from core.request.sweep_request import SweepRequest, checked
from core.results.schema import SweepResult
from tests.builders import make_result
from tests.core.findings.made import ALONE_STEPS, HARMS, OWN_LOSSES, alone, half, of_seed, predicting

WHOLE = make_result(num_layers=4, amounts=ALONE_STEPS)


def test_every_number_is_that_of_the_layer_that_was_pruned() -> None:
    layers, short = alone(), alone(amounts=(0.0, 0.5))[0]  # of two results of one layer that with more amounts counts
    random = [alone(amounts=ALONE_STEPS, method="random", seed=seed) for seed in range(2)]
    whole = make_result(num_layers=4, amounts=ALONE_STEPS, method="random", seed=1)
    known = passed_on(WHOLE, [short, *layers, *random[0], *random[1], whole], "mean")
    assert known is not None
    assert (list(known.method), known.seeds, known.is_read) == ([0.3, 0.7], 2, False)
    for layer, (row, result) in enumerate(zip(known.method[0.7], layers, strict=True)):
        low, high = result.statistics["cka"]["mean"].own[2][layer]
        assert row.own == pytest.approx(0.7 * OWN_LOSSES[layer])
        assert row.own_interval == pytest.approx((1 - high, 1 - low))
        assert row.end == pytest.approx(0.7 * (HARMS[layer] / 2 if layer < 3 else OWN_LOSSES[3]))
        assert (row.changed, row.changed_interval) == (
            result.frames[2].changed.share,
            result.frames[2].changed.interval,
        )
        assert row.faded == pytest.approx(1 - WHOLE.frames[2].own("mean")[layer])
    mean = known.by_chance[0.3]
    assert [row.own for row in mean] == pytest.approx([0.3 * loss for loss in OWN_LOSSES])
    assert [row.faded for row in mean] == [None] * 4, "of one draw alone all layers were pruned"


def test_the_end_is_what_the_classifier_reads_only_where_every_result_holds_it() -> None:
    read = alone(read=0.6)
    assert [row.end for row in passed_on(WHOLE, read, "mean").method[0.3]] == pytest.approx([0.18] * 4)
    mixed = [*read[:3], alone()[3]]
    assert (reads(read), reads(mixed), passed_on(WHOLE, mixed, "mean").is_read) == (True, False, False)


def test_nothing_is_shown_of_some_layers_only() -> None:
    layers = alone()
    lacking = [layers[:3], [], alone(amounts=(0.0,)), alone(num_examples=100), alone(method="wanda")]
    assert [passed_on(WHOLE, known, "mean") for known in lacking] == [None] * 5
    blind = make_result(num_layers=4, scope="layer:3", points="layer", amounts=ALONE_STEPS, holes=((0.3, 3, 3),))
    assert list(passed_on(WHOLE, [*layers[:3], blind], "mean").method) == [0.7], "undefined at 0.3"


def test_one_job_measures_all_that_the_page_shows() -> None:
    """Each request is one that a sweep accepts, and none is asked for twice."""
    whole = checked(SweepRequest("embedded:sst2", "sst2", range_examples="all", until_damage=0.3))
    for layers, halves in ((6, ["layers:0-2", "layers:3-5"]), (5, ["layers:0-1", "layers:3-4"]), (2, [])):
        requests = list(map(checked, each_alone(whole, layers)))
        scopes = [f"layer:{k}" for k in range(layers)] + halves
        own, drawn = requests[: len(scopes)], requests[len(scopes) :]
        assert [request.scope for request in own] == scopes
        assert {(r.method, r.points, r.until_damage, r.range_examples) for r in own} == {
            ("magnitude", "layer", None, "subset")
        }
        assert own[0].amounts == (ALONE_AMOUNTS if halves else DEFAULT_AMOUNTS)
        assert sorted((r.scope, r.seed) for r in drawn) == sorted(
            (s, k) for s in scopes for k in range(ONE_LAYER_SEEDS)
        )
        assert {(r.method, r.control_of) for r in drawn} == {("random", "magnitude")}
    (only, *_) = each_alone(SweepRequest("embedded:sst2", "sst2", "random", seed=1), 3)
    assert (only.method, only.seed) == ("random", 1)
    assert len(each_alone(SweepRequest("embedded:sst2", "sst2", "random"), 3)) == 3, (
        "whose halves are layers; a control has none"
    )


# ---------------------------------------------------------------- halves


def test_halves_are_compared_where_both_have_lost_the_share_of_weights_nearest_to_30_percent() -> None:
    lower, upper = half("layers:0-1", 0.4), half("layers:2-3", 0.1)
    drawn = [half(scope, 0.2, method="random", seed=1) for scope in ("layers:2-3", "layers:0-1")]
    others = [half("layers:0-2", 0.2), half("layers:1-2", 0.2), half("layers:0-1", 0.2, method="random", seed=0)]
    beside = [*others, upper, *drawn, lower, *alone()]
    halves = halves_of(WHOLE, beside)
    assert (halves, halves_controls_of(WHOLE, beside)) == (Halves(lower, upper), [Halves(*reversed(drawn))])
    harm = harm_of(halves)
    assert (harm.removed, harm.lower, harm.upper) == (0.3, 0.4, 0.1)
    assert harm.p_value == pytest.approx(binomtest(60, 60).pvalue), "the 20 changed by both decide nothing"
    assert harm_of(Halves(lower, half("layers:2-3", 0.1, prunable_sparsity=lambda a: a / 3))) is None
    assert harm_of(Halves(upper, upper)).p_value == 1
    assert halves_of(WHOLE, [lower]) is None


def test_a_prediction_counts_as_changed_by_what_it_was_unpruned() -> None:
    lower, upper = (
        predicting(half(scope, 0.1), [0] * 200, [0] * 200, [1] * 5 + [0] * 195)
        for scope in ("layers:0-1", "layers:2-3")
    )
    assert (harm_of(Halves(lower, upper)).lower, harm_of(Halves(lower, upper)).p_value) == (0.025, 1)


# ---------------------------------------------------------------- over checkpoints


def test_correlations_are_of_ranks_at_equal_amounts_only() -> None:
    known = by_amount(dict(enumerate(alone(), start=1)), "mean", is_read=False)
    found = correlations(known)
    ranks = rankdata(HARMS)
    assert found[OWN] == pytest.approx(np.corrcoef(ranks, rankdata(OWN_LOSSES))[0, 1])
    assert found[EARLY] == pytest.approx(-found[OWN])
    ends = [0.2, 0.1, 0.15, 0.4]
    assert found[END] == pytest.approx(np.corrcoef(ranks, rankdata(ends))[0, 1])
    assert np.sign(found[EARLY]) == np.sign(-kendalltau(HARMS, range(4)).statistic)
    assert found[BEYOND] == found[END] - found[OWN]
    assert correlations(by_amount(dict(enumerate(alone((0.2,) * 4), start=1)), "mean", is_read=False)) == {}


def test_twins_and_draws_are_averaged_before_tasks_and_depths_are_counted() -> None:
    def cola(harms: Sequence[float], **settings: object) -> list[SweepResult]:
        return alone(harms, task="cola", **settings)

    reverse = HARMS[::-1]
    results = [
        *alone(),
        *(of_seed(1, known) for known in alone(reverse)),
        *cola(HARMS),
        *cola(reverse, source="written"),
    ]
    drawn = [known for seed, harms in enumerate((HARMS, reverse)) for known in cola(harms, method="random", seed=seed)]
    pairs = {"sst2": (0.4, 0.1), "cola": (0.2, 0.05)}
    halves = [
        half(*known, task=task)
        for task, pair in pairs.items()
        for known in zip(("layers:0-1", "layers:2-3"), pair, strict=True)
    ]
    magnitude, random = harms([*drawn, *results, *halves])
    rho = np.corrcoef(rankdata(HARMS), rankdata(OWN_LOSSES))[0, 1]
    assert list(magnitude.cells) == ["CoLA, 4 layers", "SST-2, 4 layers"]
    assert magnitude.cells["CoLA, 4 layers"][OWN] == pytest.approx(rho)
    assert magnitude.cells["SST-2, 4 layers"][OWN] == pytest.approx(0), "of twins that contradict each other"
    assert random.cells["CoLA, 4 layers"][OWN] == pytest.approx(0)
    assert (random.controls, random.estimates) == ("magnitude", {}), "one cell has no interval"
    apart = magnitude.estimates[APART]
    mean, error = np.mean([0.3, 0.15]), np.std([0.3, 0.15], ddof=1) / np.sqrt(2)
    assert (apart.cells, apart.value) == (2, pytest.approx(mean))
    assert apart.interval == pytest.approx((mean - t.ppf(0.975, 1) * error, mean + t.ppf(0.975, 1) * error))
    assert magnitude.estimates[OWN].interval == (-1, 1), "no correlation lies beyond"
    assert {LOWER, UPPER} <= set(magnitude.cells["SST-2, 4 layers"])
    assert [row["Over"] for row in harm_table([magnitude])] == [*magnitude.cells, "all, mean"]
    assert len(harm_table([magnitude, random], with_cells=False)) == 2
