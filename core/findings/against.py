"""Say to which layers of another, unpruned checkpoint a result's layers are most similar (`words/against.jinja`).

Some layer is always the closest one, in two unrelated models as well: so its similarity stands beside it, and the next
layer's. Nothing here is a verdict.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.findings.words import render
from core.results.names import (
    PointLabel,
    ReductionKey,
    decimals,
    point_labels,
    point_names,
    removed_name,
    unpruned_name,
)
from core.results.schema import SweepResult

NEAR = 0.02  # in similarity; two layers no farther apart are as good as equally similar


@dataclass(frozen=True)
class Closest:
    """A point at one amount, and the other checkpoint's point that it is most similar to.

    Attributes:
        label: The point's name on an axis.
        value: The similarity.
        closest: The other checkpoint's point, by its name on an axis.
        next: The point that comes second; None where there is a single one.
        next_value: Its similarity.
    """

    label: PointLabel
    value: float
    closest: PointLabel
    next: PointLabel | None = None
    next_value: float = 0.0

    @property
    def text(self) -> str:
        """The similarity as shown."""
        return decimals(self.value, 2)

    @property
    def next_text(self) -> str:
        """The similarity of the second as shown."""
        return decimals(self.next_value, 2)


def closest_layers(result: SweepResult, reduction: ReductionKey, frame: int = 0) -> list[Closest | None]:
    """Find each point's closest one in the other checkpoint, in depth order; None where similarity is undefined."""
    rows, columns = (point_labels(points) for points in (result.baseline_points, result.points))
    values = np.array(result.frames[frame].matrix(reduction), dtype=np.float64)  # (rows, columns)
    return [_closest(label, rows, column) for label, column in zip(columns, values.T.tolist(), strict=True)]


def _closest(label: PointLabel, rows: Sequence[PointLabel], column: Sequence[float]) -> Closest | None:
    """Pick from a point's similarities with all of the other's."""
    known = sorted((k for k, value in enumerate(column) if value == value), key=lambda k: -column[k])
    if not known:
        return None
    first, *others = known
    found = Closest(label, column[first], rows[first])
    return Closest(label, column[first], rows[first], rows[others[0]], column[others[0]]) if others else found


def _working_frame(result: SweepResult) -> int:
    """Return the last frame at which the pruned model works, or of all where that is unknown or the unpruned one."""
    to = result.working_range.to if result.working_range else None
    return result.amounts.index(to) if to else len(result.frames) - 1


# ---------------------------------------------------------------- in words


def title(result: SweepResult, reduction: ReductionKey) -> str:
    """Say in a heading which layer is most similar to the other checkpoint without pruning, and which least."""
    known = [layer for layer in closest_layers(result, reduction) if layer]
    most, least = (pick(known, key=lambda layer: layer.value, default=None) for pick in (max, min))
    return render("against", "title", other=unpruned_name(result), most=most, least=least)


def finding(result: SweepResult, reduction: ReductionKey) -> str:
    """Say in which order the closest layers come, and where pruning has changed similarity to them most."""
    before = closest_layers(result, reduction)
    known = [layer for layer in before if layer]
    if not known:
        return ""
    order = point_labels(result.baseline_points)
    depths = [order.index(layer.closest) for layer in known]
    words = render(
        "against",
        "order",
        ranked=depths == sorted(depths),
        count=len(known),
        same=sum(layer.closest == layer.label for layer in known) if result.has_own else None,
        near=sum(layer.next is not None and layer.value - layer.next_value < NEAR for layer in known),
        least=NEAR,
    )
    return " ".join(filter(None, (words, _pruned(result, reduction, before))))


def _pruned(result: SweepResult, reduction: ReductionKey, before: Sequence[Closest | None]) -> str:
    frame = _working_frame(result)
    after = closest_layers(result, reduction, frame)
    pairs = [(a, b) for a, b in zip(before, after, strict=True) if a and b]
    if not frame or not pairs:
        return ""
    first, then = max(pairs, key=lambda pair: abs(pair[1].value - pair[0].value))
    return render(
        "against",
        "pruned",
        removed=removed_name(result.amounts[frame], result),
        label=first.label,
        before=first.text,
        after=then.text,
        moved=sum(a.closest != b.closest for a, b in pairs),
        count=len(pairs),
    )


def layer_finding(result: SweepResult, reduction: ReductionKey, chosen: PointLabel) -> str:
    """Say which layers the chosen one is most similar to, and how similar it is to the one of the same number."""
    names, frame = point_names(result.points), _working_frame(result)
    k = [name.label for name in names].index(chosen)
    closest = closest_layers(result, reduction)[k]
    if closest is None:
        return render("against", "layer_undefined", title=names[k].title, other=unpruned_name(result))
    return render(
        "against",
        "layer",
        title=names[k].title,
        closest=closest,
        other=unpruned_name(result),
        removed=removed_name(result.amounts[frame], result),
        later=closest_layers(result, reduction, frame)[k] if frame else None,
        own=_own(result, reduction, k),
    )


def _own(result: SweepResult, reduction: ReductionKey, point: int) -> str:
    """Write the similarity to the layer of the same number with its interval; empty where there is none."""
    own, known = result.frames[0].own(reduction), result.statistics_of(reduction)
    value = own[point] if own else None
    if value is None:
        return ""
    low, high = (known.own[0][point] if known and known.own else None) or (None, None)
    return render("against", "own", value=value, low=low, high=high)


def table(result: SweepResult, reduction: ReductionKey) -> list[dict[str, str]]:
    """Tabulate each point's closest layers without pruning and at the end of the working range."""
    frame = _working_frame(result)
    before, after = (closest_layers(result, reduction, k) for k in (0, frame))
    return [
        {
            "Layer": name.title,
            "Most similar, unpruned": render("against", "cell", closest=first),
            **(
                {f"With {removed_name(result.amounts[frame], result)}": render("against", "cell", closest=then)}
                if frame
                else {}
            ),
            **({"Same number, unpruned": _own(result, reduction, k) or "undefined"} if result.has_own else {}),
        }
        for k, (name, first, then) in enumerate(zip(point_names(result.points), before, after, strict=True))
    ]
