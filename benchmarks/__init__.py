"""Checks and races that are run by hand: an independent computation, and the speed against two other procedures."""
