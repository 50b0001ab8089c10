"""The README and the pages beside it: what they name exists, and every option is explained."""

import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from core import precompute
from core.errors import PrunescopeError
from core.exports.site_edition import THUMBNAIL, site_readme
from core.request.catalog import METHODS, ROOT
from core.request.grid_file import grid_requests
from tests.commands import call

DOCS = ROOT / "docs"
PAGES = [
    *ROOT.glob("*.md"),
    ROOT / "benchmarks" / "README.md",
    *sorted(DOCS.glob("*.md")),
]
PLACES = "core|ui|pages|docs|benchmarks|recipes|cached_results|tests"
# A value, and the two ends of its interval.
ESTIMATE = re.compile(r"([-\d.]+)\D*?\(([-\d.]+) to ([-\d.]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_links_to_and_names_exists(page: Path) -> None:
    text = page.read_text("utf-8")
    links = re.findall(r"\]\((?!http)([^)#]+)", text)
    names = re.findall(rf"`((?:{PLACES})/[\w./-]*)`", text)

    paths = [
        *(page.parent / link for link in links),
        *(ROOT / name for name in names),
    ]

    assert [str(path) for path in paths if not path.exists()] == []
    assert re.findall(r"`python -m (?!core|benchmarks|recipes|tests|http\.server)", text) == []


def test_every_estimate_in_the_results_stands_in_the_tables() -> None:
    results, tables = (
        ESTIMATE.findall((DOCS / name).read_text("utf-8").replace("−", "-"))
        for name in ("results.md", "tables.md")
    )
    shares = np.array(tables, np.float64)  # (estimates, 3)
    known = np.concatenate([shares, 100 * shares])  # also in points

    assert len(results) > 20
    for estimate in results:
        places = len(estimate[0].partition(".")[2])
        is_near = np.abs(known - np.array(estimate, np.float64)) < 0.501 * 10.0**-places
        assert is_near.all(1).any(), estimate


def test_every_option_and_method_is_explained(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = (DOCS / "options.md").read_text("utf-8")
    with pytest.raises(SystemExit):
        call(precompute, "--help")

    options = set(re.findall(r"--[a-z][\w-]+", capsys.readouterr().out)) - {"--help"}

    assert {"--checkpoint", "--threads", "--label-map"} <= options
    assert [option for option in options if option not in text] == []
    assert [method for method in METHODS if f"| `{method}` |" not in text] == []


def test_the_readmes_say_what_a_space_needs() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")

    app, site = (yaml.safe_load(text.split("---\n")[1]) for text in (readme, site_readme(1234)))

    assert len(readme.splitlines()) <= 150
    assert (app["sdk"], app["app_port"], site["sdk"]) == (
        "docker",
        7860,
        "static",
    )
    assert len(app["short_description"]) <= 60, "the longest that a Space may have"
    repository, _, picture = app["thumbnail"].partition("/resolve/main/")
    assert ROOT / picture == THUMBNAIL
    assert site["thumbnail"] == f"{repository}/resolve/main/{THUMBNAIL.name}"


def test_the_page_on_grids_holds_grids_and_names_every_key() -> None:
    text = (DOCS / "grids.md").read_text("utf-8")
    for file in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL):
        assert len(grid_requests(yaml.safe_load(file), "grid.yaml")) > 5

    with pytest.raises(PrunescopeError, match="unknown key") as caught:
        grid_requests({"checkpoints": "embedded:sst2", "none": 1}, "grid.yaml")

    keys = str(caught.value).rpartition("choose one of ")[2].split(", ")
    assert {"checkpoints", "range_examples"} <= set(keys)
    assert [key for key in keys if f"`{key}`" not in text] == []
