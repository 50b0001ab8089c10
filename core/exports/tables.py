"""Write all numbers of a result: tables, and the result itself as JSON."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence

from core.request.catalog import MEASURES
from core.results.schema import Bounds, Frame, SweepResult

SIMILARITY_COLUMNS = (
    "amount",
    "sparsity",
    "measure",
    "reduction",
    "baseline_point",
    "pruned_point",
    "value",
    "low",
    "high",
)
METRIC_COLUMNS = ("amount", "sparsity", "prunable_sparsity", "metric", "value", "low", "high")
OWN_COLUMNS = ("amount", "sparsity", "prunable_sparsity", "measure", "reduction", "point", "value", "low", "high")
UNKNOWN = (None, None)  # bounds of an interval
FORMULA = re.compile(r"(?![+-]?\d[\d.]*$)[=+@\t\r-]")  # how text begins that a spreadsheet computes; numbers may


def file_name(results: Sequence[SweepResult], extension: str, page: str = "") -> str:
    """Name a file by its content, safely on every system.

    Args:
        results: Those in the file.
        extension: What follows, with a dot, such as `-0.50.png`.
        page: The page that shows them so.
    """
    names = dict.fromkeys(f"{result.task.name}-{result.pruning.method}-{result.key[:8]}" for result in results)
    of = "-and-".join(list(names)[:2]) + (f"-and-{len(names) - 2}-more" if len(names) > 2 else "")
    return re.sub(r"[^\w.-]+", "_", f"prunescope-{page}{'-' if page else ''}{of}{extension}", flags=re.ASCII)


def similarity_csv(result: SweepResult) -> str:
    """Write every similarity as a row, with its 95 % interval where a point meets its own baseline.

    A measure without a matrix has rows of points with their own baseline alone. What is undefined or unknown is empty.
    """
    return table(
        SIMILARITY_COLUMNS,
        (
            (frame.amount, frame.sparsity, measure, reduction, *values)
            for k, frame in enumerate(result.frames)
            for measure, by_reduction in frame.similarity.items()
            for reduction, similarity in by_reduction.items()
            if similarity  # a measure that needs more examples than there are has none
            for values in _similarity_rows(result, k, measure, reduction)
        ),
    )


def _similarity_rows(result: SweepResult, k: int, measure: str, reduction: str) -> Iterator[tuple[object, ...]]:
    """Yield both points, the value and its interval of a frame."""
    frame, points, known = result.frames[k], result.points, result.statistics_of(reduction, measure)
    rows = result.baseline_points
    intervals = known.own[k] if known and known.own else (None,) * len(points)
    own = frame.own(reduction, measure) or (None,) * len(points)
    if MEASURES[measure].own_only:
        for point, value, interval in zip(points, own, intervals, strict=True):
            yield point, point, value, *(interval or UNKNOWN)
        return
    if not result.has_own:
        intervals = (None,) * len(rows)
    for baseline, row, interval in zip(rows, frame.matrix(reduction, measure), intervals, strict=True):
        for pruned, value in zip(points, row, strict=True):
            yield baseline, pruned, value, *((interval if baseline == pruned else None) or UNKNOWN)


def metrics_csv(result: SweepResult) -> str:
    """Write every metric with its 95 % interval as a row, and what pruning changes for the user likewise.

    These are the share of `changed_predictions` and the `divergence` of the outputs in bits. What is unknown is empty.
    """
    return table(
        METRIC_COLUMNS,
        (
            (frame.amount, frame.sparsity, frame.prunable_sparsity, name, value, *(interval or UNKNOWN))
            for frame in result.frames
            for name, value, interval in _metric_rows(frame)
        ),
    )


def _metric_rows(frame: Frame) -> Iterator[tuple[str, float | None, Bounds | None]]:
    """Yield the name, the value and the interval of everything that is known of a frame's predictions."""
    for name, value in frame.metrics.items():
        yield name, value, frame.intervals.get(name)
    if frame.changed:
        yield "changed_predictions", frame.changed.share, frame.changed.interval
    if frame.divergence:
        yield "divergence", frame.divergence.value, frame.divergence.interval


def own_rows(result: SweepResult) -> Iterator[tuple[object, ...]]:
    """Yield OWN_COLUMNS: of every amount the metrics, then every point's similarity to its own baseline.

    Metrics have no reduction and no point. What is undefined or unknown is None.
    """
    for k, frame in enumerate(result.frames):
        place = (frame.amount, frame.sparsity, frame.prunable_sparsity)
        for name, value, interval in _metric_rows(frame):
            yield *place, name, None, None, value, *(interval or UNKNOWN)
        for measure, by_reduction in frame.similarity.items():
            for reduction in by_reduction:
                for baseline, pruned, *values in _similarity_rows(result, k, measure, reduction):
                    if result.has_own and baseline == pruned:
                        yield *place, measure, reduction, baseline, *values


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write comma-separated values; reading a float gives the same float. Text is none of a spreadsheet's formulas."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerows(
        [_as_text(value) if isinstance(value, str) else value for value in row] for row in (columns, *rows)
    )
    return file.getvalue()


def _as_text(value: str) -> str:
    """Put an apostrophe before what a spreadsheet would compute; carriage returns are not quoted by every Python."""
    return ("'" if FORMULA.match(value) else "") + value.replace("\r", "\n")


def result_json(result: SweepResult) -> str:
    """Write the result file, which `core.results.schema` reads."""
    return json.dumps(result.model_dump(mode="json"), allow_nan=False, ensure_ascii=False)
