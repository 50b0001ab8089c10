"""torch-cka through our carrier: it agrees with the paper's formula and prints nothing."""

import numpy as np
import pytest
import torch
from torch import Tensor

from core.similarity.torch_cka import torch_cka_matrix
from tests.independent.statistics import cka_matrix

Pairs = list[tuple[Tensor, Tensor]]


def related(sizes: tuple[int, ...], offset: float = 0.0, seed: int = 0) -> Pairs:
    """Return minibatches of three points and their noisier counterparts, of different widths like tokens."""
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


# Float32 leaves features at 1000 three digits fewer; without centring, Gram entries near 10^7 would leave none.
@pytest.mark.parametrize(
    ("sizes", "offset", "tolerance"), [((40,), 0, 1e-5), ((32, 32, 47), 0, 1e-5), ((40,), 1e3, 1e-4)]
)
def test_it_agrees_with_the_formula_and_prints_and_warns_nothing(
    sizes: tuple[int, ...],
    offset: float,
    tolerance: float,
    capfd: pytest.CaptureFixture[str],
    recwarn: pytest.WarningsRecorder,
) -> None:
    matrix = torch_cka_matrix(related(sizes, offset), len(sizes), 3)
    expected = by_formula(related(sizes))
    assert np.ptp(np.diag(expected)) > 0.3, "the three points must differ"
    np.testing.assert_allclose(matrix.numpy(), expected, atol=tolerance)
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list


def test_a_constant_representation_is_undefined_and_affects_no_other() -> None:
    pairs = related((36, 36))
    expected = torch_cka_matrix(pairs, 2, 3)
    for _, pruned in pairs:
        pruned[1] = 0.1  # not exact in binary: a mean in float32 would leave rounding
    matrix = torch_cka_matrix(pairs, 2, 3)
    assert matrix[:, 1].isnan().all()
    torch.testing.assert_close(matrix[:, [0, 2]], expected[:, [0, 2]])
