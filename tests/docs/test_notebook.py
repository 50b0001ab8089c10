"""The notebook of the documentation, run from top to bottom as a reader would, without a network."""

import html
import json
import re
import sys
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

from core.api import load_result
from core.exports.notebook import NotebookResult
from core.request.catalog import ROOT
from core.results.key import key_of

NOTEBOOK = ROOT / "docs" / "notebook.ipynb"
LESS = {  # to compute
    "\"part == 'evaluation'\")": "\"part == 'evaluation'\").head(32)",
    "amounts=[0, 0.3, 0.6, 0.9]": "amounts=[0, 0.5]",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], NotebookResult]:
    """The value of each cell by its name, of the notebook run in its own folder, and the result that it saved."""
    notebook, results = json.loads(NOTEBOOK.read_text("utf-8")), tmp_path_factory.mktemp("results")
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] or cell["execution_count"] for cell in cells), (
        "it is kept without outputs"
    )
    sources = {cell["id"]: "".join(cell["source"]) for cell in cells}
    assert all(whole in "".join(sources.values()) for whole in LESS)
    values = {}
    shell = InteractiveShell(
        config=Config(HistoryManager={"enabled": False})
    )  # a kernel would import torch again
    with pytest.MonkeyPatch.context() as patch, capture_output():
        patch.setenv("PRUNESCOPE_RESULTS", str(results))
        patch.chdir(NOTEBOOK.parent)
        patch.setattr("sys.path", [*sys.path])
        for name, source in sources.items():
            for whole, part in LESS.items():
                source = source.replace(whole, part)
            run = shell.run_cell(source)
            run.raise_error()
            values[name] = run.result
    (path,) = results.glob("*.json")
    return values, load_result(path)


def test_it_shows_the_result_that_it_saved(made: tuple[dict[str, Any], NotebookResult]) -> None:
    values, saved = made
    shown = {name: values[name]._repr_html_() for name in ("player", "own")}
    assert saved.key == key_of(saved)
    assert shown["player"] == saved._repr_html_()
    assert "mountPlayer(document.querySelector" in html.unescape(shown["player"])
    own = zip(*(frame.own("mean") or () for frame in saved.frames), strict=True)
    cells = [float(cell) for cell in re.findall("<td>(.*?)</td>", shown["own"])]
    assert cells == [round(value or 0.0, 2) for row in own for value in row]
