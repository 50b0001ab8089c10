"""Pruning methods: one per file behind one small protocol.

A method reads the baseline once and makes a plan for all amounts. For each amount, the plan says which entries of
which parameters stay. `PrunedModel` applies a plan in place and restores the baseline at the end.

A new method is a row of `core.request.catalog.METHODS` and a file here of its name, with a function `plan`; one of
units also names its `units`. One that scores examples says as `at_random` how its control draws weights. Its row in
docs/options.md and its formula in docs/methods.md are asked for by their tests.
"""

from core.pruning.plan import Baseline, Calibration, Plan, PrunedModel, Removed, module_of

__all__ = ["Baseline", "Calibration", "Plan", "PrunedModel", "Removed", "module_of"]
