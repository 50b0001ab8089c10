"""The notebook of the documentation, run from top to bottom as a reader would."""

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

from core.api import load_result
from core.request.catalog import ROOT
from core.results.key import key_of

NOTEBOOK = ROOT / "docs" / "notebook.ipynb"
LESS = {  # to compute
    "sentences, labels = reviews": "reviews = reviews.head(32)\nsentences, labels = reviews",
    "amounts=[0, 0.3, 0.6, 0.9]": "amounts=[0, 0.5]",
}


def run(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """Run cells in the notebook's folder; return the value of each by its name."""
    # A kernel would import torch again.
    shell = InteractiveShell(config=Config(HistoryManager={"enabled": False}))
    values = {}
    for cell in cells:
        source = "".join(cell["source"])
        for whole, part in LESS.items():
            source = source.replace(whole, part)
        execution = shell.run_cell(source)
        execution.raise_error()
        values[cell["id"]] = execution.result
    return values


def test_it_shows_the_result_that_it_saves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path))
    monkeypatch.chdir(NOTEBOOK.parent)
    monkeypatch.syspath_prepend(str(ROOT))
    notebook = json.loads(NOTEBOOK.read_text("utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    text = "".join(line for cell in cells for line in cell["source"])
    assert all(whole in text for whole in LESS)
    assert not any(cell["outputs"] or cell["execution_count"] for cell in cells)

    with capture_output():
        values = run(cells)

    (path,) = tmp_path.glob("*.json")
    saved = load_result(path)
    assert saved.key == key_of(saved)
    player = values["player"]._repr_html_()
    assert player == saved._repr_html_()
    assert "mountPlayer(document.querySelector" in html.unescape(player)
    own = zip(*(frame.own("mean") for frame in saved.frames), strict=True)
    cells = re.findall("<td>(.*?)</td>", values["own"]._repr_html_())
    assert [float(cell) for cell in cells] == [round(value, 2) for row in own for value in row]
