"""The notebook of the documentation, run from top to bottom as a reader would, without a network."""

import html
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

from core.api import load_result
from core.exports.notebook import NotebookResult
from core.request.catalog import ROOT
from core.results.key import key_of

NOTEBOOK = ROOT / "docs" / "notebook.ipynb"
PATIENCE_SECONDS = 600  # of a cell; it only bounds how long a failing test goes on


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the notebook saves its result."""
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
def run(results: Path) -> dict[str, NotebookNode]:
    """The outputs of each cell by its name, of the notebook run in its own folder."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRUNESCOPE_RESULTS", str(results))
        place = {"metadata": {"path": str(NOTEBOOK.parent)}}
        NotebookClient(notebook, timeout=PATIENCE_SECONDS, kernel_name="python3", resources=place).execute()
    return {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}


@pytest.fixture(scope="module")
def saved(run: dict[str, NotebookNode], results: Path) -> NotebookResult:
    """The result that it saved."""
    (path,) = results.glob("*.json")
    return load_result(path)


def shown(outputs: NotebookNode, kind: str = "text/html") -> str:
    """What a cell shows, not what it prints."""
    (value,) = [output.data[kind] for output in outputs if output.output_type == "execute_result"]
    return value


def cells_of(outputs: NotebookNode) -> list[list[float]]:
    """The numbers of a table, row by row."""
    rows = re.findall("<tr>(.*?)</tr>", shown(outputs), re.DOTALL)
    return [[float(cell) for cell in found] for row in rows if (found := re.findall("<td>(.*?)</td>", row))]


def test_it_is_kept_without_outputs() -> None:
    cells = [cell for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in cells)


def test_the_player_is_that_of_the_result_it_saved(run: dict[str, NotebookNode], saved: NotebookResult) -> None:
    assert saved.key == key_of(saved)
    assert shown(run["player"]) == saved._repr_html_()
    assert "mountPlayer(document.querySelector" in html.unescape(shown(run["player"]))
    assert shown(run["save"], "text/plain") == "True"


def test_the_tables_hold_the_numbers_of_the_result(run: dict[str, NotebookNode], saved: NotebookResult) -> None:
    own = zip(*(frame.own("mean") or () for frame in saved.frames), strict=True)
    assert cells_of(run["own"]) == [[round(value or 0.0, 2) for value in row] for row in own]
    assert cells_of(run["accuracy"]) == [
        [frame.amount, *(round(value, 2) for value in (frame.metrics["accuracy"], *frame.intervals["accuracy"]))]
        for frame in saved.frames
    ]


def test_random_removal_of_the_loaded_model_starts_from_the_same_layers(run: dict[str, NotebookNode]) -> None:
    magnitude, random = (list(zip(*cells_of(run[cell]), strict=True)) for cell in ("own", "beside"))  # by amount
    assert magnitude[0] == random[0] == (1.0,) * 6
    assert sum(random[1]) < sum(magnitude[1]), "at equal amounts, chance destroys more"
