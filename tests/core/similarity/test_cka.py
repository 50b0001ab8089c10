"""CKA by its mathematics: the formula itself, its invariances, sums over minibatches, undefined cases."""

import numpy as np
import pytest
import torch
from torch import Tensor

from core.similarity.cka import cka, hsic, self_hsic, u_centred_gram


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def hsic1_by_formula(x: np.ndarray, y: np.ndarray) -> float:
    """DESIGN's formula, term by term: x, y (n, features), not centred."""
    n = len(x)
    k, m = x @ x.T, y @ y.T
    np.fill_diagonal(k, 0)
    np.fill_diagonal(m, 0)
    one = np.ones(n)
    terms = (
        np.trace(k @ m) + (one @ k @ one) * (one @ m @ one) / ((n - 1) * (n - 2)) - 2 / (n - 2) * (one @ k @ m @ one)
    )
    return float(terms / (n * (n - 3)))


@pytest.mark.parametrize("n", [4, 5, 33])
def test_hsic_is_the_published_formula(n: int) -> None:
    x, y = random(3, n, 7), random(2, n, 5, seed=1) + 3
    computed = hsic([u_centred_gram(x)], [u_centred_gram(y)])
    expected = [[hsic1_by_formula(a.numpy(), b.numpy()) for b in y] for a in x]
    np.testing.assert_allclose(computed.numpy(), expected, rtol=1e-9, atol=1e-9)


def test_hand_computed_case() -> None:
    # Two features that separate the same two pairs: K = L = ±1, so CKA with itself is 1,
    # and with the orthogonal split HSIC1 is -2/3 · ... computed by the formula on a 4 × 4 board.
    same = torch.tensor([[[1.0], [1.0], [-1.0], [-1.0]]])
    other = torch.tensor([[[1.0], [-1.0], [1.0], [-1.0]]])
    # tr(KK) = 12, 1K1 = -4, 1KK1 = 4: HSIC1 = (12 + 16/6 - 4) / 4 = 8/3. tr(KL) = -4, 1KL1 = 4: (-4 + 16/6 - 4) / 4.
    assert self_hsic([u_centred_gram(same)]).item() == pytest.approx(8 / 3)
    assert cka([u_centred_gram(same)], [u_centred_gram(other)]).item() == pytest.approx((-4 + 16 / 6 - 4) / 4 / (8 / 3))


def test_invariant_to_rotation_scale_and_shift() -> None:
    x, y = random(1, 40, 12), random(1, 40, 9, seed=1)
    y[..., :5] += x[..., :5]
    rotation = torch.linalg.qr(random(12, 12, seed=2)).Q
    moved = 17.0 * (x @ rotation) + random(12, seed=3) * 5
    value = cka([u_centred_gram(x)], [u_centred_gram(y)])
    assert 0.1 < value.item() < 0.9
    torch.testing.assert_close(cka([u_centred_gram(moved)], [u_centred_gram(y)]), value, rtol=0, atol=1e-12)


def test_not_invariant_to_any_linear_map() -> None:
    x = random(1, 40, 12)
    stretched = x * torch.linspace(0.1, 10, 12)
    assert cka([u_centred_gram(x)], [u_centred_gram(stretched)]).item() < 0.9


def test_symmetric_and_one_with_itself() -> None:
    x, y = (
        [u_centred_gram(random(4, 20, 6, seed=k)) for k in (0, 1)],
        [u_centred_gram(random(4, 20, 6, seed=k)) for k in (2, 3)],
    )
    torch.testing.assert_close(cka(x, y), cka(y, x).T, rtol=0, atol=1e-12)
    own = cka(x, x)
    torch.testing.assert_close(own.diagonal(), torch.ones(4, dtype=torch.float64), rtol=0, atol=1e-12)
    torch.testing.assert_close(own, own.T, rtol=0, atol=1e-12)


def test_unbiased_negative_values_are_kept() -> None:
    values = torch.cat(
        [
            cka([u_centred_gram(random(1, 6, 3, seed=k))], [u_centred_gram(random(1, 6, 3, seed=k + 500))])
            for k in range(200)
        ]
    )
    assert values.min() < -0.2
    assert abs(values.mean()) < 0.1
    assert values.abs().max() <= 1


def test_minibatches_sum_first_and_divide_last() -> None:
    x = [random(2, n, 6, seed=n) for n in (32, 41)]
    y = [random(2, n, 6, seed=n + 100) + part for n, part in zip((32, 41), x, strict=True)]
    cross = sum(hsic([u_centred_gram(a)], [u_centred_gram(b)]) for a, b in zip(x, y, strict=True))
    own_x = sum(self_hsic([u_centred_gram(a)]) for a in x)
    own_y = sum(self_hsic([u_centred_gram(b)]) for b in y)
    expected = cross / torch.outer(own_x, own_y).sqrt()
    computed = cka([u_centred_gram(a) for a in x], [u_centred_gram(b) for b in y])
    torch.testing.assert_close(computed, expected, rtol=0, atol=1e-14)
    mean_of_ratios = sum(cka([u_centred_gram(a)], [u_centred_gram(b)]) for a, b in zip(x, y, strict=True)) / 2
    assert not torch.allclose(computed, mean_of_ratios, atol=1e-6)


def test_float32_keeps_its_digits_far_from_the_origin() -> None:
    x, y = random(2, 64, 30), random(2, 64, 30, seed=1)
    exact = cka([u_centred_gram(x)], [u_centred_gram(x + 0.5 * y)])
    far = cka([u_centred_gram((x + 1000).float())], [u_centred_gram((x + 0.5 * y + 1000).float())])
    torch.testing.assert_close(far, exact, rtol=0, atol=1e-4)


@pytest.mark.parametrize("constant", [0.0, 0.1, 12345.678])
def test_a_constant_representation_has_no_similarity(constant: float) -> None:
    alive = random(2, 20, 8).float()
    dead = torch.full((1, 20, 8), constant) * torch.linspace(0.3, 1, 8)
    values = cka([u_centred_gram(alive)], [u_centred_gram(torch.cat([alive[:1], dead]))])
    assert torch.isfinite(values[:, 0]).all()
    assert torch.isnan(values[:, 1]).all()


def test_a_small_but_real_signal_is_no_rounding() -> None:
    x = random(1, 20, 8).float()
    values = cka([u_centred_gram(x)], [u_centred_gram(1e-6 * x)])
    assert values.item() == pytest.approx(1, abs=1e-6)


def test_three_examples_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 4"):
        u_centred_gram(random(1, 3, 5))
