"""Write the files that export a result or a comparison: a player in one HTML file, tables, the result as JSON."""

import csv
import html
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from core.charts.theme import STYLE
from core.charts.view import reduction_choices
from core.exports.figure import origins_of, scene_of, title_of
from core.findings.compare import Axis
from core.request.catalog import MEASURES, REDUCTIONS, ROOT
from core.results.provenance import recipe
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


def file_name(results: Sequence[SweepResult], extension: str) -> str:
    """Name a file by its content, safely on every system; `extension` includes the dot, such as `-mean.gif`."""
    names = dict.fromkeys(f"{result.task.name}-{result.pruning.method}-{result.key[:8]}" for result in results)
    return re.sub(r"[^\w.-]+", "_", f"prunescope-{'-and-'.join(names)}{extension}", flags=re.ASCII)


# ---------------------------------------------------------------- the player in one file

PAGE_STYLE = """
:root { color-scheme: light dark; --st-text-color: #1f2028; --st-background-color: #ffffff; }
@media (prefers-color-scheme: dark) {
  :root {
    --st-text-color: #fafafa; --st-background-color: #0e1117; --st-border-color: #41444c;
    --st-secondary-background-color: #262730; --st-primary-color: #fb8861;
  }
}
body {
  max-width: 90rem; margin: 0 auto; padding: 1rem;
  color: var(--st-text-color); background: var(--st-background-color); font: 1rem/1.5 sans-serif;
}
h1 { margin: 0; font-size: clamp(1.2rem, 0.9rem + 1.2vw, 2rem); line-height: 1.25; }
p { margin: 0 0 0.5rem; }
code { overflow-wrap: anywhere; }
"""
# The page fetches nothing, whatever a name in the result says.
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"


def player_html(results: Sequence[SweepResult], reduction: str, vega: str, axis: Axis = "amount") -> str:
    """Write a page of one file that plays without a server and without a network.

    Args:
        results: One or two whole sweeps.
        reduction: The one shown first, a name from `core.request.catalog.REDUCTIONS`; the page offers the others.
        vega: Vega's script, which sets `globalThis.vegaEmbed`.
        axis: Where two are shown together; at equal damage, which a reduction measures, it is the only one.
    """
    title, origins = title_of(results, axis), origins_of(results)
    if axis == "damage":
        origins.append(REDUCTIONS[reduction].title)
    commands = "".join(map(_how_to_compute, results))
    data = json.dumps(_player_data(results, reduction, axis), allow_nan=False).replace("<", "\\u003c")
    styles, player = ((ROOT / "core" / "charts" / name).read_text("utf-8") for name in ("player.css", "player.js"))
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)}</title>
<style>{PAGE_STYLE}{styles}</style>
<h1>{html.escape(title)}</h1>
<p>{"<br>".join(map(html.escape, origins))}</p>
<main></main>
<footer><p>Made with Prunescope. This computes it:</p>{commands}</footer>
<script type="module">{_inline(vega)}</script>
<script type="module">{_inline(player)}
mountPlayer(document.querySelector("main"), {data});
</script>
</html>
"""


def _how_to_compute(result: SweepResult) -> str:
    """Write the command, and below it what the command needs first."""
    made_by = recipe(result)
    missing = f"<p>{html.escape(made_by.missing)}</p>" if made_by.missing else ""
    return f"<p><code>{html.escape(made_by.command)}</code></p>{missing}"


def _inline(script: str) -> str:
    """Escape everything in a script that would end the HTML element around it."""
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _player_data(results: Sequence[SweepResult], reduction: str, axis: Axis) -> dict[str, Any]:
    """Return what core/charts/player.js mounts, with every reduction that has these frames as a choice."""
    fitting = [reduction] if axis == "damage" else REDUCTIONS
    scenes = {name: scene_of(results, name, axis) for name in fitting}
    return {
        "title": f"{title_of(results, axis)}, {', '.join(origins_of(results))}",
        "group": "main",
        "autoplay": True,
        "layout": scenes[reduction].layout.css,
        "frames": scenes[reduction].frames,
        "choices": reduction_choices(scenes),
        "choice": reduction,
        "style": STYLE,
        "vega": None,
    }


# ---------------------------------------------------------------- numbers


def similarity_csv(result: SweepResult) -> str:
    """Write every similarity as a row, with its 95 % interval where a point meets its own baseline.

    A measure without a matrix has rows of points with their own baseline alone. What is undefined or unknown is empty.
    """
    return _table(
        SIMILARITY_COLUMNS,
        (
            (frame.amount, frame.sparsity, measure, reduction, *values)
            for k, frame in enumerate(result.frames)
            for measure, by_reduction in frame.similarity.items()
            for reduction in by_reduction
            for values in _similarity_rows(result, k, measure, reduction)
        ),
    )


def _similarity_rows(result: SweepResult, k: int, measure: str, reduction: str) -> Iterator[tuple[object, ...]]:
    """Yield both points, the value and its interval of a frame."""
    frame, points, known = result.frames[k], result.points, result.statistics_of(reduction, measure)
    intervals = known.own[k] if known and known.own else (None,) * len(points)
    own = frame.own(reduction, measure) or (None,) * len(points)
    if MEASURES[measure].own_only:
        for point, value, interval in zip(points, own, intervals, strict=True):
            yield point, point, value, *(interval or UNKNOWN)
        return
    for baseline, row, interval in zip(points, frame.matrix(reduction, measure), intervals, strict=True):
        for pruned, value in zip(points, row, strict=True):
            yield baseline, pruned, value, *((interval if baseline == pruned else None) or UNKNOWN)


def metrics_csv(result: SweepResult) -> str:
    """Write every metric with its 95 % interval as a row, and what pruning changes for the user likewise.

    These are the share of `changed_predictions` and the `divergence` of the outputs in bits. What is unknown is empty.
    """
    return _table(
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
                    if baseline == pruned:
                        yield *place, measure, reduction, baseline, *values


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write comma-separated values; reading a float gives the same float."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return file.getvalue()


def result_json(result: SweepResult) -> str:
    """Write the result file, which `core.results.schema` reads."""
    return json.dumps(result.model_dump(mode="json"), allow_nan=False, ensure_ascii=False)
