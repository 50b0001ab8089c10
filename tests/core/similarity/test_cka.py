"""CKA: its invariances, sums over bands, leaving one out, undefined cases.

tests/independent checks the formula itself and sums over minibatches.
"""

import numpy as np
import pytest
import torch
from torch import Tensor

from core.request.catalog import MAX_LENGTH
from core.similarity import gram as module
from core.similarity.cka import all_similarities, cka, own_similarities
from core.similarity.gram import Grams, prepare, u_centred_bands, u_centred_gram


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(
        *shape,
        generator=torch.Generator().manual_seed(seed),
        dtype=torch.float64,
    )


def grams(*features: Tensor) -> list[Grams]:
    return [prepare([u_centred_gram(each)]) for each in features]


def cka_of(x: Tensor, y: Tensor) -> Tensor:
    return cka(*grams(x, y))


def without_each_example(x: Tensor, y: Tensor) -> np.ndarray:
    return all_similarities(*grams(x, y)).without


def test_invariant_to_rotation_scale_and_shift() -> None:
    x = random(1, 40, 12)
    y = random(1, 40, 9, seed=1)
    y[..., :5] += x[..., :5]
    rotation = torch.linalg.qr(random(12, 12, seed=2)).Q
    moved = 17.0 * (x @ rotation) + random(12, seed=3) * 5
    value = cka_of(x, y)
    assert 0.1 < value.item() < 0.9
    torch.testing.assert_close(cka_of(moved, y), value, rtol=0, atol=1e-12)
    assert cka_of(x.float(), 1e-6 * x.float()).item() == pytest.approx(1, abs=1e-6), (
        "small is not rounding"
    )
    far = cka_of((x + 1000).float(), (y + 1000).float())
    torch.testing.assert_close(far, value, rtol=0, atol=1e-4)


@pytest.mark.parametrize("constant", [0.0, 0.1, 12345.678])
def test_a_constant_representation_has_no_similarity(constant: float) -> None:
    alive = random(2, 20, 8).float()
    dead = torch.full((1, 20, 8), constant) * torch.linspace(0.3, 1, 8)
    values = cka_of(alive, torch.cat([alive[:1], dead]))
    assert torch.isfinite(values[:, 0]).all()
    assert torch.isnan(values[:, 1]).all()


@pytest.mark.parametrize("seed", range(5))
def test_a_constant_averaged_over_tokens_stays_constant(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    constants = 0.5 + 0.5 * torch.rand(256, generator=generator)  # (features,)
    lengths = torch.randint(3, MAX_LENGTH + 1, (256, 1), generator=generator)  # (n, 1)
    real = torch.arange(MAX_LENGTH) < lengths  # (n, longest)
    means = (constants * real[..., None]).sum(
        1
    ) / lengths  # (n, features) as the engine computes them
    assert means.std(0).max() > 0, "the mean over tokens rounds"
    assert cka_of(random(1, 256, 8).float(), means[None]).isnan().all()


def test_three_examples_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 4"):
        u_centred_gram(random(1, 3, 5))


# ---------------------------------------------------------------- bands of rows


@pytest.mark.parametrize("rows", [1, 7, 40, 89])
def test_bands_of_rows_give_the_same_numbers(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x = random(3, 90, 12).float() + 2
    y = x + torch.tensor([0.1, 0.5, 2.0])[:, None, None] * random(3, 90, 12, seed=1).float()
    whole = grams(x, y)
    monkeypatch.setattr(module, "BAND_BYTES", 3 * 90 * 8 * rows)
    assert [len(band[0]) for band in u_centred_bands(x)] == [rows] * (90 // rows) + [
        90 % rows
    ] * bool(90 % rows)
    banded = [prepare(u_centred_bands(each)) for each in (x, y)]
    torch.testing.assert_close(
        torch.cat(list(u_centred_bands(x)), 1),
        u_centred_gram(x),
        rtol=0,
        atol=1e-5,
    )
    torch.testing.assert_close(cka(*banded), cka(*whole), rtol=0, atol=1e-6)
    np.testing.assert_allclose(
        own_similarities(*banded), own_similarities(*whole), rtol=0, atol=1e-6
    )
    ours, expected = (all_similarities(*pair).without for pair in (banded, whole))
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-6)


# ---------------------------------------------------------------- leaving one out


def test_features_varied_by_one_example_are_undefined_without_it() -> None:
    baseline = random(1, 20, 4)
    dead = torch.zeros(1, 20, 4, dtype=torch.float64)
    assert np.isnan(without_each_example(baseline, dead)).all()
    dead[0, 7] = torch.tensor([0.1, 0.7, 0.3, 1e3])
    assert np.flatnonzero(np.isnan(without_each_example(baseline, dead)[0])).tolist() == [7]
