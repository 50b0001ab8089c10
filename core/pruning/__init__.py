"""Pruning methods: one per file behind one small protocol.

A method reads the baseline once and makes a plan for all amounts. For each amount, the plan says
which entries of which parameters stay. `PrunedModel` applies a plan in place and restores the
baseline at the end.

A new method is a row of `core.request.catalog.METHODS` and a file here of the same name with a
function `plan`. A method of units also defines `units`, which lists them. A weight method that
scores examples also defines `at_random`, the plan by which its control draws, because a control has
no examples to score. Tests require a row in docs/options.md and a formula in docs/methods.md.
"""
