"""Compute the same CKA with the unmodified torch-cka package, as a second opinion.

torch-cka hooks modules of two models and feeds both from data loaders. Here the
"models" only carry representations that already exist: one `nn.Identity` per point.
So torch-cka sees the same features, in the same batches and order, and shares neither
Gram matrices nor HSIC nor the final division with `core.similarity.cka`.

It computes in float32, so features are centred over the batch first, in float64, which
keeps the digits of HSIC1 without changing it. Features that `core.similarity.cka`
treats as constant become exactly zero, so that both leave the same values undefined.
torch-cka's progress bar is hidden; NaN, at which torch-cka raises an error, is returned.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import redirect_stderr
from io import StringIO
from itertools import tee

from torch import Tensor, nn

from core.similarity.gram import varies

Pair = tuple[Tensor, Tensor]  # baseline, pruned: each (points, n, features), with the same n


class _Carrier(nn.ModuleList):
    """A model that consists of its points, each an `nn.Identity`."""

    def forward(self, features: Tensor) -> None:
        for point, representation in zip(self, features, strict=True):
            point(representation)  # (n, features)


class _Loader:
    """The part of a DataLoader that torch-cka needs; batches are centred one by one."""

    dataset = "representations"

    def __init__(self, pairs: Iterator[Pair], side: int, num_batches: int) -> None:
        self.pairs = pairs
        self.side = side
        self.num_batches = num_batches

    def __len__(self) -> int:
        return self.num_batches

    def __iter__(self) -> Iterator[tuple[Tensor]]:
        for pair in self.pairs:
            batch = pair[self.side]  # (points, n, features)
            features = batch.double()  # (points, n, features)
            centred = features - features.mean(1, keepdim=True)  # (points, n, features)
            representations = (centred * varies(batch)).float()  # (points, n, features)
            yield (representations,)  # torch-cka reads the first element of a batch


def torch_cka_matrix(pairs: Iterable[Pair], num_pairs: int, num_points: int) -> Tensor:
    """Compute CKA of every baseline point with every pruned point by torch-cka.

    Args:
        pairs: For each (mini)batch, the features of the baseline and of the pruned model, each
            (points, n, features).
        num_pairs: Number of (mini)batches.
        num_points: Number of points of either model.

    Returns:
        (baseline points, pruned points) float32; NaN where torch-cka has no value.
    """
    # Imported here because torch-cka imports matplotlib, which is slow and looks for a display.
    os.environ.setdefault("MPLBACKEND", "agg")
    from torch_cka import CKA

    names = [*map(str, range(num_points))]  # an nn.ModuleList's names of its modules
    carriers = (_Carrier(nn.Identity() for _ in names) for _ in range(2))
    tool = CKA(*carriers, "baseline", "pruned", names, names)
    copies = tee(pairs)  # torch-cka reads both loaders in turn
    loaders = [_Loader(copy, side, num_pairs) for side, copy in enumerate(copies)]
    try:
        with redirect_stderr(StringIO()):  # its progress bar
            tool.compare(*loaders)
    except AssertionError:  # raised once all values are computed, if one is NaN
        if not tool.hsic_matrix.isnan().any():
            raise
    return tool.export()["CKA"]  # (baseline points, pruned points)
