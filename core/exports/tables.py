"""Write numbers as tables: all of a result, and those that a page shows."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from core.charts.view import Scene
from core.findings.words.numbers import UNDEFINED
from core.results.cut import CutStudy, Result
from core.results.schema import SweepResult

VALUE = ("value", "low", "high")  # of a number, its 95 % interval
PLACE = ("amount", "sparsity", "prunable_sparsity")
OWN_COLUMNS = (*PLACE, "measure", "reduction", "point", *VALUE)
UNKNOWN = (None, None)  # bounds of an interval
Number = tuple[str, str | None, str | None, str | None, float | None, float | None, float | None]
FORMULA = re.compile(r"(?![+-]?\d[\d.]*$)[=+@\t\r-]")  # how text begins that a spreadsheet computes; numbers may
PICTURE, SHOWN_AT = "Picture", "Shown at"
NUMBER = re.compile(r"[+−-]?\d[\d.]*")


def file_name(results: Sequence[Result], extension: str, page: str = "") -> str:
    """Name a file by its content, safely on every system.

    Args:
        results: Those in the file.
        extension: What follows, with a dot, such as `-0.50.png`.
        page: The page that shows them so.
    """
    kinds = [result.kind if isinstance(result, CutStudy) else result.pruning.method for result in results]
    parts = zip(results, kinds, strict=True)
    names = dict.fromkeys(f"{result.task.name}-{kind}-{result.key[:8]}" for result, kind in parts)
    of = "-and-".join(list(names)[:2]) + (f"-and-{len(names) - 2}-more" if len(names) > 2 else "")
    return re.sub(r"[^\w.-]+", "_", f"prunescope-{'-'.join(filter(None, (page, of)))}{extension}", flags=re.ASCII)


def _numbers(result: SweepResult, k: int) -> Iterator[Number]:
    """Yield every number of a frame: its name, a similarity's reduction and both points, the value and its interval.

    First come the metrics and what pruning changes for the user. Of similarities, a measure without a matrix has points
    with their own baseline alone; others have an interval where a point meets its own baseline. What is undefined or
    unknown is None.
    """
    frame, points = result.frames[k], result.points
    scores = [(name, value, frame.intervals.get(name)) for name, value in frame.metrics.items()]
    if frame.changed:
        scores.append(("changed_predictions", frame.changed.share, frame.changed.interval))
    if frame.divergence:
        scores.append(("divergence", frame.divergence.value, frame.divergence.interval))
    for name, value, interval in scores:
        yield name, None, None, None, value, *(interval or UNKNOWN)
    for measure, by_reduction in frame.similarity.items():
        for reduction in (name for name, known in by_reduction.items() if known):  # some need more examples
            statistics = result.statistics_of(reduction, measure)
            intervals = dict(zip(points, statistics.own[k], strict=True)) if statistics and statistics.own else {}
            if measure == "cka":
                rows = zip(points, frame.matrix(reduction), strict=True)
                cells = [(point, *cell) for point, row in rows for cell in zip(points, row, strict=True)]
            else:
                cells = [*zip(points, points, frame.own(reduction, measure) or [None] * len(points), strict=True)]
            for baseline, pruned, value in cells:
                interval = intervals.get(pruned) if baseline == pruned else None
                yield measure, reduction, baseline, pruned, value, *(interval or UNKNOWN)


def similarity_csv(result: SweepResult) -> str:
    """Write every similarity as a row; what is undefined or unknown is empty."""
    rows = (
        (frame.amount, frame.sparsity, *number)
        for k, frame in enumerate(result.frames)
        for number in _numbers(result, k)
        if number[1]
    )
    return table(("amount", "sparsity", "measure", "reduction", "baseline_point", "pruned_point", *VALUE), rows)


def metrics_csv(result: SweepResult) -> str:
    """Write every metric as a row, and the `changed_predictions` and the `divergence`, in bits, likewise."""
    rows = ((*row[:4], *row[6:]) for row in own_rows(result) if row[4] is None)  # without a reduction
    return table((*PLACE, "metric", *VALUE), rows)


def own_rows(result: SweepResult) -> Iterator[tuple[object, ...]]:
    """Yield OWN_COLUMNS: of every amount the metrics, then every point's similarity to its own baseline."""
    for k, frame in enumerate(result.frames):
        for name, reduction, baseline, pruned, *value in _numbers(result, k):
            if reduction is None or baseline == pruned:
                yield (frame.amount, frame.sparsity, frame.prunable_sparsity, name, reduction, pruned, *value)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write comma-separated values; reading a float gives the same float.

    Text that a spreadsheet would compute gets an apostrophe. Carriage returns are not quoted by every Python.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerows([_safe(value) if isinstance(value, str) else value for value in row] for row in (columns, *rows))
    return file.getvalue()


def _safe(text: str) -> str:
    return ("'" if FORMULA.match(text) else "") + text.replace("\r", "\n")


# ---------------------------------------------------------------- of a page: what its marks tell, at every frame


def shown_csv(scene: Scene) -> str:
    """Write a row for each mark that tells its numbers to the mouse, with the columns that it names there.

    What changes while the pictures move has a row for each frame, and the frame's place in `Shown at`. What is
    undefined is empty.
    """
    rows: list[dict[str, object]] = []
    for view in scene.views.values():
        for dataset, columns in dict.fromkeys(_told(view.spec, None)):
            for row in view.datasets[dataset]:
                moves = any(isinstance(row.get(field), list) for _, field in columns)
                for k, frame in enumerate(scene.frames if moves else [{}]):
                    told = {name: _at(row.get(field), k) for name, field in columns}
                    rows.append({PICTURE: view.heading, SHOWN_AT: frame.get("amount", ""), **told})
    columns_of_all = dict.fromkeys([PICTURE, SHOWN_AT, *(name for row in rows for name in row)])
    return table(list(columns_of_all), ([row.get(name, "") for name in columns_of_all] for row in rows))


def _at(value: Any, k: int) -> object:
    """Return a value at a frame, as a spreadsheet reads it."""
    shown = value[k] if isinstance(value, list) else value
    if not isinstance(shown, str):
        return shown
    if shown == UNDEFINED:
        return ""
    return shown.replace("−", "-") if NUMBER.fullmatch(shown) else " ".join(shown.split())  # a legend breaks long names


def _told(part: Mapping[str, Any], dataset: str | None) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    """Find every mark with a tooltip: its dataset, and the name and the field of each column."""
    dataset = part.get("data", {}).get("name", dataset)
    for layer in part.get("layer", ()):
        yield from _told(layer, dataset)
    tooltips = part.get("encoding", {}).get("tooltip", ())
    if dataset and tooltips:
        calculated = {step["as"]: step["calculate"] for step in part.get("transform", ()) if "calculate" in step}
        yield dataset, tuple((tip["title"], _source(tip["field"], calculated)) for tip in tooltips)


def _source(field: str, calculated: Mapping[str, str]) -> str:
    """Return the field of the data that a calculated one is written from."""
    while (named := re.search(r"datum\.(\w+)", calculated.get(field, ""))) and named[1] != field:
        field = named[1]
    return field
