"""`python -m benchmarks.verdicts`: write the table of all verdicts on the shipped results into `docs/results.md`.

It replaces what stands between the lines `<!-- verdicts -->` and `<!-- end of verdicts -->`.
"""

import re
from collections.abc import Iterable, Sequence

from core.command_line import OneLineParser, run_command
from core.errors import PrunescopeError
from core.findings.spread import counted
from core.findings.verdict_table import verdict_rows, verdict_table
from core.request.catalog import ROOT, TASKS
from core.results import store
from core.results.choices import task_title
from core.results.names import listed
from core.results.schema import SweepResult
from core.sweep.control_contrast import DIFFERENT
from ui.text import markdown_table

DOCUMENT = ROOT / "docs" / "results.md"
NO_DIFFERENCE = "None shows that a method differs from random removal."
BEGIN, END = "<!-- verdicts -->", "<!-- end of verdicts -->"


def table_of(results: Iterable[SweepResult]) -> str:
    """Judge results beside each other; say which tasks they cover, count the verdicts, and tabulate them."""
    results = sorted(results, key=lambda result: result.key)
    table = verdict_table(results, results)
    if not table:
        return "There is no result to judge."
    tasks = sorted({row.result.task.name for row in table}, key=[*TASKS].index)
    directions = [row.direction for row in table]
    covered = f"Covered: {listed([task_title(task) for task in tasks])}. Verdicts: {counted(directions)}."
    none = "" if set(DIFFERENT) & set(directions) else f" {NO_DIFFERENCE}"
    return f"{covered}{none}\n\n{markdown_table(verdict_rows(table))}"


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
