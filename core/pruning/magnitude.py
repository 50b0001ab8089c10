"""Global magnitude pruning: the smallest |w| over all matrices of the scope go first.

Formula: w_i becomes 0 where |w_i| is among the round(amount · n) smallest of the
scope's n weights; among equal |w| the lowest index (parameter order, row-major)
goes first. Outside ties this is `torch.nn.utils.prune.global_unstructured` with
`L1Unstructured` (Han et al. 2015, arXiv 1506.02626). float16 checkpoints have
hundreds of equal weights; of these, torch may take others, which moves CKA by up to
2e-3. `amount` is a fraction of the scope's weights.

Cost: two passes over the weights for *all* amounts together. The bits of
non-negative float32 numbers sort like integers, so a histogram of their upper half
finds the bin of every threshold, and only those bins are sorted.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from core.encoder.architectures import encoder_layers, linear_weights
from core.encoder.device import on_processor
from core.pruning.plan import Baseline, Plan
from core.request.scope import run_of

_LOW_BITS = 16  # of 32; the sign bit is 0, which leaves 2**15 bins
_BINS = 1 << (31 - _LOW_BITS)
_CHUNK = 1 << 16  # entries processed together: small enough for the processor's cache

Bits = npt.NDArray[np.uint32]
Threshold = tuple[float, int]
"""Where the smallest weights end.

(value, ties). All below the value are removed, and the first ties that equal it.
"""


def scoped_weights(model: nn.Module, scope: str | None) -> list[nn.Parameter]:
    """Return the weight matrices of a scope in parameter order.

    Args:
        model: An encoder classifier.
        scope: `encoder`, `all-linear`, `layer:K` or `layers:A-B`, from 0.
    """
    if scope == "all-linear":
        return list(linear_weights(model))
    layers = encoder_layers(model)
    run = run_of(scope)
    pruned = layers if run is None else layers[run.start : run.stop]
    return [weight for layer in pruned for weight in linear_weights(layer)]


def find_thresholds(weights: Sequence[Tensor], counts: Sequence[int]) -> list[Threshold]:
    """Find, for each count, where the `count` smallest |w| end.

    Args:
        weights: float32 tensors of any shape, ranked together.
        counts: Numbers of weights, each from 0 to the total.

    Returns:
        One threshold per count; for a count of 0, one that removes nothing.
    """
    histogram = np.zeros(_BINS, dtype=np.int64)  # (bins,)
    for bits in _magnitude_bits(weights):
        histogram += np.bincount(bits >> _LOW_BITS, minlength=_BINS)  # (bins,)
    ends = histogram.cumsum()  # (bins,)
    bins = np.searchsorted(ends, counts)  # (counts,) the first bin that reaches the count
    wanted = np.zeros(_BINS, dtype=bool)  # (bins,)
    wanted[bins] = True
    members = [bits[wanted[bits >> _LOW_BITS]] for bits in _magnitude_bits(weights)]
    ordered = np.sort(np.concatenate(members))  # (members,)
    lowest = bins.astype(np.uint32) << _LOW_BITS  # (counts,) the smallest bits of each bin
    starts = np.searchsorted(ordered, lowest)  # (counts,) each bin's first member
    below = ends[bins] - histogram[bins]  # (counts,) entries in lower bins
    ranks = np.asarray(counts) - below  # (counts,) within the bin
    places = zip(starts, ranks, strict=True)
    return [_threshold(ordered[start:], int(rank)) for start, rank in places]


def _magnitude_bits(weights: Sequence[Tensor]) -> Iterator[Bits]:
    for weight in weights:
        bits = on_processor(weight).contiguous().numpy().reshape(-1).view(np.uint32)  # (entries,)
        for start in range(0, len(bits), _CHUNK):
            yield bits[start : start + _CHUNK] & np.uint32(0x7FFFFFFF)  # (chunk,) without the sign


def _threshold(members: Bits, rank: int) -> Threshold:
    """Return where the `rank` smallest of the ascending `members` end."""
    if rank <= 0:
        return 0.0, 0
    bits = members[rank - 1]
    below = int(np.searchsorted(members, bits))
    return float(bits.view(np.float32)), rank - below


class MagnitudePlan(Plan):
    """Removes from each group of matrices as many weights as planned, those closest to zero."""

    def __init__(
        self,
        groups: Sequence[Sequence[nn.Parameter]],
        counts: Mapping[float, Sequence[int]],
    ) -> None:
        """Find the threshold of every group and amount.

        Args:
            groups: Matrices in parameter order, float32; those of a group are ranked together.
            counts: For each amount, the number of weights to remove from each group.
        """
        self.parameters = [weight for group in groups for weight in group]
        self._groups = groups
        by_group = zip(*counts.values(), strict=True)
        thresholds = map(find_thresholds, groups, by_group)
        by_amount = zip(*thresholds, strict=True)
        self._thresholds = dict(zip(counts, by_amount, strict=True))

    def keep_masks(self, amount: float, baseline: Sequence[Tensor]) -> Iterator[Tensor]:
        """Yield each matrix's mask of the weights that stay; see `core.pruning.Plan`."""
        weights = iter(baseline)
        thresholds = self._thresholds[amount]
        for group, (threshold, ties) in zip(self._groups, thresholds, strict=True):
            for weight in islice(weights, len(group)):
                magnitudes = weight.abs()  # (rows, columns)
                keep = magnitudes >= threshold  # (rows, columns)
                if ties:
                    equal = (magnitudes == threshold).flatten()
                    tied = equal.nonzero().flatten()[:ties]  # (ties here,)
                    keep.view(-1)[tied] = False
                    ties -= len(tied)
                yield keep


def plan(baseline: Baseline) -> MagnitudePlan:
    """Plan global magnitude pruning; see the module docstring.

    Args:
        baseline: With a scope.
    """
    weights = scoped_weights(baseline.model, baseline.scope)
    total = sum(weight.numel() for weight in weights)
    counts = {amount: [round(amount * total)] for amount in baseline.amounts}
    return MagnitudePlan([weights], counts)
