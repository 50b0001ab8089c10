"""The check of coverage: it counts rightly, and what it checks are the intervals of the engine's own results."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import coverage, population
from benchmarks.coverage import Coverage
from benchmarks.population import ALONE, FINE, STEPS, Population, Run
from benchmarks.printed import SHOWN, Interval, Key, printed
from core.errors import PrunescopeError
from core.findings.claim import WIDEST
from core.inputs.prepare import prepare
from core.request.sweep_request import SweepRequest, checked
from core.results.schema import GapAtDamage, SweepResult
from core.sweep.sweep import sweep
from tests.tiny import loaded

KEY = Key("mean of normal numbers")


def covered(margin: float) -> Coverage:
    """Covers the mean 0 of normal numbers by the mean of 25 of them, plus and minus so many standard errors."""
    means = np.random.default_rng(0).normal(size=(20_000, 25)).mean(1)  # (subsets,)
    intervals = means[:, None] + margin / 5 * np.array([0.0, -1.0, 1.0])  # (subsets, 3)
    return coverage.coverage(KEY, 0.0, intervals)


@pytest.mark.parametrize(("margin", "share"), [(1.959964, 0.95), (1.0, 0.682689), (0.0, 0.0)])
def test_known_coverage(margin: float, share: float) -> None:
    found = covered(margin)
    assert found.covered == pytest.approx(share, abs=0.01)  # six standard errors of 20,000 trials
    assert found.below == pytest.approx((1 - share) / 2, abs=0.01)
    assert found.below + found.above == pytest.approx(1 - found.covered)
    assert found.width == pytest.approx(2 * margin / 5)
    assert found.no_width == (margin == 0)


def test_what_can_become_of_an_interval_is_counted_separately() -> None:
    undefined, unbounded = np.nan, np.inf
    ends = [(0.4, 0.6), (0.6, 0.8), (0.1, 0.3), (0.5, 0.5), (0.5, unbounded), (undefined, undefined)]
    found = coverage.coverage(KEY, 0.5, np.array([(0.5, *pair) for pair in ends]))
    assert (found.covered, found.below, found.above) == pytest.approx((3 / 5, 1 / 5, 1 / 5))
    assert found.width == pytest.approx((0.2 + 0.2 + 0.2 + 0.0) / 4), "the mean of those that end"
    assert found.no_width == pytest.approx(1 / 5)
    assert found.undefined == pytest.approx(1 / 6)


def test_off_target_is_too_little_and_for_an_estimate_too_much_as_well() -> None:
    def is_on_target(kind: str, share: float) -> bool:
        return Coverage(Key(kind), 0.5, share, 1 - share, 0.0, 0.1, 0.0, 0.0).is_on_target

    assert [is_on_target("D of CKA, mean", share) for share in (0.92, 0.93, 0.97, 0.98)] == [False, True, True, False]
    assert [is_on_target("survival, CKA, mean", share) for share in (0.92, 0.93, 1.0)] == [False, True, True]


def test_the_summary_counts_lines_off_target() -> None:
    def line(kind: str, share: float) -> Coverage:
        return Coverage(Key(kind, str(share)), 0.5, share, 1 - share, 0.0, 0.1, 0.0, 0.0)

    # The kinds alternate, as accuracy and divergence do from amount to amount.
    found = [line("gap", 0.9), line("D", 0.95), line("gap", 0.95), line("gap", 0.98)]
    *_, gap, d = coverage.summary(found)
    assert gap == "| gap | 3 | 90.0% | 94.3% | 98.0% | 0.0% | 2 |"
    assert d == "| D | 1 | 95.0% | 95.0% | 95.0% | 0.0% | 0 |"


def test_what_is_undefined_on_all_sentences_is_named_instead_of_counted() -> None:
    undefined = Interval(np.nan, np.nan, np.nan)
    truth = {
        Key("gap", "damage 0.1"): Interval(0.1, 0.0, 0.2),
        Key("gap", "damage 0.3"): undefined,
        Key("own", "layer 1"): undefined,
        Key("own", "layer 2"): undefined,
    }
    intervals = np.array([[(0.1, 0.05, 0.15)] * 4, [(0.2, 0.15, 0.25), *[undefined] * 3]])
    lines = list(coverage.page(truth, intervals, "two subsets"))
    assert lines[0] == "two subsets"
    assert lines[-1] == "Undefined on all sentences: gap, damage 0.3; own"
    (line,) = [line for line in lines if "damage 0.1" in line]
    assert line == "| gap | damage 0.1 | 0.1000 | **50.0%** | 50.0% | 0.0% | 0.1000 | 0.0% | 0.0% |"


def test_a_subset_is_drawn_without_replacement_and_again_by_its_number() -> None:
    rows = coverage.subset_rows(100, 40, 7)
    assert len(set(rows.tolist())) == 40
    np.testing.assert_array_equal(rows, coverage.subset_rows(100, 40, 7))
    assert set(rows.tolist()) != set(coverage.subset_rows(100, 40, 8).tolist())


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
        controls=tuple(run([3 * amount for amount in FINE], 4, ("mean",)) for _ in range(2)),
        alone=tuple(run(ALONE, 1, ("mean",)) for _ in range(4)),
    )


def test_every_subset_has_the_same_intervals_in_the_same_order(synthetic: Population) -> None:
    everything, some = printed(synthetic, np.arange(60)), printed(synthetic, np.arange(20))
    assert list(everything) == list(some)
    assert not [key for key, interval in everything.items() if np.isnan(interval).any()]
    wrong = [key for key, (value, low, high) in everything.items() if not low <= value <= high]
    assert not wrong


def no_loss(key: Key) -> float | None:
    """Returns the value without loss of what has an interval on the scale of the loss's logarithm."""
    if key.kind.startswith("own"):
        return 1.0
    return 0.0 if key.kind in ("isolated effect", "mean divergence") else None


