"""CKA: its invariances, sums over bands, leaving one out, undefined cases.

tests/independent checks the formula itself and sums over minibatches.
"""

from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor

from core.request.catalog import MAX_LENGTH
from core.similarity import gram as module
from core.similarity.cka import cka, leave_one_out
from core.similarity.gram import Grams, prepare, u_centred_bands, u_centred_gram

assert_close = partial(torch.testing.assert_close, rtol=0)


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


def test_invariant_to_rotation_scale_and_shift() -> None:
    x = random(1, 40, 12)
    y = random(1, 40, 12, seed=1) + x
    rotation, _ = torch.linalg.qr(random(12, 12, seed=2))
    shift = 5 * random(12, seed=3)
    moved = 17 * (x @ rotation) + shift
    far = (x + 1000).float()
    far_y = (y + 1000).float()

    value = cka_of(x, y)
    elsewhere = cka_of(moved, y)
    remote = cka_of(far, far_y)

    assert 0.1 < value.item() < 0.9
    assert_close(elsewhere, value, atol=1e-12)
    assert_close(remote, value, atol=1e-4)


def test_a_small_representation_is_not_taken_for_rounding() -> None:
    x = random(1, 40, 12).float()
    value = cka_of(x, 1e-6 * x)
    assert value.item() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("constant", [0.0, 0.1, 12345.678])
def test_a_constant_representation_has_no_similarity(constant: float) -> None:
    alive = random(2, 20, 8).float()
    features = constant * torch.linspace(0.3, 1, 8)
    dead = features.expand(1, 20, 8)
    mixed = torch.cat([alive[:1], dead])

    values = cka_of(alive, mixed)

    living, constants = values.T
    assert living.isfinite().all()
    assert constants.isnan().all()


@pytest.mark.parametrize("seed", range(5))
def test_a_constant_averaged_over_tokens_stays_constant(seed: int) -> None:
    torch.manual_seed(seed)
    constants = 0.5 + 0.5 * torch.rand(256)  # (features,)
    lengths = torch.randint(3, MAX_LENGTH + 1, (256, 1))  # (n, 1)
    real = torch.arange(MAX_LENGTH) < lengths  # (n, longest)
    tokens = constants * real[..., None]  # (n, longest, features)

    means = tokens.sum(1) / lengths  # (n, features) as the engine computes them

    assert means.std(0).max() > 0, "the mean over tokens rounds"
    value = cka_of(random(1, 256, 8).float(), means[None])
    assert value.isnan().all()


# ---------------------------------------------------------------- bands of rows


@pytest.mark.parametrize("rows", [1, 7, 40, 89])
def test_bands_of_rows_give_the_same_numbers(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x = random(3, 90, 12).float() + 2
    strength = torch.tensor([0.1, 0.5, 2.0])[:, None, None]
    y = x + strength * random(3, 90, 12, seed=1).float()
    whole = grams(x, y)
    monkeypatch.setattr(module, "BAND_BYTES", 3 * 90 * 8 * rows)

    bands = list(u_centred_bands(x))
    banded = [prepare(u_centred_bands(each)) for each in (x, y)]

    full, rest = divmod(90, rows)
    sizes = [band.shape[1] for band in bands]
    expected = [rows] * full
    if rest:
        expected.append(rest)
    assert sizes == expected
    joined = torch.cat(bands, 1)
    assert_close(joined, u_centred_gram(x), atol=1e-5)
    for similarity in (cka, leave_one_out):
        assert_close(
            similarity(*banded),
            similarity(*whole),
            atol=1e-6,
        )


# ---------------------------------------------------------------- leaving one out


def test_features_varied_by_one_example_are_undefined_without_it() -> None:
    baseline = random(1, 20, 4)
    features = torch.zeros(1, 20, 4, dtype=torch.float64)

    without = leave_one_out(*grams(baseline, features))
    assert np.isnan(without).all()

    features[0, 7] = torch.tensor([0.1, 0.7, 0.3, 1e3])
    without = leave_one_out(*grams(baseline, features))

    (undefined,) = np.isnan(without[0]).nonzero()
    assert undefined.tolist() == [7]
