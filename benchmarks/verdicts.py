"""`python -m benchmarks.verdicts`: prints the table of all verdicts as Markdown.

It reads a folder of result files, by default the shipped ones.
"""

import argparse
from pathlib import Path

from core.findings.verdicts import verdict_rows, verdict_table
from core.results import store
from ui.text import markdown_table


def main() -> None:
    """Read all results of a folder and judge them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verdicts", description=__doc__)
    parser.add_argument("--results", type=Path, default=store.SHIPPED_RESULTS, help="default: the shipped results")
    results = [store.load(path) for path in sorted(parser.parse_args().results.glob("*.json"))]
    rows = verdict_rows(verdict_table(results, results))
    print(markdown_table(rows) if rows else "There is no result to judge.")


if __name__ == "__main__":
    main()
