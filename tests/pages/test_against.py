"""A result against another checkpoint on every page: nothing fails, and nothing is said of layers that stay intact."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.results.schema import SweepResult
from core.results.store import save
from tests.builders import against, make_result
from tests.core.findings.made import TWINS
from tests.opened import open_page

AMOUNTS = (0.0, 0.3, 0.6)
DEEPER = against(make_result(num_layers=3, amounts=AMOUNTS), 5, name="deeper")
AS_DEEP = against(make_result(num_layers=3, amounts=AMOUNTS), 3, name="twin")
UNPRUNED = against(make_result(num_layers=3, amounts=(0.0,)), 3, name="twin")


def opened(page: str, result: SweepResult, folder: Path, monkeypatch: pytest.MonkeyPatch, **parameters: str) -> AppTest:
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(folder))
    save(result, folder)
    return open_page(page, result=result.key, **parameters)


def text_of(test: AppTest) -> str:
    return " ".join(element.value for kind in ("title", "markdown", "info", "warning") for element in test.get(kind))


@pytest.mark.usefixtures("quick_pages", "queue", "unfolded")
@pytest.mark.parametrize("result", [DEEPER, AS_DEEP, UNPRUNED], ids=["deeper", "as deep", "unpruned"])
@pytest.mark.parametrize(
    "page", ["app.py", "pages/layers.py", "pages/compare.py", "pages/present.py", "pages/sentences.py", "pages/lab.py"]
)
def test_every_page_shows_it(page: str, result: SweepResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    test = opened(page, result, tmp_path, monkeypatch, reduction="tokens")
    if page in ("app.py", "pages/layers.py"):
        words = text_of(test)
        assert "is most similar to" in words
        assert "stays intact" not in words


@pytest.mark.usefixtures("quick_pages", "queue")
@pytest.mark.parametrize(
    ("axis", "explained"),
    [
        ("amount", "where the same amount is removed"),
        ("damage", "where the same amount is removed"),
        ("divergence", "where their predicted probabilities have moved equally far"),
    ],
)
def test_compare_shows_two_results_whose_rows_differ_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, axis: str, explained: str
) -> None:
    other = make_result(num_layers=3, amounts=AMOUNTS)
    save(other, tmp_path)
    test = opened("pages/compare.py", AS_DEEP, tmp_path, monkeypatch, other=other.key, axis=axis)
    words = text_of(test)
    assert ("are shown at equal amounts" in words) == (axis == "damage")
    assert explained in words
    assert words.count("Both are shown where") == 1
    assert "no picture of their difference" in words
    assert "In the difference, orange cells" not in words


@pytest.mark.usefixtures("quick_pages", "queue", "unfolded")
def test_layers_and_the_overview_name_the_yardstick_where_twins_are_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = make_result(num_layers=3, amounts=AMOUNTS)
    for made in TWINS:
        save(made, tmp_path)
    for page in ("pages/layers.py", "app.py"):
        words = text_of(opened(page, shown, tmp_path, monkeypatch))
        assert "Other seeds (3 checkpoints)" in words
        assert "| 0.60 to 0.80 |" in words


@pytest.mark.usefixtures("quick_pages", "queue", "unfolded")
@pytest.mark.parametrize(("reduction", "is_drawn"), [("mean", True), ("cls", False)])
def test_layers_explains_the_range_of_twins_only_where_it_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reduction: str, is_drawn: bool
) -> None:
    for made in TWINS:
        save(made, tmp_path)
    shown = make_result(num_layers=3, amounts=AMOUNTS)
    test = opened("pages/layers.py", shown, tmp_path, monkeypatch, reduction=reduction)
    words = text_of(test) + " ".join(element.value for element in test.caption)
    assert ("Shaded in blue is how similar" in words) == is_drawn
