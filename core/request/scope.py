"""The encoder layers in a request: scopes, which are pruned, and points, where representations are taken.

A scope names a run of layers, `layers:A-B`, a point one of a layer's two places, `layer.K.attention` or
`layer.K.output`; both count from 0.
"""

import re
from collections.abc import Sequence

from core.errors import PrunescopeError

_NUMBER = r"(0|[1-9]\d{0,3})"


def canonical(scope: str | None) -> str | None:
    """Write a run of one layer, `layers:K-K`, as that layer, `layer:K`, so that one pruning has one key."""
    run = run_of(scope)
    return f"layer:{run.start}" if run is not None and len(run) == 1 else scope


def run_of(scope: str | None) -> range | None:
    """Return the run of layers that a scope prunes, counted from 0; None if it prunes them all, or is not a scope."""
    match = re.fullmatch(f"layer:{_NUMBER}|layers:{_NUMBER}-{_NUMBER}", scope or "")
    if match is None:
        return None
    layer, first, last = match.groups()
    return range(int(layer or first), int(layer or last) + 1)


def scope_of(layers: str) -> str:
    """Return the scope of layers as a person writes them, counted from 1: `2`, or `1-3` with both ends in it.

    Raises:
        PrunescopeError: They are not written so.
    """
    match = re.fullmatch(r"([1-9]\d{0,3})(?:-([1-9]\d{0,3}))?", layers)
    if match is None:
        raise PrunescopeError(
            f"layers '{layers[:40]}': write one, such as 2, or a run such as 1-3, counted from 1"
        )
    return str(canonical(f"layers:{int(match[1]) - 1}-{int(match[2] or match[1]) - 1}"))


def layers_of(scope: str | None) -> str | None:
    """Write the layers that a scope prunes alone as `scope_of` reads them; None if it prunes them all."""
    run = run_of(scope)
    return "-".join(map(str, dict.fromkeys((run.start + 1, run.stop)))) if run is not None else None


def layer_scopes(num_layers: int) -> list[str]:
    """Return the scope of each layer alone."""
    return [f"layer:{k}" for k in range(num_layers)]


def half_scopes(num_layers: int) -> list[str]:
    """Return the scopes of the lower and the upper half of the layers; the middle of an odd number is in neither."""
    half = num_layers // 2
    return [
        str(canonical(f"layers:{start}-{start + half - 1}")) for start in (0, num_layers - half)
    ]


# ---------------------------------------------------------------- points


_PARTS = {"attention": ("attention",), "layer": ("output",), "both": ("attention", "output")}


def point_names(points: str, num_layers: int) -> tuple[str, ...]:
    """Return the names of an encoder's points in depth order; `points` is a name from POINTS."""
    return tuple(f"layer.{k}.{part}" for k in range(num_layers) for part in _PARTS[points])


def points_of(names: Sequence[str], num_layers: int) -> str | None:
    """Return the name from POINTS of some points; None if an encoder of that depth has no such set."""
    return next(
        (points for points in _PARTS if point_names(points, num_layers) == tuple(names)), None
    )


def at_attention(names: Sequence[str]) -> bool:
    """Whether all points are attention blocks, after which layers are usually compared."""
    return all(name.endswith(".attention") for name in names)


def first_emptied_point(names: Sequence[str], scope: str | None) -> int:
    """Return the index of the first point that carries nothing but an emptied scope's biases.

    For a whole encoder, that is the first point. For a run of layers it is the output of the first of them: the model
    is unchanged before that layer, whose attention block still passes its input on.
    """
    run = run_of(scope)
    if run is None:
        return 0
    parts = [name.split(".") for name in names]
    return sum((int(number), part) < (run.start, "output") for _, number, part in parts)
