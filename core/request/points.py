"""The points of an encoder where representations are taken, `layer.K.attention` and `layer.K.output`."""

from collections.abc import Mapping, Sequence

_PARTS: Mapping[str, tuple[str, ...]] = {
    "attention": ("attention",),
    "layer": ("output",),
    "both": ("attention", "output"),
}


def point_names(points: str, num_layers: int) -> tuple[str, ...]:
    """Return the names of the points of an encoder in depth order; `points` is a name from POINTS."""
    return tuple(f"layer.{k}.{part}" for k in range(num_layers) for part in _PARTS[points])


def points_of(names: Sequence[str], num_layers: int) -> str | None:
    """Return the name from POINTS for these points; None if an encoder of that depth has no such set."""
    return next((points for points in _PARTS if point_names(points, num_layers) == tuple(names)), None)
