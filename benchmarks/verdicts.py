"""`python -m benchmarks.verdicts`: prints the table of all verdicts as Markdown, or writes it into a document.

It reads a folder of result files, by default the shipped ones. In a document (`--into README.md`) it replaces what
stands between the lines `<!-- verdicts -->` and `<!-- end of verdicts -->`.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from core.command_line import OneLineParser, run_command
from core.errors import PrunescopeError
from core.findings.spread import counted
from core.findings.verdict_table import VerdictRow, verdict_rows, verdict_table
from core.request.catalog import ENGINE_VERSION, TASKS
from core.results import store
from core.results.choices import task_title
from core.results.names import listed
from core.results.schema import SweepResult
from core.sweep.control_contrast import DIFFERENT
from ui.text import markdown_table

NO_DIFFERENCE = "None shows that a method differs from random removal."
BEGIN, END = "<!-- verdicts -->", "<!-- end of verdicts -->"


def table_of(folder: Path) -> str:
    """Judge all results of a folder, and say which tasks they cover."""
    results = [store.load(path) for path in store.result_files(folder)]
    table = verdict_table([result for result in results if not _is_earlier(result)], results)
    if not table:
        return "There is no result to judge."
    return f"{_covered(table)}{_left_out(results)}\n\n{markdown_table(verdict_rows(table))}"


def _is_earlier(result: SweepResult) -> bool:
    """Whether an earlier version measured a result, which then lacks what a verdict needs."""
    return result.environment.get("engine") != ENGINE_VERSION


def _left_out(results: list[SweepResult]) -> str:
    tasks = sorted({result.task.name for result in results if _is_earlier(result)}, key=[*TASKS].index)
    if not tasks:
        return ""
    return f" Results of an earlier version, which have no verdict: {listed([task_title(task) for task in tasks])}."


def _covered(table: list[VerdictRow]) -> str:
    """Name the tasks of a table, count its verdicts, and say so where none is a difference from chance."""
    tasks = sorted({row.result.task.name for row in table}, key=[*TASKS].index)
    directions = [row.direction for row in table]
    covered = f"Covered: {listed([task_title(task) for task in tasks])}. Verdicts: {counted(directions)}."
    return covered if set(DIFFERENT) & set(directions) else f"{covered} {NO_DIFFERENCE}"


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
    """Judge all results of a folder; print the table or write it into a document."""
    parser = OneLineParser(prog="python -m benchmarks.verdicts", description=__doc__)
    parser.add_argument("--results", type=Path, default=store.SHIPPED_RESULTS, help="default: the shipped results")
    parser.add_argument("--into", type=Path, help="a Markdown document with the two markers")
    options = parser.parse_args(arguments)
    table = table_of(options.results)
    if options.into:
        options.into.write_text(written_into(options.into.read_text("utf-8"), table), "utf-8")
    else:
        print(table)
    return 0


if __name__ == "__main__":
    run_command(main)
