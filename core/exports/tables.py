"""Write all numbers of a result: tables, and the result itself as JSON."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from core.request.catalog import MEASURES
from core.results.schema import SweepResult

VALUE = ("value", "low", "high")  # of a number, its 95 % interval
SIMILARITY_COLUMNS = ("amount", "sparsity", "measure", "reduction", "baseline_point", "pruned_point", *VALUE)
METRIC_COLUMNS = ("amount", "sparsity", "prunable_sparsity", "metric", *VALUE)
OWN_COLUMNS = ("amount", "sparsity", "prunable_sparsity", "measure", "reduction", "point", *VALUE)
UNKNOWN = (None, None)  # bounds of an interval
FORMULA = re.compile(r"(?![+-]?\d[\d.]*$)[=+@\t\r-]")  # how text begins that a spreadsheet computes; numbers may


class Number(NamedTuple):
    """One number of a result, with its 95 % interval; metrics have no reduction and no points."""

    amount: float
    sparsity: float
    prunable_sparsity: float
    measure: str
    reduction: str | None
    baseline: str | None
    pruned: str | None
    value: float | None
    low: float | None
    high: float | None


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


def numbers(result: SweepResult) -> Iterator[Number]:
    """Yield all numbers of every frame: its metrics, what pruning changes for the user, every similarity.

    What is undefined or unknown is None. A measure without a matrix has points with their own baseline alone; others
    have an interval where a point meets its own baseline.
    """
    points = result.points
    for k, frame in enumerate(result.frames):
        place = (frame.amount, frame.sparsity, frame.prunable_sparsity)
        predictions = [(name, value, frame.intervals.get(name)) for name, value in frame.metrics.items()]
        if frame.changed:
            predictions.append(("changed_predictions", frame.changed.share, frame.changed.interval))
        if frame.divergence:
            predictions.append(("divergence", frame.divergence.value, frame.divergence.interval))
        for name, value, interval in predictions:
            yield Number(*place, name, None, None, None, value, *(interval or UNKNOWN))
        for measure, by_reduction in frame.similarity.items():
            for reduction in (name for name, known in by_reduction.items() if known):  # some need more examples
                statistics = result.statistics_of(reduction, measure) if result.has_own else None
                intervals = dict(zip(points, statistics.own[k], strict=True)) if statistics and statistics.own else {}
                if MEASURES[measure].own_only:
                    cells = [*zip(points, points, frame.own(reduction, measure) or [None] * len(points), strict=True)]
                else:
                    rows = zip(result.baseline_points, frame.matrix(reduction, measure), strict=True)
                    cells = [(point, *cell) for point, row in rows for cell in zip(points, row, strict=True)]
                for baseline, pruned, value in cells:
                    interval = intervals.get(pruned) if baseline == pruned else None
                    yield Number(*place, measure, reduction, baseline, pruned, value, *(interval or UNKNOWN))


def similarity_csv(result: SweepResult) -> str:
    """Write every similarity as a row; what is undefined or unknown is empty."""
    rows = ((each.amount, each.sparsity, *each[3:]) for each in numbers(result) if each.reduction)
    return table(SIMILARITY_COLUMNS, rows)


def metrics_csv(result: SweepResult) -> str:
    """Write every metric as a row, and the `changed_predictions` and the `divergence`, in bits, likewise."""
    return table(METRIC_COLUMNS, ((*each[:4], *each[7:]) for each in numbers(result) if not each.reduction))


def own_rows(result: SweepResult) -> Iterator[tuple[object, ...]]:
    """Yield OWN_COLUMNS: of every amount the metrics, then every point's similarity to its own baseline."""
    for each in numbers(result):
        if not each.reduction or (result.has_own and each.baseline == each.pruned):
            yield (*each[:6], *each[7:])


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


def result_json(result: SweepResult) -> str:
    """Write the result file, which `core.results.schema` reads."""
    return json.dumps(result.model_dump(mode="json"), allow_nan=False, ensure_ascii=False)
