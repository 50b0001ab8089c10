"""The README and the pages beside it: what they link to and name exists, and every option is explained."""

import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from core import precompute
from core.exports.site_edition import THUMBNAIL, site_readme
from core.request.catalog import METHODS, ROOT
from core.request.grid_file import grid_requests

PAGES = [
    *ROOT.glob("*.md"),
    ROOT / "benchmarks" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
PLACES = "core|ui|pages|docs|benchmarks|recipes|cached_results|tests"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_links_to_and_names_exists(page: Path) -> None:
    text = page.read_text("utf-8")
    linked = {page.parent / target for target in re.findall(r"\]\((?!http)([^)#]+)", text)}
    named = {ROOT / name for name in re.findall(rf"`((?:{PLACES})/[\w./-]*)`", text)}
    assert [str(path) for path in linked | named if not path.exists()] == []
    assert re.findall(r"`python -m (?!core|benchmarks|recipes|tests|http\.server)", text) == []


def test_every_estimate_in_the_results_stands_in_the_tables() -> None:
    """To the decimals that are written, as a share or in points."""
    estimate = re.compile(r"([-\d.]+)\D*?\(([-\d.]+) to ([-\d.]+)")
    pages = (
        (ROOT / "docs" / name).read_text("utf-8").replace("−", "-")
        for name in ("results.md", "tables.md")
    )
    quoted, tables = (estimate.findall(page) for page in pages)
    known = (
        np.array(tables, np.float64) * np.array([1, 100])[:, None, None]
    )  # (scales, estimates, 3)
    half = {row: 0.501 * 10.0 ** -len(row[0].partition(".")[2]) for row in quoted}
    assert [
        row
        for row in quoted
        if not (abs(known - np.array(row, np.float64)) < half[row]).all(2).any()
    ] == []
    assert len(quoted) > 20


def test_every_option_and_method_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        precompute.parse(["--help"])
    options = set(re.findall(r"--[a-z][\w-]+", capsys.readouterr().out)) - {"--help"}
    text = (ROOT / "docs" / "options.md").read_text("utf-8")
    assert {"--checkpoint", "--threads", "--label-map"} <= options
    assert [option for option in options if f"{option}" not in text] == []
    assert [method for method in METHODS if f"| `{method}` |" not in text] == []


def test_the_readme_is_short_and_it_and_the_sites_say_what_a_space_needs() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert len(readme.splitlines()) <= 150
    app, site = (yaml.safe_load(text.split("---\n")[1]) for text in (readme, site_readme(1234)))
    docker = {"sdk": "docker", "app_port": 7860, "suggested_hardware": "cpu-basic"}
    assert docker.items() <= app.items()
    assert site["sdk"] == "static"
    assert len(app["short_description"]) <= 60, "the longest that a Space may have"
    repository, _, picture = app["thumbnail"].partition("/resolve/main/")
    assert ROOT / picture == THUMBNAIL
    assert site["thumbnail"] == f"{repository}/resolve/main/{THUMBNAIL.name}"


def test_the_files_on_the_page_on_grids_are_grids_and_its_table_names_every_key() -> None:
    text = (ROOT / "docs" / "grids.md").read_text(encoding="utf-8")
    files = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert all(len(grid_requests(yaml.safe_load(file), "grid.yaml")) > 5 for file in files)
    with pytest.raises(Exception, match="unknown key") as caught:
        grid_requests({"checkpoints": "embedded:sst2", "none": 1}, "grid.yaml")
    keys = str(caught.value).rpartition("choose one of ")[2].split(", ")
    assert {"checkpoints", "range_examples"} <= set(keys)
    assert [key for key in keys if f"`{key}`" not in text] == []
