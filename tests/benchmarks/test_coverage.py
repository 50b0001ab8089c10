"""The check of coverage: it counts rightly, and what it checks are the intervals of the engine's own results."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.coverage import ALONE, STEPS, coverage, population
from benchmarks.printed import NO_LOSS, SHOWN, Key, printed
from core.findings.claim import WIDEST
from core.inputs.prepare import prepare
from core.request.sweep_request import SweepRequest, checked
from core.results.statistics import GapAtDamage
from core.sweep.sweep import sweep
from tests.tiny import loaded

KEY = Key("mean of normal numbers")


@pytest.mark.parametrize(("margin", "share"), [(1.959964, 0.95), (1.0, 0.682689), (0.0, 0.0)])
def test_known_coverage(margin: float, share: float) -> None:
    means = np.random.default_rng(0).normal(size=(20_000, 25)).mean(1)  # (subsets,)
    found = coverage(KEY, 0.0, means[:, None] + margin / 5 * np.array([0.0, -1.0, 1.0]))
    assert found.covered == pytest.approx(share, abs=0.01)  # six standard errors of 20,000 trials
    ends = [(0.4, 0.6), (0.6, 0.8), (0.1, 0.3), (0.5, 0.5), (0.5, np.inf), (np.nan, np.nan)]
    found = coverage(KEY, 0.5, np.array([(0.5, *pair) for pair in ends]))
    assert (found.covered, found.undefined) == pytest.approx((3 / 5, 1 / 6))


def test_the_intervals_are_those_of_the_result_of_a_sweep(tiny_bert: Path, glue_folder: Path) -> None:
    request = checked(SweepRequest(str(tiny_bert), "sst2", amounts=STEPS, num_examples=96, data=str(glue_folder)))
    inputs = prepare(request)
    checkpoint = loaded(inputs.resolved)
    measured = population(request, checkpoint, inputs.subset)
    found, half = (printed(measured, np.arange(96), factor) for factor in (1.0, 0.5))
    assert list(found) == list(printed(measured, np.arange(20))), "the same for every subset"
    result, known = sweep(checkpoint, inputs, request), {}
    for measure, title in (("cka", "CKA"), ("partial_cka", "CKA given the emptied model")):
        statistics = result.statistics[measure]["mean"]
        for amount in SHOWN:
            for point, bounds in enumerate(statistics.own[result.amounts.index(amount)]):
                known[f"own {title}, mean", f"layer {point + 1}, {amount:.0%}"] = bounds or (np.nan, np.nan)
        for damage, gap in statistics.gap_at_damage.items():
            is_printed = isinstance(gap, GapAtDamage) and (measure == "cka" or gap.high - gap.low <= 2 * WIDEST)
            ends = (gap.low, gap.high) if is_printed else (np.nan, np.nan)
            known[f"gap at damage, {title}, mean", f"damage {damage}"] = ends
    frame = result.frames[result.amounts.index(0.9)]
    known["accuracy", "90%"], known["changed share", "90%"] = frame.intervals["accuracy"], frame.changed.interval
    isolated = sweep(checkpoint, inputs, replace(request, scope="layer:1", points="layer", amounts=ALONE))
    for k, amount in enumerate(ALONE[1:], 1):
        low, high = isolated.statistics["cka"]["mean"].own[k][1]
        known["isolated effect", f"layer 2, {amount:.0%}"] = (1 - high, 1 - low)
    for key, ends in known.items():
        assert found[Key(*key)][1:] == pytest.approx(ends, abs=1e-9, nan_ok=True), key
    for key, (value, low, high) in found.items():
        if key.kind.startswith("survival"):
            assert not low <= value <= high or low <= half[key].low <= half[key].high <= high
        elif not key.kind.startswith(tuple(NO_LOSS)):  # those are halfway on the scale of a logarithm
            assert half[key] == pytest.approx((value, (value + low) / 2, (value + high) / 2), nan_ok=True)
