"""Write numbers as CSV: all of a result, or those that a page shows."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from core.charts.view import Scene
from core.results.cut import Result
from core.results.schema import SweepResult

PLACE = ("amount", "sparsity", "prunable_sparsity", "measure", "reduction")
VALUE = ("value", "low", "high")  # a number and its 95 % interval
COLUMNS = (*PLACE, "baseline_point", "pruned_point", *VALUE)
OWN_COLUMNS = (*PLACE, "point", *VALUE)
UNKNOWN = (None, None)  # an interval
# The beginning of text that a spreadsheet would compute.
FORMULA = re.compile(r"(?![+-]?\d[\d.]*$)[=+@\t\r-]")
PICTURE = "Picture"
SHOWN_AT = "Shown at"


def file_name(results: Sequence[Result], page: str = "") -> str:
    """Return a file's name without its end; it says what is in it and is safe on every system.

    Args:
        results: The results in the file.
        page: The page that shows them like this.
    """
    contents = []
    for result in results:
        kind = result.pruning.method if isinstance(result, SweepResult) else result.kind
        contents.append(f"{result.task.name}-{kind}-{result.key[:8]}")
    parts = ("prunescope", page, "-and-".join(dict.fromkeys(contents)))
    name = "-".join(filter(None, parts))
    return re.sub(r"[^\w.-]+", "_", name, flags=re.ASCII)


# ---------------------------------------------------------------- all numbers of a result


def numbers_csv(result: SweepResult) -> str:
    """Write a row for each number of a result; undefined or unknown values are empty."""
    return table(COLUMNS, _rows(result))


def own_rows(result: SweepResult) -> Iterator[tuple[object, ...]]:
    """Yield OWN_COLUMNS for each amount.

    Its metrics, then the similarity of each point to its own baseline.
    """
    for row in _rows(result):
        if row[5] == row[6]:  # metrics have no points
            yield *row[:5], *row[6:]


def _rows(result: SweepResult) -> Iterator[tuple[object, ...]]:
    """Yield COLUMNS for every number of each amount.

    The metrics and the changed predictions come first. CKA compares all pairs of points, and has an
    interval where a point is compared with its own baseline. What is undefined or unknown is None.
    """
    points = result.points
    unknown = (None,) * len(points)
    for k, frame in enumerate(result.frames):
        place = frame.amount, frame.sparsity, frame.prunable_sparsity
        scores = [(name, value, frame.intervals.get(name)) for name, value in frame.metrics.items()]
        if frame.changed:
            scores.append(("changed_predictions", frame.changed.share, frame.changed.interval))
        for name, value, interval in scores:
            yield *place, name, None, None, None, value, *(interval or UNKNOWN)
        for reduction in frame.similarity.cka:
            statistics = result.statistics_of(reduction)
            intervals = (statistics and statistics.own) or {k: unknown}  # few examples have none
            matrix = zip(points, frame.matrix(reduction), intervals[k], strict=True)
            for baseline, row, interval in matrix:
                for pruned, value in zip(points, row, strict=True):
                    ends = interval if interval and baseline == pruned else UNKNOWN
                    yield (
                        *place,
                        "cka",
                        reduction,
                        baseline,
                        pruned,
                        value,
                        *ends,
                    )


def table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Write comma-separated values, from which the same floats can be read.

    Text that a spreadsheet would compute gets an apostrophe; carriage returns, which not every
    Python quotes, go.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerows(
        [_safe(value) if isinstance(value, str) else value for value in row]
        for row in (columns, *rows)
    )
    return file.getvalue()


def _safe(text: str) -> str:
    return ("'" if FORMULA.match(text) else "") + text.replace("\r", "\n")


# ---------------------------------------------------------------- the numbers of a page


def shown_csv(scene: Scene) -> str:
    """Write a row for each mark with a tooltip: the values of its columns, empty where undefined.

    Marks that change while the pictures move have a row for each frame, whose amount stands in
    `Shown at`.
    """
    rows: list[dict[str, object]] = []
    for view in scene.views.values():
        for dataset, columns in dict.fromkeys(_tooltips(view.spec)):
            for row in view.datasets[dataset]:
                moves = any(isinstance(row.get(field), list) for _, field in columns)
                for k, frame in enumerate(scene.frames if moves else [{"amount": ""}]):
                    place = {PICTURE: view.heading, SHOWN_AT: frame["amount"]}
                    values = {title: _at_frame(row.get(field), k) for title, field in columns}
                    rows.append(place | values)
    titles = {PICTURE: "", SHOWN_AT: ""}
    for row in rows:
        titles |= dict.fromkeys(row, "")
    return table(titles, ((titles | row).values() for row in rows))


def _at_frame(value: Any, k: int) -> object:
    """Return a value at a frame, a text on one line."""
    if isinstance(value, list):
        value = value[k]
    return " ".join(value.split()) if isinstance(value, str) else value


def _tooltips(
    part: Mapping[str, Any], dataset: str | None = None
) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    """Yield the dataset of each mark with a tooltip, and the title and the field of each column."""
    dataset = part.get("data", {}).get("name", dataset)
    for layer in part.get("layer", ()):
        yield from _tooltips(layer, dataset)
    columns = part.get("encoding", {}).get("tooltip", ())
    if dataset and columns:
        formulas = {
            step["as"]: step["calculate"]
            for step in part.get("transform", ())
            if "calculate" in step
        }
        yield (
            dataset,
            tuple((column["title"], _source(column["field"], formulas)) for column in columns),
        )


def _source(field: str, formulas: Mapping[str, str]) -> str:
    """Return the field of the data that a calculated field is made from."""
    while (match := re.search(r"datum\.(\w+)", formulas.get(field, ""))) and match[1] != field:
        field = match[1]
    return field
