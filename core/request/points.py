"""The points of an encoder where representations are taken, `layer.K.attention` and `layer.K.output`."""

from collections.abc import Sequence

from core.request.scope import layer_of, run_of

_PARTS = {"attention": ("attention",), "layer": ("output",), "both": ("attention", "output")}


def point_names(points: str, num_layers: int) -> tuple[str, ...]:
    """Return the names of an encoder's points in depth order; `points` is a name from POINTS."""
    return tuple(f"layer.{k}.{part}" for k in range(num_layers) for part in _PARTS[points])


def points_of(names: Sequence[str], num_layers: int) -> str | None:
    """Return the name from POINTS of some points; None if an encoder of that depth has no such set."""
    return next((points for points in _PARTS if point_names(points, num_layers) == tuple(names)), None)


def pruned_point(names: Sequence[str], scope: str | None) -> int | None:
    """Return the index of the deepest point of the only layer that a scope prunes; None if it prunes several."""
    layer = layer_of(scope)
    if layer is None:
        return None
    return max(k for k, name in enumerate(names) if int(name.split(".")[1]) == layer)


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
