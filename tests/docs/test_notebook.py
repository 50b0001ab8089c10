"""The notebook of the documentation, run from top to bottom as a reader would, without a network."""

import html
import re

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
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, NotebookNode], NotebookResult]:
    """The outputs of each cell by its name, of the notebook run in its own folder, and the result that it saved."""
    notebook, results = nbformat.read(NOTEBOOK, as_version=4), tmp_path_factory.mktemp("results")
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in cells), "it is kept without outputs"
    for cell in cells:  # with less to compute
        cell.source = cell.source.replace("\"part == 'evaluation'\")", "\"part == 'evaluation'\").head(32)")
        cell.source = cell.source.replace("amounts=[0, 0.3, 0.6, 0.9]", "amounts=[0, 0.5]")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRUNESCOPE_RESULTS", str(results))
        place = {"metadata": {"path": str(NOTEBOOK.parent)}}
        NotebookClient(notebook, timeout=PATIENCE_SECONDS, kernel_name="python3", resources=place).execute()
    (path,) = results.glob("*.json")
    return {cell.id: cell.outputs for cell in cells}, load_result(path)


def shown(outputs: NotebookNode, kind: str = "text/html") -> str:
    """What a cell shows, not what it prints."""
    (value,) = [output.data[kind] for output in outputs if output.output_type == "execute_result"]
    return value


def test_it_shows_the_result_that_it_saved(made: tuple[dict[str, NotebookNode], NotebookResult]) -> None:
    run, saved = made
    assert saved.key == key_of(saved)
    assert shown(run["player"]) == saved._repr_html_()
    assert "mountPlayer(document.querySelector" in html.unescape(shown(run["player"]))
    own = zip(*(frame.own("mean") or () for frame in saved.frames), strict=True)
    cells = [float(cell) for cell in re.findall("<td>(.*?)</td>", shown(run["own"]))]
    assert cells == [round(value or 0.0, 2) for row in own for value in row]
