"""Magnitude pruning guided by CKA: each layer's share is chosen by what the classifier reads.

In every encoder layer the weights closest to zero go. How many of each layer is chosen on calibration examples, without
their labels, so that CKA of what the classifier reads with the unpruned model's stays highest: `core.pruning.guided`.
`amount` is a fraction of the encoder's weights.
"""

from functools import partial

from core.pruning.guided import plan_by

plan = partial(plan_by, "cka")
