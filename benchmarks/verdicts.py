"""`python -m benchmarks.verdicts`: write what the shipped results say, one by one and together.

It replaces the text between lines such as `<!-- verdicts -->` and `<!-- end of verdicts -->` in
`docs/tables.md`, and the claim in `README.md` and `docs/results.md`; it draws `docs/forest.svg`,
and writes `pooled.json` and `meaning.json` in `cached_results`, which pages read.
"""

from argparse import Namespace
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from pydantic_core import to_json

from benchmarks import regularising, subsets
from benchmarks.meaning import meaning_tables, meanings
from benchmarks.pooled import Pair, pairs, pool, pooled_table, ramp_table, recovery_table
from core.charts.forest import forest_scene
from core.command_line import OneLineParser, run_command
from core.errors import PrunescopeError
from core.exports.drawing import draw
from core.exports.figure import figure_of
from core.findings import pooled
from core.findings.choices import task_title
from core.findings.claim import Verdict, corrected, verdict, with_rows
from core.findings.comparable import control_sweeps
from core.findings.words import verdict as words
from core.findings.words.grid import CLAIM, claim_finding
from core.request.catalog import DAMAGE, METHODS, ROOT, SECOND_DAMAGE, TASKS
from core.results import library, store
from core.results.names import checkpoint_name, name_of
from core.results.schema import SweepResult
from core.sweep.control_contrast import DIFFERENT
from ui.text import markdown_table

DOCS = ROOT / "docs"
FOREST = DOCS / "forest.svg"
markdown_of = partial(markdown_table, write=str)  # legible as source


def documents(
    table: "Sequence[VerdictRow]",
    together: Sequence[pooled.Pooled],
    means: Sequence[pooled.Estimate],
    ramp: Sequence[Pair],
) -> dict[Path, str]:
    """Return the documents with the current verdicts and tables."""
    finding = claim_finding(together[0])
    recovered = (store.file_of(entry.key) for entry in library.shipped(library.RecoveryEntry))
    regularised = regularising.tables(regularising.measured())
    claim = {"claim": f"**{finding.heading}.** {' '.join(finding.sentences)}"}
    tables = {
        "pooled": markdown_of(pooled_table(together)),
        "meaning": "\n\n".join(map(markdown_of, meaning_tables(means))),
        "ramp": markdown_of(ramp_table(ramp)),
        "recoveries": markdown_of(recovery_table(map(store.load_any, recovered))),
        "regularising": "\n\n".join(map(markdown_of, regularised)),
        "subsets": markdown_of(subsets.table(subsets.measured())),
        "verdicts": table_of(table),
    }
    places = {ROOT / "README.md": claim, DOCS / "results.md": claim, DOCS / "tables.md": tables}
    return {path: written_into(path.read_text("utf-8"), parts) for path, parts in places.items()}


def table_of(table: "Sequence[VerdictRow]") -> str:
    """Tabulate the verdicts, below their counts."""
    counts = Counter(words.verdict_cell(row.verdict) for row in table).most_common()
    listed = "; ".join(f"{count} × {cell}" for cell, count in counts)
    different = sum(row.alone.state in DIFFERENT for row in table)
    alone = (
        f"Judged alone, before the correction for their number, {different} would differ from "
        "random removal."
    )
    return f"Verdicts: {listed}. {alone}\n\n{markdown_of([*map(_cells, table)])}"


class VerdictRow(NamedTuple):
    """A method on a checkpoint: its sweep; its verdict in the table, alone, at SECOND_DAMAGE."""

    result: SweepResult
    verdict: Verdict
    alone: Verdict
    second: Verdict


def verdict_table(results: Sequence[SweepResult]) -> list[VerdictRow]:
    """Judge results, one row per task, checkpoint and method that has a random control.

    See `core.findings.claim.with_rows`.
    """
    candidates = with_rows(sorted(results, key=attrgetter("key")))
    rows = sorted((row for row in candidates if control_sweeps(row, results)), key=_position)
    alone = [verdict(result, results) for result in rows]
    seconds = (verdict(result, results, damage=SECOND_DAMAGE) for result in rows)
    return [VerdictRow(*row) for row in zip(rows, corrected(alone), alone, seconds, strict=True)]


def _position(result: SweepResult) -> tuple[int, int, str, int, str]:
    order = [*TASKS].index(result.task.name), [*METHODS].index(result.pruning.method)
    return *order, result.pruning.scope or "", result.checkpoint.num_layers, result.checkpoint.id


def _cells(row: VerdictRow) -> dict[str, str]:
    """Write the row of a method on a checkpoint."""
    result = row.result
    cells = {
        "Task": task_title(result.task.name),
        "Checkpoint": checkpoint_name(result),
        "Method": name_of(result.pruning),
    }
    for damage, judged in ((DAMAGE, row.verdict), (SECOND_DAMAGE, row.second)):
        share, random, _ = words.verdict_cells(judged).values()
        cells |= {f"In the upper half at {damage:.2f}": share, f"Random at {damage:.2f}": random}
    return cells | {
        f"Verdict at {DAMAGE:.2f}": words.verdict_cell(row.verdict),
        "Marks": words.flags_cell(row.verdict),
    }


def written_into(document: str, parts: Mapping[str, str]) -> str:
    """Replace the texts between a document's markers, by their names.

    Raises:
        PrunescopeError: The document has no such markers.
    """
    for name, text in parts.items():
        begin = f"<!-- {name} -->"
        end = f"<!-- end of {name} -->"
        before, _, rest = document.partition(begin)
        _, marker, after = rest.partition(end)
        if not marker:
            fault = f"there are no lines {begin} and {end}"
            raise PrunescopeError(f"{fault}: add them where the text belongs")
        document = f"{before}{begin}\n{text}\n{end}{after}"
    return document


def main(_: Namespace) -> None:
    """Write what the shipped results say."""
    shipped = list(map(store.load_any, store.result_files(store.SHIPPED_RESULTS)))
    results = [result for result in shipped if isinstance(result, SweepResult)]
    table = verdict_table(results)
    together = pool((row.result, row.alone) for row in table)
    means = meanings(results)
    for name, rows in ((pooled.FILE, together), (pooled.MEANINGS, means)):
        content = to_json(rows, indent=1) + b"\n"
        store.write_atomically(store.SHIPPED_RESULTS.parent / name, content)
    for path, text in documents(table, together, means, pairs(results)).items():
        path.write_text(text, "utf-8")
    scene = forest_scene(together, CLAIM)
    FOREST.write_bytes(draw(figure_of(scene), "svg", [0]))


if __name__ == "__main__":
    run_command(OneLineParser(prog="python -m benchmarks.verdicts", description=__doc__), main)
