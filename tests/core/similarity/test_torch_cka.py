"""torch-cka through our carrier: it agrees with the paper's formula, leaves constants undefined and prints nothing."""

import numpy as np
import pytest
import torch

from core.similarity.torch_cka import torch_cka_matrix
from tests.independent.statistics import cka_matrix


# Float32 leaves features at 1000 three digits fewer; without centring, Gram entries near 10^7 would leave none.
@pytest.mark.parametrize(
    ("sizes", "offset", "tolerance"), [((40,), 0, 1e-5), ((32, 32, 47), 0, 1e-5), ((40,), 1e3, 1e-4)]
)
def test_it_agrees_with_the_formula_silently(
    sizes: tuple[int, ...],
    offset: float,
    tolerance: float,
    capfd: pytest.CaptureFixture[str],
    recwarn: pytest.WarningsRecorder,
) -> None:
    generator = torch.Generator().manual_seed(0)
    pairs = []
    for width, n in enumerate(sizes, 20):  # minibatches differ in width, like tokens
        baseline, noise = torch.randn(2, 3, n, width, generator=generator)
        pruned = baseline + torch.tensor([0.3, 0.8, 1.5])[:, None, None] * noise
        pruned[1] = 0.1  # a constant that is not exact in binary: a mean in float32 would leave rounding
        pairs.append((baseline, pruned))
    expected = cka_matrix(*([part.double().numpy() for part in side] for side in zip(*pairs, strict=True)))
    matrix = torch_cka_matrix([(baseline + offset, pruned + offset) for baseline, pruned in pairs], len(sizes), 3)
    assert np.ptp(np.diag(expected)[[0, 2]]) > 0.3, "the points must differ"
    assert matrix[:, 1].isnan().all()
    np.testing.assert_allclose(matrix.numpy()[:, [0, 2]], expected[:, [0, 2]], atol=tolerance)
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list
