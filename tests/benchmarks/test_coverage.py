"""The check of coverage: it counts rightly, and what it checks are the intervals of the engine's own results."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.coverage import ALONE, FINE, STEPS, Coverage, coverage, page, population
from benchmarks.printed import NO_LOSS, SHOWN, Interval, Key, Population, Run, printed
from core.findings.claim import WIDEST
from core.inputs.prepare import prepare
from core.request.sweep_request import SweepRequest, checked
from core.results.schema import GapAtDamage
from core.sweep.sweep import sweep
from tests.tiny import loaded

KEY = Key("mean of normal numbers")


@pytest.mark.parametrize(("margin", "share"), [(1.959964, 0.95), (1.0, 0.682689), (0.0, 0.0)])
def test_known_coverage(margin: float, share: float) -> None:
    means = np.random.default_rng(0).normal(size=(20_000, 25)).mean(1)  # (subsets,)
    found = coverage(KEY, 0.0, means[:, None] + margin / 5 * np.array([0.0, -1.0, 1.0]))
    assert found.covered == pytest.approx(share, abs=0.01)  # six standard errors of 20,000 trials
    assert found.below == pytest.approx((1 - share) / 2, abs=0.01)
    assert found.width == pytest.approx(2 * margin / 5)


def test_what_can_become_of_an_interval_is_counted_separately() -> None:
    undefined, unbounded = np.nan, np.inf
    ends = [(0.4, 0.6), (0.6, 0.8), (0.1, 0.3), (0.5, 0.5), (0.5, unbounded), (undefined, undefined)]
    found = coverage(KEY, 0.5, np.array([(0.5, *pair) for pair in ends]))
    assert (found.covered, found.below) == pytest.approx((3 / 5, 1 / 5))
    assert found.width == pytest.approx((0.2 + 0.2 + 0.2 + 0.0) / 4), "the mean of those that end"
    assert found.undefined == pytest.approx(1 / 6)


def test_off_target_is_too_little_and_for_an_estimate_too_much_as_well() -> None:
    def is_on_target(kind: str, share: float) -> bool:
        return Coverage(Key(kind), 0.5, share, 1 - share, 0.1, 0.0).is_on_target

    assert [is_on_target("D of CKA, mean", share) for share in (0.92, 0.93, 0.97, 0.98)] == [False, True, True, False]
    assert [is_on_target("survival, CKA, mean", share) for share in (0.92, 0.93, 1.0)] == [False, True, True]


def test_the_page_sums_kinds_up_and_names_what_is_off_target_or_undefined() -> None:
    truth = {Key("gap", "damage 0.1"): Interval(0.1), Key("D"): Interval(0.15), Key("gap", "damage 0.3"): Interval()}
    intervals = np.array([[(0.1, 0.05, 0.15)] * 3, [(0.2, 0.15, 0.25), (0.2, 0.15, 0.25), (np.nan,) * 3]])
    summary, off, undefined = page(truth, intervals)
    assert summary.splitlines()[2:] == [
        "| gap | 1 | 50.0% | 50.0% | 50.0% | 1 |",
        "| D | 1 | 100.0% | 100.0% | 100.0% | 1 |",
    ]
    assert "| gap damage 0.1 | 0.1000 | 0.1000 | 50.0% | 50.0% | 0.0% |" in off
    assert undefined == "\nUndefined on all sentences: gap damage 0.3"


@pytest.fixture(scope="module")
def synthetic() -> Population:
    """60 examples, four points of six features, that noise replaces the more the deeper the point."""
    generator = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    def run(amounts: Sequence[float], points: int, reductions: Sequence[str]) -> Run:
        depth = torch.arange(1, points + 1)[:, None, None] / points  # (points, 1, 1)
        shares = torch.tensor(amounts)[:, None, None, None] * depth  # (frames, points, 1, 1)
        return Run(
            amounts=tuple(amounts),
            logits=normal(1, 60, 2) + torch.tensor(amounts)[:, None, None] * normal(len(amounts), 60, 2),
            features={
                name: (1 - shares) * normal(points, 60, 6) + shares * normal(len(amounts), points, 60, 6)
                for name in reductions
            },
            emptied={name: normal(points, 60, 6) for name in reductions if len(reductions) > 1},
        )

    return Population(
        gold=np.arange(60) % 2,
        magnitude=run(STEPS, 4, ("mean", "cls")),
        controls=[run([3 * amount for amount in FINE], 4, ("mean",)) for _ in range(2)],
        alone=[run(ALONE, 1, ("mean",)) for _ in range(4)],
    )


def test_every_subset_has_the_same_intervals_in_the_same_order(synthetic: Population) -> None:
    everything, some = printed(synthetic, np.arange(60)), printed(synthetic, np.arange(20))
    assert list(everything) == list(some)
    assert [key for key, (value, low, high) in everything.items() if not low <= value <= high] == []


def test_what_the_emptied_model_leaves_undefined_has_no_survival(synthetic: Population) -> None:
    emptied = {name: torch.zeros_like(features) for name, features in synthetic.magnitude.emptied.items()}
    found = printed(replace(synthetic, magnitude=replace(synthetic.magnitude, emptied=emptied)), np.arange(20))
    partial = [interval for key, interval in found.items() if key.kind.startswith("survival, CKA given")]
    assert np.isnan(partial).tolist() == [[True] * 3] * (2 * 4 * 3)


def test_a_factor_scales_every_bound_about_its_estimate_and_survival_before_it_is_inverted(
    synthetic: Population,
) -> None:
    rows = np.arange(0, 60, 2)
    usual, half = printed(synthetic, rows), printed(synthetic, rows, 0.5)
    for key, (value, low, high) in usual.items():
        found = half[key]
        origin = next((start for kind, start in NO_LOSS.items() if key.kind.startswith(kind)), None)
        if key.kind.startswith("survival"):
            assert found.value == value
            assert low <= found.low <= found.high <= high
        elif origin is not None:
            loss = value - origin
            bounds = [origin + np.sign(loss) * np.sqrt(loss * (bound - origin)) for bound in (low, high)]
            assert found == pytest.approx((value, *bounds), nan_ok=True), "halfway on the scale of its logarithm"
        else:
            assert found == pytest.approx((value, (value + low) / 2, (value + high) / 2), nan_ok=True)


def test_the_intervals_are_those_of_the_result_of_a_sweep(tiny_bert: Path, glue_folder: Path) -> None:
    request = checked(SweepRequest(str(tiny_bert), "sst2", amounts=STEPS, num_examples=96, data=str(glue_folder)))
    inputs = prepare(request)
    checkpoint = loaded(inputs.resolved)
    found = printed(population(request, checkpoint, inputs.subset), np.arange(96))

    def assert_printed(key: Key, expected: Sequence[float], tolerance: float = 1e-9) -> None:
        assert found[key][-len(expected) :] == pytest.approx(expected, abs=tolerance, nan_ok=True)

    result = sweep(checkpoint, inputs, request)
    for measure, title in (("cka", "CKA"), ("partial_cka", "CKA given the emptied model")):
        statistics = result.statistics[measure]["mean"]
        for amount in SHOWN:
            for point, bounds in enumerate(statistics.own[result.amounts.index(amount)]):
                key = Key(f"own {title}, mean", f"layer {point + 1}, {amount:.0%}")
                assert_printed(key, bounds or (np.nan, np.nan))
        for point, layer in enumerate(statistics.survival):
            interval = found[Key(f"survival, {title}, mean", f"layer {point + 1}, threshold 0.9")]
            ends = (*interval[:2], min(interval.high, result.amounts[-1]))
            assert ends == pytest.approx((layer.value, layer.low, layer.high), abs=1e-7), "a result rounds own CKA"
        for damage, gap in statistics.gap_at_damage.items():
            is_printed = isinstance(gap, GapAtDamage) and (measure == "cka" or gap.high - gap.low <= 2 * WIDEST)
            expected = (gap.value, gap.low, gap.high) if is_printed else (np.nan,) * 3
            assert_printed(Key(f"gap at damage, {title}, mean", f"damage {damage}"), expected)
    frame = result.frames[result.amounts.index(0.9)]
    assert_printed(Key("accuracy", "90%"), (frame.metrics["accuracy"], *frame.intervals["accuracy"]))
    assert_printed(Key("changed share", "90%"), (frame.changed.share, *frame.changed.interval))
    assert_printed(Key("mean divergence", "90%"), (frame.divergence.value, *frame.divergence.interval), 1e-6)

    alone = replace(request, scope="layer:1", points="layer", amounts=ALONE)
    isolated = sweep(checkpoint, inputs, alone)
    for k, amount in enumerate(ALONE[1:], 1):
        low, high = isolated.statistics["cka"]["mean"].own[k][1]
        assert_printed(Key("isolated effect", f"layer 2, {amount:.0%}"), (1 - high, 1 - low))
