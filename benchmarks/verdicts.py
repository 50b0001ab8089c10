"""`python -m benchmarks.verdicts`: write the table of all verdicts on the shipped results into `docs/results.md`.

It replaces what stands between the lines `<!-- verdicts -->` and `<!-- end of verdicts -->`.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.command_line import OneLineParser, run_command
from core.errors import PrunescopeError
from core.findings.choices import family_of, task_title
from core.findings.claim import Verdict, corrected, spreads, verdict, with_rows
from core.findings.tables import beyond_cell, control_shares, layer_cell, shares
from core.findings.words import NONE
from core.findings.words.verdict import counted, verdict_cell
from core.request.catalog import DAMAGE, METHODS, ROOT, SECOND_DAMAGE, TASKS
from core.results import store
from core.results.names import checkpoint_name, decimals, listed, method_name
from core.results.schema import SweepResult
from core.sweep.control_contrast import DIFFERENT
from ui.text import markdown_table

DOCUMENT = ROOT / "docs" / "results.md"
NO_DIFFERENCE = "None shows that a method differs from random removal."
BEGIN, END = "<!-- verdicts -->", "<!-- end of verdicts -->"


def table_of(results: Iterable[SweepResult]) -> str:
    """Judge results beside each other; say which tasks they cover, count the verdicts, and tabulate them."""
    results = sorted(results, key=lambda result: result.key)
    table = verdict_table(results)
    tasks = sorted({row.result.task.name for row in table}, key=[*TASKS].index)
    known = [row.verdict for row in table]
    covered = f"Covered: {listed([task_title(task) for task in tasks])}. Verdicts: {counted(known)}."
    none = "" if any(one.state in DIFFERENT for one in known) else f" {NO_DIFFERENCE}"
    return f"{covered}{none}\n\n{markdown_table(verdict_rows(table))}"


@dataclass(frozen=True)
class VerdictRow:
    """One method on one checkpoint and task: its sweep, its verdict, and the one at SECOND_DAMAGE."""

    result: SweepResult
    verdict: Verdict
    second: Verdict


def verdict_table(results: Sequence[SweepResult]) -> list[VerdictRow]:
    """Judge results beside each other, one row per task, checkpoint and method: see `core.findings.claim.with_rows`."""
    judged = sorted(with_rows(results), key=_place)
    known = corrected([verdict(result, results) for result in judged])
    seconds = (verdict(result, results, damage=SECOND_DAMAGE) for result in judged)
    return [VerdictRow(*row) for row in zip(judged, known, seconds, strict=True)]


def _place(result: SweepResult) -> tuple[int, bool, int, str, str, str]:
    task, pruning, checkpoint = result.task, result.pruning, result.checkpoint.id
    place = [*TASKS].index(task.name), task.source == "written", [*METHODS].index(pruning.method)
    return *place, pruning.scope or "", family_of(checkpoint) or checkpoint, checkpoint


def verdict_rows(table: Sequence[VerdictRow]) -> list[dict[str, str]]:
    """Write the table, a row of texts per method and checkpoint; below seed twins a row with their spread."""
    places = [(row.result.task.fingerprint, method_name(row.result)) for row in table]
    keys = [(row.result.key, row.result.checkpoint.id) for row in table]
    judged = ((*key, place, row.verdict) for key, place, row in zip(keys, places, table, strict=True))
    found = {[*twins][-1]: (name, twins) for name, twins in spreads(judged)}
    rows = []
    for row in table:
        ends = verdict_cell(row.verdict), layer_cell(row.result, row.verdict), beyond_cell(row.verdict)
        rows.append(_cells([row], checkpoint_name(row.result), ends))
        if spread := found.get(row.result.key):
            name, twins = spread
            alike = [twin for twin in table if twin.result.key in twins]
            rows.append(_cells(alike, name, (counted(twins.values()), NONE, NONE)))
    return rows


def _cells(rows: Sequence[VerdictRow], checkpoint: str, ends: tuple[str, str, str]) -> dict[str, str]:
    """Write a method on one checkpoint, or over several that differ only in the seed."""
    result = rows[0].result
    task = task_title(result.task.name)
    cells = {
        "Task": f"{task}, written" if result.task.source == "written" else task,
        "Checkpoint": checkpoint.replace(f", fine-tuned on {task}", ""),
        "Method": method_name(result),
    }
    for verdicts in ([row.verdict for row in rows], [row.second for row in rows]):
        damage = decimals(verdicts[0].damage, 2)
        cells |= {f"In the upper half at {damage}": shares(verdicts), f"Random at {damage}": control_shares(verdicts)}
    titles = f"Verdict at {decimals(DAMAGE, 2)}", "Layer that differs most", "Beyond the emptied model"
    return cells | dict(zip(titles, ends, strict=True))


def written_into(document: str, text: str) -> str:
    """Return a document with another text between its markers.

    Raises:
        PrunescopeError: The document has no markers.
    """
    between = re.compile(f"{BEGIN}.*{END}", re.DOTALL)
    if not between.search(document):
        raise PrunescopeError(f"there are no lines {BEGIN} and {END}: add them where the table belongs")
    return between.sub(lambda _: f"{BEGIN}\n{text}\n{END}", document)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the table of the shipped results into the page."""
    OneLineParser(prog="python -m benchmarks.verdicts", description=__doc__).parse_args(arguments)
    table = table_of(map(store.load, store.result_files(store.SHIPPED_RESULTS)))
    DOCUMENT.write_text(written_into(DOCUMENT.read_text("utf-8"), table), "utf-8")
    return 0


if __name__ == "__main__":
    run_command(main)
