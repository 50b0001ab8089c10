"""What a result or a comparison is taken away as: pictures, a player in one HTML file, tables, the JSON itself."""

import csv
import html
import io
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from core.exports.figure import frames_of, origins_of, title_of, views_of
from core.request.catalog import REDUCTIONS, ROOT
from core.results.provenance import command_line, request_of
from core.results.schema import SweepResult

CKA_COLUMNS = ("amount", "sparsity", "reduction", "baseline_point", "pruned_point", "cka")
METRIC_COLUMNS = ("amount", "sparsity", "prunable_sparsity", "metric", "value", "low", "high")


def file_name(results: Sequence[SweepResult], extension: str) -> str:
    """Names a file by what is in it; safe on every system.

    Args:
        results: One or two whole sweeps.
        extension: With its dot, such as `.gif`, or with a word before it.
    """
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
# Nothing is ever fetched, whatever a name in the result says.
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"


def player_html(results: Sequence[SweepResult], reduction: str, vega: str) -> str:
    """Writes a page of one file that plays without a server and without a network.

    Args:
        results: One or two whole sweeps.
        reduction: What is shown first, a name from `core.request.catalog.REDUCTIONS`; the others can be chosen.
        vega: Vega's script, which sets `globalThis.vegaEmbed`.
    """
    title, origins = title_of(results), origins_of(results)
    commands = "".join(f"<p><code>{html.escape(command_line(request_of(result)))}</code></p>" for result in results)
    data = json.dumps(_player_data(results, reduction), allow_nan=False).replace("<", "\\u003c")
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


def _inline(script: str) -> str:
    """A script as it may stand inside an HTML element."""
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _player_data(results: Sequence[SweepResult], reduction: str) -> dict[str, Any]:
    """What core/charts/player.js mounts: every reduction as a choice, the one on show first."""
    order = sorted(REDUCTIONS, key=lambda name: name != reduction)
    choices = [{"name": name, "title": REDUCTIONS[name].title, "views": views_of(results, name)} for name in order]
    together = "compare" if "difference" in choices[0]["views"] else "beside"
    return {
        "title": f"{title_of(results)}, {', '.join(origins_of(results))}",
        "group": "main",
        "autoplay": True,
        "layout": "single" if len(results) == 1 else together,
        "frames": frames_of(results),
        "choices": choices,
        "vega": None,
    }


# ---------------------------------------------------------------- numbers


def cka_csv(result: SweepResult) -> str:
    """Writes every CKA value as a row; an undefined one is empty.

    Args:
        result: A whole sweep.
    """
    points = result.cka.points
    return _table(
        CKA_COLUMNS,
        (
            (frame.amount, frame.sparsity, reduction, baseline, pruned, value)
            for frame in result.frames
            for reduction, matrix in frame.cka.items()
            for baseline, row in zip(points, matrix, strict=True)
            for pruned, value in zip(points, row, strict=True)
        ),
    )


def metrics_csv(result: SweepResult) -> str:
    """Writes every metric with its 95 % interval as a row; what is not known is empty.

    Args:
        result: A whole sweep.
    """
    return _table(
        METRIC_COLUMNS,
        (
            (
                frame.amount,
                frame.sparsity,
                frame.prunable_sparsity,
                name,
                value,
                *(frame.intervals.get(name) or ("", "")),
            )
            for frame in result.frames
            for name, value in frame.metrics.items()
        ),
    )


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Comma-separated values; a float is written so that reading gives it back."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return file.getvalue()


def result_json(result: SweepResult) -> str:
    """Writes the result file, which `core.results.schema` reads.

    Args:
        result: A whole sweep.
    """
    return json.dumps(result.model_dump(mode="json"), allow_nan=False, ensure_ascii=False)
