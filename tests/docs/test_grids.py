"""The page on grids: its files are grids, and its table has every key that a file may have."""

import re

import pytest
import yaml

from core.request.catalog import ROOT
from core.request.grid_file import grid_requests

PAGE = (ROOT / "docs" / "grids.md").read_text(encoding="utf-8")
FILES = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)


@pytest.mark.parametrize("text", FILES)
def test_a_file_on_the_page_is_a_grid(text: str) -> None:
    assert len(grid_requests(yaml.safe_load(text), "grid.yaml")) > 5


def test_the_pages_table_and_text_name_every_key() -> None:
    with pytest.raises(Exception, match="unknown key") as caught:
        grid_requests({"checkpoints": "embedded:sst2", "none": 1}, "grid.yaml")
    keys = str(caught.value).rpartition("choose one of ")[2].split(", ")
    assert {"checkpoints", "range_examples"} <= set(keys)
    assert [key for key in keys if f"`{key}`" not in PAGE] == []
