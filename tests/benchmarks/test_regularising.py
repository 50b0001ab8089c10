"""Whether pruning regularises: what the results page quotes."""

import re

import numpy as np

from benchmarks import regularising
from core.request.catalog import ROOT

FIGURE = re.compile(r"−?\d\.\d{3}")


def results_page() -> str:
    return " ".join((ROOT / "docs" / "results.md").read_text("utf-8").split())


def test_the_results_page_quotes_figures_of_the_file() -> None:
    _, _, prose = results_page().partition("A regulariser narrows")
    prose, _, _ = prose.partition("## ")
    tables = regularising.tables(regularising.measured())

    quoted = FIGURE.findall(prose)

    assert len(quoted) > 30
    assert set(quoted) <= set(FIGURE.findall(str(tables)))


def test_the_results_page_counts_the_blocks_that_add_less() -> None:
    rows = regularising.measured()
    unpruned = {row.task: np.array(row.updates) for row in rows if row.method == "unpruned"}

    for method in ("magnitude", "random"):
        ratios = np.stack(
            [
                row.updates / unpruned[row.task]
                for row in rows
                if row.method == method and row.change == 0.05
            ]
        )

        assert f"{(ratios < 1).sum()} of {ratios.size} under {method}" in results_page()
