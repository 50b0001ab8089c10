"""The plain statistics against the definition behind them, and the closed forms of the engine."""

from itertools import permutations

import numpy as np
import pytest
import torch

from core.similarity.cka import leave_one_out, own_cka
from core.similarity.gram import OwnComparison, compare_own, prepare, u_centred_gram
from core.similarity.partial_cka import partial_cka
from core.sweep.equal_damage import AtDamage, at_place, place_of
from core.sweep.statistics import jackknife, own_interval
from tests.independent import statistics as plain

AMOUNTS = (0.0, 0.2, 0.5, 0.8)


def drifting_frames(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Makes representations that noise pulls away, deeper points faster, and those of an emptied model."""
    random = np.random.default_rng(seed)
    baseline, noise, other = random.normal(size=(3, 5, 18, 12))  # each (points, n, features)
    share = np.array([0, 0.2, 0.5, 0.9])[:, None, None, None] * np.linspace(0.5, 1.2, 5)[:, None, None]
    return baseline + share * noise + 0.3, 0.3 * baseline + other


def test_hsic1_is_the_mean_over_all_quadruples_of_examples() -> None:
    random = np.random.default_rng(0)
    k, m = (plain.gram(random.normal(size=(6, 3))) for _ in range(2))
    terms = [k[i, j] * (m[i, j] + m[q, r] - 2 * m[i, q]) for i, j, q, r in permutations(range(6), 4)]
    assert plain.hsic1(k, m) == pytest.approx(np.mean(terms), abs=1e-12)


def test_cka_of_a_constant_representation_is_undefined() -> None:
    features = np.random.default_rng(0).normal(size=(8, 3))
    constant = np.full((8, 3), 0.1) * (1 + 1e-15 * features)  # up to rounding
    assert np.isnan(plain.cka([features], [constant]))
    assert plain.cka([features], [features]) == pytest.approx(1)


def test_leaving_out_each_example_gives_the_closed_forms_of_the_engine() -> None:
    frames, floor = drifting_frames()
    values = plain.jackknifed(AMOUNTS, frames, floor)
    grams = [prepare([u_centred_gram(torch.from_numpy(frame))]) for frame in frames]
    emptied = prepare([u_centred_gram(torch.from_numpy(floor))])
    triples = [
        (compare_own(grams[0], gram), compare_own(grams[0], emptied), compare_own(gram, emptied)) for gram in grams
    ]

    def both(of: OwnComparison) -> tuple[np.ndarray, np.ndarray]:
        return own_cka(of), leave_one_out(of)

    own, own_without = map(np.stack, zip(*(both(first) for first, _, _ in triples), strict=True))
    pieces = [[both(pair) for pair in triple] for triple in triples]
    partial = np.stack([partial_cka(*(value for value, _ in triple)) for triple in pieces])
    partial_without = np.stack([partial_cka(*(without for _, without in triple)) for triple in pieces])
    close = {"rtol": 0, "atol": 1e-12}
    np.testing.assert_allclose(values["floor"], own_cka(triples[0][1]), **close)
    for name, ending, engine, without in (
        ("own CKA", "", own, own_without),
        ("partial CKA", " of partial CKA", partial, partial_without),
    ):
        np.testing.assert_allclose(values[name], engine, **close)
        np.testing.assert_allclose(values[f"{name}, interval"], own_interval(engine, without), **close)
        for k, target in enumerate(plain.DAMAGES):
            place = place_of(own, own_without, target)
            at = at_place(AMOUNTS, engine, without, place)
            assert isinstance(at, AtDamage)
            np.testing.assert_allclose(values[f"profile at damage{ending}"][k], at.profile, **close)
            np.testing.assert_allclose(values[f"gap at damage{ending}"][k], at.gap, **close)
            np.testing.assert_allclose(values[f"gap at damage{ending}, replicates"][:, k], at.gap_replicates, **close)
            interval = jackknife(np.asarray(at.gap), at.gap_replicates)
            np.testing.assert_allclose(values[f"gap at damage{ending}, interval"][:, k], interval, **close)


def test_what_one_example_makes_undefined_has_no_value_at_a_damage() -> None:
    frames, floor = drifting_frames()
    values = plain.jackknifed(AMOUNTS[:2], frames[:2], floor)
    own = 1 - values["damage"][1]
    assert np.isnan(values["gap at damage"]).tolist() == [own > 1 - damage for damage in plain.DAMAGES]
    assert np.isnan(values["profile at damage"][np.isnan(values["gap at damage"])]).all()
