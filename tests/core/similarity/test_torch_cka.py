"""torch-cka, asked through our carrier: the same mathematics as the paper's formula, and nothing on screen."""

import weakref
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from core.similarity.cka import cka
from core.similarity.gram import compare, prepare, u_centred_gram
from core.similarity.torch_cka import torch_cka_matrix
from tests.independent.statistics import cka_matrix

Pairs = list[tuple[Tensor, Tensor]]


def related(sizes: tuple[int, ...], offset: float = 0.0, seed: int = 0) -> Pairs:
    """Minibatches of three points and their noisier counterparts; a minibatch has a width of its own, as tokens do."""
    generator = torch.Generator().manual_seed(seed)
    pairs = []
    for index, n in enumerate(sizes):
        baseline = torch.randn(3, n, 20 + index, generator=generator)
        noise = torch.randn(3, n, 20 + index, generator=generator)
        weight = torch.tensor([0.3, 0.8, 1.5])[:, None, None]
        pairs.append((baseline + offset, baseline + weight * noise + offset))
    return pairs


def by_formula(pairs: Pairs) -> np.ndarray:
    first, second = zip(*pairs, strict=True)
    return cka_matrix([part.double().numpy() for part in first], [part.double().numpy() for part in second])


@pytest.mark.parametrize("sizes", [(40,), (32, 32, 47)])
def test_agrees_with_the_formula(sizes: tuple[int, ...]) -> None:
    pairs = related(sizes)
    matrix = torch_cka_matrix(pairs, len(pairs), (3, 3))
    expected = by_formula(pairs)
    assert np.ptp(np.diag(expected)) > 0.3, "the three points must be told apart"
    np.testing.assert_allclose(matrix.numpy(), expected, atol=1e-5)


def test_agrees_with_the_engine() -> None:
    pairs = related((32, 33))
    ours = cka(compare(*(prepare([u_centred_gram(part) for part in side]) for side in zip(*pairs, strict=True))))
    np.testing.assert_allclose(torch_cka_matrix(pairs, 2, (3, 3)).numpy(), ours.numpy(), atol=1e-5)


def test_a_large_offset_costs_no_digits() -> None:
    # Float32 leaves features at 1000 three digits fewer; without centring, Gram entries near 10^7 would leave none.
    moved = torch_cka_matrix(related((40,), offset=1000.0), 1, (3, 3))
    np.testing.assert_allclose(moved.numpy(), by_formula(related((40,))), atol=1e-4)


def test_a_constant_representation_has_no_value_and_spoils_no_other() -> None:
    pairs = related((36, 36))
    expected = torch_cka_matrix(pairs, 2, (3, 3))
    for _, pruned in pairs:
        pruned[1] = 0.1  # not exact in binary: a mean in float32 would leave rounding
    matrix = torch_cka_matrix(pairs, 2, (3, 3))
    assert matrix[:, 1].isnan().all()
    torch.testing.assert_close(matrix[:, [0, 2]], expected[:, [0, 2]])


def test_holds_few_pairs_at_once() -> None:
    given: list[weakref.ref[Tensor]] = []
    alive: list[int] = []

    def pairs() -> Iterator[tuple[Tensor, Tensor]]:
        for seed in range(6):
            alive.append(sum(reference() is not None for reference in given))
            (pair,) = related((32,), seed=seed)
            given.append(weakref.ref(pair[0]))
            yield pair

    torch_cka_matrix(pairs(), 6, (3, 3))
    assert len(given) == 6
    assert max(alive) <= 2


def test_prints_and_warns_nothing(capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder) -> None:
    torch_cka_matrix(related((32, 32)), 2, (3, 3))
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list
