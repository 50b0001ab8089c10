"""The scope of a pruning as a run of encoder layers, `layers:A-B`, from 0."""

import re

_NUMBER = r"(0|[1-9]\d{0,3})"


def canonical(scope: str | None) -> str | None:
    """Write a run of one layer, `layers:K-K`, as that layer, `layer:K`, so that one pruning has one key."""
    layer = layer_of(scope)
    return scope if layer is None else f"layer:{layer}"


def run_of(scope: str | None) -> range | None:
    """Return the run of layers that a scope prunes, counted from 0; None if it prunes them all, or is not a scope."""
    match = re.fullmatch(f"layer:{_NUMBER}|layers:{_NUMBER}-{_NUMBER}", scope or "")
    if match is None:
        return None
    layer, first, last = match.groups()
    return range(int(layer or first), int(layer or last) + 1)


def layer_of(scope: str | None) -> int | None:
    """Return the only layer that a scope prunes, counted from 0; None if it prunes others as well."""
    run = run_of(scope)
    return run.start if run is not None and len(run) == 1 else None


def layer_scopes(num_layers: int) -> list[str]:
    """Return the scope of each layer alone."""
    return [f"layer:{k}" for k in range(num_layers)]


def half_scopes(num_layers: int) -> list[str]:
    """Return the scopes of the lower and the upper half of the layers; the middle of an odd number is in neither."""
    half = num_layers // 2
    return [str(canonical(f"layers:{start}-{start + half - 1}")) for start in (0, num_layers - half)]
