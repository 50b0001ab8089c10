"""The encoder layers in a request: scopes, which are pruned, and points, where they are compared.

A scope names a run of layers, `layers:A-B`, a point one of a layer's two places,
`layer.K.attention` or `layer.K.output`; both count from 0.
"""

import re
from collections.abc import Sequence

from core.errors import PrunescopeError

_NUMBER = r"(0|[1-9]\d{0,3})"
_SCOPE = re.compile(f"layer:{_NUMBER}|layers:{_NUMBER}-{_NUMBER}")
_LAYERS = re.compile(r"([1-9]\d{0,3})(?:-([1-9]\d{0,3}))?")


def canonical(scope: str | None) -> str | None:
    """Write a run of one layer, `layers:K-K`, as `layer:K`, so that one pruning has one key."""
    run = run_of(scope)
    if run is None or len(run) != 1:
        return scope
    return f"layer:{run.start}"


def run_of(scope: str | None) -> range | None:
    """Return the layers that a scope prunes, from 0; None if all of them, or if it is no scope."""
    match = _SCOPE.fullmatch(scope or "")
    if match is None:
        return None
    layer, first, last = match.groups()
    return range(int(layer or first), int(layer or last) + 1)


def scope_of(layers: str) -> str:
    """Return the scope of layers that a person writes as `2`, or as `1-3`, which includes 3.

    Raises:
        PrunescopeError: They are not written so.
    """
    match = _LAYERS.fullmatch(layers)
    if match is None:
        raise PrunescopeError(
            f"layers '{layers[:40]}': write one, such as 2, or a run such as 1-3, counted from 1"
        )
    first = int(match[1])
    last = int(match[2] or first)
    return str(canonical(f"layers:{first - 1}-{last - 1}"))


def layers_of(scope: str | None) -> str | None:
    """Write the layers that a scope prunes alone as `scope_of` reads them; None if all."""
    run = run_of(scope)
    if run is None:
        return None
    if len(run) == 1:
        return str(run.stop)
    return f"{run.start + 1}-{run.stop}"


def layer_scopes(num_layers: int) -> list[str]:
    """Return the scope of each layer alone."""
    return [f"layer:{layer}" for layer in range(num_layers)]


def half_scopes(num_layers: int) -> list[str]:
    """Return the scopes of the lower and the upper half, without the middle of an odd number."""
    half = num_layers // 2
    starts = (0, num_layers - half)
    return [str(canonical(f"layers:{start}-{start + half - 1}")) for start in starts]


# ---------------------------------------------------------------- points


_PARTS = {"attention": ("attention",), "layer": ("output",), "both": ("attention", "output")}


def point_names(points: str, num_layers: int) -> tuple[str, ...]:
    """Return the names of an encoder's points by depth; `points` is a name from POINTS."""
    return tuple(f"layer.{layer}.{part}" for layer in range(num_layers) for part in _PARTS[points])


def points_of(names: Sequence[str], num_layers: int) -> str | None:
    """Return the name from POINTS of some points; None if an encoder of that depth lacks them."""
    for points in _PARTS:
        if point_names(points, num_layers) == tuple(names):
            return points
    return None


def at_attention(names: Sequence[str]) -> bool:
    """Whether all points are attention blocks, where layers are usually compared."""
    return all(name.endswith(".attention") for name in names)


def first_emptied_point(names: Sequence[str], scope: str | None) -> int:
    """Return the index of the first point that carries nothing but an emptied scope's biases.

    For a whole encoder, that is the first point. For a run of layers it is the output of the first
    of them: the model is unchanged before it, and its attention block still passes its input on.
    """
    run = run_of(scope)
    if run is None:
        return 0
    emptied = (run.start, "output")
    places = [name.split(".") for name in names]
    return sum((int(layer), part) < emptied for _, layer, part in places)