def test_what_the_emptied_model_leaves_undefined_has_no_survival(synthetic: Population) -> None:
    emptied = {name: torch.zeros_like(features) for name, features in synthetic.magnitude.emptied.items()}
    constant = replace(synthetic, magnitude=replace(synthetic.magnitude, emptied=emptied))
    found = printed(constant, np.arange(20))
    partial = [found[key] for key in found if key.kind.startswith("survival, CKA given")]
    assert len(partial) == 2 * 4 * 3
    assert np.isnan(partial).all()


def test_a_factor_scales_every_bound_about_its_estimate_and_survival_before_it_is_inverted(
    synthetic: Population,
) -> None:
    rows = np.arange(0, 60, 2)
    usual, half = printed(synthetic, rows), printed(synthetic, rows, 0.5)
    for key, (value, low, high) in usual.items():
        found = half[key]
        if key.kind.startswith("survival"):
            assert found.value == value
            assert low <= found.low <= found.high <= high
        elif (origin := no_loss(key)) is not None:
            loss = value - origin
            bounds = [origin + np.sign(loss) * np.sqrt(loss * (bound - origin)) for bound in (low, high)]
            assert found == pytest.approx((value, *bounds), nan_ok=True), "halfway on the scale of its logarithm"
        else:
            assert found == pytest.approx((value, (value + low) / 2, (value + high) / 2), nan_ok=True)
    survival = [key for key in usual if key.kind.startswith("survival")]
    assert any(usual[key].low < half[key].low for key in survival), "narrower somewhere"


def test_the_intervals_are_those_of_the_result_of_a_sweep(tiny_bert: Path, glue_folder: Path) -> None:
    request = checked(SweepRequest(str(tiny_bert), "sst2", amounts=STEPS, num_examples=96, data=str(glue_folder)))
    inputs = prepare(request)
    checkpoint = loaded(inputs.resolved)
    wanted = population.requests(request, checkpoint.record.num_layers)
    runs = {
        name: population.run(checkpoint, inputs.subset, one, name == population.MAIN, lambda *_: None)
        for name, one in wanted.items()
    }
    all_of_it = Population(
        gold=np.array(inputs.subset.gold),
        magnitude=runs[population.MAIN],
        controls=tuple(run for name, run in runs.items() if name.startswith("control")),
        alone=tuple(run for name, run in runs.items() if name.startswith("layer")),
    )
    found = printed(all_of_it, np.arange(96))

    *_, result = sweep(checkpoint, inputs, request)
    assert isinstance(result, SweepResult)
    assert result.statistics is not None
    for measure, title in (("cka", "CKA"), ("partial_cka", "CKA given the emptied model")):
        statistics = result.statistics[measure]["mean"]
        for amount in SHOWN:
            k = result.amounts.index(amount)
            for point, bounds in enumerate(statistics.own[k]):
                interval = found[Key(f"own {title}, mean", f"layer {point + 1}, {amount:.0%}")]
                assert interval[1:] == pytest.approx(bounds or (np.nan, np.nan), abs=1e-9, nan_ok=True)
        for point, layer in enumerate(statistics.survival):
            interval = found[Key(f"survival, {title}, mean", f"layer {point + 1}, threshold 0.9")]
            assert interval[:2] == pytest.approx((layer.value, layer.low), abs=1e-7)
            assert min(interval.high, result.amounts[-1]) == pytest.approx(layer.high, abs=1e-7), (
                "a result rounds own CKA"
            )
        for damage, gap in statistics.gap_at_damage.items():
            interval = found[Key(f"gap at damage, {title}, mean", f"damage {damage}")]
            is_printed = isinstance(gap, GapAtDamage) and (measure == "cka" or gap.high - gap.low <= 2 * WIDEST)
            expected = (gap.value, gap.low, gap.high) if is_printed else (np.nan,) * 3
            assert tuple(interval) == pytest.approx(expected, abs=1e-9, nan_ok=True)
    frame = result.frames[result.amounts.index(0.9)]
    assert found[Key("accuracy", "90%")] == pytest.approx((frame.metrics["accuracy"], *frame.intervals["accuracy"]))
    assert found[Key("changed share", "90%")] == pytest.approx((frame.changed.share, *frame.changed.interval))
    assert found[Key("mean divergence", "90%")] == pytest.approx((frame.divergence.value, *frame.divergence.interval))

    *_, isolated = sweep(checkpoint, inputs, wanted["layer-01"])
    for k, amount in enumerate(ALONE[1:], 1):
        low, high = isolated.statistics["cka"]["mean"].own[k][1]
        assert found[Key("isolated effect", f"layer 2, {amount:.0%}")][1:] == pytest.approx(
            (1 - high, 1 - low), abs=1e-9
        )


@pytest.mark.parametrize(("option", "value"), [("subsets", 0), ("processes", -1)])
def test_refuses_numbers_out_of_bounds(option: str, value: int) -> None:
    with pytest.raises(PrunescopeError, match=f"^{value} {option}: choose at least 1$"):
        coverage.parse(["--data", "glue", f"--{option}", str(value)])
