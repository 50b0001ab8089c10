"""Measure another checkpoint, whose unpruned layers a pruned one is compared with: one pass over the same sentences.

It reads them with its own tokenizer and is forgotten at once; only its representations stay.
"""

from collections.abc import Generator

from core.encoder.loading import load
from core.inputs.checkpoints import Resolved
from core.inputs.examples import EvalSubset
from core.pruning.rows import RowPlan
from core.request.sweep_request import SweepRequest
from core.sweep.meter import Meter, OtherModel
from core.sweep.runner import Progress, open_runner
from core.sweep.shared import SharedPasses


def measuring(
    resolved: Resolved, subset: EvalSubset, request: SweepRequest, shared: SharedPasses | None = None
) -> Generator[Progress, None, OtherModel]:
    """Run another checkpoint over the evaluation examples, or look up what it gave before.

    Args:
        resolved: Its files.
        subset: The evaluation examples.
        request: The points.
        shared: Passes that other sweeps have made; what it lacks is measured and kept there.

    Yields:
        Progress after each micro-batch.

    Returns:
        Its output, through `yield from`.

    Raises:
        PrunescopeError: It cannot be read, or lacks weights of its encoder.
    """
    known = shared and shared.other_model(resolved, subset, request.points)
    if known:
        return known
    checkpoint = load(resolved, needs_head=False)
    nothing = RowPlan([], [])  # to be pruned
    with open_runner(checkpoint, subset, request, nothing) as runner:
        other_model = yield from Meter(runner, None, num_amounts=1, at_most=1, empties=False).measure_other_model()
    if shared:
        shared.keep_other_model(resolved, subset, request.points, other_model)
    return other_model
